// Branded identifiers: the only place where a checked name is made from a plain string.
import { Refusal } from './errors.ts';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** A folder's code: a letter, then up to 9 letters or digits, upper case. */
export type FolderCode = Branded<string, 'FolderCode'>;
/** A lower-case hexadecimal SHA-256. */
export type Digest = Branded<string, 'Digest'>;

const FOLDER_CODE = /^[A-Z][A-Z0-9]{0,9}$/;
const LANGUAGE = /^[A-Z]{3}$/;
const ACTIVITY_CODE = /^[A-Z][A-Z0-9]{0,9}$/;
const LEGISLATION = /^[A-Z][A-Z0-9]{0,19}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** @throws Refusal `folder-code` */
export function folderCode(text: string): FolderCode {
  const code = text.trim().toUpperCase();
  if (!FOLDER_CODE.test(code)) throw new Refusal('folder-code', { value: text });
  return code as FolderCode;
}

/** @throws Refusal `language-code` */
export function languageCode(text: string): string {
  const code = text.trim().toUpperCase();
  if (!LANGUAGE.test(code)) throw new Refusal('language-code', { value: text });
  return code;
}

/** @throws Refusal `activity-code` */
export function activityCode(text: string): string {
  const code = text.trim().toUpperCase();
  if (!ACTIVITY_CODE.test(code)) throw new Refusal('activity-code', { value: text });
  return code;
}

/** More slots than a table has columns make no sense. */
const MOST_SLOTS = 1_600;

export interface SizedCodes {
  readonly activityCodes: readonly string[];
  /** Code → number of slots, for those that were given with one. */
  readonly activitySizes: Readonly<Record<string, number>>;
}

/** `KIT` or, with the number of slots that it gives here, `KIT:5`. @throws Refusal `activity-code`, `activity-code-size` */
export function sizedActivityCodes(texts: readonly string[]): SizedCodes {
  const sizes = new Map<string, number | undefined>();
  for (const text of texts) {
    const [code = '', size, ...more] = text.split(':');
    const good = size === undefined || (more.length === 0 && /^[1-9]\d{0,3}$/.test(size) && Number(size) <= MOST_SLOTS);
    if (!good) throw new Refusal('activity-code-size', { value: text, most: MOST_SLOTS });
    sizes.set(activityCode(code), size === undefined ? undefined : Number(size));
  }
  return {
    activityCodes: [...sizes.keys()],
    activitySizes: Object.fromEntries([...sizes].flatMap(([code, size]) => (size === undefined ? [] : [[code, size]]))),
  };
}

/** As they are written: `KIT`, or `KIT:5`. */
export function writtenCodes({ activityCodes, activitySizes }: SizedCodes): readonly string[] {
  return activityCodes.map((code) => (activitySizes[code] === undefined ? code : `${code}:${activitySizes[code]}`));
}

/** @throws Refusal `legislation-code` */
export function legislationCode(text: string): string {
  const code = text.trim().toUpperCase();
  if (!LEGISLATION.test(code)) throw new Refusal('legislation-code', { value: text });
  return code;
}

/** Name of a further server, in the form of a folder's code. @throws Refusal `server-name` */
export function serverName(text: string): string {
  const name = text.trim().toUpperCase();
  if (!FOLDER_CODE.test(name)) throw new Refusal('server-name', { value: text });
  return name;
}

export function digest(hex: string): Digest {
  if (!DIGEST.test(hex)) throw new Refusal('digest', { value: hex });
  return hex as Digest;
}
