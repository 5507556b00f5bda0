// The shape of a table: what the dictionary asks for and what the catalog shows, in the same terms. Pure.

export type ColumnType =
  | { readonly kind: 'varchar'; readonly length: number }
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'smallint' | 'integer' | 'bigint' | 'date' | 'timestamptz' | 'uuid' | 'text' | 'bytea' };

export interface Column {
  /** Physical name: `<field lower>_<slot>`. */
  readonly name: string;
  /** Dictionary field and slot; null for the columns that every table has. */
  readonly field: string | null;
  readonly type: ColumnType;
}

export interface IndexKey {
  readonly column: string;
  readonly descending: boolean;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly keys: readonly IndexKey[];
}

/** An index as it stands; an administrator's may be what the dictionary never makes. */
export interface InspectedIndex extends Index {
  /** Of some rows only, or on expressions: it is never `unique` here, as it says nothing about the columns of all rows. */
  readonly partial?: true;
  /** Belongs to a constraint (primary key, unique, exclusion) and goes with it. */
  readonly constraint?: true;
  /** All columns that it needs, also those of expressions, of its condition and included ones; absent: its keys. */
  readonly uses?: readonly string[];
}

export interface Table {
  /** Physical name: the dictionary's in lower case. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** In the order of NUMLIG: the first is the identity that data patches use (R24). */
  readonly indexes: readonly Index[];
}

/** Column type as the catalog shows it, for a type that the dictionary does not make. */
export interface ForeignType {
  readonly kind: 'other';
  readonly name: string;
}

export interface InspectedColumn {
  readonly name: string;
  readonly type: ColumnType | ForeignType;
  /** The server computes its values; nobody can write them. */
  readonly generated?: true;
  /** `generated always as identity`: a row gets its number with it, and nobody changes it afterwards. */
  readonly numbered?: true;
}

export interface InspectedTable {
  readonly name: string;
  readonly columns: readonly InspectedColumn[];
  readonly indexes: readonly InspectedIndex[];
  /** Columns that count towards PostgreSQL's limit: dropped ones as well. */
  readonly attributes: number;
}

/** Tables that Rustine itself works with, and the columns that it needs of each. */
export const SYSTEM_TABLES: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'apatch',
    'num_0 fic_0 dat_0 usr_0 patnum_0 release_0 ficrelabr_0 typ_0 nump_0 comment_0 credattim_0 creusr_0 upddattim_0 updusr_0 auuid_0'.split(
      ' ',
    ),
  ],
  ['adosact', 'dossier_0 codact_0 intit_0 flact_0 dime_0 module_0'.split(' ')],
]);

/** Every table has a tick for optimistic locking and a number of its own. */
export const TICK_COLUMN = 'updtick_0';
export const ROW_COLUMN = 'rowid';
export const ROW_SEQUENCE = 'rowid_seq';

/** PostgreSQL's limits. */
export const MOST_COLUMNS = 1_600;
export const MOST_KEYS = 32;
export const LONGEST_NAME = 63;
export const LONGEST_VARCHAR = 10_485_760;

export function typeName(type: ColumnType | ForeignType): string {
  switch (type.kind) {
    case 'varchar':
      return `varchar(${type.length})`;
    case 'numeric':
      return `numeric(${type.precision},${type.scale})`;
    case 'other':
      return type.name;
    default:
      return type.kind;
  }
}

/** The empty value as text that PostgreSQL reads, or null. */
export function emptyText(type: ColumnType): string | null {
  const empty = emptyValue(type);
  return empty === undefined ? null : empty === "''" ? '' : empty;
}

/** Default of a NOT NULL column; undefined where empty is NULL. */
export function emptyValue(type: ColumnType): string | undefined {
  switch (type.kind) {
    case 'varchar':
      return "''";
    case 'numeric':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return '0';
    default:
      return undefined;
  }
}
