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
    select s.id::text as integration, s.file, encode(s.digest, 'hex') as digest, s.authorized, coalesce(p.kept, false) as kept,
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
  readonly kept: boolean;
}

export async function readReopened(reader: Reader, folder: number): Promise<readonly ReopenedPatch[]> {
  return reader.query<ReopenedPatch>(sql`
    select i.file, encode(i.digest, 'hex') as digest, i.authorized, coalesce(p.kept, false) as kept
    from (select distinct on (file) * from rustine.integrated where folder = ${folder} order by file, id desc) i
    left join rustine.patch p on p.digest = i.digest
    where i.reopened and i.apatch_num is not null order by i.id`);
}

/**
 * Of these files, those that no validation brings whole: they have data rows or scripts to run, and the file itself is not kept. As the
 * supervisor folder has them: what a folder lacks is what that one has.
 */
export async function readUnkept(reader: Reader, files: readonly string[]): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set();
  const rows = await reader.query<{ file: string }>(sql`
    select distinct i.file from rustine.integrated i join rustine.folder f on f.id = i.folder left join rustine.patch p on p.digest = i.digest
    where f.parent is null and i.file = any(${files}::text[]) and not coalesce(p.kept, false)
      and (i.rows > 0 or i.left_out <> '{}' or jsonb_array_length(coalesce(i.outcome -> 'pending', '[]')) > 0
        or coalesce((i.outcome #>> '{scripts,run}')::integer, 0) > 0)`);
  return new Set(rows.map(({ file }) => file));
}
