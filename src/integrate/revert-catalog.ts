// Puts rows of the catalog back as they were before a patch: elements, records, offers, scripts, lists of scripts, texts, views' columns.
import type { Session } from '../database/database.ts';
import { quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';

interface Remembered {
  readonly table: string;
  /** After the folder. */
  readonly key: readonly string[];
  /** Column with the integration that made the row. */
  readonly made: 'created_by' | 'integration';
}

const RECORD_KEY = ['type', 'name', 'tag', 'key'];
const TEXT_KEY = ['table_name', 'field', 'slot', 'language', 'id1', 'id2'];

/** A test holds the list to the catalog. */
export const REMEMBERED: readonly Remembered[] = [
  { table: 'element', key: ['type', 'name'], made: 'created_by' },
  { table: 'record', key: RECORD_KEY, made: 'created_by' },
  { table: 'offer', key: RECORD_KEY, made: 'integration' },
  { table: 'script', key: ['kind', 'name'], made: 'created_by' },
  { table: 'script_function', key: ['function'], made: 'integration' },
  { table: 'pending_script', key: ['script'], made: 'integration' },
  { table: 'translation', key: TEXT_KEY, made: 'integration' },
  { table: 'remainder', key: ['integration', 'ordinal'], made: 'integration' },
  { table: 'dictionary_view', key: ['name'], made: 'integration' },
];

/** What the catalog had to be given back. */
export interface RevertedCatalog {
  readonly elements: { readonly removed: number; readonly updated: number };
  readonly scripts: { readonly removed: number; readonly restored: number };
  /** Texts by language count as rows. */
  readonly texts: { readonly removed: number; readonly restored: number };
}

export async function revertCatalog(session: Session, folder: FolderSettings, integration: string): Promise<RevertedCatalog> {
  const statements = [
    ...REMEMBERED.flatMap((each) => [
      removeStatement(each, folder, integration),
      clearStatement(each, folder, integration),
      putStatement(each, folder, integration),
    ]),
    `update rustine.integration set reopened = false where folder = ${folder.id} and id in (
      select (value ->> 'id')::bigint from rustine.before_image where integration = ${integration} and relation = 'reopened')`,
  ];
  const results = await session.script(statements.join(';\n'));
  const counts = (table: string): { readonly removed: number; readonly restored: number } => {
    const at = REMEMBERED.findIndex((each) => each.table === table);
    return { removed: results[3 * at]?.count ?? 0, restored: results[3 * at + 2]?.count ?? 0 };
  };
  const elements = counts('element');
  return {
    elements: { removed: elements.removed, updated: elements.restored },
    scripts: counts('script'),
    texts: counts('translation'),
  };
}

/** What the patch brought. */
function removeStatement({ table, made }: Remembered, folder: FolderSettings, integration: string): string {
  return `delete from rustine.${table} where folder = ${folder.id} and ${made} = ${integration}`;
}

/** What stands where a row of before comes back. */
function clearStatement({ table, key }: Remembered, folder: FolderSettings, integration: string): string {
  const list = (of: string): string => key.map((name) => `${of}.${quoteIdentifier(name)}`).join(', ');
  return `delete from rustine.${table} t using rustine.before_image b, jsonb_populate_record(null::rustine.${table}, b.value) r
    where b.integration = ${integration} and b.relation = ${quoteLiteral(table)} and r.folder = ${folder.id} and t.folder = r.folder and (${list('t')}) = (${list('r')})`;
}

/** All columns, whatever they are. The first image of a row counts; one of a row that the patch itself had brought is none. */
function putStatement({ table, key, made }: Remembered, folder: FolderSettings, integration: string): string {
  const keys = key.map((name) => `r.${quoteIdentifier(name)}`).join(', ');
  return `insert into rustine.${table} select (each_one.first).* from (
      select distinct on (${keys}) r as first
      from rustine.before_image b, jsonb_populate_record(null::rustine.${table}, b.value) r
      where b.integration = ${integration} and b.relation = ${quoteLiteral(table)} and r.folder = ${folder.id}
      order by ${keys}, b.ordinal) each_one
    where (each_one.first).${made} is distinct from ${integration}`;
}
