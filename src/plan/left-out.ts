// Judges what would break in folders that a run leaves out (R14): scripts that they will inherit and that use tables or fields which they do not have. Pure.
import type { Finding } from '../base/finding.ts';
import { authorize, isScriptAuthorized } from '../dictionary/activity-codes.ts';
import { elementKey, subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { Folder } from '../environment/folder.ts';
import type { Delivery } from './delivery.ts';
import type { Lack, WantedPart } from './reference-facts.ts';
import { receivesScript } from './script-plan.ts';
import type { ScriptUses } from './script-references.ts';

/** A script that a run brings to folders which others inherit from. */
export interface BroughtScript {
  readonly kind: string;
  readonly name: string;
  /** Patch file that brings it; the last one where several do. */
  readonly file: string;
}

/** A brought script as a folder that is left out will find it. */
export interface InheritedScript extends BroughtScript {
  /** Folders left out → code of the ancestor that gets the script. */
  readonly heirs: ReadonlyMap<Folder, string>;
}

export interface LeftOutRun {
  readonly deliveries: readonly Delivery[];
  readonly folders: readonly Folder[];
  readonly authorized: readonly string[];
  /** Folder code → file → what is to be done. */
  readonly tasks: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Folders that a run could have been given: history folders follow the one that they belong to (R36). */
export function leftOutOf(all: readonly Folder[], given: readonly Folder[]): readonly Folder[] {
  const codes = new Set(given.map(({ code }) => code));
  return all.filter(
    (folder) => !codes.has(folder.code) && folder.historyOf === null && ['ready', 'locked'].includes(folder.state),
  );
}

/** Scripts that the run's patches bring; a supervisor patch is meant for the supervisor folder alone (R7). */
export function broughtScripts({ deliveries, authorized }: LeftOutRun): readonly BroughtScript[] {
  const scripts = new Map<string, BroughtScript>();
  for (const delivery of deliveries) {
    if (delivery.patchType === '2') continue;
    const authorization = authorize(delivery.activityCodes, authorized);
    for (const { type, name } of delivery.elements) {
      if (ELEMENT_TYPES.get(type)?.behaviour === 'script' && isScriptAuthorized(authorization, name))
        scripts.set(elementKey(type, name), { kind: type, name, file: delivery.file });
    }
  }
  return [...scripts.values()];
}

/**
 * Scripts that folders left out will inherit from a folder of the run: no copy of their own or of a nearer ancestor hides them (R4).
 * @param holders folders that have a copy now, by `kind\0name`
 */
export function inheritedScripts(
  run: LeftOutRun,
  scripts: readonly BroughtScript[],
  leftOut: readonly Folder[],
  holders: ReadonlyMap<string, ReadonlySet<number>>,
): readonly InheritedScript[] {
  const given = new Map(run.folders.map((folder) => [folder.id, folder]));
  return scripts.flatMap((script) => {
    const holding = holders.get(elementKey(script.kind, script.name)) ?? new Set<number>();
    const receiving = new Map(
      [...given.values()]
        .filter((folder) => receives(folder, script, holding.has(folder.id), run))
        .map((folder) => [folder.id, folder.code]),
    );
    if (receiving.size === 0) return [];
    const heirs = new Map<Folder, string>();
    for (const folder of leftOut) {
      if (holding.has(folder.id)) continue;
      const nearest = folder.ancestors.find(({ id }) => receiving.has(id) || holding.has(id));
      const from = nearest === undefined ? undefined : receiving.get(nearest.id);
      if (from !== undefined) heirs.set(folder, from);
    }
    return heirs.size === 0 ? [] : [{ ...script, heirs }];
  });
}

function receives(folder: Folder, { name, file }: BroughtScript, present: boolean, { tasks }: LeftOutRun): boolean {
  if (tasks.get(folder.code)?.get(file) !== 'integrate') return false;
  return receivesScript({ supervisor: folder.parent === null, test: folder.test, specific: folder.specific }, name, present);
}

/** An inherited script with what it uses, as far as it can be read. */
export interface ReadInherited extends InheritedScript {
  readonly uses: ScriptUses;
  /** It was read to its end. */
  readonly read: boolean;
}

/** Tables and fields that the scripts use and that somebody has: the run's patches, or the supervisor folder. Each once. */
export function wantedParts(scripts: readonly ReadInherited[], has: (part: WantedPart) => boolean): readonly WantedPart[] {
  const parts = new Map<string, WantedPart>();
  for (const { uses } of scripts)
    for (const part of partsOf(uses)) if (!parts.has(keyOf(part)) && has(part)) parts.set(keyOf(part), part);
  return [...parts.values()];
}

function partsOf(uses: ScriptUses): readonly WantedPart[] {
  return uses.tables.flatMap(({ table, fields }) => [{ table, field: '' }, ...fields.map(({ field }) => ({ table, field }))]);
}

const keyOf = ({ table, field }: WantedPart): string => `${table}\0${field}`;
const nameOf = ({ table, field }: WantedPart): string => (field === '' ? table : `${table}.${field}`);

/** Of one folder, so many scripts are named one by one; the rest once. */
const MOST_SCRIPTS = 20;

/**
 * @param lacks which of the wanted parts folders do not have; a folder stands in one of them
 * @param broughtBy patch file of the run that brings a table or field
 */
export function judgeLeftOut(
  scripts: readonly ReadInherited[],
  lacks: readonly Lack[],
  broughtBy: (part: WantedPart) => string | undefined,
): readonly Finding[] {
  const lackOf = new Map(lacks.flatMap((lack) => lack.folders.map((folder) => [folder, lack] as const)));
  // Folders that lack the same get the same sentence: it is made once.
  const missingOf = new Map<Lack, ReadonlySet<string>>();
  const named = new Map<Folder, number>();
  const more = new Map<Folder, string[]>();
  const findings: Finding[] = [];
  for (const script of scripts) {
    const parts = partsOf(script.uses);
    const said = new Map<Lack, Lacking>();
    for (const [folder, from] of script.heirs) {
      const lack = lackOf.get(folder.id);
      if (lack === undefined) continue;
      const missing = missingOf.get(lack) ?? new Set(lack.missing.map(nameOf));
      missingOf.set(lack, missing);
      const facts = said.get(lack) ?? factsOf(parts, missing, broughtBy);
      said.set(lack, facts);
      if (facts.missing.length === 0) continue;
      const count = named.get(folder) ?? 0;
      named.set(folder, count + 1);
      const subject = subjectOf({ type: script.kind, name: script.name });
      if (count < MOST_SCRIPTS)
        findings.push({
          code: 'left-out-breaks',
          severity: 'warn',
          folder: folder.code,
          patch: script.file,
          subject,
          facts: { script: subject, from, ...facts },
        });
      else more.set(folder, [...(more.get(folder) ?? []), subject]);
    }
  }
  for (const [folder, names] of more)
    findings.push({
      code: 'left-out-breaks-more',
      severity: 'warn',
      folder: folder.code,
      facts: { scripts: names.slice(0, 50), count: names.length },
    });
  return [...findings, ...unreadable(scripts)];
}

interface Lacking {
  /** `TABLE`, `TABLE.FIELD`. */
  readonly missing: readonly string[];
  /** Patch files of the run that bring them. */
  readonly files: readonly string[];
}

/** A table that is missing says all about its fields. */
function factsOf(
  parts: readonly WantedPart[],
  missing: ReadonlySet<string>,
  broughtBy: (part: WantedPart) => string | undefined,
): Lacking {
  const lacking = parts.filter((part) => missing.has(nameOf(part)) && (part.field === '' || !missing.has(part.table)));
  const files = [...new Set(lacking.flatMap((part) => broughtBy(part) ?? []))];
  return { missing: lacking.map(nameOf), files };
}

/** Once for the run: what cannot be read may use anything. */
function unreadable(scripts: readonly ReadInherited[]): readonly Finding[] {
  // A compiled script whose source comes too is read there.
  const sources = new Set(scripts.filter(({ kind }) => kind === 'TRT').map(({ name }) => name));
  const blind = scripts.filter(({ kind, name, read }) => !read && (kind === 'TRT' || !sources.has(name)));
  if (blind.length === 0) return [];
  const folders = [...new Set(blind.flatMap(({ heirs }) => [...heirs.keys()].map(({ code }) => code)))];
  const names = blind.map(({ kind, name }) => subjectOf({ type: kind, name }));
  return [
    {
      code: 'references-unreadable',
      severity: 'info',
      facts: { scripts: names.slice(0, 50), count: names.length, folders: folders.slice(0, 50), folderCount: folders.length },
    },
  ];
}
