// Builds patches for tests: elements as a developer would describe them, written to real files by the product's own writer.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PatchPart, RecordLine } from '../../src/patch/format.ts';
import { elementHead, patchHeader } from '../../src/patch/render.ts';
import { USUAL_FORM, writePatch } from '../../src/patch/write.ts';

/** What a field holds: a string is quoted text, a number or `bare(…)` comes without quotes, an object gives texts by language. */
export type Value = string | number | Bare | Texts | readonly (string | number | Bare)[];
export interface Bare {
  readonly bare: string;
}
/** Language → text. */
export interface Texts {
  readonly texts: Readonly<Record<string, string>>;
}
export type Values = Readonly<Record<string, Value>>;

/** A token without quotes, digits exactly as given: `bare('007')`, `bare('20240131')`. */
export const bare = (token: string): Bare => ({ bare: token });
export const texts = (byLanguage: Readonly<Record<string, string>>): Texts => ({ texts: byLanguage });

/** The parts of one element, from its line 2 to its line 7. */
export type Element = readonly PatchPart[];

const at = { line: 0, offset: 0 };

function fieldLines(field: string, value: Value): readonly RecordLine[] {
  if (Array.isArray(value))
    return (value as readonly (string | number | Bare)[]).flatMap((slot, index) => slotLines(field, index, slot));
  return slotLines(field, 0, value as Exclude<Value, readonly unknown[]>);
}

function slotLines(field: string, index: number, value: string | number | Bare | Texts): readonly RecordLine[] {
  if (typeof value === 'object' && 'texts' in value) {
    const lines = Object.entries(value.texts).map(
      ([language, text]): RecordLine => ({ kind: 'text', field, index, text, language, number: '0', comment: '' }),
    );
    return [...lines, { kind: 'close', of: 'text', field, index }];
  }
  const token = typeof value === 'string' ? `"${value}"` : typeof value === 'number' ? String(value) : value.bare;
  return [{ kind: 'value', field, index, value: token }];
}

/** Texts of a data row by language, as line kind 9. */
function translationLines(field: string, byLanguage: Readonly<Record<string, string>>, id1: string): readonly RecordLine[] {
  const lines = Object.entries(byLanguage).map(
    ([language, text]): RecordLine => ({ kind: 'translation', field, index: 0, text, language, id1, id2: '' }),
  );
  return [...lines, { kind: 'close', of: 'translation', field, index: 0 }];
}

