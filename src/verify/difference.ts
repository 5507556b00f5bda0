// A difference between what a folder should be and what it is, as data, and what mends it. Pure.
import type { Facts } from '../base/errors.ts';

export interface Difference {
  readonly code: string;
  /** `warn`: something is not as it should be; `info`: something cannot be compared, or is as it may be. */
  readonly severity: 'warn' | 'info';
  /** `ATB:BOX`, `item.cod_0`, the file of a patch. */
  readonly subject: string;
  /** The patch that brought what is expected, where it is known. */
  readonly patch?: string;
  readonly facts: Facts;
  readonly mend: Mend;
}

/** Plain data, without the folder's name: folders that look the same share what was found. */
export type Mend =
  | { readonly by: 'validate' }
  /** Integrated again although the folder has it. */
  | { readonly by: 'integrate'; readonly file: string }
  /** A mirror that lacks it gets it where its original is given, which has it. */
  | { readonly by: 'catch-up'; readonly file: string }
  /** `SCHEMA` stands for the folder's schema, `ROLE` for its login, `FOLDER` for its number, `ASIDE` for a schema where hands may put what belongs to nobody. */
  | { readonly by: 'sql'; readonly statement: string }
  | { readonly by: 'backup' }
  | { readonly by: 'nothing' };

export const SCHEMA = '{schema}';
export const ROLE = '{role}';
export const FOLDER = '{folder}';
export const ASIDE = '{aside}';

/** What is not said in full is counted. */
export const MOST_LISTED = 8;

export function warn(code: string, subject: string, facts: Facts, mend: Mend, patch?: string): Difference {
  return { code, severity: 'warn', subject, facts, mend, ...(patch === undefined ? {} : { patch }) };
}
