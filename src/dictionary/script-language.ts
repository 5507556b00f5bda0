// The language of a script, told from its first words: who can run it depends on it. Pure.

/** `adx`: compiled · `sql`: run by the database · `4gl`: the original product's language, run by a runner outside. */
export type ScriptLanguage = 'adx' | 'sql' | '4gl';

/** So many bytes from its beginning tell a script's language. */
export const HEAD_BYTES = 4_096;

// `Call`, `Commit`, `Delete`, `Select`, `Set` and `Update` are words of both languages: only what follows them tells which. In the other language
// a comment starts with # or *, and a statement ends with its line or at a colon, where SQL goes on to a semicolon.
const SQL_BEGINNINGS: readonly RegExp[] = [
  /^--/,
  /^\/\*/,
  /^(create|alter|drop)\s+(or\s+replace\s+)?(temp|temporary|unlogged|unique|recursive|materialized|constraint|event|aggregate|cast|collation|domain|extension|foreign|function|index|operator|policy|procedure|role|routine|rule|schema|sequence|server|statistics|table|trigger|type|user|view|default|group|language|database|owned)\b/i,
  /^create\s+(global|local)\s+(temp|temporary)\s+table\b/i,
  /^do\s+(\$|'|language\b)/i,
  // Not a word alone in its line, unless the next line goes on with it.
  /^select\b(?!\s+[a-z]\w*[ \t]*(?:$|#|:(?!:)|\r?\n(?!\s*(?:(?:from|into|as|where|group|having|window|union|intersect|except|order|limit|offset|fetch|for)\b|[,;.(+*/|<>=[-]|::))))/i,
  /^values\s*\(/i,
  /^call\s+[\w".]+\s*\((?:[^;'()]|'[^']*'|\([^()]*\))*\)\s*;/i,
  /^lock\s+table\s+["\w]/i,
  /^analy[sz]e(\s*;|\s+["(\w])/i,
  /^explain\s+["(\w]/i,
  /^insert\s+into\b/i,
  /^update\s+(only\s+)?[\w".]+(\s+(as\s+)?\w+)?\s+set\b/i,
  /^delete\s+from\b/i,
  /^merge\s+into\b/i,
  /^truncate\s+\w/i,
  /^with\s+(recursive\s+)?[\w"]+\s*(\(|as\b)/i,
  /^(grant|revoke)\s+\w/i,
  /^comment\s+on\b/i,
  /^set\s+(session|local|role|constraints|transaction|time\s+zone)\b/i,
  /^(set|reset)\s+["a-z_][^;\n]*;/i,
  /^refresh\s+materialized\b/i,
  /^(begin|commit|rollback)\s*;/i,
];

/** @param head the script's first {@link HEAD_BYTES} bytes, or all of it */
export function languageOf(kind: string, head: Uint8Array): ScriptLanguage {
  if (kind === 'ADX') return 'adx';
  const bytes = head.subarray(0, HEAD_BYTES);
  if (bytes.includes(0)) return '4gl';
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  return SQL_BEGINNINGS.some((beginning) => beginning.test(text)) ? 'sql' : '4gl';
}

/** The text of a script: UTF-8, or Latin-1 where it is not. */
export function sourceText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return Buffer.from(body).toString('latin1');
  }
}
