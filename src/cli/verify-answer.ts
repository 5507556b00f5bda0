// What `status --verify` answers, in every form: what is not as it should be, once for all folders that have it, and what to do about it.
import type { FolderView } from '../app/rustine.ts';
import type { LookedAt, SharedDifference, Verification } from '../app/verification.ts';
import type { Finding } from '../base/finding.ts';
import type { Cli } from './cli.ts';
import { dueLines } from './due.ts';
import { wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingDocument, findingText } from './problem.ts';
import { type VerifyReport, verifyPage } from './report/verify-page.ts';
import type { Answer } from './report-output.ts';
import { withCommands } from './status-answer.ts';

export interface Verified extends Verification {
  /** Those that were looked at. */
  readonly views: readonly FolderView[];
  /** Servers that do not answer. */
  readonly missed: readonly Finding[];
}

/** Whether a folder has what it should have, and nothing waits for it. */
export function isInLine({ differences, views, missed }: Verified): boolean {
  return (
    missed.length === 0 &&
    differences.every(({ severity }) => severity === 'info') &&
    views.every(({ state, due }) => state === 'ready' && !due)
  );
}

export function verifyAnswer(verified: Verified, { messages, options }: Cli): Answer {
  const { differences, folders, views, missed } = verified;
  return {
    json: () => ({
      inLine: isInLine(verified),
      folders: withCommands(views, messages).map((view, at) => ({
        ...view,
        ...folders.find(({ folder, mirror }) => folder === views[at]?.code && mirror === undefined),
        folder: undefined,
      })),
      mirrors: folders.filter(({ mirror }) => mirror !== undefined),
      differences: differences.map((each) => document(each, messages)),
      findings: missed.map((finding) => findingDocument(finding, messages)),
    }),
    text: (width) => textOf(verified, messages, width, options.verbose === true),
    sheet: () => ({
      columns: ['folder', 'severity', 'code', 'subject', 'patch', 'message', 'next', 'chain', 'chainedSince'],
      rows: [
        ...folders.map((each) => verifiedRow(each, differences, messages)),
        ...differences.flatMap((each) => rowsOf(each, messages)),
        ...folders.flatMap((each) => notComparedRows(each, messages)),
      ],
    }),
    page: (made) => verifyPage(reportOf(verified, messages), made, messages),
  };
}

/** Of each folder, also where nothing differs: who reads it later sees that it was looked at, and its chain. */
function verifiedRow(each: LookedAt, differences: readonly SharedDifference[], messages: Messages): readonly (string | null)[] {
  const { folder, mirror, chain, chainedSince } = each;
  const wrong = differences.filter(
    ({ severity, folders }) => severity === 'warn' && folders.some((one) => one.folder === folder && one.mirror === mirror),
  ).length;
  const place = placeOf(each, messages);
  return [place, 'info', 'verified', null, null, messages.verify.one(wrong), null, chain, chainedSince];
}

function rowsOf(each: SharedDifference, messages: Messages): readonly (readonly (string | null)[])[] {
  const { severity, code, subject, patch = null } = each;
  const message = findingText(asFinding(each), messages);
  return each.folders.map((one) => [placeOf(one, messages), severity, code, subject, patch, message, one.next, null, null]);
}

function notComparedRows(each: LookedAt, messages: Messages): readonly (readonly (string | null)[])[] {
  return each.notCompared.map((file) => {
    const finding: Finding = { code: 'file-not-kept', severity: 'info', subject: file, patch: file, facts: { file } };
    const message = findingText(finding, messages);
    return [placeOf(each, messages), finding.severity, finding.code, file, file, message, null, null, null];
  });
}

function reportOf({ differences, folders, views, missed }: Verified, messages: Messages): VerifyReport {
  return {
    supervisor: views.find(({ parent }) => parent === null)?.code,
    places: folders.map((one) => ({ place: placeOf(one, messages), chain: one.chain, chainedSince: one.chainedSince })),
    differences: differences.map((each) => ({
      places: [...new Set(each.folders.map((one) => placeOf(one, messages)))],
      said: findingText(asFinding(each), messages),
      patch: each.patch,
      wrong: each.severity === 'warn',
      next: each.next === null ? [...new Set(each.folders.flatMap(({ next }) => next ?? []))] : [each.next],
    })),
    notCompared: notComparedLines(folders, messages),
    due: dueLines(views, messages, undefined),
    missed,
    verdict: verdictOf(differences, folders, messages).replace(/\s*:$/, '.'),
  };
}

