// What a folder has of the typed views that a delivery touches: their columns, and which names other relations have.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { FieldsSeen } from '../dictionary/seen-fields.ts';
import { seeFields } from '../dictionary/seen-fields.ts';
import { isViewName, typeOfView, viewsOfTypes } from '../dictionary/view-names.ts';
import type { ViewColumn } from '../dictionary/views.ts';
import { columnsFromText } from '../dictionary/views.ts';
import type { Delivery } from './delivery.ts';
import type { FolderSettings } from './plan.ts';

export interface OwnView {
  readonly columns: readonly ViewColumn[];
  /** An application table has its name. */
  readonly hidden: boolean;
}

export interface ViewFacts {
  readonly known: ReadonlyMap<string, OwnView>;
  /** Names that other relations of the folder's schema have. */
  readonly occupied: ReadonlySet<string>;
  /** Fields of records that no view was made for: those of an environment that an earlier version made. */
  readonly seen: FieldsSeen;
}

/** Views that a delivery may change: those of its types, and those whose name a delivered table has. */
export function viewsOf(delivery: Pick<Delivery, 'elements'>): readonly string[] {
  const tables = delivery.elements.flatMap(({ type, name }) => (type === 'ATB' ? [name.toLowerCase()] : []));
  return [...new Set([...viewsOfTypes(new Set(delivery.elements.map(({ type }) => type))), ...tables.filter(isViewName)])];
}

export async function gatherViews(session: Session, folder: FolderSettings, names: readonly string[]): Promise<ViewFacts> {
  if (names.length === 0) return { known: new Map(), occupied: new Set(), seen: new Map() };
  const rows = await session.query<{
    name: string;
    columns: readonly string[] | null;
    hidden: boolean | null;
    relation: string | null;
  }>(sql`
    select n.name, v.columns, v.hidden, coalesce(c.relkind, t.typtype)::text as relation
    from unnest(${names}::text[]) as n (name)
    left join rustine.dictionary_view v on v.folder = ${folder.id} and v.name = n.name
    left join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and c.relname = n.name
    -- A view is a type too.
    left join pg_type t on t.typnamespace = to_regnamespace(quote_ident(${folder.schema})) and t.typname = n.name and t.typrelid = 0 and t.typcategory <> 'A'`);
  const known = rows.flatMap(({ name, columns, hidden }): [string, OwnView][] =>
    columns === null ? [] : [[name, { columns: columnsFromText(columns), hidden: hidden === true }]],
  );
  const occupied = rows.filter(
    ({ columns, hidden, relation }) => relation !== null && (relation !== 'v' || columns === null || hidden),
  );
  const seen: FieldsSeen = new Map();
  const without = new Set(rows.flatMap(({ name, columns }) => (columns === null ? (typeOfView(name) ?? []) : [])));
  for (const name of known.map(([each]) => each)) without.delete(typeOfView(name) ?? '');
  if (without.size > 0) await seeRecords(session, folder, [...without], seen);
  return { known: new Map(known), occupied: new Set(occupied.map(({ name }) => name)), seen };
}

const PAGE = 2_000;

/** Page by page along the primary key, so memory stays flat; a folder without such records costs one statement. */
async function seeRecords(session: Session, folder: FolderSettings, types: readonly string[], seen: FieldsSeen): Promise<void> {
  let last = { type: '', name: '', tag: '', key: '' };
  for (;;) {
    const rows = await session.query<typeof last & { fields: string }>(sql`
      select r.type, r.name, r.tag, r.key, c.fields::text as fields from rustine.record r join rustine.content c on c.id = r.content
      where r.folder = ${folder.id} and r.type = any(${types}::text[])
        and (r.type, r.name, r.tag, r.key) > (${last.type}, ${last.name}, ${last.tag}, ${last.key})
      order by r.type, r.name, r.tag, r.key limit ${PAGE}`);
    for (const { type, tag, fields } of rows) seeFields(seen, type, tag, fieldsFromJson(fields));
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE) return;
    last = end;
  }
}
