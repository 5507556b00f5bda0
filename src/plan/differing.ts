// In which elements and scripts a folder differs from the one that it follows, and on which terms these come (R19–R22): one statement.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { authorize, isScriptAuthorized, isSpecific, isSpecificScript } from '../dictionary/activity-codes.ts';
import type { Folder } from '../environment/folder.ts';
import type { Terms } from './delivery.ts';
import type { FolderSettings } from './plan.ts';

export interface DifferingElement {
  readonly type: string;
  readonly name: string;
  readonly title: string;
  /** Of a table. */
  readonly abbreviation: string;
  readonly terms: Terms;
  /** The folder lacks more than one patch that brought it: what was offered before the last one was never offered here. */
  readonly several: boolean;
}

export interface DifferingScript {
  readonly kind: string;
  readonly name: string;
  readonly terms: Terms;
}

export interface Differing {
  /** Differs where the folder that is followed has changed since. */
  readonly state: string;
  readonly elements: readonly DifferingElement[];
  readonly scripts: readonly DifferingScript[];
  /** `KIND:NAME` of copies that the folder keeps and that hide a newer one (R5). */
  readonly stale: readonly string[];
  /** `TYPE:NAME` of what a patch brought to the folder that the other one has not, later than whatever that one got. */
  readonly ahead: readonly string[];
}

interface Row {
  readonly script: boolean;
  readonly type: string;
  readonly name: string;
  readonly title: string;
  readonly present: boolean;
  readonly newer: boolean;
  readonly ahead: boolean;
  readonly codes: string | null;
  readonly patch_type: string | null;
  readonly abbreviation: string | null;
  readonly several: boolean;
}

const EXACTLY: Terms = { patchType: '1', authorized: 'everything', exactly: true };
const COPY: Terms = { patchType: '1', authorized: 'everything', exactly: false };

/** Both folders are locked: what is found stands until the transaction's end. */
export async function gatherDiffering(
  session: Session,
  folder: FolderSettings,
  source: Folder,
  exactly: boolean,
): Promise<Differing> {
  const rows = await gather(session, folder, source, exactly);
  const [first] = rows;
  const found = rows.filter((row) => row.type !== '');
  const elements: DifferingElement[] = [];
  const scripts: DifferingScript[] = [];
  const stale: string[] = [];
  const ahead: string[] = [];
  for (const row of found) {
    const { type, name, title } = row;
    if (row.ahead && !exactly) ahead.push(`${type}:${name}`);
    if (row.script) {
      const terms = exactly ? EXACTLY : scriptTerms(row, folder);
      if (terms !== undefined) scripts.push({ kind: type, name, terms });
      else if (row.newer && !row.ahead) stale.push(`${type}:${name}`);
    } else if (exactly || !row.ahead)
      elements.push({
        type,
        name,
        title,
        abbreviation: row.abbreviation ?? '',
        terms: exactly ? EXACTLY : termsOf(row),
        several: row.several,
      });
  }
  return { state: first?.title ?? '', elements, scripts, stale, ahead };
}

function termsOf({ patch_type, codes }: Row): Terms {
  return { patchType: patch_type ?? '1', authorized: codesOf(codes), exactly: false };
}

const codesOf = (codes: string | null): readonly string[] =>
  [...new Set((codes ?? '').split(',').filter((code) => code !== ''))].sort();

/** A copy that is missing comes as with a new folder; one that is there is replaced where a patch would do it (R19, R22). */
function scriptTerms(row: Row, folder: FolderSettings): Terms | undefined {
  if (!row.present) return COPY;
  if (row.ahead) return undefined;
  if (isSpecific(row.name)) return isScriptAuthorized(authorize(codesOf(row.codes)), row.name) ? COPY : undefined;
  return folder.test || isSpecificScript(row.name) ? COPY : undefined;
}