function verdictOf(differences: readonly SharedDifference[], folders: readonly LookedAt[], { verify: words }: Messages): string {
  const wrong = differences.filter(({ severity }) => severity === 'warn').length;
  return wrong === 0 ? words.inLine(...counted(folders)) : words.differs(wrong, ...counted(folders));
}

/** Folders, and mirrors of them on further servers. */
function counted(folders: readonly LookedAt[]): readonly [folders: number, mirrors: number] {
  const mirrors = folders.filter(({ mirror }) => mirror !== undefined).length;
  return [folders.length - mirrors, mirrors];
}

function placeOf(
  { folder, mirror }: { readonly folder: string; readonly mirror?: string | undefined },
  { verify }: Messages,
): string {
  return mirror === undefined ? folder : verify.mirror(folder, mirror);
}

function asFinding({ code, severity, subject, patch, facts }: SharedDifference): Finding {
  return { code, severity, subject, facts, ...(patch === undefined ? {} : { patch }) };
}

function document({ code, severity, subject, patch, facts, folders, next }: SharedDifference, messages: Messages): object {
  const message = findingText({ code, severity, subject, facts, ...(patch === undefined ? {} : { patch }) }, messages);
  return { code, severity, subject, patch, message, facts, folders, next };
}

/** So many of one code before they are counted. */
const SHOWN = 20;
const LONGEST_COMMAND = 400;

function textOf(verified: Verified, messages: Messages, width: number | undefined, all: boolean): string {
  const { differences, folders, views } = verified;
  const due = dueLines(views, messages, width);
  const parts: string[] = [verdictOf(differences, folders, messages)];
  for (const list of Map.groupBy(differences, ({ code, severity }) => `${severity} ${code}`).values()) {
    const shown = all || list.length <= SHOWN + 1 ? list : list.slice(0, SHOWN);
    for (const each of shown) parts.push(...linesOf(each, messages, width));
    const rest = list.slice(shown.length);
    if (rest.length > 0)
      parts.push(
        wrap(
          `  ${messages.report.more(
            rest.length,
            some(
              rest.map(({ subject }) => safe(subject)),
              40,
            ),
          )}`,
          width,
          4,
        ),
      );
  }
  const left = notComparedLines(folders, messages);
  if (left.length > 0) parts.push('', ...left.map((line) => wrap(line, width, 2)));
  if (due.length > 0) parts.push('', ...due);
  return parts.join('\n');
}

/** Folders that lack the same files share a line. */
function notComparedLines(folders: readonly LookedAt[], messages: Messages): readonly string[] {
  const lacking = folders.filter(({ notCompared }) => notCompared.length > 0);
  return [...Map.groupBy(lacking, ({ notCompared }) => JSON.stringify(notCompared)).values()].map((group) => {
    const files = group[0]?.notCompared ?? [];
    const places = some(
      group.map((one) => placeOf(one, messages)),
      12,
    );
    return messages.verify.notCompared(some(files.map(safe), 20), files.length, places);
  });
}

function linesOf(each: SharedDifference, messages: Messages, width: number | undefined): readonly string[] {
  const words = messages.verify;
  const codes = [...new Set(each.folders.map((one) => placeOf(one, messages)))];
  const place = messages.report.folders(some(codes, 12), codes.length);
  const [first] = each.folders;
  const next = each.next ?? first?.next ?? null;
  const command = next === null ? words.backup : next.length > LONGEST_COMMAND ? words.longCommand : `\`${safe(next)}\``;
  const several = each.next === null && next !== null && codes.length > 1 ? `${words.each} ` : '';
  return [
    wrap(`  ${place} – ${findingText(asFinding(each), messages)}`, width, 4),
    ...(each.severity === 'info' && next === null ? [] : [`    → ${several}${command}`]),
  ];
}
