// Reads of the elements of folders: one with its records, offers and origin, a script, the list of them, who has an element.
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Fields } from '../dictionary/fields.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { Reader } from './catalog.ts';

/** Which integration brought something. */
export interface Origin {
  readonly patch: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
}

export interface StoredOffer {
  readonly scope: 'fields' | 'line' | 'element';
  readonly code: string;
  readonly fields: Fields;
  readonly json: string;
  readonly patch: string | null;
  readonly since: string;
}

export interface StoredRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly fields: Fields;
  /** As stored. */
  readonly json: string;
  /** Set-up fields that the folder's people changed. */
  readonly changed: readonly string[];
  readonly updated: Origin | null;
  /** What was delivered and not taken. */
  readonly offer: StoredOffer | null;
}

export interface StoredElement extends ElementName {
  readonly title: string;
  readonly created: Origin | null;
  readonly updated: Origin | null;
  readonly records: readonly StoredRecord[];
  /** Delivered lines that the folder has no record for. */
  readonly offered: readonly (StoredOffer & { readonly tag: string; readonly key: string })[];
}

export interface StoredScript extends ElementName {
  readonly title: string;
  /** Hexadecimal SHA-256. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly created: Origin | null;
  readonly updated: Origin | null;
}

const AT = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;
const origin = (alias: string): string =>
  `case when ${alias}.id is not null then jsonb_build_object('patch', ${alias}.file, 'at', to_char(${alias}.at at time zone 'UTC', ${AT}), 'by', ${alias}.operator) end`;
const offer = `case when o.folder is not null then jsonb_build_object('scope', o.scope, 'code', o.code, 'json', n.fields::text, 'patch', i.file,
  'since', to_char(o.since at time zone 'UTC', ${AT})) end`;

type OfferRow = Omit<StoredOffer, 'fields'>;

/** @returns undefined where the folder has no such element */
export async function readElement(
  reader: Reader,
  folder: number,
  { type, name }: ElementName,
): Promise<StoredElement | undefined> {
  const [head] = await reader.query<Pick<StoredElement, 'title' | 'created' | 'updated'>>({
    text: `select e.title, ${origin('c')} as created, ${origin('u')} as updated from rustine.element e
      left join rustine.integration c on c.id = e.created_by left join rustine.integration u on u.id = e.updated_by
      where e.folder = $1 and e.type = $2 and e.name = $3`,
    values: [folder, type, name],
  });
  if (head === undefined) return undefined;
  const records = await reader.query<Omit<StoredRecord, 'fields' | 'offer'> & { readonly offer: OfferRow | null }>({
    text: `select r.tag, r.key, r.position, c.activity, c.fields::text as json, r.changed, ${origin('u')} as updated, ${offer} as offer
      from rustine.record r join rustine.content c on c.id = r.content left join rustine.integration u on u.id = r.updated_by
      left join rustine.offer o on o.folder = r.folder and o.type = r.type and o.name = r.name and o.tag = r.tag and o.key = r.key
      left join rustine.content n on n.id = o.content left join rustine.integration i on i.id = o.integration
      where r.folder = $1 and r.type = $2 and r.name = $3 order by r.position, r.tag, r.key`,
    values: [folder, type, name],
  });
  const offered = await reader.query<{ readonly tag: string; readonly key: string; readonly offer: OfferRow }>({
    text: `select o.tag, o.key, ${offer} as offer from rustine.offer o join rustine.content n on n.id = o.content
      left join rustine.integration i on i.id = o.integration
      where o.folder = $1 and o.type = $2 and o.name = $3 and not exists (
        select from rustine.record r where r.folder = o.folder and r.type = o.type and r.name = o.name and r.tag = o.tag and r.key = o.key)
      order by o.position, o.tag, o.key`,
    values: [folder, type, name],
  });
  return {
    type,
    name,
    ...head,
    records: records.map((row) => ({
      ...row,
      fields: fieldsFromJson(row.json),
      offer: row.offer === null ? null : withFields(row.offer),
    })),
    offered: offered.map(({ tag, key, offer: row }) => ({ tag, key, ...withFields(row) })),
  };
}

const withFields = (row: OfferRow): StoredOffer => ({ ...row, fields: fieldsFromJson(row.json) });

/** The folder's own copy. */
export async function readScript(reader: Reader, folder: number, { type, name }: ElementName): Promise<StoredScript | undefined> {
  const [row] = await reader.query<Omit<StoredScript, 'type' | 'name'>>({
    text: `select s.title, encode(s.digest, 'hex') as digest, b.bytes, ${origin('c')} as created, ${origin('u')} as updated
      from rustine.script s join rustine.blob b on b.digest = s.digest
      left join rustine.integration c on c.id = s.created_by left join rustine.integration u on u.id = s.updated_by
      where s.folder = $1 and s.kind = $2 and s.name = $3`,
    values: [folder, type, name],
  });
  return row === undefined ? undefined : { type, name, ...row };
}

export interface ListedElement extends ElementName {
  readonly title: string;
  readonly records: number;
  readonly patch: string | null;
}

/** Elements and the folder's own scripts; of one type, or of all. */
export async function readElements(reader: Reader, folder: number, type?: string): Promise<readonly ListedElement[]> {
  return reader.query<ListedElement>(sql`
    select e.type, e.name, e.title, e.records, i.file as patch from (
      select e.type, e.name, e.title, e.updated_by,
        (select count(*)::integer from rustine.record r where r.folder = e.folder and r.type = e.type and r.name = e.name) as records
      from rustine.element e where e.folder = ${folder}
      union all
      select s.kind, s.name, s.title, s.updated_by, 0 from rustine.script s where s.folder = ${folder}) e
    left join rustine.integration i on i.id = e.updated_by
    where ${type ?? null}::text is null or e.type = ${type ?? ''} order by e.type, e.name`);
}

/** Codes of the folders that have an element or a script of this name. */
export async function foldersWith(reader: Reader, { type, name }: ElementName): Promise<readonly string[]> {
  const rows = await reader.query<{ code: string }>(sql`
    select f.code from rustine.folder f
    where exists (select from rustine.element e where e.folder = f.id and e.type = ${type} and e.name = ${name})
      or exists (select from rustine.script s where s.folder = f.id and s.kind = ${type} and s.name = ${name})
    order by f.code`);
  return rows.map(({ code }) => code);
}
