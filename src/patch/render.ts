// Parts of a patch as text lines without their ends: the counterpart of tokens, and builders for parts made by hand. Pure.
import { assertNever } from '../base/errors.ts';
import type { ElementHead, PatchHeader, PatchRecord, RecordLine } from './format.ts';

/** A header with its line, with the values always seen in the two tokens of unknown meaning. */
export function patchHeader(fields: {
  readonly languages: readonly string[];
  readonly activityCodes?: readonly string[];
  readonly folder: string;
  readonly type: string;
}): PatchHeader {
  const { languages, activityCodes = [], folder, type } = fields;
  const raw = `1,"","${languages.join('/')}","1","${activityCodes.join('/')}","${folder}","${type}",`;
  return { unknown1: '', languages, unknown2: '1', activityCodes, folder, type, raw };
}

export function elementHead(type: string, name: string, title: string): ElementHead {
  return { type, name, title, raw: `"${type}","${name}","${title}"` };
}

export function renderRecordLine(line: RecordLine): string {
  switch (line.kind) {
    case 'value':
      return `4,"${line.field}",${line.index},${line.value}`;
    case 'text':
      return `5,"${line.field}",${line.index},"${line.text}","${line.language}",${line.number},"${line.comment}"`;
    case 'translation':
      return `9,"${line.field}",${line.index},"${line.text}","${line.language}","${line.id1}","${line.id2}"`;
    case 'close':
      return `${line.of === 'text' ? 5 : 9},"${line.field}",${line.index},"","***"`;
    case 'unknown':
      return line.line;
    default:
      return assertNever(line);
  }
}

/** All lines of a record, 3 to 6. */
export function renderRecord(record: PatchRecord): string[] {
  return [`3,"${record.tag}",${record.key}`, ...record.lines.map(renderRecordLine), `6,"${record.tag}"`];
}
