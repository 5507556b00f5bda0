// Reads what a script uses, whatever its language; the reader of each language is loaded when the first script in it comes.
import { HEAD_BYTES, languageOf, type ScriptLanguage, sourceText } from '../dictionary/script-language.ts';
import type { ScriptReferences } from './script-references.ts';

export interface ReadScript {
  readonly language: ScriptLanguage;
  /** null: compiled, nothing can be read. */
  readonly references: ScriptReferences | null;
}

export async function readReferences(kind: string, bytes: Uint8Array): Promise<ReadScript> {
  const language = languageOf(kind, bytes.subarray(0, HEAD_BYTES));
  switch (language) {
    case 'adx':
      return { language, references: null };
    case 'sql': {
      const { readSql } = await import('./sql-references.ts');
      return { language, references: await readSql(sourceText(bytes)) };
    }
    case '4gl': {
      const { readL4g } = await import('./l4g-references.ts');
      return { language, references: readL4g(sourceText(bytes)) };
    }
  }
}

/** False where all of a script, or a statement of it, could not be read: it may use more than what was found. */
export function isRead({ references }: ReadScript): boolean {
  return references?.unread.every(({ kind }) => kind === 'dynamic' || kind === 'class') ?? false;
}
