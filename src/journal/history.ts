// Reads what was written to folders, grouped so that what one run did to many folders is one entry (R41).
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Reader } from '../environment/catalog.ts';

/** `copied`: had from its parent or its live folder · `decision`: a decision about a kept value, carried out. */
export type HistoryKind = 'patch' | 'copied' | 'creation' | 'set' | 'decision' | 'validation' | 'revert';

export interface HistoryFilter {
  /** Numbers of folders. */
  readonly folders: readonly number[];
  /** File names in lower case; null: whatever file. */
  readonly files: readonly string[] | null;
  readonly element: ElementName | null;
  /** Days, `YYYY-MM-DD` in UTC; the last one is within. */
  readonly since: string | null;
  readonly until: string | null;
  readonly operator: string | null;
}

/** An entry without its content: enough to know which are the latest, and which are the same on several servers. */
export interface EntryKey {
  readonly key: string;
  /** ISO 8601. */
  readonly until: string;
  /** Number of the last thing written: what was written at the same moment has an order too. */
  readonly last: number;
}

/** What one run, or one person on one day, did in the same way. */
export interface EntryRow {
  readonly key: string;
  readonly kind: HistoryKind;
  readonly run: string | null;
  readonly file: string;
  readonly digest: string | null;
  readonly element: string | null;
  readonly operator: string;
  readonly authorized: readonly string[];
  readonly ignored: readonly string[];
  readonly forced: Readonly<Record<string, string>>;
  readonly choice: 'keep' | 'take' | 'value' | null;
  readonly reason: string;
  readonly takenBack: boolean;
  readonly folders: readonly FolderRow[];
}

export interface FolderRow {
  readonly folder: string;
  readonly at: string;
  readonly integration: number;
  readonly copied: number;
  readonly takenBack: { readonly by: string; readonly at: string; readonly run: string | null } | null;
}

const TIME = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
/** A person's changes are those of a day: they have no run. */
const DAY = `'YYYY-MM-DD'`;

/**
 * The rows of rustine.integration that are asked for, each as people see it. A creation stands for the patches that the folder had from it, unless a patch or
 * an element is asked for.
 */
const GIVEN = `
  written as (
    select i.id, i.folder, nullif(i.run, '') as run, i.at, i.operator, i.authorized, i.ignored, i.forced, i.reverted_by, o.digest as reverted_digest,
      case when i.kind = 'patch' and (nullif(i.run, '') is null or r.id is not null) then 'copied'
        when i.kind = 'creation' and starts_with(i.file, '(decision ') then 'decision' else i.kind end as kind,
      case when i.kind = 'revert' then coalesce(o.file, i.file) when i.kind in ('patch', 'set') then i.file else '' end as file,
      case when i.kind = 'revert' then coalesce(o.digest, i.digest) when i.kind = 'patch' then i.digest end as digest,
      coalesce(substring(i.file from '^\\(element set (.*)\\)$'), d.type || ':' || d.name) as element,
      d.choice, d.reason
    from rustine.integration i
    left join rustine.run r on r.id = i.run and r.mode in ('validate', 'validate-rehearse')
    left join rustine.integration o on o.id = i.reverts
    left join rustine.decision d on i.kind = 'creation' and i.file = '(decision ' || d.case_id || ')'
    where i.folder = any($1::integer[])
      and ($2::timestamptz is null or i.at >= $2::timestamptz) and ($3::timestamptz is null or i.at < $3::timestamptz + interval '1 day')
      and ($4::text is null or lower(i.operator) = lower($4))),
  given as (
    select w.* from written w
    where ($5::text[] is null or lower(w.file) = any($5::text[]))
      and ($6::text is null or w.element = $6::text || ':' || $7::text
        or w.digest in (select e.digest from rustine.patch_element e where e.type = $6 and e.name = $7))
      and (w.kind <> 'copied' or $5::text[] is not null or $6::text is not null)),
  entry as (
    select kind, run, case when kind = 'set' and element is not null then '' else file end as file, digest, element, operator, authorized, ignored, forced,
      choice, coalesce(reason, '') as reason, reverted_by is not null as taken_back,
      case when run is null then to_char(at at time zone 'UTC', ${DAY}) else '' end as day, max(at) as until, array_agg(id) as ids
    from given group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
  keyed as (
    select md5(jsonb_build_array(kind, run, file, encode(digest, 'hex'), element, operator, authorized, ignored, forced, choice, reason, taken_back, day)::text) as key, entry.*
    from entry)`;

function valuesOf({ folders, since, until, operator, files, element }: HistoryFilter): unknown[] {
  const day = (text: string | null): string | null => (text === null ? null : `${text}T00:00:00Z`);
  return [folders, day(since), day(until), operator, files, element?.type ?? null, element?.name ?? null];
}

/** All entries by key. */
export async function readEntryKeys(reader: Reader, filter: HistoryFilter): Promise<readonly EntryKey[]> {
  return reader.query<EntryKey>({
    text: `with ${GIVEN} select key, to_char(until at time zone 'UTC', ${TIME}) as until, (select max(id) from unnest(ids) as i (id))::float8 as last from keyed`,
    values: valuesOf(filter),
  });
}

/** The entries of these keys, whole. */
export async function readHistory(reader: Reader, filter: HistoryFilter, keys: readonly string[]): Promise<readonly EntryRow[]> {
  if (keys.length === 0) return [];
  return reader.query<EntryRow>({
    text: `with ${GIVEN}
      select k.key, k.kind, k.run, k.file, case when length(k.digest) = 32 and k.digest <> decode(repeat('00', 32), 'hex') then encode(k.digest, 'hex') end as digest,
        k.element, k.operator, k.authorized, k.ignored, k.forced, k.choice, k.reason, k.taken_back as "takenBack",
        (select jsonb_agg(jsonb_build_object('folder', f.code, 'at', to_char(i.at at time zone 'UTC', ${TIME}), 'integration', i.id,
            'copied', case when k.kind = 'creation' then (select count(*) from rustine.integration c where c.folder = i.folder and c.kind = 'patch' and c.run is null) else 0 end,
            'takenBack', case when b.id is not null then jsonb_build_object('by', b.operator, 'at', to_char(b.at at time zone 'UTC', ${TIME}), 'run', nullif(b.run, '')) end)
          order by f.code, i.id)
          from rustine.integration i join rustine.folder f on f.id = i.folder left join rustine.integration b on b.id = i.reverted_by
          where i.id = any(k.ids)) as folders
      from keyed k where k.key = any($8::text[])`,
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
