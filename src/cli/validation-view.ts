// The end of a validation: the document of `validate --json`, and what people read.
import type { ValidationOutcome } from '../app/validations.ts';
import { counts } from './counts.ts';
import { dueLines } from './due.ts';
import { findingsText } from './findings.ts';
import { paint, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, problemText } from './problem.ts';
import { type SummaryStyle, toneOfState } from './summary-style.ts';
import { tableCostsText } from './table-costs.ts';

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

export function validationSummary(
  { state, findings, folders }: ValidationOutcome,
  messages: Messages,
  style: Omit<SummaryStyle, 'ms'>,
): string {
  const { report } = messages;
  if (folders.length === 0) return style.quiet ? '' : report.validation.nothing;
  if (style.quiet && state === 'done') return '';
  const shown = findings.filter(({ severity }) => !style.quiet || severity === 'block');
  const rows = folders.map(({ folder, state: each, tables, settled, ms }) => [
    folder,
    report.validation.states[each],
    counts(report.tables, { created: tables.created.length, altered: tables.altered.length, removed: tables.removed.length }),
    settled.length === 0 ? '-' : some(settled.map((reason) => safe(report.dueReason(reason)))),
    `${ms} ms`,
  ]);
  const columns = [
    { title: report.columns.folder },
    { title: report.columns.state },
    { title: report.columns.tables },
    { title: report.validation.settled },
    { title: report.columns.time, right: true },
  ];
  const due = folders.map(({ folder, reasons }) => ({ code: folder, state: 'ready', lag: [], reasons }));
  const costs = folders.map(({ folder, tables }) => ({ folder, changes: tables.changes }));
  return [
    findingsText(shown, messages, { width: style.width, colour: style.colour, all: style.verbose }),
    table(columns, rows, style.width),
    style.verbose ? tableCostsText(costs, messages, style.width) : '',
    ...dueLines(due, messages, style.width),
    paint(toneOfState(state), report.runs.validate[state], style.colour),
  ]
    .filter((part) => part !== '')
    .join('\n');
}
