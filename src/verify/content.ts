// Whether what is stored under a digest is what the digest was made of: the fields of records, with their activity code, and the bodies of scripts.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { activityOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES, type ElementType } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import { exactDigest, fieldsFromJson, meaningDigest } from '../dictionary/fields.ts';
import type { Difference } from './difference.ts';
import { MOST_LISTED, warn } from './difference.ts';

const PAGE = 5_000;

/** Shared by all folders, so looked at once for all of them. @returns by number of the folder */
export async function verifyContent(
  database: Database,
  folders: readonly number[],
): Promise<ReadonlyMap<number, readonly Difference[]>> {
  const found = new Map<number, Difference[]>();
  const note = (folder: number, difference: Difference): void => {
    found.set(folder, [...(found.get(folder) ?? []), difference]);
  };
  for (const { folder, type, name, records } of await usersOf(database, await alteredContents(database), folders)) {
    const element = `${type}:${name}`;
    const facts = { element, records: records.slice(0, MOST_LISTED), count: records.length };
    note(folder, warn('content-altered', element, facts, { by: 'backup' }));
  }
  for (const { folder, kind, name } of await alteredScripts(database, folders)) {
    const element = `${kind}:${name}`;
    note(folder, warn('script-altered', element, { element }, { by: 'backup' }));
  }
  return found;
}

async function alteredContents(database: Database): Promise<readonly string[]> {
  const altered: string[] = [];
  const byType = new Map<string, Doubtful>();
  for (let last = '0'; ; ) {
    const rows = await database.query<{ id: string; digest: string; meaning: string; activity: string; fields: string }>(sql`
      select id::text, encode(digest, 'hex') as digest, encode(meaning, 'hex') as meaning, activity, fields::text as fields
      from rustine.content where id > ${last}::bigint order by id limit ${PAGE}`);
    for (const { id, digest, meaning, activity, fields } of rows) {
      const read = fieldsFromJson(fields);
      const codes = activityCodes(read);
      if (exactDigest(read) !== digest || meaningDigest(read) !== meaning || !codes.has(activity)) altered.push(id);
      else if (codes.size > 1) byType.set(id, { activity, fields: read });
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE) return [...altered, ...(await withAnotherCode(database, byType))];
    last = end.id;
  }
}

/** Contents of which it depends on the element's type which field has their activity code. */
interface Doubtful {
  readonly activity: string;
  readonly fields: Fields;
}

/** One type for each way to find the code; undefined: of a type that the registry does not know. */
const WAYS: readonly (ElementType | undefined)[] = [
  undefined,
  ...new Map([...ELEMENT_TYPES.values()].map((type) => [type.activity.join(), type])).values(),
];

const activityCodes = (fields: Fields): ReadonlySet<string> => new Set(WAYS.map((type) => activityOf(type, fields)));

/** Reads all records, once: only what carries a code is in doubt. */
async function withAnotherCode(database: Database, doubtful: ReadonlyMap<string, Doubtful>): Promise<readonly string[]> {
  if (doubtful.size === 0) return [];
  const rows = await database.query<{ content: string; types: readonly string[] }>(sql`
    select content::text, array_agg(distinct type) as types from rustine.record where content = any(${[...doubtful.keys()]}::bigint[]) group by content`);
  return rows.flatMap(({ content, types }) => {
    const stored = doubtful.get(content);
    if (stored === undefined) return [];
    return types.some((type) => activityOf(ELEMENT_TYPES.get(type), stored.fields) === stored.activity) ? [] : [content];
  });
}

interface User {
  readonly folder: number;
  readonly type: string;
  readonly name: string;
  readonly records: readonly string[];
}

/** Reads all records: only where something is altered. */
async function usersOf(database: Database, contents: readonly string[], folders: readonly number[]): Promise<readonly User[]> {
  if (contents.length === 0) return [];
  return database.query<User>(sql`
    select folder, type, name, array_agg(concat_ws(' ', tag, key) order by position) as records from rustine.record
    where content = any(${contents}::bigint[]) and folder = any(${folders}::integer[]) group by folder, type, name order by folder, type, name`);
}

async function alteredScripts(
  database: Database,
  folders: readonly number[],
): Promise<readonly { readonly folder: number; readonly kind: string; readonly name: string }[]> {
  return database.query(sql`
    select s.folder, s.kind, s.name from rustine.script s
    where s.folder = any(${folders}::integer[]) and s.digest in (select digest from rustine.blob where sha256(bytes) <> digest) order by s.folder, s.kind, s.name`);
}
