// Finds the patch files of a run in the files and directories given, and says what does not belong there (R10).
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Finding } from '../base/finding.ts';
import { unreadable } from './read.ts';
import { comparePatchFiles } from './sequence.ts';

export interface ListedPatch {
  /** Base name. */
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
}

export interface PatchList {
  /** In integration order. */
  readonly patches: ListedPatch[];
  /** Paths of the notes delivered in `doc/`. */
  readonly notes: string[];
  readonly findings: Finding[];
}

/** The most notes that a finding names; all are in `notes`. */
const NAMED = 50;

/**
 * Findings: `directory-foreign`, `directory-empty`, `patch-twice` (block), `notes` (info).
 * @throws Refusal `patch-unreadable` (facts: `file`, `reason`) where a path cannot be looked at
 */
export async function listPatches(paths: readonly string[]): Promise<PatchList> {
  const list: PatchList = { patches: [], notes: [], findings: [] };
  for (const path of paths) await addPath(list, path);
  list.patches.sort((a, b) => comparePatchFiles(a.file, b.file));
  list.findings.push(...twice(list.patches));
  return list;
}

async function addPath(list: PatchList, path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (found.isDirectory()) await addDirectory(list, path);
  else if (found.isFile()) list.patches.push({ file: basename(path), path, bytes: found.size });
  // A pipe or device could block the reader for ever.
  else unreadable(path, Object.assign(new Error('not a file'), { code: 'ENOTFILE' }));
}

async function addDirectory(list: PatchList, directory: string): Promise<void> {
  const foreign: string[] = [];
  let count = 0;
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isFile() && isPatchFile(entry.name)) {
      const { size } = await stat(path).catch((error: unknown) => unreadable(path, error));
      list.patches.push({ file: entry.name, path, bytes: size });
      count++;
    } else if (entry.isDirectory() && entry.name === 'doc') await addNotes(list, path);
    else foreign.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  const facts = { directory: basename(directory) };
  if (foreign.length > 0) list.findings.push(blocking('directory-foreign', directory, { ...facts, names: foreign }));
  if (count === 0) list.findings.push(blocking('directory-empty', directory, facts));
}

/** Names sorted, so that findings come in the same order on every file system. Symbolic links show as neither file nor directory. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => unreadable(directory, error));
  return entries.sort((a, b) => comparePatchFiles(a.name, b.name));
}

function isPatchFile(name: string): boolean {
  return name.toLowerCase().endsWith('.dat');
}

async function addNotes(list: PatchList, directory: string): Promise<void> {
  const notes = (await entriesOf(directory)).filter((entry) => entry.isFile()).map((entry) => entry.name);
  if (notes.length === 0) return;
  list.notes.push(...notes.map((name) => join(directory, name)));
  const facts = { directory, files: notes.slice(0, NAMED), count: notes.length };
  list.findings.push({ code: 'notes', severity: 'info', subject: directory, facts });
}

function blocking(code: string, subject: string, facts: Finding['facts']): Finding {
  return { code, severity: 'block', subject, facts };
}

/** The same name from two places: one of them would count as already integrated. `patches` is sorted. */
function twice(patches: readonly ListedPatch[]): Finding[] {
  const byFile = Map.groupBy(patches, (patch) => patch.file.toLowerCase());
  return [...byFile.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({
      code: 'patch-twice',
      severity: 'block' as const,
      patch: same[0]!.file,
      facts: { file: same[0]!.file, paths: same.map((patch) => patch.path) },
    }));
}
