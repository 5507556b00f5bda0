// Activity codes: which are specific, and which of them a run may bring in (R19). Pure.

/** Codes that start with X, Y or Z mark what is specific to an installation. */
export function isSpecific(code: string): boolean {
  return /^[XYZ]/i.test(code);
}

/** Specific codes that may be written: those of the patch header and those the operator named. `all` is for a copy of a folder. */
export interface Authorization {
  readonly all: boolean;
  readonly codes: ReadonlySet<string>;
}

export const EVERYTHING: Authorization = { all: true, codes: new Set() };

export function authorize(...lists: readonly (readonly string[])[]): Authorization {
  return { all: false, codes: new Set(lists.flat().map((code) => code.toUpperCase())) };
}

export function isAuthorized(authorization: Authorization, code: string): boolean {
  return authorization.all || !isSpecific(code) || authorization.codes.has(code.toUpperCase());
}

/**
 * A script carries no activity code: the first letter of its name stands for it. It comes in when a code with that letter is
 * authorised (ZCLIENT_CVER with ZALI).
 */
export function isScriptAuthorized(authorization: Authorization, name: string): boolean {
  if (authorization.all || !isSpecific(name)) return true;
  const letter = name.charAt(0).toUpperCase();
  return [...authorization.codes].some((code) => code.startsWith(letter));
}

/** Scripts that folders flagged *specific* receive too (R22). */
export function isSpecificScript(name: string): boolean {
  return isSpecific(name) || /^SPE/i.test(name) || /^CNS.*SPE/i.test(name);
}
