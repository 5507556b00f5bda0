// What a folder has that a delivery touches: gathered by a constant number of statements, judged elsewhere.
import { hostname } from 'node:os';
import { Failure } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Decision, Decisions } from '../dictionary/cases.ts';
import { NO_DECISIONS } from '../dictionary/cases.ts';
import { elementKey } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';
import type { OfferScope, OwnOffer, OwnRecord } from '../dictionary/merge-record.ts';
import type { CodeState } from '../tables/generation.ts';
import { inspectTables } from '../tables/inspect.ts';
import type { InspectedTable } from '../tables/model.ts';
import type { Delivery } from './delivery.ts';
import { tableNames as namesOfRowTables } from './delivery.ts';
import type { FolderSettings } from './plan.ts';
import type { ScriptFacts } from './script-facts.ts';
import { gatherScripts, lookupOf } from './script-facts.ts';
import type { Aside } from './table-facts.ts';
import { gatherCodes, gatherTaken, gatherTypeUsers, gatherUsedCodes, type Taken } from './table-facts.ts';
import type { ViewFacts } from './view-facts.ts';
import { gatherViews, viewsOf } from './view-facts.ts';

export interface OwnElement {
  readonly title: string;
  readonly records: readonly OwnRecord[];
  readonly offers: readonly OwnOffer[];
}

export interface FolderFacts {
  /** By `type\0name`. */
  readonly elements: ReadonlyMap<string, OwnElement>;
  /** Decided cases of the delivered elements (R37). */
  readonly decisions: Decisions;
  /** All data types of the folder by code. */
  readonly dataTypes: ReadonlyMap<string, OwnRecord>;
  /** Database tables that the delivery defines or has rows for, or that use a data type it brings, by physical name. */
  readonly tables: ReadonlyMap<string, InspectedTable>;
  /** Dictionary tables of the folder: abbreviation by table code. */
  readonly abbreviations: ReadonlyMap<string, string>;
  /** Definitions of tables that rows are delivered for or that use a delivered data type, by table code. */
  readonly definitions: ReadonlyMap<string, readonly OwnRecord[]>;
  /** State and size of the folder's activity codes (ADOSACT). */
  readonly codes: ReadonlyMap<string, CodeState>;
  /** Delivered activity codes that tables of the folder carry already. */
  readonly usedCodes: ReadonlySet<string>;
  /** Names in the schema that a new table or index may not take. */
  readonly taken: ReadonlyMap<string, Taken>;
  readonly scripts: ScriptFacts;
  readonly views: ViewFacts;
}

/** Puts the delivery's element list where SQL can join it; once per run and server. @param lease of who stages it */
export async function stageDelivery(session: Session, lease: string, delivery: Delivery): Promise<string> {
  const rows = await session.query<{ id: string }>(sql`
    with work as (insert into rustine.work (host, pid, process) values (${hostname()}, ${process.pid}, ${lease}) returning id),
    staged as (
      insert into rustine.delivery_element (delivery, ordinal, type, name)
      select work.id, e.ordinal, e.type, e.name
      from work, unnest(${delivery.elements.map((e) => e.type)}::text[], ${delivery.elements.map((e) => e.name)}::text[]) with ordinality as e (type, name, ordinal))
    select id::text from work`);
  return rows[0]?.id ?? '';
}

/** What a folder's transaction finds; only the digest decides about the plan. */
export interface StartingState {
  /** Computed by the server: folders with the same digest share a plan. */
  readonly digest: string;
  /** Estimated rows of the tables concerned. */
  readonly rows: ReadonlyMap<string, number>;
  /** What was put aside of these tables. */
  readonly aside: readonly Aside[];
}

