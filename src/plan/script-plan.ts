// Plans what a delivery does to scripts: which are installed (R22), and which run, in the database or outside of it (R28). Pure.
import { digestOf } from '../base/canonical.ts';
import type { Authorization } from '../dictionary/activity-codes.ts';
import { isScriptAuthorized, isSpecificScript } from '../dictionary/activity-codes.ts';
import type { ElementName } from '../dictionary/element.ts';
import { elementKey, subjectOf } from '../dictionary/element.ts';
import { languageOf } from '../dictionary/script-language.ts';
import type { DeliveredPart, DeliveredScript, Delivery } from './delivery.ts';
import type { Draft, PlanItem, PlanningInput } from './draft.ts';
import type { FolderSettings } from './plan.ts';
import type { ScriptBody } from './script-facts.ts';

export function* planScript(
  part: DeliveredScript,
  input: PlanningInput,
  authorization: Authorization,
  draft: Draft,
): Generator<PlanItem> {
  const { kind, name, title, bytes } = part;
  if (!isScriptAuthorized(authorization, name)) {
    if (!input.rowsOnly) ignoreScript({ type: kind, name }, input.delivery, draft);
    return;
  }
  const key = elementKey(kind, name);
  const own = input.facts.scripts.own.get(key);
  const installs = !input.rowsOnly && receivesScript(input.folder, name, own !== undefined);
  const runsAtEnd = input.delivery.elements.some((each) => each.type === 'EXE' && each.name === name);
  if (!installs && !runsAtEnd) return;
  const body: ScriptBody = part.stored ?? { digest: digestOf(bytes), language: languageOf(kind, bytes) };
  if (runsAtEnd) yield* noteBody(part, body, draft);
  if (!installs) return;
  draft.counts[own === undefined ? 'created' : own.digest === body.digest ? 'identical' : 'updated'] += 1;
  if (own?.digest === body.digest) return;
  draft.scripts += 1;
  draft.installed.set(key, body);
  if (own?.madeFunctions === true) draft.formerFunctions = true;
  // What is to be run at the end runs there, and only there: once for each folder.
  if (body.language === 'sql' && !runsAtEnd && part.stored?.onlyAtEnd !== true)
    draft.runs.push({ name, digest: body.digest, when: 'installed', own: true });
  yield {
    item: 'script',
    ordinal: draft.ordinal,
    type: kind,
    name,
    title,
    digest: body.digest,
    ...(part.stored === undefined ? { bytes } : {}),
  };
}

/** Of source and compiled script of one name, the source is what is run. */
function* noteBody({ kind, name, bytes, stored }: DeliveredScript, body: ScriptBody, draft: Draft): Generator<PlanItem> {
  if (kind === 'TRT' || !draft.bodies.has(name)) draft.bodies.set(name, body);
  if (stored === undefined) yield { item: 'body', ordinal: draft.ordinal, digest: body.digest, bytes };
}

/** R22: the supervisor folder and test folders; specific scripts also folders flagged specific, and where they already are. */
export function receivesScript(
  folder: Pick<FolderSettings, 'supervisor' | 'test' | 'specific'>,
  name: string,
  present: boolean,
): boolean {
  return folder.supervisor || folder.test || (isSpecificScript(name) && (folder.specific || present));
}

export function noteExe(
  { name, title }: DeliveredPart & { part: 'exe' },
  input: PlanningInput,
  authorization: Authorization,
  draft: Draft,
): void {
  if (isScriptAuthorized(authorization, name)) draft.exes.push({ ordinal: draft.ordinal, name, title });
  else ignoreScript({ type: 'EXE', name }, input.delivery, draft);
}

/** After all parts are known: what runs at the end, and with which body. A script that is named twice runs once, and once for each folder (R28). */
export function* planRuns(input: PlanningInput, draft: Draft): Generator<PlanItem> {
  for (const { ordinal, name, title } of new Map(draft.exes.map((exe) => [exe.name, exe])).values()) {
    if (input.ranBefore.includes(name)) continue;
    const { body, own } = bodyFor(name, input, draft);
    if (body?.language === 'sql' && !input.leftToRun.includes(name)) {
      draft.runs.push({ name, digest: body.digest, when: 'end', own });
      continue;
    }
    const language = body?.language ?? '';
    draft.pending.push({ name, language });
    // One that failed may have been mended above since: that is what is to run then (R4).
    const isMendedAbove = input.leftToRun.includes(name) && input.facts.scripts.found.has(name);
    const delivered = isMendedAbove ? undefined : draft.bodies.get(name);
    yield {
      item: 'exe',
      ordinal,
      name,
      title,
      scope: language,
      ...(delivered === undefined ? {} : { digest: delivered.digest }),
    };
  }
}

/** The folder's own copy after this patch, else what came with the patch, else what an ancestor has. */
function bodyFor(
  name: string,
  { facts }: PlanningInput,
  draft: Draft,
): { readonly body: ScriptBody | undefined; readonly own: boolean } {
  const installed = draft.installed.get(elementKey('TRT', name)) ?? draft.installed.get(elementKey('ADX', name));
  if (installed !== undefined) return { body: installed, own: true };
  const found = facts.scripts.found.get(name);
  if (found?.own === true) return { body: found, own: false };
  return { body: draft.bodies.get(name) ?? found, own: false };
}

function ignoreScript(script: ElementName, delivery: Delivery, draft: Draft): void {
  const letter = script.name.charAt(0).toUpperCase();
  // Any code with this letter lets it in; the patch's own are the likely ones.
  const code = [...delivery.carriedCodes].find((each) => each.length > 1 && each.startsWith(letter)) ?? letter;
  draft.counts.ignored += 1;
  draft.ignoredCodes.add(letter);
  const subject = subjectOf(script);
  draft.findings.push({
    code: 'script-ignored',
    severity: 'warn',
    subject,
    facts: { element: subject, letter, option: `--authorize ${code}` },
  });
}
