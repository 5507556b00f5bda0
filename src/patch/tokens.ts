// Single lines of a patch file, text to parts: each function gives the part, or the code of what was expected. Pure.
import type { PatchExpected } from './expected.ts';
import type { ElementHead, PatchHeader, RecordLine } from './format.ts';

const COMMA = 44;
const QUOTE = 34;
const ZERO = 48;
const NINE = 57;
const SEPARATOR = '","';
const MAX_INDEX_DIGITS = 5;

const HEADER = /^1,"([^"]*)","([^"]*)","([^"]*)","([^"]*)","([^"]*)","([0-9]{1,4})",$/;
const LANGUAGE = /^[A-Z]{3}$/;
const UNKNOWN_KIND = /^(?:0|[0-9]{2,}),/;
const LANGUAGE_LIST_END = '"","***"';

/** The line that closes an element's script or binary. */
export const STARS = '**********';
/** The last line. */
export const END_LINE = '8,""';

export function parseHeader(line: string): PatchHeader | 'header' {
  const tokens = HEADER.exec(line);
  if (tokens === null) return 'header';
  const [, unknown1 = '', languages = '', unknown2 = '', activityCodes = '', folder = '', type = ''] = tokens;
  return {
    unknown1,
    languages: languages.split('/').filter((language) => language !== ''),
    unknown2,
    activityCodes: activityCodes.split(/[/,; ]+/).filter((code) => code !== ''),
    folder,
    type,
    raw: line,
  };
}

/** `line` is a whole line 2. Only the name can hold quotes and `","`: the last separator is taken. */
export function parseElementHead(line: string): ElementHead | 'element-head' {
  const typeEnd = line.indexOf('"', 3);
  if (!line.startsWith('2,"') || typeEnd <= 3 || !line.startsWith(',"', typeEnd + 1)) return 'element-head';
  const nameStart = typeEnd + 3;
  // The title's own two quotes come after the separator's comma: it cannot begin in the last three characters.
  const separator = line.lastIndexOf(SEPARATOR, line.length - 4);
  if (separator < nameStart || !line.endsWith('"')) return 'element-head';
  return {
    type: line.slice(3, typeEnd),
    name: line.slice(nameStart, separator),
    title: line.slice(separator + 3, -1),
    raw: line.slice(2),
  };
}

/** `line` is a whole line 3. */
export function parseRecordHead(line: string): { readonly tag: string; readonly key: string } | 'record-head' {
  const tagEnd = line.indexOf('"', 3);
  if (!line.startsWith('3,"') || tagEnd <= 3 || line.charCodeAt(tagEnd + 1) !== COMMA) return 'record-head';
  return { tag: line.slice(3, tagEnd), key: line.slice(tagEnd + 2) };
}

/** The byte count of a binary: canonical digits, so that writing gives the same bytes. */
export function parseByteCount(line: string): number | 'byte-count' {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(line) ? Number(line) : 'byte-count';
}

/** A kind that the grammar does not know: digits other than a single 1 to 9, then a comma. */
export function isUnknownKind(line: string): boolean {
  return UNKNOWN_KIND.test(line);
}

/** A line between lines 3 and 6. */
export function parseRecordLine(line: string): RecordLine | PatchExpected {
  if (line.charCodeAt(1) === COMMA) {
    switch (line.charCodeAt(0)) {
      case 52:
        return parseFieldLine(line, parseValue);
      case 53:
        return parseFieldLine(line, parseText);
      case 57:
        return parseFieldLine(line, parseTranslation);
    }
  }
  return isUnknownKind(line) ? { kind: 'unknown', line } : 'value-or-record-end';
}

/** What lines 4, 5 and 9 have in common: `"FIELD",<index>,` and then what `parseRest` takes. */
function parseFieldLine(
  line: string,
  parseRest: (field: string, index: number, rest: string) => RecordLine | PatchExpected,
): RecordLine | PatchExpected {
  const fieldEnd = line.indexOf('"', 3);
  if (line.charCodeAt(2) !== QUOTE || fieldEnd <= 3 || line.charCodeAt(fieldEnd + 1) !== COMMA) return 'field';
  const indexStart = fieldEnd + 2;
  const indexEnd = digitsEnd(line, indexStart);
  const digits = indexEnd - indexStart;
  if (digits === 0 || digits > MAX_INDEX_DIGITS || line.charCodeAt(indexEnd) !== COMMA) return 'index';
  if (digits > 1 && line.charCodeAt(indexStart) === ZERO) return 'index';
  let index = 0;
  for (let at = indexStart; at < indexEnd; at++) index = index * 10 + line.charCodeAt(at) - ZERO;
  return parseRest(line.slice(3, fieldEnd), index, line.slice(indexEnd + 1));
}

