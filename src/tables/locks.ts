// Locks the tables that change before anything is done to them: in short waits, because all readers queue up behind one that waits. SQL text; pure.
import { quoteLiteral } from '../database/sql.ts';
import type { TableChange } from './diff.ts';

/** Longest single wait; readers that came later stand still as long. */
const WAIT_MS = 1_000;

/** A new index lets others read meanwhile. */
function modeOf(change: TableChange & { change: 'alter' }): string {
  return change.steps.every((step) => step.step === 'create-index') ? 'share row exclusive' : 'access exclusive';
}

/**
 * One statement, or none where no table was there before. All in all it waits as long as `lock_timeout` says, and lets go between two
 * attempts; its error names the table, and as its detail the mode.
 */
export function lockTables(changes: readonly TableChange[], schema: string): readonly string[] {
  const locks = changes
    .flatMap((change) =>
      change.change === 'create'
        ? []
        : [{ table: change.table, mode: change.change === 'remove' ? 'access exclusive' : modeOf(change) }],
    )
    .sort((a, b) => (a.table < b.table ? -1 : 1));
  if (locks.length === 0) return [];
  const list = (values: readonly string[]): string => `array[${values.map(quoteLiteral).join(', ')}]::text[]`;
  return [
    `do ${quoteLiteral(`declare
      tables text[] := ${list(locks.map(({ table }) => table))};
      modes text[] := ${list(locks.map(({ mode }) => mode))};
      total integer := (select setting::integer from pg_settings where name = 'lock_timeout');
      started timestamptz := clock_timestamp();
      here integer;
    begin
      perform set_config('lock_timeout', least(nullif(total, 0), ${WAIT_MS})::text, true);
      loop
        begin
          for at in 1 .. cardinality(tables) loop
            here := at;
            execute format('lock table %I.%I in ' || modes[at] || ' mode', ${quoteLiteral(schema)}, tables[at]);
          end loop;
          exit;
        exception when lock_not_available then
          if total > 0 and clock_timestamp() >= started + (total - 1) * interval '1 millisecond' then
            raise exception using errcode = 'lock_not_available', message = sqlerrm, schema = ${quoteLiteral(schema)}, table = tables[here], detail = modes[here];
          end if;
        end;
        perform pg_sleep(0.1 + random() * 0.4);
      end loop;
      perform set_config('lock_timeout', total::text, true);
    end`)}`,
  ];
}
