// Reads what was written to folders, grouped so that what one run did to many folders is one entry (R41).
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Reader } from '../environment/catalog.ts';

/** `copied`: had from its parent or its live folder, at creation or by a validation · `decision`: a decision about a kept value, carried out. */
export type HistoryKind = 'patch' | 'copied' | 'creation' | 'set' | 'decision' | 'validation' | 'revert';

export interface HistoryFilter {
  /** Numbers of folders. */
  readonly folders: readonly number[];
  /** File names in lower case; null: whatever file. */
  readonly files: readonly string[] | null;
  readonly element: ElementName | null;
  /** Times, ISO 8601: from then on, and before. */
  readonly since: string | null;
  readonly until: string | null;
  readonly operator: string | null;
}

/** An entry without its content: enough to know which are the latest, and which are the same on several servers. */
export interface EntryKey {
  readonly key: string;
  /** Of the first and the last of it, ISO 8601 with microseconds. */
  readonly at: string;
  readonly until: string;
  /** Number of the last thing written: what was written at the same moment has an order too. */
  readonly last: number;
}

/** What one run, or one person on one day, did in the same way, in whatever folders. */
export interface EntryContent {
  readonly kind: HistoryKind;
  /** Number of the run; null: of none (a creation, a person's change: those of a day are one entry). */
  readonly run: string | null;
  /** Patch file; of a revert the one that was taken back; empty where there is none. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal; null where there is none. */
  readonly digest: string | null;
  /** `TYPE:NAME` that was set or decided about; else null. */
  readonly element: string | null;
  readonly operator: string;
  readonly authorized: readonly string[];
  /** Specific codes that were not authorised: what carries them was left out. */
  readonly ignored: readonly string[];
  /** Check → reason; who gave it is `operator`. */
  readonly forced: Readonly<Record<string, string>>;
  /** Of a decision; else null. */
  readonly choice: 'keep' | 'take' | 'value' | null;
  /** Why: of a decision, of a patch that was taken back, of a folder that was unlocked; empty where nobody said. */
  readonly reason: string;
  /** The folders have it no more. */
  readonly takenBack: boolean;
}

export interface EntryRow extends EntryContent {
  readonly key: string;
  readonly folders: readonly FolderRow[];
}

export interface FolderRow {
  readonly folder: string;
  /** ISO 8601, as all times here. */
  readonly at: string;
  /** Number of what was written, on that server. */
  readonly integration: number;
  /** Of a creation: patches that the folder had from its parent, or from its live folder. */
  readonly copied: number;
  /** Of a patch that the folder has no more; `withLive`: a history folder gave it up by a validation, as its live folder has it no more. */
  readonly takenBack: {
    readonly by: string;
    readonly at: string;
    readonly run: string | null;
    readonly withLive: boolean;
  } | null;
  /** Of a patch that cannot be taken back any more: who removed what was remembered of it. */
  readonly purged: { readonly by: string; readonly at: string } | null;
}

const TIME = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
/** To the microsecond: what is read again between such times is all of it. */
const EXACT = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
/** A person's changes are those of a day: they have no run. */
const DAY = `'YYYY-MM-DD'`;

/**
 * The rows of rustine.integration that are asked for, as people see them. Rows that are alike are brought together first, by a hash of what is shown of
 * them: hundreds of folders have the same ones, and what is looked up for them is looked up once, for one of them. A creation stands for the patches that
 * the folder had from it, unless a patch or an element is asked for.
 */
