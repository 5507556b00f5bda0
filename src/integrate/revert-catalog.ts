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
  readonly columns: readonly string[];
}

const RECORD_KEY = ['type', 'name', 'tag', 'key'];
const TEXT_KEY = ['table_name', 'field', 'slot', 'language', 'id1', 'id2'];

/** What columns there are stands here, so that a row comes back whole; a test holds the list to the catalog. */
export const REMEMBERED: readonly Remembered[] = [
  { table: 'element', key: ['type', 'name'], made: 'created_by', columns: ['title', 'created_by', 'updated_by'] },
  {
    table: 'record',
    key: RECORD_KEY,
    made: 'created_by',
    columns: ['position', 'content', 'created_by', 'updated_by', 'changed'],
  },
  {
    table: 'offer',
    key: RECORD_KEY,
    made: 'integration',
    columns: ['scope', 'code', 'position', 'content', 'before', 'integration', 'since'],
  },
  { table: 'script', key: ['kind', 'name'], made: 'created_by', columns: ['title', 'digest', 'created_by', 'updated_by'] },
  { table: 'script_function', key: ['function'], made: 'integration', columns: ['kind', 'name', 'integration', 'definition'] },
  {
    table: 'pending_script',
    key: ['script'],
    made: 'integration',
    columns: ['title', 'integration', 'since', 'language', 'attempts', 'last_error', 'last_run', 'delivered', 'claimed_until'],
  },
  { table: 'translation', key: TEXT_KEY, made: 'integration', columns: ['text', 'integration'] },
  { table: 'remainder', key: ['integration', 'ordinal'], made: 'integration', columns: ['table_name', 'fields'] },
  { table: 'dictionary_view', key: ['name'], made: 'integration', columns: ['columns', 'hidden', 'integration'] },
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
    ...REMEMBERED.flatMap((each) => [removeStatement(each, folder, integration), putStatement(each, folder, integration)]),
    `update rustine.integration set reopened = false where folder = ${folder.id} and id in (
      select (value ->> 'id')::bigint from rustine.before_image where integration = ${integration} and relation = 'reopened')`,
  ];
  const results = await session.script(statements.join(';\n'));
  const counts = (table: string): { readonly removed: number; readonly restored: number } => {
    const at = REMEMBERED.findIndex((each) => each.table === table);
    return { removed: results[2 * at]?.count ?? 0, restored: results[2 * at + 1]?.count ?? 0 };
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

/** The first image of a row counts; one of a row that the patch itself had brought is none. */
function putStatement({ table, key, made, columns }: Remembered, folder: FolderSettings, integration: string): string {
  const keys = key.map(quoteIdentifier);
  const others = columns.map(quoteIdentifier);
  const list = ['folder', ...keys, ...others];
  return `insert into rustine.${table} (${list.join(', ')})
    select ${list.join(', ')} from (
      select distinct on (${keys.map((name) => `r.${name}`).join(', ')}) r.*
      from rustine.before_image b, jsonb_populate_record(null::rustine.${table}, b.value) r
      where b.integration = ${integration} and b.relation = ${quoteLiteral(table)} and r.folder = ${folder.id}
      order by ${keys.map((name) => `r.${name}`).join(', ')}, b.ordinal) first_image
    where ${made} is distinct from ${integration}
    on conflict (folder, ${keys.join(', ')}) do update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
}
