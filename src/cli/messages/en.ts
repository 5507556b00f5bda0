// The English catalog; its shape is what every other language has to have.
import * as said from './en/errors.ts';
import * as found from './en/findings.ts';
import { help } from './en/help.ts';
import { history } from './en/history.ts';
import { log } from './en/log.ts';
import { progress } from './en/progress.ts';
import { report } from './en/report.ts';
import { reports } from './en/reports.ts';
import { summary } from './en/summary.ts';
import { verifyReport as verify } from './en/verify.ts';
import type { Sentence } from './said.ts';

/** Every key must be there; the words are free. */
type Shape<T> = T extends (...given: infer A) => string
  ? (...given: A) => string
  : T extends string
    ? string
    : { readonly [K in keyof T]: Shape<T[K]> };

export type Sentences<Code extends string> = Readonly<Record<Code, Sentence>>;
export type ErrorCode = keyof typeof said.errors;
export type FindingCode = keyof typeof found.findings;
export type UsageProblem = keyof typeof said.usage;

export interface Messages {
  readonly errors: Sentences<ErrorCode>;
  readonly usage: Sentences<UsageProblem>;
  readonly usageAdvice: typeof said.usageAdvice;
  readonly unknownError: typeof said.unknownError;
  readonly findings: Sentences<FindingCode>;
  readonly unknownFinding: typeof found.unknownFinding;
  readonly help: Shape<typeof help>;
  readonly history: Shape<typeof history>;
  readonly log: Shape<typeof log>;
  readonly progress: Shape<typeof progress>;
  readonly report: Shape<typeof report>;
  readonly reports: Shape<typeof reports>;
  readonly summary: Shape<typeof summary>;
  readonly verify: Shape<typeof verify>;
}

export const messages: Messages = { ...said, ...found, help, history, log, progress, report, reports, summary, verify };
