// Which version of an element each folder has: the last patch that delivered it, what the folder holds of it, and what people decided (R41).
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Reader } from '../environment/catalog.ts';
import { readFollowed } from './followed-deliveries.ts';

/**
 * `delivered`: as the patch brought it · `own`: the folder keeps something of its own against it, or changed it · `created`: from its creation ·
 * `inherited`: a script that it takes from an ancestor · `rows`: data rows or a script to run, which are not compared · `absent`: it has it not
 */
export type ElementHold = 'delivered' | 'own' | 'created' | 'inherited' | 'rows' | 'absent';

/** One folder's version. */
export interface HeldElement {
  readonly folder: string;
  readonly hold: ElementHold;
  readonly from: string | null;
  readonly file: string | null;
  readonly digest: string | null;
  readonly at: string | null;
  /** When the folder got that version the first time: the file may have come again. */
  readonly first: string | null;
  readonly remembered: boolean;
}

export interface ElementDecision {
  readonly case: string;
  readonly choice: 'keep' | 'take' | 'value';
  /** `TAG KEY FIELD`; empty for the whole element. */
  readonly place: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

interface Delivered {
  readonly file: string;
  readonly digest: string;
  readonly at: string;
  readonly copied: boolean;
}

interface HoldRow {
  readonly id: number;
  readonly code: string;
  readonly ancestors: readonly number[];
  /** The last patch that delivered it. */
  readonly last: Delivered | null;
  /** What wrote the folder's own element or copy last. */
  readonly origin: (Delivered & { readonly patch: boolean; readonly remembered: boolean }) | null;
  readonly own: boolean;
}

const AT = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const delivered = (alias: string): string =>
  `'file', ${alias}.file, 'digest', encode(${alias}.digest, 'hex'), 'at', to_char(${alias}.at at time zone 'UTC', ${AT}), 'copied', ${alias}.run is null`;

/** @param folders numbers of those to be told about; their ancestors are looked at for scripts */
export async function readHeldElement(
  reader: Reader,
  folders: readonly number[],
  element: ElementName,
): Promise<readonly HeldElement[]> {
  const rows = await reader.query<HoldRow>({
    text: `with recursive up as (
        select id, id as ancestor, 0 as depth from rustine.folder where id = any($1::integer[])
        union all select up.id, f.parent, up.depth + 1 from up join rustine.folder f on f.id = up.ancestor where f.parent is not null),
      concerned as (select distinct ancestor as id from up),
      last as (
        select distinct on (i.folder) i.folder, i.file, i.digest, i.at, i.run
        from rustine.integrated i join concerned c on c.id = i.folder
        where not i.rows_only and i.digest in (select digest from rustine.patch_element where type = $2 and name = $3) order by i.folder, i.id desc),
      has as (
        select folder, updated_by from rustine.element where type = $2 and name = $3
        union all select folder, updated_by from rustine.script where kind = $2 and name = $3)
      select f.id, f.code, (select array_agg(u.ancestor order by u.depth) from up u where u.id = f.id and u.depth > 0) as ancestors,
        case when l.folder is not null then jsonb_build_object(${delivered('l')}) end as last,
        case when h.folder is not null then jsonb_build_object(${delivered('i')}, 'patch', coalesce(i.kind = 'patch', false),
          'remembered', exists (select from rustine.patch p where p.digest = i.digest)) end as origin,
        exists (select from rustine.offer o where o.folder = f.id and o.type = $2 and o.name = $3)
          or exists (select from rustine.record r where r.folder = f.id and r.type = $2 and r.name = $3 and cardinality(r.changed) > 0) as own
      from concerned c join rustine.folder f on f.id = c.id
      left join last l on l.folder = f.id left join has h on h.folder = f.id left join rustine.integration i on i.id = h.updated_by
      order by f.code`,
    values: [folders, element.type, element.name],
  });
  const followed = await readFollowed(
    reader,
    rows.map(({ id }) => id),
    element,
  );
  const byId = new Map(
    rows.map((row) => [row.id, { ...row, last: followed.find(({ folder }) => folder === row.id) ?? row.last }]),
  );
  const wanted = new Set(folders);
  const held = [...byId.values()].filter(({ id }) => wanted.has(id)).map((row) => heldBy(row, byId, element));
  const firsts = await readFirsts(
    reader,
    folders,
    held.flatMap(({ digest }) => digest ?? []),
  );
  return held.map((each) => ({ ...each, first: firsts.get(`${each.folder} ${each.digest} ${each.file}`) ?? each.at }));
}

/** Also where it was taken back in between. */
async function readFirsts(
  reader: Reader,
  folders: readonly number[],
  digests: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await reader.query<{ of: string; at: string }>(sql`
    select concat_ws(' ', f.code, encode(i.digest, 'hex'), i.file) as of, to_char(min(i.at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
    from rustine.integration i join rustine.folder f on f.id = i.folder
    where i.kind = 'patch' and i.folder = any(${folders}::integer[]) and i.digest in (select decode(x, 'hex') from unnest(${[...new Set(digests)]}::text[]) x)
    group by f.code, i.digest, i.file`);
  return new Map(rows.map(({ of, at }) => [of, at]));
}

function heldBy(row: HoldRow, byId: ReadonlyMap<number, HoldRow>, { type }: ElementName): Omit<HeldElement, 'first'> {
  const behaviour = ELEMENT_TYPES.get(type)?.behaviour;
  const held = (hold: ElementHold, version: HoldRow = row, from: string | null = null): Omit<HeldElement, 'first'> => ({
    folder: row.code,
    hold,
    from,
    ...versionOf(version),
  });
  if (row.origin !== null) return held(row.own ? 'own' : fromCreation(row) ? 'created' : 'delivered');
  if (behaviour === 'script') {
    const ancestor = (row.ancestors ?? []).map((id) => byId.get(id)).find((each) => each?.origin != null);
    if (ancestor !== undefined) return held('inherited', ancestor, ancestor.code);
  }
  // Rows and scripts to run are no elements of the dictionary: that they came is all that is known.
  const stored = ELEMENT_TYPES.has(type) && !['exe', 'table-content', 'model-rows'].includes(behaviour ?? '');
  return held(row.last !== null && !stored ? 'rows' : 'absent');
}

const fromCreation = ({ last, origin }: HoldRow): boolean =>
  last === null ? origin?.patch !== true || origin.copied : last.copied;

type Version = Omit<HeldElement, 'folder' | 'hold' | 'from' | 'first'>;

/** Of what was integrated before deliveries were remembered, only who wrote the element last is known. */
function versionOf({ last, origin }: HoldRow): Version {
  if (last !== null) return { file: last.file, digest: last.digest, at: last.at, remembered: true };
  if (origin?.patch === true && !origin.remembered)
    return { file: origin.file, digest: origin.digest, at: origin.at, remembered: false };
  return { file: null, digest: null, at: null, remembered: true };
}

/** The latest first. */
export async function readElementDecisions(reader: Reader, { type, name }: ElementName): Promise<readonly ElementDecision[]> {
  return reader.query<ElementDecision>(sql`
    select case_id as case, choice, concat_ws(' ', nullif(tag, ''), nullif(key, ''), nullif(field, '')) as place, decided_by as by,
      to_char(decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, reason
    from rustine.decision where type = ${type} and name = ${name} order by decided_at desc, id desc`);
}

/** Patch files that these folders have and that were integrated before deliveries were remembered. */
export async function readNotRemembered(reader: Reader, folders: readonly number[]): Promise<readonly string[]> {
  const rows = await reader.query<{ file: string }>(sql`
    select distinct i.file from rustine.integrated i left join rustine.patch p on p.digest = i.digest
    where i.folder = any(${folders}::integer[]) and p.digest is null order by i.file`);
  return rows.map(({ file }) => file);
}

/** Names of elements of the type that some patch or folder has. */
export async function readElementNames(reader: Reader, type: string): Promise<readonly string[]> {
  const rows = await reader.query<{ name: string }>(sql`
    select name from rustine.patch_element where type = ${type} union select name from rustine.element where type = ${type}
    union select name from rustine.script where kind = ${type} order by name`);
  return rows.map(({ name }) => name);
}
