// Reads the facts of an error or finding for a sentence, safe to print whatever a patch file put in them.
import type { Facts } from '../../base/errors.ts';

export interface Said {
  /** A fact as text; lists joined with commas; `?` when absent. */
  (name: string): string;
  has(name: string): boolean;
  list(name: string): readonly string[];
  number(name: string): number;
  /** Every fact as `name: value`. */
  all(): string;
}

export type Sentence = (f: Said) => string;

// Control characters and the marks that reverse the reading direction: content of a file must not steer the terminal.
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

/** Text with line ends and tabs kept, everything else that could steer a terminal shown as `�`. */
export function safe(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

export function said(facts: Facts): Said {
  const value = (name: string) => facts[name];
  const text = (name: string): string => {
    const fact = value(name);
    if (fact === undefined || fact === null) return '?';
    return safe(Array.isArray(fact) ? fact.join(', ') : String(fact));
  };
  return Object.assign(text, {
    has: (name: string) => {
      const fact = value(name);
      return fact !== undefined && fact !== null && fact !== '' && !(Array.isArray(fact) && fact.length === 0);
    },
    list: (name: string): readonly string[] => {
      const fact = value(name);
      return fact === undefined || fact === null ? [] : Array.isArray(fact) ? fact.map(safe) : [safe(String(fact))];
    },
    number: (name: string) => Number(value(name) ?? 0),
    all: () =>
      Object.keys(facts)
        .map((name) => `${name}: ${text(name)}`)
        .join(' · '),
  });
}

/** Whether what the reader met instead of a patch file's first line is the beginning of a zip. */
export function isZip(f: Said): boolean {
  return f('offset') === '0' && /^PK(\\x03\\x04|\\x05\\x06)/.test(f('found'));
}

/** The first members of a list and how many more there are: `A, B, C … +4`. */
export function some(list: readonly string[], most = 6): string {
  return list.length <= most ? list.join(', ') : `${list.slice(0, most).join(', ')} … +${list.length - most}`;
}