export async function gatherBasis(
  session: Session,
  folder: FolderSettings,
  deliveryId: string,
  abbreviations: readonly string[],
  views: readonly string[],
): Promise<StartingState> {
  const rows = await session.query<{
    basis: string;
    staged_by: number | null;
    estimates: Record<string, number>;
    aside: Aside[];
  }>(sql`
    with delivered as materialized (select distinct type, name from rustine.delivery_element where delivery = ${deliveryId}),
    known_type as materialized (select r.name from rustine.record r join delivered using (type, name) where r.folder = ${folder.id} and r.type = 'ATY' and r.tag = 'ATY'),
    type_user as materialized (
      select distinct r.name from rustine.record r join rustine.content c on c.id = r.content
      where exists (select from known_type) and r.folder = ${folder.id} and r.type = 'ATB' and r.tag = 'ATZ' and c.fields ->> 'CODTYP' in (select name from known_type)),
    target as materialized (
      select r.name from rustine.record r join rustine.content c on c.id = r.content
      where cardinality(${abbreviations}::text[]) > 0 and r.folder = ${folder.id} and r.type = 'ATB' and r.tag = 'ATB'
        and (c.fields ->> 'ABRFIC' = any(${abbreviations}::text[]) or r.name = any(${abbreviations}::text[]))),
    wanted_table as materialized (
      select lower(name) as name from delivered where type = 'ATB' union select lower(name) from type_user union select lower(name) from target),
    fact as (
      select concat_ws(' ', 'r', r.type, r.name, r.tag, r.key, r.content, r.position, array_to_string(r.changed, ',')) as line
      from rustine.record r join delivered d using (type, name) where r.folder = ${folder.id}
      union all
      select concat_ws(' ', 'o', o.type, o.name, o.tag, o.key, o.scope, o.code, o.content, o.before) from rustine.offer o join delivered d using (type, name) where o.folder = ${folder.id}
      union all
      select concat_ws(' ', 'D', n.case_id, n.choice, n.value) from rustine.decision n join delivered d using (type, name)
      union all
      select concat_ws(' ', 'e', e.type, e.name, e.title) from rustine.element e join delivered d using (type, name) where e.folder = ${folder.id}
      union all
      select concat_ws(' ', 'y', r.name, r.content) from rustine.record r where r.folder = ${folder.id} and r.type = 'ATY' and r.tag = 'ATY'
      union all
      select concat_ws(' ', 'd', r.name, r.tag, r.key, r.content) from rustine.record r join (select name from target union select name from type_user) t on t.name = r.name where r.folder = ${folder.id} and r.type = 'ATB'
      union all
      select concat_ws(' ', 'v', n.name, v.hidden, v.columns::text, c.relkind)
      from unnest(${views}::text[]) as n (name) left join rustine.dictionary_view v on v.folder = ${folder.id} and v.name = n.name
      left join pg_class c on c.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and c.relname = n.name
      union all
      select concat_ws(' ', 's', s.kind, s.name, encode(s.digest, 'hex'), exists (select from rustine.script_function f where f.folder = s.folder and f.kind = s.kind and f.name = s.name))
      from rustine.script s join delivered d on d.type = s.kind and d.name = s.name where s.folder = ${folder.id}
      union all
      select concat_ws(' ', 'x', name, folder = ${folder.id}, kind, encode(digest, 'hex')) from (
        select distinct on (s.name) s.name, s.folder, s.kind, s.digest from rustine.script s join delivered d on d.type = 'EXE' and d.name = s.name
        where s.folder = any(${lookupOf(folder)}::integer[]) order by s.name, array_position(${lookupOf(folder)}::integer[], s.folder), s.kind desc) body
      union all
      select concat_ws(' ', 'c', t.relname, pg_get_userbyid(t.relowner) = ${folder.role}, t.relnatts, a.attname, a.atttypid, a.atttypmod)
      from pg_class t join pg_attribute a on a.attrelid = t.oid
      where t.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and t.relkind = 'r' and t.relname in (select name from wanted_table) and a.attnum > 0 and not a.attisdropped
      union all
      select concat_ws(' ', 'i', t.relname, x.relname, i.indisunique, i.indkey, i.indoption, i.indnkeyatts, i.indexprs, i.indpred,
        exists (select from pg_constraint k where k.conrelid = t.oid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')))
      from pg_class t join pg_index i on i.indrelid = t.oid join pg_class x on x.oid = i.indexrelid
      where t.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and t.relkind = 'r' and t.relname in (select name from wanted_table)
      union all
      select distinct concat_ws(' ', 't', x.relname)
      from pg_class x left join pg_index i on i.indexrelid = x.oid left join pg_class t on t.oid = i.indrelid cross join lateral (
        select array_to_string((string_to_array(x.relname, '_'))[1:n], '_') as prefix from generate_series(1, cardinality(string_to_array(x.relname, '_'))) n) p
      where x.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and case when p.prefix in (select name from wanted_table) then true else false end
        and not case when coalesce(t.relname, x.relname) in (select name from wanted_table) then x.relkind in ('r', 'i') else false end
        and not exists (select from rustine.dictionary_view v where x.relkind = 'v' and v.folder = ${folder.id} and v.name = x.relname)
      union all
      select concat_ws(' ', 'n', typname) from pg_type
      where typnamespace = to_regnamespace(quote_ident(${folder.schema})) and typrelid = 0 and typcategory <> 'A'
        and case when typname in (select name from wanted_table) then true else typname = any(${views}::text[]) end
      union all
      select concat_ws(' ', 'a', code, active, size) from rustine.activity_codes(${folder.schema}, ${folder.code})
      where exists (select from wanted_table) or cardinality(${abbreviations}::text[]) > 0 or exists (select from delivered where type = 'ACV')
      union all
      select concat_ws(' ', 'u', d.name) from delivered d
      where d.type = 'ACV' and not exists (select from rustine.activity_codes(${folder.schema}, ${folder.code}) a where a.code = d.name)
        and exists (select from rustine.record r join rustine.content c on c.id = r.content where r.folder = ${folder.id} and r.type = 'ATB' and c.activity = d.name))
    select concat_ws(' ', count(*), bit_xor(hashtextextended(line, 0)), bit_xor(hashtextextended(line, 1)), sum(hashtext(line))) as basis,
      (select pid from rustine.work where id = ${deliveryId}) as staged_by,
      (select coalesce(json_object_agg(t.relname, t.reltuples), '{}') from pg_class t
        where t.relnamespace = to_regnamespace(quote_ident(${folder.schema})) and t.relkind = 'r' and t.reltuples >= 0 and t.relname in (select name from wanted_table)) as estimates,
      (select coalesce(json_agg(json_build_object('id', k.id::text, 'table', k.table_name, 'kind', k.kind, 'columns', array(select jsonb_object_keys(k.columns))) order by k.id), '[]')
        from rustine.kept k where k.folder = ${folder.id} and k.restored_at is null and k.kind in ('table', 'columns') and k.table_name in (select name from wanted_table)) as aside
    from fact`);
  // A server that restarts empties the staging: judged against nothing, the delivery would overwrite what the folder keeps.
  const [row] = rows;
  if (row?.staged_by !== process.pid) throw new Failure('database-lost', { reason: 'the server restarted' });
  return { digest: row.basis, rows: new Map(Object.entries(row.estimates)), aside: row.aside };
}

