// The three kinds of error, each with a stable code and facts; text for people is made at the rim.

/** Facts of an error or finding: what a message needs, as plain values. */
export type Facts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

class CodedError extends Error {
  readonly code: string;
  readonly facts: Facts;

  constructor(code: string, facts: Facts, cause?: unknown) {
    super(`${code} ${JSON.stringify(facts)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }
}

/** Refused before anything changed: usage, checks, bad input. Exit code 2. */
export class Refusal extends CodedError {
  override readonly name = 'Refusal';
}

/** The world failed: database, disk, network. Exit code 3. */
export class Failure extends CodedError {
  override readonly name = 'Failure';
}

/** Something that the program itself should have made impossible. Exit code 70. */
export class Bug extends CodedError {
  override readonly name = 'Bug';

  constructor(what: string, facts: Facts = {}) {
    super('bug', { ...facts, what });
  }
}

/** Closes a union: a new member that is not handled does not compile. */
export function assertNever(value: never): never {
  throw new Bug('unhandled member of a closed union', { value: JSON.stringify(value) ?? 'undefined' });
}