/** The first row says how things stand in the folder that is followed. */
async function gather(session: Session, folder: FolderSettings, source: Folder, exactly: boolean): Promise<readonly Row[]> {
  const lookup = [source.id, ...(exactly ? [] : source.ancestors.map(({ id }) => id))];
  const all = exactly || folder.test;
  return session.query<Row>(sql`
    -- An integration of rows alone delivers no element: with it the patch is whole, which began with the one that did.
    with had as materialized (
      select id, folder, file, digest, at, patch_type, authorized, apatch_num, rows_only, bool_or(apatch_num is not null) over (partition by folder, file, digest) as whole
      from rustine.integrated where folder in (${source.id}, ${folder.id})),
    integrated as materialized (
      select i.id, i.folder = ${source.id} as theirs, i.digest, i.at, i.patch_type, array_to_string(i.authorized || coalesce(p.activity_codes, '{}'), ',') as codes, p.digest is null as unknown,
        i.whole and not exists (
          select from had o where o.folder <> i.folder and o.file = i.file and o.digest = i.digest) as alone
      from had i left join rustine.patch p on p.digest = i.digest
      where not i.rows_only and (i.folder = ${folder.id} or i.folder = ${source.id} and i.whole and i.patch_type <> '2')),
    fact as (
      select r.folder, r.type, r.name, hashtextextended(concat_ws(chr(31), r.tag, r.key, r.position, r.content, array_to_string(r.changed, ',')), 1) as h
      from rustine.record r where r.folder in (${source.id}, ${folder.id})
      union all
      select o.folder, o.type, o.name, hashtextextended(concat_ws(chr(31), o.tag, o.key, o.scope, o.content, o.before), 2)
      from rustine.offer o where o.folder in (${source.id}, ${folder.id}) and not ${exactly}
      union all
      select e.folder, e.type, e.name, hashtextextended(e.title, 3) from rustine.element e where e.folder in (${source.id}, ${folder.id})),
    differing as materialized (
      select type, name from fact group by type, name
      having bool_or(folder = ${source.id})
        and bit_xor(h) filter (where folder = ${source.id}) is distinct from bit_xor(h) filter (where folder = ${folder.id})),
    nearest as (
      select distinct on (kind, name) kind, name, title, digest, updated_by from rustine.script
      where folder = any(${lookup}::integer[]) order by kind, name, array_position(${lookup}::integer[], folder)),
    thing as materialized (
      select false as script, d.type, d.name, s.title, m.name is not null as present, s.updated_by as theirs, m.updated_by as mine
      from differing d join rustine.element s on s.folder = ${source.id} and s.type = d.type and s.name = d.name
      left join rustine.element m on m.folder = ${folder.id} and m.type = d.type and m.name = d.name
      union all
      select true, n.kind, n.name, n.title, o.name is not null, n.updated_by, o.updated_by
      from nearest n left join rustine.script o on o.folder = ${folder.id} and o.kind = n.kind and o.name = n.name
      where case when o.name is null then ${all} or (${folder.specific} and n.name ~* '^([XYZ]|SPE|CNS.*SPE)') else o.digest <> n.digest end),
    brought as (
      select t.script, t.type, t.name, i.* from thing t join rustine.patch_element e on e.type = t.type and e.name = t.name join integrated i on i.digest = e.digest
      union
      select t.script, t.type, t.name, i.* from thing t join integrated i on i.id in (t.theirs, t.mine)),
    -- Those of one validation came at the same time.
    timed as (select *, at = max(case when not theirs then at end) over (partition by script, type, name) and not theirs as last from brought),
    counted as materialized (
      select script, type, name,
        count(*) filter (where theirs and alone) as lacking,
        max(at) filter (where theirs and alone) as lacking_at,
        coalesce(bool_or(unknown) filter (where theirs and alone), false) as unknown,
        string_agg(codes, ',') filter (where theirs and alone) as lacking_codes,
        string_agg(codes, ',') filter (where last) as last_codes,
        (array_agg(patch_type order by id desc) filter (where theirs and alone and patch_type <> '1'))[1] as lacking_type,
        (array_agg(patch_type order by id desc) filter (where last and patch_type <> '1'))[1] as last_type,
        max(id) filter (where not theirs and alone) as own,
        max(at) filter (where not theirs and alone) as own_at,
        max(id) filter (where not theirs and not alone) as shared
      from timed group by script, type, name)
    select false as script, '' as type, '' as name, coalesce((select max(id) from rustine.integration where folder = ${source.id}), 0)::text as title,
      false as present, false as newer, false as ahead, null as codes, null as patch_type, null as abbreviation, false as several
    union all
    select t.script, t.type, t.name, t.title, t.present,
      coalesce((select at from rustine.integration where id = t.theirs) > (select at from rustine.integration where id = t.mine), false),
      coalesce(b.own > coalesce(b.shared, 0) and (b.lacking = 0 or b.lacking_at < b.own_at), false),
      -- Of a patch of which only the integration is known, the specific codes are those that it left in the element.
      case when b.lacking = 0 then b.last_codes else concat_ws(',', b.lacking_codes, case when b.unknown then (
        select string_agg(distinct c.activity, ',') from rustine.record r join rustine.content c on c.id = r.content
        where r.folder = ${source.id} and r.type = t.type and r.name = t.name and c.activity ~* '^[XYZ]') end) end,
      case when b.lacking = 0 then b.last_type else b.lacking_type end,
      case when t.type = 'ATB' then (
        select c.fields ->> 'ABRFIC' from rustine.record r join rustine.content c on c.id = r.content
        where r.folder = ${source.id} and r.type = t.type and r.name = t.name and r.tag = 'ATB' limit 1) end,
      coalesce(b.lacking > 1, false)
    from thing t left join counted b on b.script = t.script and b.type = t.type and b.name = t.name
    order by script, type, name`);
}
