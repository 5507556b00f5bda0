// What would break in the folders that a run leaves out (R14): gathers what the judgement needs, and nothing where no folder is left out.
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { elementKey } from '../dictionary/element.ts';
import type { Folder } from '../environment/folder.ts';
import { broughtScripts, inheritedScripts, judgeLeftOut, type LeftOutRun, leftOutOf, wantedParts } from '../plan/left-out.ts';
import { knownTo, readSources } from '../plan/left-out-sources.ts';
import { readCopyHolders, readKnownTables, readLacks } from '../plan/reference-facts.ts';
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
  const known = knownTo(
    defined,
    await readKnownTables(database, supervisor.id, (named) => used.flatMap((each) => tablesOf(each, named))),
  );
  const scripts = inherited.map((script) => {
    const key = elementKey(script.kind, script.name);
    return { ...script, uses: resolveReferences(references.get(key) ?? NOTHING, known), read: read.has(key) };
  });
  const wanted = wantedParts(scripts, (part) => isKnown(known, part));
  const ids = leftOut.map(({ id }) => id);
  return judgeLeftOut(scripts, wanted, await readLacks(database, ids, wanted), (part) => defined.broughtBy(part));
}

function isKnown(known: KnownTables, { table, field }: { readonly table: string; readonly field: string }): boolean {
  const fields = known.fieldsOf(table);
  return fields !== undefined && (field === '' || fields.has(field));
}
