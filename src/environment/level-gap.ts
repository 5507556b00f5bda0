// Which patches a folder lacks of those that the folder has that it follows, and what each still has to bring besides its dictionary (R34, R35).
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

export interface LackingPatch {
  /** Of the folder that is followed. */
  readonly integration: string;
  readonly file: string;
  readonly digest: string;
  /** Codes that were authorised there. */
  readonly authorized: readonly string[];
  /** Codes of it that were not authorised there. */
  readonly ignored: readonly string[];
  /** It has data rows or scripts to run. */
  readonly open: boolean;
  /** The folder has its dictionary from its creation or an earlier validation. */
  readonly begun: boolean;
  /** The file itself is remembered. */
  readonly kept: boolean;
  /** File of a later patch whose rows the folder has already; null: of none. */
  readonly newer: string | null;
}

/** @param exactly of a history folder: data comes from its live folder and not from patches @returns in the order in which the other folder got them. History of both folders is locked. */
export async function readLevelGap(
  reader: Reader,
  folder: number,
  source: number,
  exactly: boolean,
): Promise<readonly LackingPatch[]> {
  return reader.query<LackingPatch>(sql`
    with had as (
      select distinct on (file) * from rustine.integrated where folder = ${source} and apatch_num is not null order by file, id desc),
    own as materialized (select id, file, digest, apatch_num, at, rows, series, number from rustine.integrated where folder = ${folder})
    select s.id::text as integration, s.file, encode(s.digest, 'hex') as digest, s.authorized, s.ignored, coalesce(p.kept, false) as kept,
      not ${exactly} and (s.rows > 0 or s.left_out <> '{}' or exists (
        select from rustine.integrated i where i.folder = s.folder and i.file = s.file and i.digest = s.digest
          and (jsonb_array_length(coalesce(i.outcome -> 'pending', '[]')) > 0 or coalesce((i.outcome #>> '{scripts,run}')::integer, 0) > 0))) as open,
      exists (select from own o where o.file = s.file and o.digest = s.digest) as begun,
      (select o.file from own o where o.apatch_num is not null and o.rows > 0 and o.file <> s.file
        and (o.series = s.series and o.number > s.number
          or exists (select from rustine.integrated t where t.folder = ${source} and t.file = o.file and t.digest = o.digest and t.id > s.id))
        order by o.id limit 1) as newer
    from had s left join rustine.patch p on p.digest = s.digest
    where s.patch_type <> '2' and not exists (
      select from own o where o.file = s.file and o.apatch_num is not null and (o.digest = s.digest or o.at > s.at))
    order by s.id`);
}

/** A patch of the folder's own whose rows were left out, and that has somewhere to put them now. */
export interface ReopenedPatch {
  readonly file: string;
  readonly digest: string;
  readonly authorized: readonly string[];
  readonly ignored: readonly string[];
  readonly kept: boolean;
}

export async function readReopened(reader: Reader, folder: number): Promise<readonly ReopenedPatch[]> {
  return reader.query<ReopenedPatch>(sql`
    select i.file, encode(i.digest, 'hex') as digest, i.authorized, i.ignored, coalesce(p.kept, false) as kept
    from (select distinct on (file) * from rustine.integrated where folder = ${folder} order by file, id desc) i
    left join rustine.patch p on p.digest = i.digest
    where i.reopened and i.apatch_num is not null order by i.id`);
}

/** What no validation brings whole. */
export interface LeftToIntegrate {
  /** null: any that lacks the file. */
  readonly folder: number | null;
  readonly file: string;
  /** Files of other kinds that are not kept and whose rows come before: integrated with it, in this order. */
  readonly first: readonly string[];
}

/**
 * Of what folders lack, what is left for a person to integrate: data rows and scripts to run of a file that is not kept (as the supervisor
 * folder has it, or the parent one that comes before), and those that a validation left out since later rows are there.
 * @param folders those that lack something
 */
export async function readLeftToIntegrate(
  reader: Reader,
  folders: readonly number[],
  files: readonly string[],
): Promise<readonly LeftToIntegrate[]> {
  if (files.length === 0) return [];
  return reader.query<LeftToIntegrate>(sql`
    with opened as not materialized (
      select i.id, i.folder, i.file, i.digest, i.patch_type, i.at, i.series, i.number, coalesce(p.kept, false) as kept
      from rustine.integrated i left join rustine.patch p on p.digest = i.digest
      where i.apatch_num is not null and (i.rows > 0 or i.left_out <> '{}' or jsonb_array_length(coalesce(i.outcome -> 'pending', '[]')) > 0
        or coalesce((i.outcome #>> '{scripts,run}')::integer, 0) > 0)),
    open as materialized (
      select i.*, f.parent is null as supervisor from opened i join rustine.folder f on f.id = i.folder
      where i.file = any(${files}::text[]) and f.id in (
        select id from rustine.folder where parent is null union select parent from rustine.folder where id = any(${folders}::integer[]))),
    -- A folder without any patch of its own has no later rows, but a row here for each patch of its parent.
    begun as materialized (
      select f.id as folder, f.parent, i.file, i.digest from rustine.folder f join rustine.integrated i on i.folder = f.id
      where f.id = any(${folders}::integer[]) and f.history_of is null and coalesce(f.patches, 1) > 0
        and i.file = any(${files}::text[]) and i.apatch_num is null),
    own as materialized (
      select i.* from rustine.integrated i where i.folder in (select folder from begun) and i.apatch_num is not null and i.rows > 0),
    last_number as (select folder, series, max(number) as number from own where series is not null group by folder, series),
    last_there as (
      select f.id as folder, max(t.id) as id from own o join rustine.folder f on f.id = o.folder
      join rustine.integrated t on t.folder = f.parent and t.file = o.file and t.digest = o.digest group by f.id),
    -- After one of these a validation brings no rows, whatever is kept of the others.
    not_kept as materialized (
      select i.* from opened i
      where i.folder in (select parent from begun) and not i.kept and i.patch_type <> '2' and i.file <> all(${files}::text[])
        and not exists (select from rustine.integrated l where l.folder = i.folder and l.file = i.file and l.apatch_num is not null and l.id > i.id)),
    waiting as (
      select b.folder, b.file, array_agg(k.file order by k.id) as first
      from begun b join open s on s.folder = b.parent and s.file = b.file and s.digest = b.digest
      join not_kept k on k.folder = b.parent and k.id < s.id
      left join last_number n on n.folder = b.folder and n.series = k.series left join last_there t on t.folder = b.folder
      where coalesce(n.number <= k.number, true) and coalesce(t.id <= k.id, true) and not exists (
        select from rustine.integrated o where o.folder = b.folder and o.file = k.file and o.apatch_num is not null and (o.digest = k.digest or o.at > k.at))
      group by b.folder, b.file)
    select distinct null::integer as folder, file, '{}'::text[] as first from open where supervisor and not kept
    union
    select b.folder, b.file, '{}' from begun b join open s on s.folder = b.parent and s.file = b.file and s.digest = b.digest
    left join last_number n on n.folder = b.folder and n.series = s.series left join last_there t on t.folder = b.folder
    where n.number > s.number or t.id > s.id
    union
    select folder, file, first from waiting`);
}
