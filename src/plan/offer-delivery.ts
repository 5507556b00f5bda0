// What was offered to a folder and not taken, as a delivery of that element: deciding goes the same way as integrating.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { DictionaryRecord, ElementName } from '../dictionary/element.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { OfferScope } from '../dictionary/merge-record.ts';
import type { Delivery } from './delivery.ts';
import { FROM_DICTIONARY } from './delivery.ts';
import type { FolderSettings } from './plan.ts';

interface Row {
  readonly title: string;
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly fields: string;
  readonly scope: OfferScope | null;
  readonly patch_type: string | null;
  readonly languages: readonly string[] | null;
}

/** The element as it was last delivered, as far as it differs; where its header is protected, all of the delivered lines. */
export async function offerDelivery(
  session: Session,
  folder: FolderSettings,
  element: ElementName,
  file: string,
): Promise<Delivery> {
  const rows = await session.query<Row>(sql`
    select e.title, k.tag, k.key, coalesce(o.position, r.position) as position, c.activity, c.fields::text as fields, o.scope, i.patch_type, i.languages
    from (select tag, key from rustine.record where folder = ${folder.id} and type = ${element.type} and name = ${element.name}
      union select tag, key from rustine.offer where folder = ${folder.id} and type = ${element.type} and name = ${element.name}) k
    join rustine.element e on e.folder = ${folder.id} and e.type = ${element.type} and e.name = ${element.name}
    left join rustine.record r on r.folder = e.folder and r.type = e.type and r.name = e.name and r.tag = k.tag and r.key = k.key
    left join rustine.offer o on o.folder = e.folder and o.type = e.type and o.name = e.name and o.tag = k.tag and o.key = k.key
    left join rustine.integration i on i.id = o.integration
    join rustine.content c on c.id = coalesce(o.content, r.content)
    order by coalesce(o.position, r.position)`);
  const whole = rows.some((row) => row.scope === 'element');
  const records = rows
    .filter((row) => !whole || row.scope === 'element')
    .map(
      ({ tag, key, position, activity, fields }): DictionaryRecord => ({
        tag,
        key,
        position,
        activity,
        fields: fieldsFromJson(fields),
      }),
    );
  const title = rows[0]?.title ?? '';
  return {
    file,
    ...FROM_DICTIONARY,
    // As it came: the folder's own texts in other languages stay (R23), and what a Specific patch may change it may change now (R8).
    languages: offeredLanguages(rows) ?? folder.languages,
    ...(whole ? { patchType: rows.find((row) => row.patch_type !== null)?.patch_type ?? '1' } : {}),
    elements: [{ ...element, title }],
    parts: async function* () {
      yield { part: 'dictionary', element: { ...element, title, records } };
    },
  };
}

/** Of the last patch that offered something; undefined where that is not known. */
function offeredLanguages(rows: readonly Row[]): readonly string[] | undefined {
  return rows.map((row) => row.languages).findLast((languages) => languages !== null && languages.length > 0) ?? undefined;
}
