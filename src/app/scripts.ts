// The verbs about scripts: which copy a folder uses, what hides what, what is left to run, running it, exporting all of them.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { scriptEvent } from '../batch/script-run.ts';
import { sql } from '../database/sql.ts';
import { readEnvironment } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import {
  type PendingScript,
  readCopies,
  readPending,
  readShadowed,
  type ScriptCopy,
  type ShadowedScript,
} from '../environment/inheritance.ts';
import { checkPending, runPending, type ScriptRun, type ScriptRunning } from '../integrate/run-scripts.ts';
import { insideFolders } from '../journal/folder-entry.ts';
import { appendEvent } from '../journal/runs.ts';
import { chosen, existingFolders, known } from './known-folders.ts';
import type { Opened } from './rustine.ts';
import { exportScripts, type ScriptExport } from './script-export.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';
import { type ScriptUsage, scriptUses } from './script-uses.ts';
import { stopPoints } from './stop-points.ts';

/** A copy as a folder sees it: the nearest of a kind is used and hides those above it. */
export interface ScriptView extends ScriptCopy {
  readonly used: boolean;
  /** Folder whose copy hides this one; null where none does. */
  readonly hiddenBy: string | null;
}

export interface ScriptSource extends ScriptCopy {
  readonly body: Uint8Array;
}

export interface ScriptVerbs {
  /** Copies along the folder's chain, nearest first; absent folder: the one that one works from. */
  which(
    name: string,
    where: { readonly folder?: string; readonly kind?: string },
  ): Promise<{ readonly folder: string; readonly copies: readonly ScriptView[] }>;
  shadowed(folder?: string): Promise<readonly ShadowedScript[]>;
  pending(folder?: string): Promise<readonly PendingScript[]>;
  /** Runs what is left to run, of all folders or of one. */
  run(wanted: { readonly name?: string; readonly folder?: string }): Promise<readonly ScriptRun[]>;
  /** @throws Refusal `script-unknown` */
  show(name: string, where: { readonly folder?: string; readonly kind?: string }): Promise<ScriptSource>;
  /**
   * Tables, fields and scripts that a script uses, as a folder finds it.
   * @throws Refusal `script-unknown`, `script-unreadable`
   */
  uses(name: string, folder?: string): Promise<ScriptUsage>;
  /** Absent folders: all. */
  export(directory: string, folders?: readonly string[]): Promise<ScriptExport & { readonly findings: readonly Finding[] }>;
}

export function scriptVerbs(opened: Opened): ScriptVerbs {
  const { database, settings } = opened;
  const folderFor = async (code: string | undefined): Promise<Folder> => {
    const all = await existingFolders(database);
    const wanted = code ?? settings.from ?? (await readEnvironment(database))?.supervisor;
    return known(all, wanted ?? '');
  };
  const foldersFor = async (code: string | undefined): Promise<readonly Folder[]> => {
    const all = await existingFolders(database);
    return code === undefined ? all : [known(all, code)];
  };
  return {
    which: async (name, { folder: code, kind }) => {
      const folder = await folderFor(code);
      return { folder: folder.code, copies: viewsOf(await readCopies(database, folder, name, kind)) };
    },
    shadowed: async (code) => readShadowed(database, await foldersFor(code)),
    pending: async (code) => readPending(database, idsOf(await foldersFor(code))),
    run: (wanted) => runLeft(opened, wanted),
    show: async (name, { folder: code, kind }) => {
      const folder = await folderFor(code);
      const [copy] = await readCopies(database, folder, name, kind);
      if (copy === undefined) throw new Refusal('script-unknown', { script: name, folder: folder.code });
      const [blob] = await database.query<{ body: Uint8Array }>(
        sql`select bytes as body from rustine.blob where digest = decode(${copy.digest}, 'hex')`,
      );
      return { ...copy, body: blob?.body ?? new Uint8Array() };
    },
    uses: async (name, code) => scriptUses(database, await folderFor(code), name),
    export: async (directory, codes) => {
      const all = await existingFolders(database);
      return exportScripts(
        database,
        codes === undefined ? all : chosen(all, codes),
        directory,
        stopPoints(process.env.RUSTINE_STOP_AT),
      );
    },
  };
}

const idsOf = (folders: readonly Folder[]): readonly number[] => folders.map(({ id }) => id);

function viewsOf(copies: readonly ScriptCopy[]): readonly ScriptView[] {
  const nearest = new Map<string, string>();
  return copies.map((copy) => {
    const hiddenBy = nearest.get(copy.kind) ?? null;
    if (hiddenBy === null) nearest.set(copy.kind, copy.folder);
    return { ...copy, used: hiddenBy === null, hiddenBy };
  });
}

async function runLeft(
  { database, settings }: Opened,
  { name, folder: code }: { readonly name?: string; readonly folder?: string },
): Promise<readonly ScriptRun[]> {
  const all = await existingFolders(database);
  const folders = code === undefined ? all : [known(all, code)];
  if (name !== undefined) await checkPending(database, folders, name);
  const running = {
    database,
    runners: settings.runners ?? {},
    scriptTimeoutMs: settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS,
    reached: stopPoints(process.env.RUSTINE_STOP_AT),
  };
  const waiting = new Set((await readPending(database, idsOf(folders), name)).map((each) => each.folder));
  const held = folders.map((each) => each.code).filter((each) => waiting.has(each));
  return insideFolders(database, held, () => runIn(running, folders, name));
}

async function runIn(
  running: ScriptRunning,
  folders: readonly Folder[],
  name: string | undefined,
): Promise<readonly ScriptRun[]> {
  const { database } = running;
  const runs: ScriptRun[] = [];
  for (const folder of folders) {
    const traces = await tracesOf(database, folder.id);
    for (const run of await runPending(running, folder, (script) => name === undefined || script === name)) {
      runs.push(run);
      const event = scriptEvent(run);
      const trace = traces.get(run.script);
      if (event !== undefined && trace !== undefined) await appendEvent(database, trace, event);
    }
  }
  return runs;
}

/** The runs that listed the scripts: what comes of them belongs into those traces. */
async function tracesOf(database: Opened['database'], folder: number): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ script: string; run: string }>(sql`
    select p.script, i.run from rustine.pending_script p join rustine.integration i on i.id = p.integration where p.folder = ${folder} and i.run is not null`);
  return new Map(rows.map(({ script, run }) => [script, run]));
}
