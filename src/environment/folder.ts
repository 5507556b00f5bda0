// A folder as the catalog knows it. Pure.
import type { FolderLock } from './folder-lock.ts';

/** `creating` and `dropping` are half-done states: the same command finishes them. `locked`: its validation failed, and another one has to come (R35). */
export type FolderState = 'creating' | 'ready' | 'locked' | 'dropping';

export interface Folder {
  readonly id: number;
  readonly code: string;
  readonly parent: string | null;
  /** 0 for the supervisor folder. */
  readonly depth: number;
  readonly state: FolderState;
  readonly schema: string;
  /** Login role; null where the database user may not create roles (R3). */
  readonly role: string | null;
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  /** Of these, the number of slots that the folder itself sets. */
  readonly activitySizes: Readonly<Record<string, number>>;
  readonly legislations: readonly string[];
  /** Modules in use; null: all of them. */
  readonly modules: readonly number[] | null;
  readonly test: boolean;
  readonly specific: boolean;
  readonly historyOf: string | null;
  /** Why it is locked. */
  readonly locked?: FolderLock;
  /** Why the folder must be validated; empty when it need not. */
  readonly due: readonly string[];
  /** From the parent up to the supervisor folder: where it looks up what it does not have (R4). */
  readonly ancestors: readonly Ancestor[];
  /** Stands for the folder of this code on the environment's own server (decision 016). */
  readonly mirror?: boolean;
}

export interface Ancestor {
  readonly id: number;
  readonly code: string;
  readonly schema: string;
}

/** Folder codes from the parent up to the supervisor folder. */
export function ancestorsOf(code: string, folders: ReadonlyMap<string, Folder>): readonly Folder[] {
  const chain: Folder[] = [];
  let parent = folders.get(code)?.parent ?? null;
  while (parent !== null) {
    const folder = folders.get(parent);
    if (folder === undefined || chain.includes(folder)) break;
    chain.push(folder);
    parent = folder.parent;
  }
  return chain;
}
