// Brings a folder to the level of the one that it follows: rows and scripts to run from the kept files, and the rows of APATCH (R29, R34, R35).
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { id, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import type { LackingPatch, ReopenedPatch } from '../environment/level-gap.ts';
import type { Integration, RunContext } from '../integrate/integrator.ts';
import { integrateLocked } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import { startingPoint, WHOLE } from '../integrate/starting-point.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import { keptDelivery } from '../plan/kept-delivery.ts';
import type { ValidationContext } from './validation-context.ts';
import type { ValidationSources } from './validation-sources.ts';

export interface Level {
  /** Files that the folder has now and had not, or of which it had not all. */
  readonly patches: readonly string[];
  /** Files of which the dictionary has come, and nothing else yet. */
  readonly begun: readonly string[];
  /** Of the patches, one by one: rows, scripts that were run or wait. */
  readonly integrated: readonly PatchOutcome[];
  readonly findings: readonly Finding[];
}

/** What becomes of the lacking patches, in their order. Pure. */
export interface LevelPlan {
  readonly steps: readonly (
    | { readonly step: 'note'; readonly patches: readonly LackingPatch[] }
    | { readonly step: 'rows'; readonly patch: LackingPatch }
  )[];
  /** Rows or scripts are still to come, and in this order. */
  readonly toCome: readonly LackingPatch[];
  /** Later rows are there already. */
  readonly older: readonly LackingPatch[];
}

/** After a patch that is not kept, none comes whose rows could be the later ones. */
export function planLevel(lacking: readonly LackingPatch[]): LevelPlan {
  const steps: LevelPlan['steps'][number][] = [];
  const toCome: LackingPatch[] = [];
  const older: LackingPatch[] = [];
  for (const patch of lacking) {
    const last = steps.at(-1);
    if (!patch.open) {
      if (last?.step === 'note') steps[steps.length - 1] = { step: 'note', patches: [...last.patches, patch] };
      else steps.push({ step: 'note', patches: [patch] });
    } else if (patch.newer !== null) older.push(patch);
    else if (!patch.kept || toCome.length > 0) toCome.push(patch);
    else steps.push({ step: 'rows', patch });
  }
  return { steps, toCome, older };
}

/** Whether anything is written: what waits, and is noted already, is not. */
export function changesLevel({ steps, toCome, older }: LevelPlan, reopened: readonly ReopenedPatch[]): boolean {
  return steps.length > 0 || [...toCome, ...older].some(({ begun }) => !begun) || reopened.some(({ kept }) => kept);
}

const NOTHING_CAME = { patches: [], begun: [], integrated: [] };

/** Where findings block, the caller rolls back. */
export async function bringLevel(
  session: Session,
  database: Database,
  folder: Folder,
  source: Folder,
  plan: LevelPlan,
  reopened: readonly ReopenedPatch[],
  sources: ValidationSources,
  context: ValidationContext,
): Promise<Level> {
  const patches: string[] = [];
  const begun = [...plan.toCome, ...plan.older].filter((patch) => !patch.begun);
  const findings: Finding[] = [];
  const integrated: PatchOutcome[] = [];
  const rows = async (patch: ReopenedPatch): Promise<boolean> => {
    const { findings: found, outcome } = await integrateRows(session, database, folder, patch, sources, context);
    integrated.push(outcome);
    findings.push(...found.map((finding) => ({ ...finding, patch: patch.file })));
    patches.push(patch.file);
    context.stopPoint('validation-rows');
    return !blocks(found);
  };
  for (const step of plan.steps) {
    if (step.step === 'note') {
      await notePatches(session, folder, source, step.patches, context, true);
      patches.push(...step.patches.map(({ file }) => file));
    } else if (!(await rows(step.patch))) return { ...NOTHING_CAME, findings };
  }
  if (begun.length > 0) await notePatches(session, folder, source, begun, context, false);
  for (const patch of reopened) if (patch.kept && !(await rows(patch))) return { ...NOTHING_CAME, findings };
  const toCome = [...plan.toCome, ...reopened.filter(({ kept }) => !kept)].map(({ file }) => file);
  return {
    patches,
    begun: begun.map(({ file }) => file),
    integrated,
    findings: [...findings, ...rowsToCome(folder, toCome), ...plan.older.map((patch) => rowsOlder(folder, patch))],
  };
}

/** Such patches as a delivery of rows and scripts to run alone: their dictionary has come with the validation. */
async function integrateRows(
  session: Session,
  database: Database,
  folder: Folder,
  { file, digest, authorized, ignored }: ReopenedPatch,
  sources: ValidationSources,
  context: ValidationContext,
): Promise<Integration> {
  const staged = await sources.staged(JSON.stringify(['rows', file, digest, authorized]), async () => {
    const delivery = await keptDelivery(database, digest, file);
    if (delivery === undefined) throw new Failure('kept-file-gone', { file });
    return delivery;
  });
  const settings = settingsOf(folder);
  const begin = await startingPoint(session, settings, { file, digest }, { authorized: [], forced: {} });
  const [number] = await session.query<{ integration: string }>(sql`
    select nextval(pg_get_serial_sequence('rustine.integration', 'id'))::text as integration`);
  const { scripts, reason } = context.leftToRun;
  const left = staged.delivery.elements.flatMap(({ type, name }) => (type === 'EXE' && scripts.includes(name) ? [name] : []));
  const scope = { ...(begin.scope.rowsOnly ? begin.scope : { ...WHOLE, rowsOnly: true }), leftToRun: left };
  // What was left out of its dictionary there is left out here, until somebody authorises it.
  const missed = [...new Set([...begin.ignored, ...ignored])];
  const withDictionary = !begin.scope.rowsOnly;
  const locked = {
    ...begin,
    ignored: missed,
    settings,
    already: false,
    scope,
    withDictionary,
    integration: number?.integration ?? '',
  };
  return integrateLocked(session, database, locked, staged, {
    ...runContext(authorized, context),
    // It is in the history of the folder with the patch that the scripts belong to.
    forced: left.length === 0 ? {} : { scripts: reason },
  });
}

function runContext(authorized: readonly string[], context: ValidationContext): RunContext {
  const { run, operator, lockTimeoutMs, scriptTimeoutMs, stopPoint } = context;
  return {
    run,
    operator,
    ending: 'commit',
    authorized,
    takeUnchanged: false,
    forced: {},
    records: true,
    untold: true,
    lockTimeoutMs,
    scriptTimeoutMs,
    nextEvent: () => 0,
    stopPoint,
  };
}

/** APATCH first: its row is in the chain of what was written to the folder. @param whole not so: only that the dictionary has come */
async function notePatches(
  session: Session,
  folder: Folder,
  source: Folder,
  patches: readonly LackingPatch[],
  { run, operator }: ValidationContext,
  whole: boolean,
): Promise<void> {
  const numbers = patches.map(({ integration }) => integration);
  const apatch = id(folder.schema, 'apatch');
  if (whole)
    await session.query(sql`
      insert into ${apatch} as a (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
      select (select coalesce(max(num_0), 0) from ${apatch}) + row_number() over (order by i.id), s.fic_0, current_date, left(${operator}, 30), s.patnum_0, s.release_0, s.ficrelabr_0,
        s.typ_0, s.nump_0, s.comment_0, now(), left(${operator}, 30), now(), left(${operator}, 30), gen_random_uuid()
      from rustine.integration i join ${id(source.schema, 'apatch')} s on s.fic_0 = left(i.file, 255) where i.id = any(${numbers}::bigint[])
      on conflict (fic_0) do update set dat_0 = excluded.dat_0, upddattim_0 = now(), updusr_0 = excluded.updusr_0, updtick_0 = a.updtick_0 + 1`);
  await session.query(sql`
    insert into rustine.integration (folder, run, file, digest, patch_type, languages, series, number, version, apatch_num, operator, authorized, ignored, left_out, forced, rows, outcome, rows_only)
    select ${folder.id}, ${run}, i.file, i.digest, i.patch_type, i.languages, i.series, i.number, i.version,
      case when ${whole} then (select num_0 from ${apatch} where fic_0 = left(i.file, 255)) end, ${operator}, i.authorized, i.ignored, i.left_out, i.forced - 'scripts', i.rows, i.outcome,
      exists (select from rustine.integrated o where o.folder = ${folder.id} and o.file = i.file and o.digest = i.digest)
    from rustine.integration i where i.id = any(${numbers}::bigint[]) order by i.id`);
}

function rowsToCome({ code }: Folder, files: readonly string[]): readonly Finding[] {
  if (files.length === 0) return [];
  const command = `rustine integrate ${files.join(' ')} --folders ${code}`;
  return [{ code: 'rows-to-come', severity: 'warn', facts: { folder: code, files, command } }];
}

function rowsOlder({ code }: Folder, { file, newer }: LackingPatch): Finding {
  const facts = { folder: code, file, newer: newer ?? '', command: `rustine integrate ${file} --folders ${code}` };
  return { code: 'rows-older', severity: 'warn', patch: file, subject: file, facts };
}
