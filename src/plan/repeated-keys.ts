// Finds rows of one delivery that have the same key, in bounded memory. Pure.
import type { TableDefinition } from '../tables/desired.ts';
import type { Column, ColumnType } from '../tables/model.ts';

/** A delivery may have millions of rows; beyond so many keys nothing more is noted: that the last of equal ones counts stays true. */
const MOST_KEYS = 200_000;
const MOST_SAMPLES = 5;

interface Repeated {
  readonly definition: TableDefinition;
  /** Keys that occur more than once: some of them, for people. */
  readonly keys: readonly string[];
  readonly count: number;
}

interface Seen {
  readonly definition: TableDefinition;
  readonly columns: readonly Column[];
  readonly keys: Set<string>;
  readonly samples: Set<string>;
  count: number;
}

export class RepeatedKeys {
  readonly #tables = new Map<string, Seen>();
  #size = 0;

  /** @param all whether every key must be found, however many there are: a repeated one would cost a row */
  note(definition: TableDefinition, values: Readonly<Record<string, string | null>>, all: boolean): void {
    const seen = this.#seen(definition);
    const key = seen.columns.map(({ name, type }) => keyText(type, values[name] ?? null)).join('~');
    if (seen.keys.has(key)) {
      seen.count += 1;
      if (seen.samples.size < MOST_SAMPLES) seen.samples.add(key);
    } else if (all || this.#size < MOST_KEYS) {
      seen.keys.add(key);
      this.#size += 1;
    }
  }

  found(): readonly Repeated[] {
    return [...this.#tables.values()]
      .filter((seen) => seen.count > 0)
      .map(({ definition, samples, count }) => ({ definition, keys: [...samples], count }));
  }

  #seen(definition: TableDefinition): Seen {
    const known = this.#tables.get(definition.table.name);
    if (known !== undefined) return known;
    const names = new Set(definition.identity?.keys.map(({ column }) => column));
    const columns = definition.table.columns.filter(({ name }) => names.has(name));
    const seen = { definition, columns, keys: new Set<string>(), samples: new Set<string>(), count: 0 };
    this.#tables.set(definition.table.name, seen);
    return seen;
  }
}

const keyText = (type: ColumnType, value: string | null): string => (value === null ? '' : comparable(type, value));

/** Numbers come with the digits they were delivered with: 7, 007 and 7.0 are one key. */
function comparable(type: ColumnType, value: string): string {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return String(BigInt(value));
    case 'numeric': {
      const [, sign = '', whole = '', decimals = ''] = /^(-?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(value) ?? [];
      return whole === '' && decimals === '' ? '0' : `${sign}${whole || '0'}${decimals === '' ? '' : `.${decimals}`}`;
    }
    default:
      return value;
  }
}
