// Packs the readable kernel files to kernel.dat, the patch that a new supervisor folder starts from. Run: npm run kernel
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { PatchPart, RecordLine } from '../src/patch/format.ts';
import { elementHead, patchHeader } from '../src/patch/render.ts';
import { writePatch } from '../src/patch/write.ts';

interface Titles {
  readonly en: string;
  readonly fr: string;
}
interface KernelType extends Titles {
  readonly code: string;
  readonly internal: number;
  readonly length: string;
}
interface KernelTable extends Titles {
  readonly code: string;
  readonly abbreviation: string;
  readonly fields: Readonly<Record<string, readonly [type: string, length: number]>>;
  readonly indexes: Readonly<Record<string, readonly [fields: string, unique: boolean]>>;
}

const AT = { line: 0, offset: 0 };
const here = (name: string): URL => new URL(name, import.meta.url);
const load = (name: string): unknown => parse(readFileSync(here(name), 'utf8'));

function texts(field: string, titles: Titles): readonly RecordLine[] {
  const line = (language: string, text: string): RecordLine => ({
    kind: 'text',
    field,
    index: 0,
    text,
    language,
    number: '0',
    comment: '',
  });
  return [line('ENG', titles.en), line('FRA', titles.fr), { kind: 'close', of: 'text', field, index: 0 }];
}

/** Fields in alphabetical order, as everywhere in patches; text values arrive quoted. */
function record(
  tag: string,
  key: string,
  values: Readonly<Record<string, string | number>>,
  titles: Readonly<Record<string, Titles>> = {},
): PatchPart {
  const names = [...Object.keys(values), ...Object.keys(titles)].sort();
  const lines = names.flatMap((field): readonly RecordLine[] => {
    const title = titles[field];
    if (title !== undefined) return texts(field, title);
    const value = values[field] ?? '';
    return [{ kind: 'value', field, index: 0, value: typeof value === 'number' ? String(value) : `"${value}"` }];
  });
  return { part: 'record', record: { tag, key, lines }, at: AT };
}

function* dataType(type: KernelType): Generator<PatchPart> {
  yield { part: 'element', element: elementHead('ATY', type.code, type.en), at: AT };
  yield record(
    'ATY',
    type.code,
    { CODACT: '', CODTYP: type.code, LNGTYP: Number(type.length), TYPTYP: type.internal },
    { INTITTYP: type },
  );
  yield { part: 'element-end', at: AT };
}

function* table(definition: KernelTable): Generator<PatchPart> {
  const { code, abbreviation } = definition;
  yield { part: 'element', element: elementHead('ATB', code, definition.en), at: AT };
  yield record('ATB', code, { ABRFIC: abbreviation, CODACT: '', CODFIC: code, MODULE: 1 }, { INTITFIC: definition });
  for (const [at, [field, [type, length]]] of Object.entries(definition.fields).entries()) {
    yield record('ATZ', field, { CODACT: '', CODFIC: code, CODTYP: type, CODZONE: field, DIME: 1, LONG: length, NUMLIG: at + 1 });
  }
  for (const [at, [index, [fields, unique]]] of Object.entries(definition.indexes).entries()) {
    yield record('ATI', index, {
      CODACT: '',
      CODFIC: code,
      CODIND: index,
      DESCRIPT: fields,
      HOMONYM: unique ? 1 : 2,
      NUMLIG: at + 1,
    });
  }
  yield { part: 'element-end', at: AT };
}

function* kernelParts(): Generator<PatchPart> {
  yield { part: 'header', header: patchHeader({ languages: ['ENG', 'FRA'], folder: 'KERNEL', type: '1' }), at: AT };
  for (const type of load('data-types.yaml') as readonly KernelType[]) yield* dataType(type);
  for (const definition of load('tables.yaml') as readonly KernelTable[]) yield* table(definition);
  yield { part: 'end', form: { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true }, bytes: 0, digest: '' };
}

/** The bytes of kernel.dat. */
export async function packKernel(): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writePatch(kernelParts())) chunks.push(chunk);
  return Buffer.concat(chunks);
}

if (process.argv[1] === import.meta.filename) writeFileSync(here('kernel.dat'), await packKernel());
