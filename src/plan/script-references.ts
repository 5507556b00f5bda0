// What a script uses, as its reader found it: tables, fields, other scripts, and what could not be read. Pure.

/** A table by its dictionary name (upper case), or by an abbreviation that the dictionary knows. */
export interface NamedTable {
  readonly name: string;
  readonly by: 'name' | 'abbreviation';
}

/** A field of one of these tables. */
export interface FieldUse {
  readonly tables: readonly NamedTable[];
  readonly field: string;
  /** False for a name that is a field only where one of the tables has it: it could as well be a variable. */
  readonly sure: boolean;
  readonly line: number;
}

/** A piece that says what it uses only when it runs, or that the reader does not know. */
export type UnreadKind =
  /** A name that is computed: `Local File =NAME`, `From =SCRIPT`, `execute …` in SQL. */
  | 'dynamic'
  /** A class of variables that the reader does not know. */
  | 'class'
  /** SQL that PostgreSQL's parser does not take. */
  | 'syntax'
  /** Longer than what is read. */
  | 'size'
  /** A function body in another language. */
  | 'language';

export interface Unread {
  readonly kind: UnreadKind;
  readonly text: string;
  readonly line: number;
}

export interface ScriptReferences {
  readonly tables: readonly (NamedTable & { readonly line: number; readonly sure: boolean })[];
  readonly fields: readonly FieldUse[];
  readonly scripts: readonly { readonly name: string; readonly line: number }[];
  readonly unread: readonly Unread[];
}

/** A name without a table of its own could be of any that is open; of more than these it says nothing, and would cost their number each time. */
const MOST_TABLES = 100;

/** Collects references, each one once, with the line where it stands first. */
export class ReferenceCollector {
  readonly #tables = new Map<string, ScriptReferences['tables'][number]>();
  readonly #fields = new Map<string, FieldUse>();
  readonly #scripts = new Map<string, ScriptReferences['scripts'][number]>();
  readonly #unread = new Map<string, Unread>();

  table(table: NamedTable, line: number, sure = true): void {
    const key = `${table.by}\0${table.name}`;
    const known = this.#tables.get(key);
    if (known === undefined) this.#tables.set(key, { ...table, line, sure });
    else if (sure && !known.sure) this.#tables.set(key, { ...known, sure });
  }

  field(tables: readonly NamedTable[], field: string, line: number, sure: boolean): void {
    if (tables.length === 0) return;
    if (tables.length > MOST_TABLES) {
      this.unread('dynamic', field, line);
      return;
    }
    const key = `${field}\0${sure}\0${tables.map((table) => `${table.by}\0${table.name}`).join('\0')}`;
    if (!this.#fields.has(key)) this.#fields.set(key, { tables, field, sure, line });
  }

  script(name: string, line: number): void {
    if (!this.#scripts.has(name)) this.#scripts.set(name, { name, line });
  }

  unread(kind: UnreadKind, text: string, line: number): void {
    const key = `${kind}\0${text}`;
    if (!this.#unread.has(key)) this.#unread.set(key, { kind, text, line });
  }

  get references(): ScriptReferences {
    return {
      tables: [...this.#tables.values()],
      fields: [...this.#fields.values()],
      scripts: [...this.#scripts.values()],
      unread: [...this.#unread.values()],
    };
  }
}

/** What a dictionary knows of tables; names in upper case. */
export interface KnownTables {
  /** Table with this abbreviation. */
  byAbbreviation(abbreviation: string): string | undefined;
  /** undefined: there is no such table. */
  fieldsOf(table: string): ReadonlySet<string> | undefined;
}

/** Dictionary names of all tables that a script may use. */
export function tablesOf({ tables, fields }: ScriptReferences, abbreviations: ReadonlyMap<string, string>): readonly string[] {
  const among = [...tables, ...fields.flatMap((use) => use.tables)];
  return [...new Set(among.flatMap(({ name, by }) => (by === 'name' ? name : (abbreviations.get(name) ?? []))))];
}

export interface UsedTable {
  readonly table: string;
  readonly line: number;
  /** In the order of their names. */
  readonly fields: readonly { readonly field: string; readonly line: number }[];
}

/** References with their names looked up: which tables, and which of their fields. */
export interface ScriptUses {
  readonly tables: readonly UsedTable[];
  /** Abbreviations that neither the script nor the dictionary explains. */
  readonly unknown: readonly { readonly abbreviation: string; readonly line: number }[];
}

/** A table that the dictionary does not know is used all the same, with the fields that are surely its own. */
export function resolveReferences({ tables, fields }: ScriptReferences, known: KnownTables): ScriptUses {
  const used = new Map<string, { line: number; fields: Map<string, number> }>();
  const unknown = new Map<string, number>();
  const nameOf = (table: NamedTable): string | undefined => (table.by === 'name' ? table.name : known.byAbbreviation(table.name));
  const use = (name: string, line: number) => {
    const entry = used.get(name) ?? { line, fields: new Map<string, number>() };
    used.set(name, entry);
    return entry;
  };
  for (const { line, sure, ...table } of tables) {
    const name = nameOf(table);
    if (name === undefined) unknown.set(table.name, line);
    else if (sure || known.fieldsOf(name) !== undefined) use(name, line);
  }
  for (const { tables: among, field, sure, line } of fields) {
    const names = among.flatMap((table) => nameOf(table) ?? []);
    const having = names.filter((name) => known.fieldsOf(name)?.has(field) === true);
    // Of several tables it is that which has the field; surely a field, but of none that is known: of the only one it can be.
    const [only] = names;
    const owners = having.length > 0 ? having : sure && names.length === 1 && only !== undefined ? [only] : [];
    for (const owner of owners) {
      const entry = use(owner, line);
      if (!entry.fields.has(field)) entry.fields.set(field, line);
    }
  }
  return {
    tables: [...used]
      .map(([table, entry]) => ({
        table,
        line: entry.line,
        fields: [...entry.fields].map(([field, line]) => ({ field, line })).sort((a, b) => byText(a.field, b.field)),
      }))
      .sort((a, b) => byText(a.table, b.table)),
    unknown: [...unknown].map(([abbreviation, line]) => ({ abbreviation, line })),
  };
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
