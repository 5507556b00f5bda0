// What the checks found, for people and as a document.
import type { CheckOutcome } from '../app/checks.ts';
import { findingsText } from './findings.ts';
import { paint } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { findingDocument } from './problem.ts';

export interface CheckStyle {
  readonly width: number | undefined;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

export function checkDocument(outcome: CheckOutcome, messages: Messages): object {
  return { ...outcome, findings: outcome.findings.map((finding) => findingDocument(finding, messages)) };
}

/** Findings first, then in one line what a run would do. */
export function checkText(outcome: CheckOutcome, messages: Messages, style: CheckStyle): string {
  const { width, colour, quiet, verbose } = style;
  const findings = outcome.findings.filter(({ severity }) => !quiet || severity === 'block');
  if (quiet && findings.length === 0) return '';
  const said = findingsText(findings, messages, { width, colour, all: verbose });
  return [said, conclusion(outcome, messages, colour)].filter((part) => part !== '').join('\n');
}

function conclusion({ state, folders }: CheckOutcome, { report }: Messages, colour: boolean): string {
  if (state === 'blocked') return paint('red', report.check.blocked, colour);
  const work = folders.filter(({ patches }) => patches.some(({ task }) => task === 'integrate'));
  const files = new Set(work.flatMap(({ patches }) => patches.flatMap(({ file, task }) => (task === 'integrate' ? [file] : []))));
  return paint('green', work.length === 0 ? report.check.nothing : report.check.clear(files.size, work.length), colour);
}
