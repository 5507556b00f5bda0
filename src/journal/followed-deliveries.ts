// Which delivery counts for what a validation wrote in a folder, or its creation where no patch came with it: the last one of the folder that it follows, as that stood then (R35).
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Reader } from '../environment/catalog.ts';

/** Where it is another one than the last patch of the folder's own. */
export interface FollowedDelivery {
  readonly folder: number;
  readonly type: string;
  readonly name: string;
  readonly file: string;
  readonly digest: string;
  readonly authorized: readonly string[];
  readonly kept: boolean;
  readonly at: string;
  readonly copied: boolean;
}

/**
 * What wrote an element last says whether it was a validation; the folder that it follows may have it from one, too. A patch of the folder's
 * own that came later, or that the other one lacks, counts instead. Codes are those that were authorised in the folder itself.
 * @param element one alone; null: all
 */
export async function readFollowed(
  reader: Reader,
  folders: readonly number[],
  element: ElementName | null,
): Promise<readonly FollowedDelivery[]> {
  const [type, name] = [element?.type ?? null, element?.name ?? null];
  return reader.query<FollowedDelivery>(sql`
    with recursive thing as not materialized (
      select folder, type, name, updated_by as by from rustine.element where ${type}::text is null or type = ${type} and name = ${name}
      union all
      select folder, kind, name, updated_by from rustine.script where ${type}::text is null or kind = ${type} and name = ${name}),
    -- Patches of the supervisor folder: what they brought comes with a creation, they themselves do not.
    alone as materialized (
      select distinct e.type, e.name from rustine.patch p join rustine.patch_element e on e.digest = p.digest where p.patch_type = '2'),
    validated as materialized (
      select t.folder, t.type, t.name from thing t join rustine.integration v on v.id = t.by where v.kind = 'validation'),
    -- What a creation copied without the patch, or from a folder that had it from a validation: copied patches do not say whose it is.
    copied as materialized (
      select t.folder, t.type, t.name from thing t join rustine.integration v on v.id = t.by join rustine.folder f on f.id = t.folder
      where v.kind = 'creation' and ((t.type, t.name) in (select a.type, a.name from alone a)
        or (coalesce(f.history_of, f.parent), t.type, t.name) in (select w.folder, w.type, w.name from validated w))),
    climb as (
      select t.folder as of, t.folder, t.type, t.name, v.id as validation, v.run, v.id as since, 0 as step
      from thing t join rustine.integration v on v.id = t.by
      where t.folder = any(${folders}::integer[]) 
        and (v.kind = 'validation' or (t.folder, t.type, t.name) in (select o.folder, o.type, o.name from copied o))
      union all
      select c.of, s.folder, c.type, c.name, c.validation, c.run, 
        case when v.kind = 'validation' or (s.folder, s.type, s.name) in (select o.folder, o.type, o.name from copied o) then least(c.since, v.id) end, c.step + 1
      from climb c join rustine.folder f on f.id = c.folder
      join thing s on s.folder = coalesce(f.history_of, f.parent) and s.type = c.type and s.name = c.name
      left join rustine.integration v on v.id = s.by
      where c.since is not null),
    -- Up to the folder that has it from a patch; before the earliest validation on the way.
    taken as materialized (
      select distinct on (of, type, name) of, folder, type, name, validation, run, min(since) over (partition by of, type, name) as since
      from climb order by of, type, name, step desc),
    delivery as materialized (
      select distinct i.id, i.folder, i.file, i.digest, i.run, i.authorized, i.at, e.type, e.name
      from (select distinct type, name from taken) t join rustine.patch_element e on e.type = t.type and e.name = t.name
      join rustine.integrated i on i.digest = e.digest
      where not i.rows_only and i.folder in (select of from taken union select folder from taken)),
    own as (
      select distinct on (t.of, t.type, t.name) t.of, t.type, t.name, d.id, d.file, d.digest, d.run
      from taken t join delivery d on d.folder = t.of and d.type = t.type and d.name = t.name order by t.of, t.type, t.name, d.id desc),
    theirs as (
      select distinct on (t.of, t.type, t.name) t.*, d.file, d.digest, d.authorized, d.at
      from taken t join delivery d on d.folder = t.folder and d.type = t.type and d.name = t.name
      where t.folder <> t.of and d.id < t.since order by t.of, t.type, t.name, d.id desc)
    select t.of as folder, t.type, t.name, t.file, encode(t.digest, 'hex') as digest, p.kept, coalesce(m.authorized, t.authorized) as authorized,
      to_char(coalesce(m.at, v.at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, m.id is not null and m.run is null or v.kind = 'creation' as copied
    from theirs t join rustine.patch p on p.digest = t.digest join rustine.integration v on v.id = t.validation
    left join own o on o.of = t.of and o.type = t.type and o.name = t.name
    left join lateral (
      select d.id, d.authorized, d.at, d.run from delivery d
      where d.folder = t.of and d.type = t.type and d.name = t.name and d.file = t.file and d.digest = t.digest order by d.id desc limit 1) m on true
    where o.id is null or (o.file, o.digest) is distinct from (t.file, t.digest) and (o.id < t.validation or o.run = t.run or v.kind = 'creation' and o.run is null)
      and exists (select from delivery d where d.folder = t.folder and d.type = t.type and d.name = t.name and d.file = o.file and d.digest = o.digest)
    order by 1, 2, 3`);
}
