// A folder's dictionary as a delivery: what a new folder receives from its parent.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { DictionaryElement, DictionaryRecord } from '../dictionary/element.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import { HEAD_BYTES, languageOf } from '../dictionary/script-language.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { DeliveredPart, DeliveredScript, Delivery } from './delivery.ts';
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

/** All elements of the parent, and its scripts where the new folder gets copies (R22); read page by page, so memory stays flat. */
export async function dictionaryDelivery(
  database: Database,
  parent: Folder,
  wanted: { readonly scripts: boolean },
): Promise<Delivery> {
  const elements = await database.query<{ type: string; name: string; title: string }>(sql`
    select type, name, title from rustine.element where folder = ${parent.id} order by type, name`);
  const scripts = wanted.scripts ? await readInheritedScripts(database, parent) : [];
  return {
    file: `(dictionary of ${parent.code})`,
    ...FROM_DICTIONARY,
    languages: parent.languages,
    elements: [...elements, ...scripts.map(({ kind, name, title }) => ({ type: kind, name, title }))],
    parts: () => readParts(database, parent.id, elements, scripts),
  };
}

/** Dictionary first: a SQL script may use tables. */
async function* readParts(
  database: Database,
  folder: number,
  elements: readonly { type: string; name: string; title: string }[],
  scripts: readonly DeliveredScript[],
): AsyncGenerator<DeliveredPart> {
  yield* readElements(database, folder, elements);
  yield* scripts;
}

/** What the parent uses, its own copies and inherited ones, in the order in which they came; the bodies stay where they are. */
export async function readInheritedScripts(reader: Reader, parent: Folder): Promise<readonly DeliveredScript[]> {
  const lookup = [parent.id, ...parent.ancestors.map((ancestor) => ancestor.id)];
  const rows = await reader.query<{
    kind: string;
    name: string;
    title: string;
    digest: string;
    head: Uint8Array;
    onlyAtEnd: boolean;
  }>(sql`
    select kind, name, title, digest, head, "onlyAtEnd" from (
      select distinct on (s.kind, s.name) s.kind, s.name, s.title, encode(s.digest, 'hex') as digest, substring(b.bytes for ${HEAD_BYTES}) as head, s.updated_by,
        -- A copy that came with a validation or a creation is that of the last patch there that delivers the script.
        exists (select from rustine.integration r where r.folder = s.folder and r.outcome -> 'ran' ? s.name and r.digest = case when i.kind = 'patch' then i.digest else (
          select p.digest from rustine.patch_element e join rustine.integrated p on p.digest = e.digest
          where e.type = s.kind and e.name = s.name and p.folder = s.folder order by p.id desc limit 1) end) as "onlyAtEnd"
      from rustine.script s join rustine.blob b on b.digest = s.digest left join rustine.integration i on i.id = s.updated_by where s.folder = any(${lookup}::integer[])
      order by s.kind, s.name, array_position(${lookup}::integer[], s.folder)) nearest
    order by updated_by, name, kind`);
  return rows.map(({ kind, name, title, digest, head, onlyAtEnd }) => ({
    part: 'script',
    kind,
    name,
    title,
    bytes: new Uint8Array(),
    stored: { digest, language: languageOf(kind, head), onlyAtEnd },
  }));
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