export interface RecordOf {
  readonly tag: string;
  /** Label of line 3, verbatim; none by default. */
  readonly label?: string;
  readonly values: Values;
  /** Field → language → text, as line kind 9. */
  readonly translations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function recordPart({ tag, label = '', values, translations = {} }: RecordOf): PatchPart {
  const lines = Object.keys(values)
    .sort()
    .flatMap((field) => fieldLines(field, values[field] ?? ''));
  const last = Object.entries(translations).flatMap(([field, byLanguage]) => translationLines(field, byLanguage, '1'));
  return { part: 'record', record: { tag, key: label, lines: [...lines, ...last] }, at };
}

/** Any element with any records. */
export function any(type: string, name: string, records: readonly RecordOf[], title = `${type} ${name}`): Element {
  return [
    { part: 'element', element: elementHead(type, name, title), at },
    ...records.map(recordPart),
    { part: 'element-end', at },
  ];
}

/** Data type, or with its length or more: `A:20`, `DCB:9.3`. */
export type Field = string | { readonly type: string; readonly slots?: number; readonly activity?: string };

/** Definition of a table; fields by name (`'A:20'`), indexes by name (`'COD+-DAT'`; the first is unique, the others allow duplicates). */
export function table(
  code: string,
  abbreviation: string,
  fields: Readonly<Record<string, Field>>,
  indexes: Readonly<Record<string, string>>,
  options: { readonly activity?: string; readonly title?: Texts; readonly header?: Values } = {},
): Element {
  const { activity = '', title = texts({ ENG: `Table ${code}`, FRA: `Table ${code} (fr)` }) } = options;
  const header = { ABRFIC: abbreviation, CODACT: activity, CODFIC: code, INTITFIC: title, MODULE: 1, ...options.header };
  return any('ATB', code, [
    { tag: 'ATB', values: header },
    ...Object.entries(fields).map(([name, field], line) => fieldRecord(code, name, field, line)),
    ...Object.entries(indexes).map(([name, keys], line) => ({
      tag: 'ATI',
      values: { CODACT: '', CODFIC: code, CODIND: name, DESCRIPT: keys, HOMONYM: line === 0 ? 1 : 2, NUMLIG: line + 1 },
    })),
  ]);
}

function fieldRecord(table_: string, name: string, field: Field, line: number): RecordOf {
  const { type, slots = 1, activity = '' } = typeof field === 'string' ? { type: field } : field;
  const [code = '', length = '0'] = type.split(':');
  const values = {
    CODACT: activity,
    CODFIC: table_,
    CODTYP: code,
    CODZONE: name,
    DIME: slots,
    LONG: bare(length),
    NUMLIG: line + 1,
  };
  return { tag: 'ATZ', values };
}

export function activityCode(code: string, options: { readonly active?: boolean; readonly size?: number } = {}): Element {
  const { active = true, size = 0 } = options;
  const values = {
    CODACT: code,
    DIME: size,
    FLACT: active ? 2 : 1,
    LIBACT: texts({ ENG: `Code ${code}`, FRA: `Code ${code} (fr)` }),
    MODULE: 1,
  };
  return any('ACV', code, [{ tag: 'ACV', values }], `Activity code ${code}`);
}

/** A script in source form; its last line gets an end where it has none. */
export function script(name: string, source: string): Element {
  const bytes = Buffer.from(source === '' || source.endsWith('\n') ? source : `${source}\n`);
  return [
    { part: 'element', element: elementHead('TRT', name, `Script ${name}`), at },
    { part: 'source', bytes },
    { part: 'element-end', at },
  ];
}

/** A compiled script: bytes as they come. */
export function compiled(name: string, bytes: Uint8Array): Element {
  const element = elementHead('ADX', name, '');
  const body: PatchPart[] = [
    { part: 'binary', length: bytes.length, at },
    { part: 'payload', bytes },
  ];
  return [{ part: 'element', element, at }, ...body, { part: 'element-end', at }];
}

/** One row of the table that the abbreviation names. */
export function row(
  abbreviation: string,
  selection: string,
  values: Values,
  translations: NonNullable<RecordOf['translations']> = {},
): Element {
  return rows(abbreviation, selection, [values], translations);
}

/** The whole content of a table (TAB). */
export function content(
  table_: string,
  all: readonly Values[],
  translations: NonNullable<RecordOf['translations']> = {},
): Element {
  return rows('TAB', table_, all, translations);
}

/** Rows of one table, in one element. */
export function rows(
  abbreviation: string,
  selection: string,
  all: readonly Values[],
  translations: NonNullable<RecordOf['translations']> = {},
): Element {
  return any(
    abbreviation,
    selection,
    all.map((values) => ({ tag: 'DIV', values, translations })),
  );
}

/** A script to run at the end. */
export function exe(name: string): Element {
  return any('EXE', name, [], `Run ${name}`);
}

export interface PatchOptions {
  readonly languages?: readonly string[];
  readonly activityCodes?: readonly string[];
  readonly folder?: string;
  /** `1` Standard, `2` Supervisor, `3` Specific, `4` Vertical, `5` Add-on. */
  readonly type?: string;
}

/** All parts of a patch. */
function patch(elements: readonly Element[], options: PatchOptions = {}): readonly PatchPart[] {
  const { languages = ['ENG', 'FRA'], activityCodes = [], folder = 'X3', type = '1' } = options;
  return [
    { part: 'header', header: patchHeader({ languages, activityCodes, folder, type }), at },
    ...elements.flat(),
    { part: 'end', form: USUAL_FORM, bytes: 0, digest: '' },
  ];
}

/** Writes a patch file. @returns its path */
export async function writePatchFile(
  directory: string,
  file: string,
  elements: readonly Element[],
  options: PatchOptions = {},
): Promise<string> {
  const path = join(directory, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.concat(await Array.fromAsync(writePatch(patch(elements, options)))));
  return path;
}
