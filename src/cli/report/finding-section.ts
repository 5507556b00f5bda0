// Findings as a section of a page: what blocks first, the same cause in several folders once.
import type { Finding, Severity } from '../../base/finding.ts';
import { causesOf, saidOfAll } from '../causes.ts';
import type { Messages } from '../messages/en.ts';
import { findingText } from '../problem.ts';
import type { PageSection, PageTable, Tone } from './report.ts';
import { named } from './rows.ts';

const TONES: Readonly<Record<Severity, Tone>> = { block: 'bad', warn: 'warn', info: 'plain' };

export function findingSection(findings: readonly Finding[], messages: Messages): PageSection {
  const { reports } = messages;
  const blocks = (Object.keys(TONES) as Severity[]).flatMap((severity): PageTable[] => {
    const causes = causesOf(findings.filter((finding) => finding.severity === severity));
    if (causes.length === 0) return [];
    const rows = causes.map((cause) => {
      const { code, patch, subject } = cause.finding;
      const where = [named(cause.folders, messages), patch ?? '', subject ?? ''].filter((part) => part !== '');
      return [
        { text: messages.report.severity[severity], tone: TONES[severity] },
        findingText(saidOfAll(cause), messages),
        { lines: where },
        code,
      ];
    });
    const { severity: title, said, where, code } = reports.findingColumns;
    return [
      {
        kind: 'table',
        caption: `${reports.severities[severity]} (${reports.number(causes.length)})`,
        columns: [{ title }, { title: said }, { title: where }, { title: code, code: true }],
        groups: [{ rows }],
      },
    ];
  });
  return {
    title: reports.findings,
    blocks: blocks.length === 0 ? [{ kind: 'text', text: reports.noFindings, tone: 'good' }] : blocks,
  };
}
