// The sequence that numbers a folder's rows, where hands dropped it or gave it another name: no table takes a row without it, or what it is called.
import type { Session } from '../database/database.ts';
import { quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { ROW_COLUMN, ROW_SEQUENCE } from '../tables/model.ts';
import type { Difference } from './difference.ts';
import { FOLDER, SCHEMA, warn } from './difference.ts';

const SEQUENCE = `${SCHEMA}.${ROW_SEQUENCE}`;

/** Its numbers go on above all that rows have or had: those that were put aside come back by theirs. */
const MADE_AGAIN = `do $do$ declare
  each record; highest bigint; top bigint := coalesce((select max(r.row_number) from rustine.kept_row r join rustine.kept k on k.id = r.kept where k.folder = ${FOLDER}), 0);
begin
  create sequence ${SEQUENCE};
  for each in select c.oid::regclass as name, c.relnamespace = to_regnamespace(${quoteLiteral(SCHEMA)}) as own, a.atthasdef as numbered
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = ${quoteLiteral(ROW_COLUMN)} and not a.attisdropped
    where c.relkind = 'r' and (c.relnamespace = to_regnamespace(${quoteLiteral(SCHEMA)}) or (c.relnamespace = to_regnamespace('rustine_kept')
      and c.relname in (select k.relation from rustine.kept k where k.folder = ${FOLDER})))
  loop
    execute format('select max(${ROW_COLUMN}) from %s', each.name) into highest;
    top := greatest(top, highest);
    if each.own and not each.numbered then
      execute format('alter table %s alter column ${ROW_COLUMN} set default nextval(%L::regclass)', each.name, ${quoteLiteral(SEQUENCE)});
    end if;
  end loop;
  perform setval(${quoteLiteral(SEQUENCE)}, top + 1, false);
end $do$`.replaceAll(/\n */g, ' ');

/** At most one: with what else is said of it, which it explains. */
export interface RowSequence {
  readonly differences: readonly Difference[];
  explains(difference: Difference): boolean;
}

export async function verifyRowSequence(session: Session, { schema }: Pick<Folder, 'schema'>): Promise<RowSequence> {
  const [row] = await session.query<{ there: boolean; found: string | null }>(sql`
    with s as materialized (select oid, relname from pg_class where relnamespace = to_regnamespace(quote_ident(${schema})) and relkind = 'S')
    select exists (select from s where relname = ${ROW_SEQUENCE}) as there, (
      select s.relname::text from s join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = s.oid and d.classid = 'pg_attrdef'::regclass
      join pg_attrdef f on f.oid = d.objid join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum and a.attname = ${ROW_COLUMN}
      group by s.relname order by count(*) desc, s.relname limit 1) as found`);
  if (row === undefined || row.there) return { differences: [], explains: () => false };
  const { found } = row;
  const name = found === null ? '' : quoteIdentifier(found);
  const difference =
    found === null
      ? warn('sequence-missing', ROW_SEQUENCE, { sequence: ROW_SEQUENCE }, { by: 'sql', statement: MADE_AGAIN })
      : warn(
          'sequence-renamed',
          ROW_SEQUENCE,
          { sequence: ROW_SEQUENCE, found },
          { by: 'sql', statement: `alter sequence ${SCHEMA}.${name} rename to ${quoteIdentifier(ROW_SEQUENCE)}` },
        );
  return {
    differences: [difference],
    explains: ({ code, subject, facts }) =>
      (code === 'column-default-differs' && subject.endsWith(`.${ROW_COLUMN}`) && (found === null) === (facts.found === '')) ||
      (code === 'object-added' && facts.kind === 'sequence' && [found, name].includes(subject)),
  };
}
