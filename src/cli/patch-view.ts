// A patch file for people and programs: its header and what each element holds.
import type { ElementSummary, PatchSummary } from '../patch/summary.ts';
import { type FindingStyle, findingsText } from './findings.ts';
import { table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';
import { findingDocument } from './problem.ts';

export function patchDocument(file: string, summary: PatchSummary, messages: Messages): object {
  const { languages, activityCodes, folder, type } = summary.header;
  const findings = summary.findings.map((finding) => findingDocument(finding, messages));
  return { file, ...summary, header: { type, languages, activityCodes, folder }, findings };
}

export function patchText(file: string, summary: PatchSummary, messages: Messages, style: FindingStyle): string {
  const { report } = messages;
  const { header, elements, elementCount, bytes, digest } = summary;
  const kind = report.patchTypes[header.type] ?? header.type;
  const codes = header.activityCodes.length === 0 ? [] : [report.patchAuthorizes(header.activityCodes.join(', '))];
  const { type, name, title, records } = report.columns;
  const columns = [{ title: type }, { title: name }, { title: records }, { title }];
  const rows = elements.map((element) => [element.type, element.name, content(element, messages), element.title]);
  const parts = [
    wrap(
      `${safe(file)}: ${safe([report.patchFrom(kind, header.folder, header.languages.join(', ')), ...codes].join(', '))}`,
      style.width,
      2,
    ),
    `${report.patchSize(elementCount, bytes)}, sha256 ${digest.slice(0, 16)}`,
    findingsText(summary.findings, messages, style),
    elements.length === 0 ? '' : `\n${table(columns, rows, style.width)}`,
    elementCount > elements.length ? report.moreElements(elementCount - elements.length) : '',
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function content({ records, sourceLines, payloadBytes }: ElementSummary, { report }: Messages): string {
  return [
    ...Object.entries(records).map(([tag, count]) => `${tag} ${count}`),
    ...(sourceLines === undefined ? [] : [report.lines(sourceLines)]),
    ...(payloadBytes === undefined ? [] : [report.bytes(payloadBytes)]),
  ].join(', ');
}
