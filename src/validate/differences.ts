// What a validation changed in a folder, one by one.
import type { TableChange } from '../tables/diff.ts';

/** A field of a record before and after; null: there was or is none. */
export interface FieldDifference {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RecordDifference {
  readonly tag: string;
  readonly key: string;
  readonly change: 'created' | 'updated' | 'removed' | 'kept';
  readonly fields: readonly FieldDifference[];
}

export interface ElementDifference {
  readonly type: string;
  readonly name: string;
  readonly change: 'created' | 'updated' | 'kept';
  readonly records: readonly RecordDifference[];
}

export interface FolderDifferences {
  readonly elements: readonly ElementDifference[];
  readonly tables: readonly TableChange[];
  /** `KIND:NAME`. */
  readonly scripts: readonly string[];
  readonly patches: readonly string[];
}
