// Writes the scripts of folders to a directory for runtimes outside: readers see the old set or the new one, never something between.
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { canonical } from '../base/canonical.ts';
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { isSafeScriptName } from '../dictionary/script-name.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';

export interface ScriptExport {
  readonly directory: string;
  /** Digest of what was exported: names the directory that the link points at. */
  readonly digest: string;
  readonly folders: readonly string[];
  readonly scripts: number;
  /** Whether it was already there. */
  readonly unchanged: boolean;
}

interface ExportedScript {
  readonly folder: string;
  readonly kind: string;
  readonly name: string;
  readonly digest: string;
}

const ENDINGS: Readonly<Record<string, string>> = { TRT: 'src', ADX: 'adx' };
/** In each exported set: shows that an export made it, and what it holds. */
const MARK = '.rustine-export.json';
const AT_ONCE = 100;

/** Two exports of an environment would clear each other's half-written sets away: they wait for each other. */
const LOCK_TIMEOUT_MS = 15_000;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * `directory` becomes a symbolic link to a directory beside it that is named by its content; renaming the link is the only step that readers
 * can notice.
 * @throws Refusal `export-directory`; Failure `export-busy`
 */
export async function exportScripts(
  database: Database,
  folders: readonly Folder[],
  directory: string,
  reached: (name: string) => void,
  lockTimeoutMs = LOCK_TIMEOUT_MS,
): Promise<ScriptExport & { readonly findings: readonly Finding[] }> {
  return database.transaction(async (session) => {
    await session.query(sql`select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, true)`);
    await takeTurn(session, directory);
    return exportWith(session, folders, directory, reached);
  }, 'rollback');
}

/** A row of the catalog, which no login of a folder can lock: a number for a lock could be held by anybody. */
async function takeTurn(reader: Reader, directory: string): Promise<void> {
  try {
    await reader.query(sql`select from rustine.environment for no key update`);
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new Failure('export-busy', { directory }, error);
  }
}

async function exportWith(
  reader: Reader,
  folders: readonly Folder[],
  directory: string,
  reached: (name: string) => void,
): Promise<ScriptExport & { readonly findings: readonly Finding[] }> {
  const target = resolve(directory);
  const former = await formerSet(target);
  const { scripts, findings } = await exportable(reader, folders);
  const codes = folders.map(({ code }) => code).sort();
  const digest = createHash('sha256')
    .update(canonical([codes, scripts]))
    .digest('hex');
  const set = setName(target, digest);
  const result = { directory: target, digest, folders: codes, scripts: scripts.length, findings };
  if (former === basename(set)) {
    await sweep(target, [former]);
    return { ...result, unchanged: true };
  }
  await mkdir(dirname(target), { recursive: true });
  // A set of that name that is not in use was left by a crash, perhaps half written.
  const fresh = `${set}.${randomBytes(4).toString('hex')}.new`;
  await writeSet(reader, fresh, codes, scripts).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  });
  reached('export-written');
  await rm(set, { recursive: true, force: true });
  await rename(fresh, set);
  const link = `${set}.link`;
  await rm(link, { force: true });
  await symlink(basename(set), link, 'dir');
  reached('export-linked');
  await rename(link, target);
  await syncDirectory(dirname(target));
  // Who reads the former set at this moment can end it: that one goes with the next export.
  await sweep(target, former === undefined ? [basename(set)] : [basename(set), former]);
  return { ...result, unchanged: false };
}

const setName = (target: string, digest: string): string => join(dirname(target), `.${basename(target)}.${digest.slice(0, 16)}`);

/** @returns name of the set that the link points at; undefined where nothing is there yet */
async function formerSet(target: string): Promise<string | undefined> {
  const found = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Refusal('export-directory', { directory: target, reason: error.code ?? 'unknown' }, error);
  });
  if (found === undefined) return undefined;
  const foreign = new Refusal('export-directory', { directory: target, reason: 'not-an-export' });
  if (!found.isSymbolicLink()) throw foreign;
  const set = await readlink(target);
  if (!isSetOf(target, set)) throw foreign;
  await readFile(join(dirname(target), set, MARK)).catch(() => {
    throw foreign;
  });
  return set;
}

/** `.DIR.<digest>`, and what a crash leaves of one. */
function isSetOf(target: string, name: string): boolean {
  const prefix = `.${basename(target)}.`;
  return name.startsWith(prefix) && /^[0-9a-f]{16}(\.[0-9a-f]{8}\.new|\.link)?$/.test(name.slice(prefix.length));
}

/** Removes sets of this directory that are not in use. */
async function sweep(target: string, used: readonly string[]): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    if (!used.includes(name) && isSetOf(target, name)) await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/** Names that are no safe file names are left out, and said. */
async function exportable(
  reader: Reader,
  folders: readonly Folder[],
): Promise<{ readonly scripts: readonly ExportedScript[]; readonly findings: readonly Finding[] }> {
  const rows = await reader.query<ExportedScript>(sql`
    select f.code as folder, s.kind, s.name, encode(s.digest, 'hex') as digest from rustine.script s join rustine.folder f on f.id = s.folder
    where s.folder = any(${folders.map(({ id }) => id)}::integer[]) order by f.code, s.kind, s.name`);
  const findings: Finding[] = [];
  const scripts = rows.filter(({ folder, kind, name }) => {
    const safe = isSafeScriptName(name) && ENDINGS[kind] !== undefined;
    if (!safe)
      findings.push({
        code: 'script-name-unsafe',
        severity: 'warn',
        folder,
        subject: `${kind}:${name}`,
        facts: { script: name, folder },
      });
    return safe;
  });
  return { scripts, findings };
}

async function writeSet(
  reader: Reader,
  directory: string,
  folders: readonly string[],
  scripts: readonly ExportedScript[],
): Promise<void> {
  await mkdir(directory);
  for (const folder of folders) {
    for (const kind of Object.keys(ENDINGS)) await mkdir(join(directory, folder, kind), { recursive: true });
  }
  for (let from = 0; from < scripts.length; from += AT_ONCE) {
    const page = scripts.slice(from, from + AT_ONCE);
    const blobs = await reader.query<{ digest: string; bytes: Uint8Array }>(sql`
      select encode(digest, 'hex') as digest, bytes from rustine.blob where digest in (select decode(x, 'hex') from unnest(${page.map(({ digest }) => digest)}::text[]) x)`);
    const bodies = new Map(blobs.map(({ digest, bytes }) => [digest, bytes]));
    for (const { folder, kind, name, digest } of page) {
      const file = join(directory, folder, kind, `${name}.${ENDINGS[kind]}`);
      await writeDurably(file, bodies.get(digest) ?? new Uint8Array());
    }
  }
  await writeDurably(join(directory, MARK), Buffer.from(`${JSON.stringify({ folders, scripts }, null, 1)}\n`));
  await syncDirectory(directory);
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Not every platform lets a directory be synced. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
