// SQL text: the one tag for parametrised statements, and the one place where identifiers and literals are quoted. Pure.
import { Bug } from '../base/errors.ts';

/** A statement with its parameters. */
export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

const FRAGMENT: unique symbol = Symbol('sql fragment');
interface Fragment {
  readonly [FRAGMENT]: string;
}

function isFragment(value: unknown): value is Fragment {
  return typeof value === 'object' && value !== null && FRAGMENT in value;
}

/** Quotes an identifier; a NUL can never be part of one. */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0') || name === '') throw new Bug('identifier cannot be quoted', { name });
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text literal independently of standard_conforming_strings. */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new Bug('literal cannot be quoted', { text });
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** `schema.table`, both quoted. */
export function qualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** An identifier inside the tag; several names are joined by dots. */
export function id(...names: readonly string[]): Fragment {
  return { [FRAGMENT]: names.map(quoteIdentifier).join('.') };
}

/** Values become parameters; fragments become text. */
export function sql(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql {
  const parameters: unknown[] = [];
  let text = strings[0] ?? '';
  values.forEach((value, at) => {
    if (isFragment(value)) text += value[FRAGMENT];
    else text += `$${parameters.push(value)}`;
    text += strings[at + 1] ?? '';
  });
  return { text, values: parameters };
}
