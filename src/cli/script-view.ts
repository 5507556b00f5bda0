// Scripts for people: copies of one, hidden ones, what is left to run, how runs ended.
import type { ScriptView } from '../app/scripts.ts';
import type { PendingScript, ShadowedScript } from '../environment/inheritance.ts';
import type { ScriptRun } from '../integrate/run-scripts.ts';
import { table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';
import { findingDocument } from './problem.ts';

const day = (at: string | null): string => (at === null ? '-' : at.slice(0, 16).replace('T', ' '));
const short = (digest: string): string => digest.slice(0, 12);

export function copiesTable(copies: readonly ScriptView[], { report }: Messages, width: number | undefined): string {
  const { folder, kind, use, language, digest, date, patch } = report.columns;
  const columns = [folder, kind, use, language, digest, date, patch].map((title) => ({ title }));
  const rows = copies.map((copy) => [
    copy.folder,
    copy.kind,
    copy.used ? report.copies.used : `${report.copies.hidden} (${copy.hiddenBy})`,
    copy.language,
    short(copy.digest),
    day(copy.at),
    safe(copy.patch ?? '-'),
  ]);
  return table(columns, rows, width);
}

export function shadowedTable(list: readonly ShadowedScript[], { report }: Messages, width: number | undefined): string {
  if (list.length === 0) return report.noShadowed;
  const { folder, script, hides, content, newer, patch } = report.columns;
  const columns = [folder, script, hides, content, newer, patch].map((title) => ({ title }));
  const rows = list.map((each) => [
    each.folder,
    safe(`${each.kind}:${each.name}`),
    each.hides,
    each.same ? report.copies.same : report.copies.different,
    each.newer === null ? '-' : report.newer[each.newer],
    safe((each.newer === 'hidden' ? each.hidden.patch : each.own.patch) ?? '-'),
  ]);
  return table(columns, rows, width);
}

export function pendingTable(list: readonly PendingScript[], { report }: Messages, width: number | undefined): string {
  if (list.length === 0) return report.noPending;
  const { folder, script, language, since, patch, attempts, lastError } = report.columns;
  const columns = [folder, script, language, since, patch, attempts, lastError].map((title) => ({ title }));
  const rows = list.map((each) => [
    each.folder,
    safe(each.script),
    each.language || '-',
    day(each.since),
    safe(each.patch ?? '-'),
    String(each.attempts),
    each.running ? report.scriptRuns.busy : safe(each.lastError?.split('\n')[0] ?? '-'),
  ]);
  return table(columns, rows, width);
}

export function runsText(runs: readonly ScriptRun[], { report }: Messages, width: number | undefined): string {
  if (runs.length === 0) return report.noPending;
  const { folder, script, language, state, time } = report.columns;
  const columns = [folder, script, language, state, time].map((title) => ({ title }));
  const rows = runs.map((run) => [
    run.folder,
    safe(run.script),
    run.language || '-',
    report.scriptRuns[run.state],
    `${run.ms} ms`,
  ]);
  return table(columns, rows, width);
}

export function runsDocument(runs: readonly ScriptRun[], messages: Messages): object {
  return {
    runs: runs.map(({ finding: _, ...run }) => run),
    findings: runs.flatMap(({ finding }) => (finding === undefined ? [] : [findingDocument(finding, messages)])),
  };
}
