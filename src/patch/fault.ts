// The one error of the patch reader: a break of the format, with the place and what was expected there.
import { Refusal } from '../base/errors.ts';
import type { PatchExpected } from './expected.ts';
import type { Place } from './format.ts';

const EXCERPT = 60;

export interface PatchFault {
  readonly file: string;
  readonly at: Place;
  /** `TYPE:NAME`, or empty outside of elements. */
  readonly element: string;
  readonly expected: PatchExpected;
  /** What stands there instead; empty at the end of the file. */
  readonly found: string;
}

/** Facts: `file`, `line` (from 1), `offset` (bytes from 0), `element`, `expected`, `found`. */
export function patchFault(fault: PatchFault): Refusal {
  return new Refusal('patch-format', {
    file: fault.file,
    line: fault.at.line,
    offset: fault.at.offset,
    element: excerpt(fault.element, 2 * EXCERPT),
    expected: fault.expected,
    found: excerpt(fault.found),
  });
}

/** The beginning of a text, printable: what a terminal could interpret is escaped. */
export function excerpt(text: string, length = EXCERPT): string {
  const shown = text.slice(0, length).replace(/[^\x20-\x7e\u00a0-\u02ff]/g, escaped);
  if (shown.length <= length && text.length <= length) return shown;
  return `${shown.slice(0, length - 1)}…`;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