const given = (more: string): string => `
  delivering as materialized (select distinct e.digest from rustine.patch_element e where e.type = $6 and e.name = $7),
  hashed as (
    select min(i.at) as at, max(i.at) as until, max(i.id) as last${more}
    from rustine.integration i
    where i.folder = any($1::integer[])
      and ($2::timestamptz is null or i.at >= $2::timestamptz) and ($3::timestamptz is null or i.at < $3::timestamptz)
      and ($4::text is null or lower(i.operator) = lower($4))
      and ($5::text[] is null or i.kind <> 'patch' or lower(i.file) = any($5::text[]))
      and ($6::text is null or i.kind <> 'patch' or i.digest in (select digest from delivering))
    group by hash_record_extended(row(i.kind, i.run, i.file, i.digest, i.operator, i.authorized, i.ignored, i.forced, i.reverted_by is not null,
      case when i.reverts is not null then (select o.digest from rustine.integration o where o.id = i.reverts) end,
      case when i.run is null or i.run = '' then date_trunc('day', i.at at time zone 'UTC') end), 0)),
  alike as (
    select h.*, i.kind, nullif(i.run, '') as run, i.file, i.digest, i.operator, i.authorized, i.ignored, i.forced, i.reverted_by is not null as taken_back,
      o.file as reverted_file, o.digest as reverted_digest, case when nullif(i.run, '') is null then to_char(i.at at time zone 'UTC', ${DAY}) else '' end as day
    from hashed h join rustine.integration i on i.id = h.last left join rustine.integration o on o.id = i.reverts),
  seen as (
    select a.*,
      case when a.kind = 'patch' and (a.run is null or r.id is not null) then 'copied'
        when a.kind in ('set', 'creation') and starts_with(a.file, '(decision ') then 'decision' else a.kind end as what,
      case when a.kind = 'revert' then coalesce(a.reverted_file, a.file) when a.kind = 'patch' or a.kind = 'set' and set.element is null and not starts_with(a.file, '(decision ') then a.file else '' end as of_file,
      case when a.kind = 'revert' then coalesce(a.reverted_digest, a.digest) when a.kind = 'patch' then a.digest end as of_digest,
      coalesce(set.element, d.type || ':' || d.name) as element, d.choice,
      -- Why a patch was taken back or a folder unlocked stands with what was forced.
      coalesce(d.reason, case a.kind when 'revert' then a.forced ->> 'revert' when 'set' then a.forced ->> 'folder-locked' end, '') as reason,
      case a.kind when 'revert' then a.forced - 'revert' when 'set' then a.forced - 'folder-locked' else a.forced end as of_forced
    from alike a
    cross join lateral (select case when a.kind = 'set' then substring(a.file from '^\\(element set (.*)\\)$') end as element) set
    left join rustine.run r on r.id = a.run and r.mode in ('validate', 'validate-rehearse')
    left join rustine.decision d on a.kind in ('set', 'creation') and a.file = '(decision ' || d.case_id || ')'),
  keyed as (
    select md5(jsonb_build_array(what, run, of_file, encode(of_digest, 'hex'), element, operator, authorized, ignored, of_forced, choice, reason, taken_back, day)::text) as key, seen.*
    from seen
    where ($5::text[] is null or lower(of_file) = any($5::text[]))
      and ($6::text is null or element = $6::text || ':' || $7::text
        or of_digest in (select digest from delivering))
      and (what <> 'copied' or run is not null or $5::text[] is not null or $6::text is not null))`;

function valuesOf({ folders, since, until, operator, files, element }: HistoryFilter): unknown[] {
  return [folders, since, until, operator, files, element?.type ?? null, element?.name ?? null];
}

/** All entries by key. */
export async function readEntryKeys(reader: Reader, filter: HistoryFilter): Promise<readonly EntryKey[]> {
  return reader.query<EntryKey>({
    text: `with ${given('')}
      select key, to_char(min(at) at time zone 'UTC', ${EXACT}) as at, to_char(max(until) at time zone 'UTC', ${EXACT}) as until, max(last)::float8 as last from keyed group by key`,
    values: valuesOf(filter),
  });
}

/** The entries of these keys, whole. @param filter with times between which all of them are: what is outside is not read */
export async function readHistory(reader: Reader, filter: HistoryFilter, keys: readonly string[]): Promise<readonly EntryRow[]> {
  if (keys.length === 0) return [];
  return reader.query<EntryRow>({
    text: `with ${given(', array_agg(i.id) as ids')}, wanted as (select * from keyed where key = any($8::text[]))
      select distinct on (k.key) k.key, k.what as kind, k.run, k.of_file as file,
        case when length(k.of_digest) = 32 and k.of_digest <> decode(repeat('00', 32), 'hex') then encode(k.of_digest, 'hex') end as digest,
        k.element, k.operator, k.authorized, k.ignored, k.of_forced as forced, k.choice, k.reason, k.taken_back as "takenBack", e.folders
      from wanted k join (
        select w.key, jsonb_agg(jsonb_build_object('folder', f.code, 'at', to_char(i.at at time zone 'UTC', ${TIME}), 'integration', i.id,
            'copied', case when w.what = 'creation' then (select count(*) from rustine.integration c where c.folder = i.folder and c.kind = 'patch' and c.run is null) else 0 end,
            'takenBack', case when b.id is not null then jsonb_build_object('by', b.operator, 'at', to_char(b.at at time zone 'UTC', ${TIME}), 'run', nullif(b.run, ''), 'withLive', b.kind = 'validation') end,
            'purged', (select r -> 'facts' from jsonb_array_elements(i.not_revertible) r where r ->> 'code' = 'revert-purged' limit 1))
          order by f.code, i.id) as folders
        from wanted w cross join unnest(w.ids) as n (id) join rustine.integration i on i.id = n.id join rustine.folder f on f.id = i.folder
        left join rustine.integration b on b.id = i.reverted_by group by w.key) e on e.key = k.key`,
    values: [...valuesOf(filter), keys],
  });
}

/** Names of files that were ever integrated, of people who wrote something, and of elements of that type: what somebody may have meant. */
export async function readKnownFiles(reader: Reader): Promise<readonly string[]> {
  const rows = await reader.query<{ file: string }>(sql`
    select distinct file from rustine.integration where kind = 'patch' order by file`);
  return rows.map(({ file }) => file);
}

export async function readOperators(reader: Reader): Promise<readonly string[]> {
  const rows = await reader.query<{ operator: string }>(sql`
    select distinct operator from rustine.integration order by operator`);
  return rows.map(({ operator }) => operator);
}