function parseValue(field: string, index: number, value: string): RecordLine | 'value' {
  return isQuoted(value) || isNumber(value) ? { kind: 'value', field, index, value } : 'value';
}

function parseText(field: string, index: number, rest: string): RecordLine | 'text' {
  if (rest === LANGUAGE_LIST_END) return { kind: 'close', of: 'text', field, index };
  if (!isQuoted(rest)) return 'text';
  return splitText(field, index, rest, LANGUAGE) ?? splitText(field, index, rest, /^[^"*]+$/) ?? 'text';
}

/**
 * Text and comment may both hold quotes and separators, so what lies between them is looked for from the right:
 * `","<language>",<digits>,"`. Each character is visited a bounded number of times.
 */
function splitText(field: string, index: number, rest: string, languages: RegExp): RecordLine | undefined {
  for (let comma = rest.lastIndexOf(',"', rest.length - 3); comma > 0; comma = rest.lastIndexOf(',"', comma - 1)) {
    const numberStart = digitsStart(rest, comma);
    if (numberStart === comma || rest.charCodeAt(numberStart - 1) !== COMMA || rest.charCodeAt(numberStart - 2) !== QUOTE)
      continue;
    const languageEnd = numberStart - 2;
    const languageStart = rest.lastIndexOf('"', languageEnd - 1) + 1;
    const textEnd = languageStart - 3;
    if (textEnd < 1 || !rest.startsWith(SEPARATOR, textEnd)) continue;
    const language = rest.slice(languageStart, languageEnd);
    if (!languages.test(language)) continue;
    const number = rest.slice(numberStart, comma);
    return { kind: 'text', field, index, text: rest.slice(1, textEnd), language, number, comment: rest.slice(comma + 2, -1) };
  }
  return undefined;
}

function parseTranslation(field: string, index: number, rest: string): RecordLine | 'translation' {
  if (rest === LANGUAGE_LIST_END) return { kind: 'close', of: 'translation', field, index };
  if (!isQuoted(rest)) return 'translation';
  const idEnd = rest.lastIndexOf(SEPARATOR, rest.length - 4);
  const languageEnd = idEnd < 3 ? -1 : rest.lastIndexOf(SEPARATOR, idEnd - 3);
  const textEnd = languageEnd < 3 ? -1 : rest.lastIndexOf(SEPARATOR, languageEnd - 3);
  if (textEnd < 1) return 'translation';
  const found = { textEnd, language: rest.slice(textEnd + 3, languageEnd) };
  const { textEnd: end, language } = LANGUAGE.test(found.language) ? found : (findLanguage(rest, textEnd, idEnd) ?? found);
  if (language === '' || language === '***' || language.includes('"')) return 'translation';
  const text = rest.slice(1, end);
  const id1 = rest.slice(end + language.length + 6, idEnd);
  return { kind: 'translation', field, index, text, language, id1, id2: rest.slice(idEnd + 3, -1) };
}

/** The first identifier holds `","`, so the language is not the third token from the right: it shows by its form. */
function findLanguage(rest: string, from: number, idEnd: number): { textEnd: number; language: string } | undefined {
  for (let at = from; at >= 1; at = rest.lastIndexOf(SEPARATOR, at - 1)) {
    const language = rest.slice(at + 3, at + 6);
    if (at + 9 <= idEnd && rest.startsWith(SEPARATOR, at + 6) && LANGUAGE.test(language)) return { textEnd: at, language };
  }
  return undefined;
}

function isQuoted(text: string): boolean {
  return text.length >= 2 && text.charCodeAt(0) === QUOTE && text.charCodeAt(text.length - 1) === QUOTE;
}

/** `-?digits(.digits)?`; by hand because most lines of a patch come through here. */
function isNumber(text: string): boolean {
  const wholeStart = text.charCodeAt(0) === 45 ? 1 : 0;
  const wholeEnd = digitsEnd(text, wholeStart);
  if (wholeEnd === wholeStart) return false;
  if (wholeEnd === text.length) return true;
  const end = digitsEnd(text, wholeEnd + 1);
  return text.charCodeAt(wholeEnd) === 46 && end > wholeEnd + 1 && end === text.length;
}

function digitsEnd(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; code = text.charCodeAt(at)) at++;
  return at;
}

function digitsStart(text: string, end: number): number {
  let at = end;
  for (let code = text.charCodeAt(at - 1); code >= ZERO && code <= NINE; code = text.charCodeAt(at - 1)) at--;
  return at;
}
