// Which folders have lost their schema, and what it may be called now.
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface LostSchema {
  readonly folder: string;
  readonly schema: string;
  /** The one that it was renamed to by hand; null: nobody knows. */
  readonly found: string | null;
}

/** One that was renamed is known by the login, which may still use it, and by a table that every folder has. */
export async function readLostSchemas(reader: Reader, folders: readonly number[]): Promise<readonly LostSchema[]> {
  const rows = await reader.query<Omit<LostSchema, 'found'> & { others: readonly string[] }>(sql`
    select f.code as folder, f.schema_name as schema, array(
      select n.nspname::text from pg_namespace n cross join lateral aclexplode(n.nspacl) a
      where a.grantee = to_regrole(quote_ident(f.role_name))::oid and not exists (select from rustine.folder o where o.schema_name = n.nspname)
        and to_regclass(format('%I.apatch', n.nspname)) is not null) as others
    from rustine.folder f where f.id = any(${folders}::integer[]) and to_regnamespace(quote_ident(f.schema_name)) is null order by f.id`);
  return rows.map(({ folder, schema, others }) => ({ folder, schema, found: (others.length === 1 ? others[0] : null) ?? null }));
}

/** Gives it its name back. @param schema an identifier that is quoted, or stands for one */
export function renamedBack(found: string, schema: string): string {
  return `alter schema ${quoteIdentifier(found)} rename to ${schema}`;
}
