// Findings for people: blocks first, equal ones of several folders once, and of a kind only a few unless all are wanted.
import { canonical } from '../base/canonical.ts';
import type { Finding, Severity } from '../base/finding.ts';
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

interface Group {
  readonly finding: Finding;
  readonly folders: string[];
}

export function findingsText(findings: readonly Finding[], messages: Messages, style: FindingStyle): string {
  const parts: string[] = [];
  for (const severity of SEVERITIES) {
    const groups = grouped(findings.filter((finding) => finding.severity === severity));
    if (groups.length === 0) continue;
    parts.push(paint(TONES[severity], messages.report.severities[severity](groups.length), style.colour));
    for (const kind of Map.groupBy(groups, (group) => group.finding.code).values()) {
      // A line that says "one more" would take the place of that one.
      const shown = style.all || kind.length <= SHOWN[severity] + 1 ? kind : kind.slice(0, SHOWN[severity]);
      for (const group of shown)
        parts.push(`  ${wrap(line(group, messages), style.width === undefined ? undefined : style.width - 2, INDENT)}`);
      if (shown.length < kind.length) parts.push(`    ${wrap(rest(kind.slice(shown.length), messages), style.width, INDENT)}`);
    }
  }
  return parts.join('\n');
}

/** Findings that are not said in full are named all the same. */
function rest(groups: readonly Group[], messages: Messages): string {
  const subjects = [...new Set(groups.flatMap(({ finding }) => (finding.subject === undefined ? [] : [safe(finding.subject)])))];
  const named = subjects.slice(0, MOST_NAMED).join(', ');
  return messages.report.more(groups.length, subjects.length > MOST_NAMED ? `${named} …` : named);
}

function line({ finding, folders }: Group, messages: Messages): string {
  const text = findingText(finding, messages);
  const subject = finding.subject !== undefined && !text.includes(finding.subject) ? safe(finding.subject) : '';
  const place = [
    finding.patch === undefined ? '' : safe(finding.patch),
    folders.length === 0 ? '' : messages.report.folders(some(folders), folders.length),
    cut(subject, 60),
  ].filter((part) => part !== '');
  return place.length === 0 ? text : `${place.join(' · ')} – ${text}`;
}

/** The same finding of several folders is one. */
function grouped(findings: readonly Finding[]): Group[] {
  const groups = new Map<string, Group>();
  for (const finding of findings) {
    const { code, patch, subject, facts, folder } = finding;
    const key = canonical([code, patch ?? null, subject ?? null, facts]);
    const group = groups.get(key) ?? { finding, folders: [] };
    if (folder !== undefined && !group.folders.includes(folder)) group.folders.push(folder);
    groups.set(key, group);
  }
  return [...groups.values()];
}
