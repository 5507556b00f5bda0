// Which copy of a script a folder uses (R4), which copies hide others (R5), and which scripts are left to run (R28): reads of the catalog.
import { sql } from '../database/sql.ts';
import { HEAD_BYTES, languageOf } from '../dictionary/script-language.ts';
import type { Reader } from './catalog.ts';
import type { Folder } from './folder.ts';

/** A folder's own copy of a script. */
export interface ScriptCopy {
  readonly folder: string;
  readonly kind: string;
  readonly name: string;
  readonly title: string;
  /** SHA-256 of the body. */
  readonly digest: string;
  readonly bytes: number;
  readonly language: string;
  /** Patch file that brought it; null where it came with the folder. */
  readonly patch: string | null;
  /** When, in UTC (ISO 8601). */
  readonly at: string | null;
}

/** Where scripts are looked up: the folder, then its ancestors up to the supervisor folder. */
const lookupOf = (folder: Folder): readonly number[] => [folder.id, ...folder.ancestors.map(({ id }) => id)];

type CopyRow = Omit<ScriptCopy, 'language'> & { readonly head: Uint8Array };

const copyOf = ({ head, ...row }: CopyRow): ScriptCopy => ({ ...row, language: languageOf(row.kind, head) });

/** Copies along the chain, source before compiled, of each kind the nearest first: that is the one in use. */
export async function readCopies(reader: Reader, folder: Folder, name: string, kind?: string): Promise<readonly ScriptCopy[]> {
  const rows = await reader.query<CopyRow>(sql`
    select f.code as folder, s.kind, s.name, s.title, encode(s.digest, 'hex') as digest, length(b.bytes) as bytes, substring(b.bytes for ${HEAD_BYTES}) as head,
      i.file as patch, to_char(i.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
    from rustine.script s join rustine.folder f on f.id = s.folder join rustine.blob b on b.digest = s.digest left join rustine.integration i on i.id = s.updated_by
    where s.folder = any(${lookupOf(folder)}::integer[]) and s.name = ${name} and s.kind = coalesce(${kind ?? null}, s.kind)
    order by s.kind desc, array_position(${lookupOf(folder)}::integer[], s.folder)`);
  return rows.map(copyOf);
}

/** Name → code of the nearest folder on the way up that has a copy. */
export async function readFound(reader: Reader, folder: Folder, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await reader.query<{ name: string; folder: string }>(sql`
    select distinct on (s.name) s.name, f.code as folder from rustine.script s join rustine.folder f on f.id = s.folder
    where s.folder = any(${lookupOf(folder)}::integer[]) and s.name = any(${names}::text[])
    order by s.name, array_position(${lookupOf(folder)}::integer[], s.folder)`);
  return new Map(rows.map((row) => [row.name, row.folder]));
}

/** A copy that hides an ancestor's. */
export interface ShadowedScript {
  readonly folder: string;
  readonly kind: string;
  readonly name: string;
  /** Nearest ancestor that has a copy too. */
  readonly hides: string;
  readonly same: boolean;
  /** Which of the two was integrated later; null where that is not known or they came with the same patch. */
  readonly newer: 'own' | 'hidden' | null;
  readonly own: { readonly digest: string; readonly patch: string | null; readonly at: string | null };
  readonly hidden: { readonly digest: string; readonly patch: string | null; readonly at: string | null };
}

interface ShadowedRow {
  readonly folder: string;
  readonly kind: string;
  readonly name: string;
  readonly hides: string;
  readonly own_digest: string;
  readonly own_patch: string | null;
  readonly own_at: string | null;
  readonly hidden_digest: string;
  readonly hidden_patch: string | null;
  readonly hidden_at: string | null;
  readonly newer: 'own' | 'hidden' | null;
}