interface RecordRow {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly digest: string;
  readonly meaning: string;
  readonly fields: string | null;
  readonly changed?: readonly string[];
}

function ownRecord(row: RecordRow): OwnRecord {
  const { tag, key, position, activity, digest, meaning, fields, changed = [] } = row;
  return {
    tag,
    key,
    position,
    activity,
    digest,
    meaning,
    ...(fields === null ? {} : { fields: fieldsFromJson(fields) }),
    ...(changed.length === 0 ? {} : { changed }),
  };
}

/** Types whose stored fields the planner needs: those with set-up fields, tables and data types. */
const WITH_FIELDS = [...ELEMENT_TYPES.values()]
  .filter(
    (t) =>
      Object.keys(t.setUp).length + Object.keys(t.setUpWhen).length > 0 ||
      t.blocks !== undefined ||
      t.behaviour === 'table' ||
      t.behaviour === 'data-type',
  )
  .map((t) => t.type);

export async function gatherFacts(
  session: Session,
  folder: FolderSettings,
  delivery: Delivery,
  deliveryId: string,
): Promise<FolderFacts> {
  // Texts in languages that the patch does not carry stay the folder's own (R23): the merge needs them.
  const { languages, partlyTranslated = false } = delivery;
  const otherLanguages = partlyTranslated || folder.languages.some((language) => !languages.includes(language));
  const elements = await gatherElements(session, folder, deliveryId, otherLanguages);
  const dataTypes = await gatherDataTypes(session, folder);
  const users = await gatherTypeUsers(
    session,
    folder,
    delivery.elements.filter((e) => e.type === 'ATY').map((e) => e.name),
  );
  const defined = delivery.elements.filter((e) => e.type === 'ATB').map((e) => e.name);
  const rowTables = new Set(namesOfRowTables(delivery));
  const shapes = defined.length + users.length + rowTables.size > 0;
  const abbreviations = shapes ? await gatherAbbreviations(session, folder) : new Map<string, string>();
  const targets = [
    ...new Set([
      ...[...abbreviations].flatMap(([code, abbreviation]) => (rowTables.has(abbreviation) || rowTables.has(code) ? [code] : [])),
      ...users,
    ]),
  ];
  const codes = delivery.elements.filter((element) => element.type === 'ACV').map((element) => element.name);
  const needsCodes = shapes || codes.length > 0;
  const tableNames = [...new Set([...defined, ...targets])].map((name) => name.toLowerCase());
  const tables =
    tableNames.length === 0 ? new Map<string, InspectedTable>() : await inspectTables(session, folder.schema, tableNames);
  const definitions = targets.length === 0 ? new Map<string, OwnRecord[]>() : await gatherDefinitions(session, folder, targets);
  return {
    elements,
    decisions: elements.size === 0 ? NO_DECISIONS : await gatherDecisions(session, deliveryId),
    dataTypes,
    tables,
    abbreviations,
    definitions,
    codes: needsCodes ? await gatherCodes(session, folder) : new Map<string, CodeState>(),
    usedCodes: codes.length === 0 ? new Set() : await gatherUsedCodes(session, folder, codes),
    taken: await gatherTaken(session, folder, tableNames),
    scripts: await gatherScripts(session, folder, deliveryId),
    views: await gatherViews(session, folder, viewsOf(delivery)),
  };
}

