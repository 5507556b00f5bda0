// Patch file names: the series and number in them, and the order in which files are integrated. Pure.

/** `P_nnnn_vvv.dat`: a name under sequence control per series and version, where number n needs n-1 (R15). */
export interface PatchName {
  /** `P` standard; other letters are other series. Upper case. */
  readonly series: string;
  readonly number: number;
  /** Major version as written: `140`. */
  readonly version: string;
}

const SEQUENCED = /^([A-Za-z])_([0-9]{4})_([0-9]{3})\.dat$/i;
// A fixed language: the order must not depend on where the program runs.
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** `file` is a base name; undefined for names that are not under sequence control. */
export function parsePatchName(file: string): PatchName | undefined {
  const match = SEQUENCED.exec(file);
  if (match === null) return undefined;
  const [, series = '', number = '', version = ''] = match;
  return { series: series.toUpperCase(), number: Number(number), version };
}

/**
 * Integration order of two base names: sequenced files first, by series, version, number; then the others in natural order
 * (`A2` before `A10`). The sequenced ones go first because specific patches build on standard ones. Equal only for equal names.
 */
export function comparePatchFiles(a: string, b: string): number {
  const nameA = parsePatchName(a);
  const nameB = parsePatchName(b);
  if (nameA === undefined || nameB === undefined) {
    if (nameA !== undefined) return -1;
    if (nameB !== undefined) return 1;
    return natural.compare(a, b) || compareText(a, b);
  }
  return (
    compareText(nameA.series, nameB.series) ||
    compareText(nameA.version, nameB.version) ||
    nameA.number - nameB.number ||
    compareText(a, b)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
