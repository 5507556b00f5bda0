// An error or finding as a sentence in the language of the user, as a document, and as an exit code.
import { Bug, type Facts, Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Messages } from './messages/en.ts';
import { type Sentence, safe, said } from './messages/said.ts';

export type Problem = Refusal | Failure | Bug;

/** Every error is one of the three kinds: a refusal of the operating system is a failure of the world, anything else our own bug. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal || error instanceof Failure || error instanceof Bug) return error;
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    const path = 'path' in error && typeof error.path === 'string' ? { path: error.path } : {};
    return new Failure('system', { reason: String(error.code), ...path }, error);
  }
  const bug = new Bug(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  bug.cause = error;
  return bug;
}

export function exitCodeOf(problem: Problem): number {
  if (problem instanceof Refusal) return 2;
  return problem instanceof Failure ? 3 : 70;
}

export function problemText({ code, facts }: { readonly code: string; readonly facts: Facts }, messages: Messages): string {
  if (code === 'usage') {
    const sentence = sentenceOf(String(facts.problem), [messages.usage]);
    const advice = messages.usageAdvice(safe(String(facts.command ?? 'rustine')));
    return sentence === undefined ? messages.unknownError(code, said(facts).all()) : `${sentence(said(facts))} ${advice}`;
  }
  const sentence = sentenceOf(code, [messages.errors, messages.findings]);
  const all = said(facts);
  return sentence === undefined ? messages.unknownError(code, all.all()) : sentence(all);
}

export function problemDocument(problem: Problem, messages: Messages): object {
  const { code, facts } = problem;
  const message = problemText(problem, messages);
  // First for the eye, then again so that no fact of the same name takes their place.
  return { error: Object.assign({ code, message }, facts, { code, message }) };
}

export function findingText(finding: Finding, messages: Messages): string {
  const { code, folder, patch, subject, facts } = finding;
  const sentence = sentenceOf(code, [messages.findings, messages.errors]);
  if (sentence === undefined) return messages.unknownFinding(code, safe(subject ?? ''), said(facts).all());
  const place = {
    ...(folder === undefined ? {} : { folder }),
    ...(patch === undefined ? {} : { patch }),
    subject: subject ?? '?',
  };
  const all = said({ ...place, ...facts });
  return all.has('forced') ? `${sentence(all)} ${messages.report.forced(all('check'), all('by'), all('forced'))}` : sentence(all);
}

export function findingDocument(finding: Finding, messages: Messages): object {
  const { code, severity, folder, patch, subject, facts } = finding;
  return { code, severity, folder, patch, subject, message: findingText(finding, messages), facts };
}

/** What stops a patch in one folder is a finding too, so both catalogs count. A code may come from anywhere: never from the prototype. */
function sentenceOf(code: string, catalogs: readonly Readonly<Record<string, Sentence>>[]): Sentence | undefined {
  return catalogs.find((catalog) => Object.hasOwn(catalog, code))?.[code];
}
