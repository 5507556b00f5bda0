// One statement of the script that carries a plan out, and what its result counts. Pure.

export interface Statement {
  readonly text: string;
  /** `scripts`: the rows it wrote · `rows`: its first row says `inserted`, `updated` and `deleted`, or some of them · `functions`: each row is a former function · `numbers`: its row says where the numbers of rows stand. */
  readonly counts?: 'scripts' | 'rows' | 'functions' | 'numbers';
}

/** What is counted over all statements. */
export type Counted = 'scripts' | 'inserted' | 'updated' | 'deleted';