async function gatherElements(
  session: Session,
  folder: FolderSettings,
  deliveryId: string,
  allFields: boolean,
): Promise<Map<string, OwnElement>> {
  const heads = await session.query<{ type: string; name: string; title: string }>(sql`
    select e.type, e.name, e.title from rustine.element e join (select distinct type, name from rustine.delivery_element where delivery = ${deliveryId}) d using (type, name)
    where e.folder = ${folder.id}`);
  const elements = new Map(
    heads.map((head) => [
      elementKey(head.type, head.name),
      { title: head.title, records: [] as OwnRecord[], offers: [] as OwnOffer[] },
    ]),
  );
  if (elements.size === 0) return elements;
  const rows = await session.query<RecordRow>(sql`
    select r.type, r.name, r.tag, r.key, r.position, c.activity, encode(c.digest, 'hex') as digest, encode(c.meaning, 'hex') as meaning,
      case when ${allFields} or r.type = any(${WITH_FIELDS}::text[]) then c.fields::text end as fields, r.changed
    from rustine.record r join (select distinct type, name from rustine.delivery_element where delivery = ${deliveryId}) e using (type, name)
    join rustine.content c on c.id = r.content
    where r.folder = ${folder.id}`);
  for (const row of rows) elements.get(elementKey(row.type, row.name))?.records.push(ownRecord(row));
  for (const row of await gatherOffers(session, folder, deliveryId))
    elements.get(elementKey(row.type, row.name))?.offers.push(ownOffer(row));
  return elements;
}

interface OfferRow {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly scope: OfferScope;
  readonly code: string;
  readonly digest: string;
  readonly meaning: string;
  readonly fields: string;
  readonly before_digest: string | null;
  readonly before_meaning: string | null;
  readonly before_fields: string | null;
}