/** Every hidden copy of all folders, or of one, in one statement. */
export async function readShadowed(reader: Reader, folders: readonly Folder[]): Promise<readonly ShadowedScript[]> {
  const pairs = folders.flatMap((folder) => folder.ancestors.map((ancestor, depth) => ({ folder: folder.id, ancestor, depth })));
  const rows = await reader.query<ShadowedRow>(sql`
    with chain as (
      select * from unnest(${pairs.map((pair) => pair.folder)}::integer[], ${pairs.map((pair) => pair.ancestor.id)}::integer[], ${pairs.map((pair) => pair.depth)}::integer[]) as c (folder, ancestor, depth)),
    pair as (
      select distinct on (o.folder, o.kind, o.name) o.folder, h.folder as ancestor, o.kind, o.name, o.digest as own, h.digest as hidden, o.updated_by as own_by, h.updated_by as hidden_by
      from rustine.script o join chain c on c.folder = o.folder join rustine.script h on h.folder = c.ancestor and h.kind = o.kind and h.name = o.name
      order by o.folder, o.kind, o.name, c.depth)
    select f.code as folder, a.code as hides, p.kind, p.name, encode(p.own, 'hex') as own_digest, encode(p.hidden, 'hex') as hidden_digest,
      oi.file as own_patch, hi.file as hidden_patch,
      to_char(oi.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as own_at, to_char(hi.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as hidden_at,
      case when oi.file = hi.file and oi.digest = hi.digest then null when oi.at > hi.at then 'own' when oi.at < hi.at then 'hidden' end as newer
    from pair p join rustine.folder f on f.id = p.folder join rustine.folder a on a.id = p.ancestor
    left join rustine.integration oi on oi.id = p.own_by left join rustine.integration hi on hi.id = p.hidden_by
    order by f.code, p.kind, p.name`);
  return rows.map((row) => ({
    folder: row.folder,
    kind: row.kind,
    name: row.name,
    hides: row.hides,
    same: row.own_digest === row.hidden_digest,
    newer: row.newer,
    own: { digest: row.own_digest, patch: row.own_patch, at: row.own_at },
    hidden: { digest: row.hidden_digest, patch: row.hidden_patch, at: row.hidden_at },
  }));
}

/** A script to run at the end that was not run, or not with success. */
export interface PendingScript {
  readonly folder: string;
  readonly script: string;
  readonly title: string;
  /** Empty where nobody had its text. */
  readonly language: string;
  readonly since: string;
  readonly patch: string | null;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly lastRun: string | null;
  /** Somebody runs it at this moment. */
  readonly running: boolean;
}

export async function readPending(reader: Reader, folders: readonly number[], name?: string): Promise<readonly PendingScript[]> {
  return reader.query<PendingScript>(sql`
    select f.code as folder, p.script, p.title, p.language, to_char(p.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since, i.file as patch, p.attempts,
      p.last_error as "lastError", to_char(p.last_run at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "lastRun", coalesce(p.claimed_until > now(), false) as running
    from rustine.pending_script p join rustine.folder f on f.id = p.folder left join rustine.integration i on i.id = p.integration
    where p.folder = any(${folders}::integer[]) and p.script = coalesce(${name ?? null}, p.script)
    order by f.parent is not null, f.code, p.integration, p.since, p.script`);
}

/** Text and language of a script to run. */
export interface FoundBody {
  readonly digest: string;
  readonly kind: string;
  readonly language: string;
  readonly bytes: Uint8Array;
}

/**
 * The body of a pending script: the folder's own copy, else what came with the patch, else what an ancestor has.
 * @returns undefined where there is none
 */
export async function readBody(reader: Reader, folder: Folder, name: string): Promise<FoundBody | undefined> {
  const [row] = await reader.query<Omit<FoundBody, 'language'> & { language: string | null }>(sql`
    select encode(x.digest, 'hex') as digest, x.kind, x.language, b.bytes
    from (
      select digest, kind, null as language, 2 * array_position(${lookupOf(folder)}::integer[], folder) as rank from rustine.script
      where folder = any(${lookupOf(folder)}::integer[]) and name = ${name}
      union all
      select delivered, case language when 'adx' then 'ADX' else 'TRT' end, language, 3 from rustine.pending_script
      where folder = ${folder.id} and script = ${name} and delivered is not null) x
    join rustine.blob b on b.digest = x.digest order by x.rank, x.kind desc limit 1`);
  return row === undefined ? undefined : { ...row, language: row.language ?? languageOf(row.kind, row.bytes) };
}
