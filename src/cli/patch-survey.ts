// A patch file at a glance: its header and what each element holds.
import { basename } from 'node:path';
import { Bug } from '../base/errors.ts';
import type { PatchForm, PatchHeader } from '../patch/format.ts';
import { readPatchFile } from '../patch/read.ts';
import { table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';

export interface ElementSurvey {
  readonly type: string;
  readonly name: string;
  readonly title: string;
  /** Number of records per tag. */
  readonly records: Readonly<Record<string, number>>;
  /** Size of the body of a script, in bytes. */
  readonly bytes?: number;
}

export interface PatchSurvey {
  readonly file: string;
  readonly header: Omit<PatchHeader, 'raw' | 'unknown1' | 'unknown2'>;
  readonly elements: readonly ElementSurvey[];
  readonly form: PatchForm;
  readonly bytes: number;
  readonly digest: string;
}

/** @throws Refusal `patch-unreadable`, `patch-format` */
export async function surveyPatch(path: string): Promise<PatchSurvey> {
  let header: PatchSurvey['header'] | undefined;
  const elements: { type: string; name: string; title: string; records: Record<string, number>; bytes?: number }[] = [];
  for await (const part of readPatchFile(path)) {
    const element = elements.at(-1);
    if (part.part === 'header') {
      const { languages, activityCodes, folder, type } = part.header;
      header = { languages, activityCodes, folder, type };
    } else if (part.part === 'element') {
      const { type, name, title } = part.element;
      elements.push({ type, name, title, records: {} });
    } else if (part.part === 'record' && element !== undefined) {
      element.records[part.record.tag] = (element.records[part.record.tag] ?? 0) + 1;
    } else if ((part.part === 'source' || part.part === 'payload') && element !== undefined) {
      element.bytes = (element.bytes ?? 0) + part.bytes.length;
    } else if (part.part === 'end' && header !== undefined) {
      return { file: basename(path), header, elements, form: part.form, bytes: part.bytes, digest: part.digest };
    }
  }
  throw new Bug('the patch reader ended without header or end');
}

export function surveyText(
  { file, header, elements, bytes, digest }: PatchSurvey,
  { report }: Messages,
  width: number | undefined,
): string {
  const { type, name, title, records } = report.columns;
  const rows = elements.map((element) => [
    element.type,
    element.name,
    [
      ...Object.entries(element.records).map(([tag, count]) => `${tag} ${count}`),
      ...(element.bytes === undefined ? [] : [report.bytes(element.bytes)]),
    ].join(', '),
    element.title,
  ]);
  const kind = report.patchTypes[header.type] ?? header.type;
  const codes = header.activityCodes.length === 0 ? [] : [report.patchAuthorizes(header.activityCodes.join(', '))];
  return [
    wrap(
      `${safe(file)}: ${safe([report.patchFrom(kind, header.folder, header.languages.join(', ')), ...codes].join(', '))}`,
      width,
      2,
    ),
    `${report.patchSize(elements.length, bytes)}, sha256 ${digest.slice(0, 16)}`,
    '',
    table([{ title: type }, { title: name }, { title: records }, { title }], rows, width),
  ].join('\n');
}