async function gatherOffers(session: Session, folder: FolderSettings, deliveryId: string): Promise<readonly OfferRow[]> {
  return session.query<OfferRow>(sql`
    select o.type, o.name, o.tag, o.key, o.scope, o.code, encode(c.digest, 'hex') as digest, encode(c.meaning, 'hex') as meaning, c.fields::text as fields,
      encode(b.digest, 'hex') as before_digest, encode(b.meaning, 'hex') as before_meaning, b.fields::text as before_fields
    from rustine.offer o join (select distinct type, name from rustine.delivery_element where delivery = ${deliveryId}) e using (type, name)
    join rustine.content c on c.id = o.content left join rustine.content b on b.id = o.before
    where o.folder = ${folder.id}`);
}

function ownOffer(row: OfferRow): OwnOffer {
  const { tag, key, scope, code, digest, meaning, fields, before_digest, before_meaning, before_fields } = row;
  const offer = { tag, key, scope, code, digest, meaning, fields: fieldsFromJson(fields) };
  if (before_digest === null || before_meaning === null || before_fields === null) return offer;
  return { ...offer, before: { digest: before_digest, meaning: before_meaning, fields: fieldsFromJson(before_fields) } };
}

async function gatherDecisions(session: Session, deliveryId: string): Promise<Decisions> {
  const rows = await session.query<{ case_id: string; choice: Decision['choice']; value: string | null }>(sql`
    select n.case_id, n.choice, n.value::text as value from rustine.decision n
    where exists (select from rustine.delivery_element e where e.delivery = ${deliveryId} and e.type = n.type and e.name = n.name)`);
  if (rows.length === 0) return NO_DECISIONS;
  return new Map(
    rows.map(({ case_id, choice, value }) => [
      case_id,
      value === null ? { choice } : { choice, value: fieldValueFromJson(value) },
    ]),
  );
}

/** A decided value stands in the catalog as the field of a record would. */
function fieldValueFromJson(json: string): NonNullable<Decision['value']> {
  return fieldsFromJson(`{"V":${json}}`).slots.V ?? [];
}

export async function gatherDataTypes(session: Session, folder: FolderSettings): Promise<Map<string, OwnRecord>> {
  const rows = await session.query<RecordRow>(sql`
    select r.type, r.name, r.tag, r.key, r.position, c.activity, encode(c.digest, 'hex') as digest, encode(c.meaning, 'hex') as meaning,
      jsonb_build_object('TYPTYP', c.fields -> 'TYPTYP', 'LNGTYP', c.fields -> 'LNGTYP')::text as fields
    from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder.id} and r.type = 'ATY' and r.tag = 'ATY'`);
  return new Map(rows.map((row) => [row.name, ownRecord(row)]));
}

export async function gatherAbbreviations(session: Session, folder: FolderSettings): Promise<Map<string, string>> {
  const rows = await session.query<{ name: string; abbreviation: string | null }>(sql`
    select r.name, c.fields ->> 'ABRFIC' as abbreviation from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder.id} and r.type = 'ATB' and r.tag = 'ATB' order by r.name`);
  return new Map(rows.map((row) => [row.name, row.abbreviation ?? '']));
}

export async function gatherDefinitions(
  session: Session,
  folder: FolderSettings,
  codes: readonly string[],
): Promise<Map<string, OwnRecord[]>> {
  const rows = await session.query<RecordRow>(sql`
    select r.type, r.name, r.tag, r.key, r.position, c.activity, encode(c.digest, 'hex') as digest, encode(c.meaning, 'hex') as meaning, c.fields::text as fields
    from rustine.record r join rustine.content c on c.id = r.content
    where r.folder = ${folder.id} and r.type = 'ATB' and r.name = any(${codes}::text[]) order by r.name`);
  const definitions = new Map<string, OwnRecord[]>();
  for (const row of rows) {
    const list = definitions.get(row.name) ?? [];
    list.push(ownRecord(row));
    definitions.set(row.name, list);
  }
  return definitions;
}
