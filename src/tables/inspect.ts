// From the database's catalog to table shapes: one query for all tables asked for.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { ColumnType, ForeignType, InspectedIndex, InspectedTable } from './model.ts';

interface Row {
  readonly name: string;
  readonly attributes: number;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly generated: boolean;
    readonly numbered: boolean;
  }[];
  readonly indexes: readonly {
    readonly name: string;
    readonly unique: boolean;
    readonly keys: readonly { column: string; descending: boolean }[];
    readonly partial: boolean;
    readonly constraint: boolean;
    readonly uses: readonly string[] | null;
  }[];
}

/**
 * Tables of a schema by name; tables that do not exist are missing from the map, and so are those that a script made: they belong to the
 * folder's role, and its triggers and defaults would run with the rights of whoever writes to them.
 */
export async function inspectTables(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, InspectedTable>> {
  const rows = await session.query<Row>(sql`
    select c.relname as name, c.relnatts::integer as attributes,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated <> '', 'numbered', a.attidentity = 'a') order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      coalesce((select json_agg(json_build_object('name', ic.relname, 'unique', i.indisunique and i.indpred is null and i.indexprs is null,
          'partial', i.indpred is not null or i.indexprs is not null,
          'constraint', exists (select from pg_constraint k where k.conrelid = c.oid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')),
          'uses', case when i.indpred is not null or i.indexprs is not null or i.indnatts > i.indnkeyatts then (
            select json_agg(ua.attname order by ua.attnum) from pg_attribute ua
            where ua.attrelid = c.oid and ua.attnum > 0 and (ua.attnum = any(i.indkey::smallint[]) or exists (
              select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = ua.attnum))) end,
          'keys',
          (select coalesce(json_agg(json_build_object('column', ka.attname, 'descending', (i.indoption[k.n - 1] & 1) = 1) order by k.n), '[]')
           from generate_series(1, i.indnkeyatts) as k (n)
           join pg_attribute ka on ka.attrelid = c.oid and ka.attnum = i.indkey[k.n - 1])) order by ic.relname)
       from pg_index i join pg_class ic on ic.oid = i.indexrelid
       where i.indrelid = c.oid), '[]') as indexes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relkind = 'r' and c.relname = any(${names}::name[])
      and not exists (select from rustine.folder f where f.schema_name = n.nspname and f.role_name = pg_get_userbyid(c.relowner))`);
  return new Map(
    rows.map((row) => [
      row.name,
      {
        name: row.name,
        attributes: row.attributes,
        columns: row.columns.map(({ name, type, generated, numbered }) => ({
          name,
          type: parseType(type),
          ...(generated ? { generated: true as const } : {}),
          ...(numbered ? { numbered: true as const } : {}),
        })),
        indexes: row.indexes.map(inspectedIndex),
      },
    ]),
  );
}

function inspectedIndex({ partial, constraint, uses, ...index }: Row['indexes'][number]): InspectedIndex {
  return {
    ...index,
    ...(partial ? { partial: true } : {}),
    ...(constraint ? { constraint: true } : {}),
    ...(uses === null ? {} : { uses }),
  };
}

const VARCHAR = /^character varying\((\d+)\)$/;
const NUMERIC = /^numeric\((\d+),(\d+)\)$/;
const PLAIN: Readonly<Record<string, ColumnType>> = {
  smallint: { kind: 'smallint' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  date: { kind: 'date' },
  'timestamp with time zone': { kind: 'timestamptz' },
  uuid: { kind: 'uuid' },
  text: { kind: 'text' },
  bytea: { kind: 'bytea' },
};

/** As `format_type` writes it. */
export function parseType(text: string): ColumnType | ForeignType {
  const varchar = VARCHAR.exec(text);
  if (varchar !== null) return { kind: 'varchar', length: Number(varchar[1]) };
  const numeric = NUMERIC.exec(text);
  if (numeric !== null) return { kind: 'numeric', precision: Number(numeric[1]), scale: Number(numeric[2]) };
  return PLAIN[text] ?? { kind: 'other', name: text };
}
