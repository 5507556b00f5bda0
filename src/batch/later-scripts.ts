// Scripts of an all-or-none run that run outside of the database: once all is committed, each folder's before its users come in again.
import type { FolderOutcome } from '../journal/outcome.ts';
import { partOf } from './folder-part.ts';
import { finishFolder, type Running } from './folder-run.ts';
import type { Outside } from './group-run.ts';

/**
 * Several folders at once, each its scripts in their order, then its users. Whoever cancels meanwhile undoes nothing: what was not begun stays listed.
 * @param ended what the folders came to; afterwards with what their scripts came to
 */
export async function runLater(
  running: Running,
  outside: readonly Outside[],
  jobs: number,
  ended: Map<string, FolderOutcome>,
): Promise<void> {
  const scripts = Map.groupBy(outside, ({ folder }) => folder.code);
  for (const folder of ended.keys()) if (!scripts.has(folder)) running.through(folder);
  const waiting = [...scripts];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [code, some] = next;
      for (const each of some) if (!running.cancelling.soft.aborted) await runScripts(running, each, ended);
      running.through(code);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, waiting.length) }, work));
}

async function runScripts(
  running: Running,
  { folder, file, scripts }: Outside,
  ended: Map<string, FolderOutcome>,
): Promise<void> {
  const { findings, left, done } = await running.outside(running, folder, scripts, file);
  for (const finding of findings.map((each) => ({ ...each, patch: file }))) {
    running.findings.push(finding);
    running.emit({ kind: 'finding', finding });
  }
  const outcome = ended.get(folder.code);
  if (outcome === undefined) return;
  const ran = done.length === 0 ? {} : { ranOutside: done };
  const patches = outcome.patches.map((patch) => (patch.file === file ? { ...patch, pending: left, ...ran } : patch));
  // Whoever watches reads it from there.
  ended.set(folder.code, finishFolder(running, partOf(folder), { ...outcome, patches }));
}
