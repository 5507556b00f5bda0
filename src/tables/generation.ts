// What a folder generates of its table definitions: the state and size of its activity codes, and its modules. Pure.

/** An activity code as the folder's ADOSACT has it. */
export interface CodeState {
  readonly active: boolean;
  /** Number of slots that fields with this code get; 0: the code sizes nothing. */
  readonly size: number;
}

export interface Generation {
  /** By code; one that is not there counts as active. */
  readonly codes: ReadonlyMap<string, CodeState>;
  /** Codes that the folder's own list switches on, whatever ADOSACT says. */
  readonly alwaysActive: readonly string[];
  /** Sizes that the folder itself sets, by code, whatever ADOSACT says. */
  readonly ownSizes?: Readonly<Record<string, number>>;
  /** Modules in use; null: all of them. */
  readonly modules: readonly number[] | null;
}

export function isActive({ codes, alwaysActive }: Generation, code: string): boolean {
  return code === '' || alwaysActive.includes(code) || (codes.get(code)?.active ?? true);
}

/** Slots of a field: the size of its activity code, where that has one, else its own. */
export function slotsOfField({ codes, ownSizes = {} }: Generation, code: string, own: number): number {
  const size = (Object.hasOwn(ownSizes, code) ? ownSizes[code] : codes.get(code)?.size) ?? 0;
  return size > 0 ? size : own;
}

/** Module 0 is that of what belongs to all of them. */
export function usesModule({ modules }: Generation, module: number): boolean {
  return modules === null || module === 0 || modules.includes(module);
}
