// A folder's dictionary as a delivery: what a new folder receives from its parent.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { DictionaryElement, DictionaryRecord } from '../dictionary/element.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { Folder } from '../environment/folder.ts';
import type { DeliveredPart, Delivery } from './delivery.ts';
import { FROM_DICTIONARY } from './delivery.ts';

const PAGE = 1_000;

interface RecordRow {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly fields: string;
}

/** All elements of the parent; read page by page, so memory stays flat. */
export async function dictionaryDelivery(database: Database, parent: Folder): Promise<Delivery> {
  const elements = await database.query<{ type: string; name: string; title: string }>(sql`
    select type, name, title from rustine.element where folder = ${parent.id} order by type, name`);
  return {
    file: `(dictionary of ${parent.code})`,
    ...FROM_DICTIONARY,
    languages: parent.languages,
    elements,
    parts: () => readElements(database, parent.id, elements),
  };
}

async function* readElements(
  database: Database,
  folder: number,
  elements: readonly { type: string; name: string; title: string }[],
): AsyncGenerator<DeliveredPart> {
  for (let from = 0; from < elements.length; from += PAGE) {
    const page = elements.slice(from, from + PAGE);
    const rows = await database.query<RecordRow>(sql`
      select r.type, r.name, r.tag, r.key, r.position, c.activity, c.fields::text as fields
      from unnest(${page.map((e) => e.type)}::text[], ${page.map((e) => e.name)}::text[]) as e (type, name)
      join rustine.record r on r.folder = ${folder} and r.type = e.type and r.name = e.name
      join rustine.content c on c.id = r.content
      order by r.position`);
    const records = Map.groupBy(rows, (row) => `${row.type}\0${row.name}`);
    for (const element of page) {
      yield { part: 'dictionary', element: elementOf(element, records.get(`${element.type}\0${element.name}`) ?? []) };
    }
  }
}

function elementOf(element: { type: string; name: string; title: string }, rows: readonly RecordRow[]): DictionaryElement {
  const records: DictionaryRecord[] = rows.map(({ tag, key, position, activity, fields }) => ({
    tag,
    key,
    position,
    activity,
    fields: fieldsFromJson(fields),
  }));
  return { ...element, records };
}
