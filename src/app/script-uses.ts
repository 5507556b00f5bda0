// What a script uses as a folder finds it: tables and fields by the folder's dictionary, other scripts by its lookup.
import { Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { readCopies, readFound } from '../environment/inheritance.ts';
import { readKnownTables } from '../plan/reference-facts.ts';
import { readReferences } from '../plan/references.ts';
import { resolveReferences, tablesOf, type Unread } from '../plan/script-references.ts';

export interface ScriptUsage {
  readonly script: string;
  readonly folder: string;
  /** Folder whose copy it is. */
  readonly from: string;
  readonly language: string;
  readonly digest: string;
  readonly tables: readonly {
    readonly table: string;
    /** The folder's dictionary has it. */
    readonly known: boolean;
    /** Where the script names it first. */
    readonly line: number;
    readonly fields: readonly { readonly field: string; readonly known: boolean; readonly line: number }[];
  }[];
  /** Scripts that it calls; `found`: folder whose copy is used, null where nobody on the way up has one. */
  readonly scripts: readonly { readonly script: string; readonly found: string | null; readonly line: number }[];
  /** Abbreviations that neither the script nor the dictionary explains. */
  readonly unknown: readonly { readonly abbreviation: string; readonly line: number }[];
  /** What could not be read. */
  readonly unread: readonly Unread[];
}

/** @throws Refusal `script-unknown`, `script-unreadable` */
export async function scriptUses(database: Database, folder: Folder, name: string): Promise<ScriptUsage> {
  const copies = await readCopies(database, folder, name);
  // Sources come before compiled scripts, the nearest first.
  const copy = copies.find(({ kind }) => kind === 'TRT');
  if (copies.length === 0) throw new Refusal('script-unknown', { script: name, folder: folder.code });
  if (copy === undefined) throw new Refusal('script-unreadable', { script: name, folder: folder.code });
  const [blob] = await database.query<{ body: Uint8Array }>(
    sql`select bytes as body from rustine.blob where digest = decode(${copy.digest}, 'hex')`,
  );
  const { references, language } = await readReferences(copy.kind, blob?.body ?? new Uint8Array());
  if (references === null) throw new Refusal('script-unreadable', { script: name, folder: folder.code });
  const known = await readKnownTables(database, folder.id, (abbreviations) => tablesOf(references, abbreviations));
  const uses = resolveReferences(references, known);
  const found = await readFound(
    database,
    folder,
    references.scripts.map((script) => script.name),
  );
  return {
    script: name,
    folder: folder.code,
    from: copy.folder,
    language,
    digest: copy.digest,
    tables: uses.tables.map(({ table, line, fields }) => {
      const own = known.fieldsOf(table);
      const withKnown = fields.map((use) => ({ ...use, known: own?.has(use.field) ?? false }));
      return { table, known: own !== undefined, line, fields: withKnown };
    }),
    scripts: references.scripts.map(({ name: script, line }) => ({ script, found: found.get(script) ?? null, line })),
    unknown: uses.unknown,
    unread: references.unread,
  };
}
