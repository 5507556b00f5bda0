// The end of a validation: the document of `validate --json`, and what people read; folders that fared alike share a line.

import type { RunValidation, ValidationOutcome } from '../app/validations.ts';
import { canonical } from '../base/canonical.ts';
import type { Finding } from '../base/finding.ts';
import { causesOf } from './causes.ts';
import { counts } from './counts.ts';
import { differencesText } from './differences-text.ts';
import { dueLines } from './due.ts';
import { dueReasons } from './due-reasons.ts';
import { causeText, findingsText } from './findings.ts';
import { type Column, paint, table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, problemText } from './problem.ts';
import { shortRun } from './runs-view.ts';
import { type SummaryStyle, toneOfState } from './summary-style.ts';
import { tableCostsText } from './table-costs.ts';

/** It follows a folder that has to be validated first. */
const WAITS = /^parent-(not-ready|lags|not-validated)$/;

const EXIT_CODES: Readonly<Record<Exclude<ValidationOutcome['state'], 'cancelled'>, number>> = {
  done: 0,
  partial: 1,
  refused: 2,
  failed: 3,
};

/** Of a run that was cancelled it says whether some folder was validated. */
export function validationExitCode({ state, folders }: ValidationOutcome): number {
  if (state !== 'cancelled') return EXIT_CODES[state];
  return folders.some((folder) => folder.state === 'validated') ? 1 : 2;
}

export function validationDocument(outcome: ValidationOutcome, messages: Messages): object {
  return {
    ...outcome,
    findings: outcome.findings.map((finding) => findingDocument(finding, messages)),
    folders: outcome.folders.map((folder) =>
      folder.reason === undefined
        ? folder
        : { ...folder, reason: { ...folder.reason, message: problemText(folder.reason, messages) } },
    ),
  };
}

export function validationSummary(outcome: ValidationOutcome, messages: Messages, style: SummaryStyle): string {
  const { report } = messages;
  const { state, mode, folders, run } = outcome;
  if (folders.length === 0) return style.quiet ? '' : report.validation.nothing;
  if (style.quiet && state === 'done') return '';
  const shown = inFolderOrder(outcome).filter(({ severity }) => !style.quiet || severity === 'block');
  const preview = mode === 'validate-rehearse';
  // Of these it is said already what they wait for, with the command for both.
  const waiting = new Set(outcome.findings.flatMap(({ code, folder }) => (WAITS.test(code) ? [folder] : [])));
  // After a preview the folders are as they were; it says so itself.
  const due = preview
    ? []
    : folders
        .filter(({ folder }) => !waiting.has(folder))
        .map(({ folder, reasons, locked }) => ({
          code: folder,
          state: locked === true ? 'locked' : 'ready',
          lag: [],
          reasons: locked === true ? [] : reasons,
        }));
  return [
    findingsText(shown, messages, { width: style.width, colour: style.colour, all: style.verbose }),
    state === 'refused' && folders.every((folder) => folder.state === 'skipped')
      ? ''
      : folderTable(folders, messages, style.width),
    // The differences have them, too.
    style.verbose ? differencesText(outcome, messages, style.width) : '',
    preview && !style.verbose ? tableCostsText(costsOf(folders), messages, style.width) : '',
    ...untold(outcome, messages, style.width),
    ...dueLines(due, messages, style.width),
    paint(toneOfState(state), report.runs[mode][state], style.colour),
    paint('dim', report.runLine(run, shortRun(run), style.ms), style.colour),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Folders work at the same time, so what is found about them comes in any order. */
function inFolderOrder({ findings, folders }: ValidationOutcome): readonly Finding[] {
  const order = new Map(folders.map(({ folder }, at) => [folder, at]));
  const place = ({ folder }: Finding) => (folder === undefined ? -1 : (order.get(folder) ?? order.size));
  return findings.toSorted((a, b) => place(a) - place(b));
}

function folderTable(folders: readonly RunValidation[], { report }: Messages, width: number | undefined): string {
  const { validation } = report;
  const alike = Map.groupBy(folders, ({ ms: _, steps: __, folder: ___, differences: ____, ...rest }) => canonical({ ...rest }));
  const rows = [...alike.values()].map((group) => {
    const { state, elements, tables, scripts, ran, rows: data, texts, patches, settled, steps } = group[0] as RunValidation;
    const failedAt = steps.find((step) => step.state === 'failed');
    return [
      some(
        group.map(({ folder }) => folder),
        4,
      ),
      failedAt === undefined ? validation.states[state] : `${validation.states[state]} (${validation.steps[failedAt.step]})`,
      counts(report.elements, { created: elements.created, updated: elements.updated, kept: elements.kept }),
      counts(report.tables, {
        created: tables.created.length,
        altered: tables.altered.length,
        removed: tables.removed.length,
      }),
      counts(report.scripts, { installed: scripts.length, run: ran.length }),
      counts(report.rows, { ...data }),
      texts === 0 ? '-' : String(texts),
      patches.length === 0 ? '-' : String(patches.length),
      settled.length === 0 ? '-' : some(dueReasons(settled, report).map(safe)),
      `${Math.max(...group.map(({ ms }) => ms))} ms`,
    ];
  });
  const { folder, state, elements, tables, scripts, rows: data, patches, time } = report.columns;
  const columns: readonly Column[] = [
    { title: folder },
    { title: state },
    { title: elements },
    { title: tables },
    { title: scripts },
    { title: data },
    { title: validation.steps.texts, right: true },
    { title: patches, right: true },
    { title: validation.settled },
    { title: time, right: true },
  ];
  // What nothing was done to takes no room.
  const shown = columns.map((_column, at) => rows.some((row) => row[at] !== '-'));
  const only = <Each>(list: readonly Each[]): readonly Each[] => list.filter((_each, at) => shown[at]);
  return table(only(columns), rows.map(only), width);
}

function costsOf(folders: readonly RunValidation[]) {
  return folders.map(({ folder, tables }) => ({ folders: [folder], changes: tables.changes }));
}

/** Why folders failed or were left out where no finding says so. */
function untold({ findings, folders }: ValidationOutcome, messages: Messages, width: number | undefined): readonly string[] {
  const told = new Set(findings.map(({ code, folder }) => `${code} ${folder ?? ''}`));
  const reasons = folders.flatMap(({ folder, reason }): readonly Finding[] => {
    if (reason === undefined || reason.code === 'blocked' || told.has(`${reason.code} ${folder}`)) return [];
    return [{ ...reason, severity: 'block', folder }];
  });
  return causesOf(reasons).map((cause) => wrap(causeText(cause, messages), width, 2));
}
