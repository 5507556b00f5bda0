// Findings for people: blocks first, equal ones of several folders once, and of a kind only a few unless all are wanted.
import type { Finding, Severity } from '../base/finding.ts';
import { type Cause, causesOf, saidOfAll } from './causes.ts';
import { paint, type Tone, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { findingText } from './problem.ts';
import { cut } from './text-width.ts';

const SEVERITIES: readonly Severity[] = ['block', 'warn', 'info'];
const TONES: Readonly<Record<Severity, Tone>> = { block: 'red', warn: 'yellow', info: 'dim' };
/** Of one code: enough to recognise the kind, few enough that other kinds stay on the screen. */
const SHOWN: Readonly<Record<Severity, number>> = { block: 8, warn: 3, info: 2 };
const INDENT = 4;
const MOST_NAMED = 200;

export interface FindingStyle {
  readonly width: number | undefined;
  readonly colour: boolean;
  /** Every finding, not only the first ones of a kind. */
  readonly all: boolean;
}

export function findingsText(findings: readonly Finding[], messages: Messages, style: FindingStyle): string {
  const parts: string[] = [];
  for (const severity of SEVERITIES) {
    const causes = causesOf(findings.filter((finding) => finding.severity === severity));
    if (causes.length === 0) continue;
    parts.push(paint(TONES[severity], messages.report.severities[severity](causes.length), style.colour));
    for (const kind of Map.groupBy(causes, (cause) => cause.finding.code).values()) {
      // A line that says "one more" would take the place of that one.
      const shown = style.all || kind.length <= SHOWN[severity] + 1 ? kind : kind.slice(0, SHOWN[severity]);
      for (const cause of shown)
        parts.push(`  ${wrap(causeText(cause, messages), style.width === undefined ? undefined : style.width - 2, INDENT)}`);
      if (shown.length < kind.length) parts.push(`    ${wrap(rest(kind.slice(shown.length), messages), style.width, INDENT)}`);
    }
  }
  return parts.join('\n');
}

/** Findings that are not said in full are named all the same. */
function rest(causes: readonly Cause[], messages: Messages): string {
  const subjects = [...new Set(causes.flatMap(({ finding }) => (finding.subject === undefined ? [] : [safe(finding.subject)])))];
  const named = subjects.slice(0, MOST_NAMED).join(', ');
  return messages.report.more(causes.length, subjects.length > MOST_NAMED ? `${named} …` : named);
}

/** Patch, folders and subject, then the sentence. */
export function causeText(cause: Cause, messages: Messages): string {
  const { finding, folders } = cause;
  const text = findingText(saidOfAll(cause), messages);
  const subject = finding.subject !== undefined && !text.includes(finding.subject) ? safe(finding.subject) : '';
  const place = [
    finding.patch === undefined ? '' : safe(finding.patch),
    folders.length === 0 ? '' : messages.report.folders(some(folders), folders.length),
    cut(subject, 60),
  ].filter((part) => part !== '');
  return place.length === 0 ? text : `${place.join(' · ')} – ${text}`;
}
