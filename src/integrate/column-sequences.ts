// Sequences that belong to columns (serial, identity): kept, or made again as they are, where a column comes anew.
import type { Session } from '../database/database.ts';
import { quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';

export interface ColumnSequence {
  readonly column: string;
  /** Qualified and quoted. */
  readonly sequence: string;
  /** It goes with the column, whatever is done. */
  readonly identity: boolean;
  /** SQL: what it counts like. */
  readonly options: string;
  readonly last: string;
  readonly called: boolean;
}

/** @param table qualified name */
export async function readColumnSequences(
  session: Session,
  table: string,
  columns: readonly { readonly name: string }[],
): Promise<readonly ColumnSequence[]> {
  if (columns.length === 0) return [];
  return session.query<ColumnSequence>(sql`
    select a.attname::text as column, format('%I.%I', n.nspname, c.relname) as sequence, d.deptype = 'i' as identity,
      format('increment by %s minvalue %s maxvalue %s start with %s cache %s %s', s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then 'cycle' else 'no cycle' end) as options,
      coalesce(pg_sequence_last_value(c.oid), s.seqstart)::text as last, pg_sequence_last_value(c.oid) is not null as called
    from pg_attribute a join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    join pg_class c on c.oid = d.objid and c.relkind = 'S' join pg_namespace n on n.oid = c.relnamespace join pg_sequence s on s.seqrelid = c.oid
    where a.attrelid = ${table}::regclass and a.attname = any (${columns.map(({ name }) => name)}::name[]) order by a.attnum`);
}

/** Before the column goes. */
export const letGo = (sequences: readonly ColumnSequence[]): readonly string[] =>
  sequences.filter(({ identity }) => !identity).map(({ sequence }) => `alter sequence ${sequence} owned by none`);

/** Once it is back, with its default. An identity has a new sequence: what was counted goes with the transaction. */
export const belongAgain = (sequences: readonly ColumnSequence[], table: string): readonly string[] =>
  sequences.map(({ column, sequence, identity, options, last, called }) =>
    identity
      ? `do ${quoteLiteral(`declare own constant regclass := pg_get_serial_sequence(${quoteLiteral(table)}, ${quoteLiteral(column)})::regclass; begin
          execute format('alter sequence %s ${options}', own);
          perform setval(own, ${last}, ${called});
        end`)}`
      : `alter sequence ${sequence} owned by ${table}.${quoteIdentifier(column)}`,
  );
