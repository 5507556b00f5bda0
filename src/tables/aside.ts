// What goes away is put aside (R27): the statements that keep columns, values and tables before a change takes them. SQL text; pure.
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import { conversionOf, holds } from './conversion.ts';
import type { TableChange } from './diff.ts';
import { ROW_COLUMN, typeName } from './model.ts';

/** Of whom, and by what, something is put aside. */
export interface Origin {
  readonly schema: string;
  /** Number of the folder. */
  readonly folder: number;
  /** Number of the integration, as text; null for a validation. */
  readonly integration: string | null;
  /** Who did it; empty where the integration says so. */
  readonly by: string;
}

const KEPT_SCHEMA = 'rustine_kept';

/** A column of which values are put aside, and which ones. */
interface Going {
  readonly column: string;
  readonly type: string;
  readonly why: string;
  /** Condition on the column: the values that would be lost. */
  readonly lost: string;
}

/** Statements that come before the change's own. Nothing can write to the table in between: the first one locks it. */
export function asideOf(change: TableChange, origin: Origin): readonly string[] {
  if (change.change === 'create') return [];
  if (change.change === 'remove') return [tableAside(change, origin)];
  const going = change.steps.flatMap((step): readonly Going[] => {
    if (step.step === 'drop-column') {
      const lost = holds(step.type, `t.${quoteIdentifier(step.column)}`);
      return [{ column: step.column, type: typeName(step.type), why: step.why, lost }];
    }
    if (step.step !== 'retype-column') return [];
    const { changed } = conversionOf(step.from, step.to);
    if (changed === undefined) return [];
    return [
      { column: step.column, type: typeName(step.from), why: 'retyped', lost: changed(`t.${quoteIdentifier(step.column)}`) },
    ];
  });
  if (going.length === 0) return [];
  return [
    `lock table ${qualified(origin.schema, change.table)} in access exclusive mode`,
    ...Map.groupBy(going, ({ why }) => why)
      .entries()
      .map(([why, columns]) => columnsAside(change.table, columns, why, origin)),
  ];
}

/** One statement, however many columns and rows; where no row holds anything, nothing is put aside. */
function columnsAside(table: string, going: readonly Going[], why: string, origin: Origin): string {
  const values = going.map(
    ({ column, lost }) => `case when ${lost} then t.${quoteIdentifier(column)} end as ${quoteIdentifier(column)}`,
  );
  const columns = Object.fromEntries(going.map(({ column, type }) => [column, type]));
  return `with gone as materialized (
      select t.${quoteIdentifier(ROW_COLUMN)} as number, jsonb_strip_nulls((select to_jsonb(v) from (select ${values.join(', ')}) v)) as value
      from ${qualified(origin.schema, table)} t where ${going.map(({ lost }) => lost).join(' or ')}),
    k as (${keptSql('columns', table, columns, '(select count(*) from gone)', why, origin)} where exists (select from gone) returning id)
    insert into rustine.kept_row (kept, row_number, value) select k.id, gone.number, gone.value from k cross join gone`;
}

function keptSql(kind: string, table: string, columns: object, rows: string, why: string, origin: Origin): string {
  const { folder, integration, by } = origin;
  return `insert into rustine.kept (folder, integration, kind, table_name, columns, rows, why, kept_by)
    select ${folder}, ${integration ?? 'null'}::bigint, ${quoteLiteral(kind)}, ${quoteLiteral(table)}, ${quoteLiteral(JSON.stringify(columns))}::jsonb, ${rows}, ${quoteLiteral(why)}, ${quoteLiteral(by)}`;
}

/**
 * Moves a table, no row is copied. Its number is known only when it is put aside, so its name is made there. On the way it has a name that no
 * dictionary table can have; its indexes are numbered behind its own, so that those of two
 * folders do not meet and none is cut; their names are written down.
 */
function tableAside({ table, columns, why }: TableChange & { change: 'remove' }, origin: Origin): string {
  const [schema, name] = [quoteLiteral(origin.schema), quoteLiteral(table)];
  const kept = quoteLiteral(KEPT_SCHEMA);
  return `do ${quoteLiteral(`declare number bigint; rows bigint; each record; names jsonb := '{}'; place text;
    begin
      lock table ${qualified(origin.schema, table)} in access exclusive mode;
      select count(*) into rows from ${qualified(origin.schema, table)};
      ${keptSql('table', table, columns, 'rows', why, origin)} returning id into number;
      for each in select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = ${quoteLiteral(qualified(origin.schema, table))}::regclass order by c.relname loop
        place := 'k' || number || '_i' || (select count(*) + 1 from jsonb_object_keys(names));
        names := names || jsonb_build_object(place, each.relname);
        execute format('alter index %I.%I rename to %I', ${schema}, each.relname, place);
      end loop;
      update rustine.kept set relation = 'k' || number, indexes = names where id = number;
      execute format('alter table %I.%I rename to %I', ${schema}, ${name}, 'K' || number);
      execute format('alter table %I.%I set schema %I', ${schema}, 'K' || number, ${kept});
      execute format('alter table %I.%I rename to %I', ${kept}, 'K' || number, 'k' || number);
    end`)}`;
}
