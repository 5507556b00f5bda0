// What would break in the folders that a run leaves out (R14): gathers what the judgement needs, and nothing where no folder is left out.
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { elementKey } from '../dictionary/element.ts';
import type { Folder } from '../environment/folder.ts';
import { broughtScripts, inheritedScripts, judgeLeftOut, type LeftOutRun, leftOutOf, wantedParts } from '../plan/left-out.ts';
import { knownTo, readSources } from '../plan/left-out-sources.ts';
import { type Lack, readCopyHolders, readKnownTables, readLacks, readLagging, type WantedPart } from '../plan/reference-facts.ts';
import { type KnownTables, resolveReferences, type ScriptReferences, tablesOf } from '../plan/script-references.ts';

const NOTHING: ScriptReferences = { tables: [], fields: [], scripts: [], unread: [] };

/** @param all every folder of the environment */
export async function leftOutFindings(database: Database, run: LeftOutRun, all: readonly Folder[]): Promise<readonly Finding[]> {
  const leftOut = leftOutOf(all, run.folders);
  const supervisor = all.find(({ parent }) => parent === null);
  if (leftOut.length === 0 || supervisor === undefined) return [];
  const brought = broughtScripts(run);
  if (brought.length === 0) return [];
  const inherited = inheritedScripts(run, brought, leftOut, await readCopyHolders(database, brought));
  if (inherited.length === 0) return [];
  const { defined, references, read } = await readSources(run.deliveries, inherited);
  const used = [...references.values()];
  const tables = (named: ReadonlyMap<string, string>) => used.flatMap((each) => tablesOf(each, named));
  const own = await readKnownTables(database, supervisor.id, tables);
  const known = knownTo(defined, own);
  const scripts = inherited.map((script) => {
    const key = elementKey(script.kind, script.name);
    return { ...script, uses: resolveReferences(references.get(key) ?? NOTHING, known), read: read.has(key) };
  });
  const wanted = wantedParts(scripts, (part) => isKnown(known, part));
  const ids = leftOut.map(({ id }) => id);
  return judgeLeftOut(scripts, await lacksOf(database, supervisor.id, ids, wanted, own), (part) => defined.broughtBy(part));
}

/** What the supervisor folder has already can only be missing where a patch was never integrated: of most folders that spares asking for most parts. */
async function lacksOf(
  database: Database,
  supervisor: number,
  folders: readonly number[],
  wanted: readonly WantedPart[],
  own: KnownTables,
): Promise<readonly Lack[]> {
  const lagging = await readLagging(database, supervisor, folders);
  const fresh = wanted.filter((part) => !isKnown(own, part));
  const level = folders.filter((id) => !lagging.has(id));
  return [...(await readLacks(database, level, fresh)), ...(await readLacks(database, [...lagging], wanted))];
}

function isKnown(known: KnownTables, { table, field }: WantedPart): boolean {
  const fields = known.fieldsOf(table);
  return fields !== undefined && (field === '' || fields.has(field));
}
