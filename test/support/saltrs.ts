// A base patch that defines SALTRS, made from the column list of the original product and the fields of the delivered row itself.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PatchPart, PatchRecord, RecordLine } from '../../src/patch/format.ts';
import { readPatchFile } from '../../src/patch/read.ts';
import { elementHead, patchHeader } from '../../src/patch/render.ts';
import { USUAL_FORM, writePatch } from '../../src/patch/write.ts';

const FIELDS = join(import.meta.dirname, '../../../shared/data/x3/fields.fr.csv');
const AT = { line: 0, offset: 0 };

export const noFields = existsSync(FIELDS) ? undefined : `no column list: ${FIELDS} does not exist`;

interface Shape {
  slots: number;
  type: string;
  length: number;
}

function value(field: string, content: string | number): RecordLine {
  return { kind: 'value', field, index: 0, value: typeof content === 'number' ? String(content) : `"${content}"` };
}

function record(tag: string, key: string, fields: Readonly<Record<string, string | number>>): PatchPart {
  const lines = Object.entries(fields).map(([field, content]) => value(field, content));
  return { part: 'record', record: { tag, key, lines }, at: AT };
}

/** Fields that only the column list knows: their names say what they hold. */
function listedShape(field: string): Shape {
  if (field === 'AUUID') return { slots: 1, type: 'AUUID', length: 0 };
  if (field.endsWith('DATTIM')) return { slots: 1, type: 'ADATIM', length: 0 };
  if (field === 'CREDAT' || field === 'UPDDAT') return { slots: 1, type: 'D', length: 0 };
  return { slots: 1, type: 'A', length: 80 };
}

function deliveredShapes(row: PatchRecord): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const line of row.lines) {
    if (line.kind === 'unknown' || line.kind === 'close') continue;
    const text = line.kind !== 'value' || line.value.startsWith('"');
    const known = listedShape(line.field);
    const type = known.type === 'A' && !text ? 'C' : known.type;
    const slots = Math.max(line.index + 1, shapes.get(line.field)?.slots ?? 1);
    shapes.set(line.field, { slots, type, length: type === 'A' ? 80 : 0 });
  }
  return shapes;
}

async function deliveredRow(path: string): Promise<PatchRecord> {
  for await (const part of readPatchFile(path)) {
    if (part.part === 'record' && part.record.tag === 'DIV') return part.record;
  }
  throw new Error(`${path} delivers no row`);
}

/** The bytes of a patch that creates SALTRS with abbreviation SLT. */
export async function saltrsPatch(realPatch: string): Promise<Buffer> {
  const listed = readFileSync(FIELDS, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('SALTRS;'))
    .map((line) => line.split(';')[2]?.replace(/_\d+$/, '') ?? '');
  const shapes = new Map(listed.map((field) => [field, listedShape(field)]));
  for (const [field, shape] of deliveredShapes(await deliveredRow(realPatch))) shapes.set(field, shape);
  const parts: PatchPart[] = [
    { part: 'header', header: patchHeader({ languages: ['FRA', 'ENG'], folder: 'X3', type: '1' }), at: AT },
    { part: 'element', element: elementHead('ATB', 'SALTRS', 'Sales entry transaction'), at: AT },
    record('ATB', 'SALTRS', { ABRFIC: 'SLT', CODACT: '', CODFIC: 'SALTRS' }),
    ...[...shapes].map(([field, { slots, type, length }], at) =>
      record('ATZ', field, {
        CODACT: '',
        CODFIC: 'SALTRS',
        CODTYP: type,
        CODZONE: field,
        DIME: slots,
        LONG: length,
        NUMLIG: at + 1,
      }),
    ),
    record('ATI', 'SLT0', { CODACT: '', CODFIC: 'SALTRS', CODIND: 'SLT0', DESCRIPT: 'STRTYP+STRNUM', HOMONYM: 1, NUMLIG: 1 }),
    { part: 'element-end', at: AT },
    { part: 'end', form: USUAL_FORM, bytes: 0, digest: '' },
  ];
  return Buffer.concat(await Array.fromAsync(writePatch(parts)));
}
