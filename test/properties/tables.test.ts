// Tables on a real server: what the DDL makes is what was wanted, and widening loses no row.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { ddlOf } from '../../src/tables/ddl.ts';
import { diffTable } from '../../src/tables/diff.ts';
import { inspectTables } from '../../src/tables/inspect.ts';
import type { Column, ColumnType, Index, InspectedTable, Table } from '../../src/tables/model.ts';
import { ROW_COLUMN, ROW_SEQUENCE, TICK_COLUMN } from '../../src/tables/model.ts';
import { createDatabase, servers } from '../support/servers.ts';

const name = fc.oneof(
  fc.constantFrom('a', 'order', 'select', 'table', 'x_1', 'z'.repeat(50)),
  fc.string({ unit: fc.constantFrom(...'abcxyz019_'), minLength: 1, maxLength: 12 }).map((text) => `f${text}`),
);
const columnType: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.integer({ min: 1, max: 4_000 }).map((length) => ({ kind: 'varchar' as const, length })),
  fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 20 }))
    .map(([whole, scale]) => ({ kind: 'numeric' as const, precision: whole + scale, scale })),
  fc.constantFrom('smallint', 'integer', 'bigint', 'date', 'timestamptz', 'uuid', 'text', 'bytea').map((kind) => ({ kind })),
);

const FIXED: readonly Column[] = [
  { name: TICK_COLUMN, field: null, type: { kind: 'integer' } },
  { name: ROW_COLUMN, field: null, type: { kind: 'bigint' } },
];

const ownColumns = fc
  .uniqueArray(fc.tuple(name, columnType, fc.integer({ min: 1, max: 3 })), {
    selector: ([field]) => field,
    minLength: 1,
    maxLength: 6,
  })
  .map((fields) =>
    fields.flatMap(([field, type, slots]) =>
      Array.from({ length: slots }, (_, slot): Column => ({ name: `${field}_${slot}`, field, type })),
    ),
  );

const indexesOn = (columns: readonly Column[]): fc.Arbitrary<readonly Index[]> =>
  fc
    .array(
      fc.tuple(
        fc.boolean(),
        fc
          .subarray(
            columns.map((column) => column.name),
            { minLength: 1, maxLength: Math.min(4, columns.length) },
          )
          .chain((keys) => fc.shuffledSubarray(keys, { minLength: keys.length })),
        fc.infiniteStream(fc.boolean()),
      ),
      { maxLength: 3 },
    )
    .map((all) =>
      all.map(([unique, keys, descending], at) => ({
        name: `t_i${at}`,
        unique,
        keys: keys.map((column) => ({ column, descending: descending.next().value === true })),
      })),
    );

const tableShape: fc.Arbitrary<Table> = ownColumns.chain((columns) =>
  indexesOn(columns).map((indexes) => ({ name: 't', columns: [FIXED[0]!, ...columns, FIXED[1]!], indexes })),
);

/** The same table, or wider: columns that hold more, columns more, other indexes. */
const widened = (from: Table): fc.Arbitrary<Table> =>
  fc
    .tuple(
      fc.infiniteStream(fc.nat({ max: 3 })),
      fc.uniqueArray(
        fc.tuple(
          name.map((text) => `new_${text.slice(0, 40)}`),
          columnType,
        ),
        { selector: ([field]) => field, maxLength: 2 },
      ),
    )
    .chain(([amounts, more]) => {
      const columns = from.columns
        .slice(1, -1)
        .map((column) => ({ ...column, type: wider(column.type, Number(amounts.next().value)) }));
      const all = [...columns, ...more.map(([field, type]): Column => ({ name: `${field}_0`, field, type }))];
      // A unique index on a column that is added would find all rows equal.
      return indexesOn(all).map((indexes) => ({
        name: 't',
        columns: [FIXED[0]!, ...all, FIXED[1]!],
        indexes: indexes.map((index) => ({ ...index, unique: false })),
      }));
    });

function wider(type: ColumnType, amount: number): ColumnType {
  if (amount === 0) return type;
  switch (type.kind) {
    case 'varchar':
      return amount === 3 ? { kind: 'text' } : { kind: 'varchar', length: type.length + amount };
    case 'numeric':
      return { kind: 'numeric', precision: type.precision + amount, scale: type.scale + (amount === 2 ? 1 : 0) };
    case 'smallint':
      return { kind: 'integer' };
    default:
      return type;
  }
}

/** A value that fills its column, as text. */
function full(type: ColumnType): string {
  switch (type.kind) {
    case 'varchar':
      return 'é'.repeat(Math.min(type.length, 300));
    case 'numeric': {
      const [whole, decimals] = ['9'.repeat(type.precision - type.scale), '9'.repeat(type.scale)];
      return decimals === '' ? `-${whole}` : `-${whole}.${decimals}`;
    }
    case 'smallint':
      return '-32768';
    case 'integer':
      return '2147483647';
    case 'bigint':
      return '-9223372036854775808';
    case 'date':
      return '2024-02-29';
    case 'timestamptz':
      return '2016-06-27T20:44:31.123456Z';
    case 'uuid':
      return '00000000-0000-4000-8000-000000000001';
    case 'text':
      return 'text\nwith lines';
    case 'bytea':
      return '\\x00ff0a';
  }
}

test('a table that is as it should be needs nothing', () => {
  fc.assert(
    fc.property(tableShape, (shape) => {
      const findings: Finding[] = [];
      expect(diffTable(shape, shape, new Set(shape.indexes.map((index) => index.name)), findings)).toBeUndefined();
      expect(findings).toEqual([]);
    }),
  );
});

describe.each(servers())('$name', (server) => {
  let database: Database;
  let drop: () => Promise<void>;
  let schemas = 0;

  beforeAll(async () => {
    const created = await createDatabase(server);
    drop = created.drop;
    database = await openPostgres(created.url, 1);
  });
  afterAll(async () => {
    await database.close();
    await drop();
  });

  /** A schema of its own: statements, then a look at the table, and all is taken back. */
  async function inSchema<Result>(
    work: (at: {
      schema: string;
      execute(statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
      look(): Promise<InspectedTable | undefined>;
    }) => Promise<Result>,
  ): Promise<Result> {
    const schema = `s${++schemas}`;
    return database.transaction(async (session) => {
      await session.script(`create schema ${schema}; create sequence ${schema}.${ROW_SEQUENCE}`);
      return work({
        schema,
        execute: async (statements) =>
          statements.length === 0 ? [] : ((await session.script(statements.join(';\n'))).at(-1)?.rows ?? []),
        look: async () => (await inspectTables(session, schema, ['t'])).get('t'),
      });
    }, 'rollback');
  }

  const managed = (...tables: readonly Table[]): ReadonlySet<string> =>
    new Set(tables.flatMap((each) => each.indexes.map((index) => index.name)));

  test('R26: a table that the DDL has made is as it should be', async () => {
    await fc.assert(
      fc.asyncProperty(tableShape, (shape) =>
        inSchema(async ({ schema, execute, look }) => {
          const findings: Finding[] = [];
          const change = diffTable(shape, await look(), managed(shape), findings);
          expect(change?.change).toBe('create');
          await execute(change === undefined ? [] : ddlOf(change, schema));
          expect(diffTable(shape, await look(), managed(shape), findings)).toBeUndefined();
          expect(findings).toEqual([]);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test('R26, R27: a table that gets wider keeps its rows, and is then as it should be', async () => {
    const pair = tableShape.chain((from) => widened(from).map((to) => ({ from, to })));
    await fc.assert(
      fc.asyncProperty(pair, ({ from, to }) =>
        inSchema(async ({ schema, execute, look }) => {
          const findings: Finding[] = [];
          await execute(ddlOf({ change: 'create', table: from }, schema));
          const own = from.columns.slice(1, -1);
          const list = own.map((column) => `"${column.name}"`).join(', ');
          await execute([
            `insert into ${schema}.t (${list}) values (${own.map((column) => `'${full(column.type)}'`).join(', ')})`,
            // A second row with what every column has when nobody gives it anything.
            `insert into ${schema}.t default values`,
          ]);
          const select = `select ${own.map((column) => `"${column.name}"::${column.type.kind === 'numeric' ? 'numeric(200,60)' : 'text'} as "${column.name}"`).join(', ')}, rowid, updtick_0 from ${schema}.t order by rowid`;
          const before = await execute([select]);
          const change = diffTable(to, await look(), managed(from, to), findings);
          await execute(change === undefined ? [] : ddlOf(change, schema));
          expect(await execute([select])).toEqual(before);
          expect(diffTable(to, await look(), managed(from, to), findings)).toBeUndefined();
          expect(findings).toEqual([]);
        }),
      ),
      { numRuns: 80 },
    );
  });

  test('R27: what would lose or change values is refused, and nothing is planned for that column', async () => {
    const pair = tableShape.chain((from) => widened(from).map((to) => ({ from, to })));
    await fc.assert(
      fc.asyncProperty(pair, ({ from, to }) =>
        inSchema(async ({ schema, execute, look }) => {
          await execute(ddlOf({ change: 'create', table: to }, schema));
          const findings: Finding[] = [];
          const change = diffTable(from, await look(), managed(from, to), findings);
          const wanted = new Map(from.columns.map((column) => [column.name, JSON.stringify(column.type)]));
          const narrower = to.columns.filter((column) => wanted.get(column.name) !== JSON.stringify(column.type));
          expect(findings.map((finding) => finding.facts['field']).sort()).toEqual(narrower.map((column) => column.name).sort());
          const steps =
            change?.change === 'alter'
              ? change.steps.filter((step) => step.step === 'add-column' || step.step === 'widen-column')
              : [];
          expect(steps).toEqual([]);
        }),
      ),
      { numRuns: 40 },
    );
  });

  test('R26: an index that a database administrator made is left alone', async () => {
    await fc.assert(
      fc.asyncProperty(tableShape, (shape) =>
        inSchema(async ({ schema, execute, look }) => {
          await execute([
            ...ddlOf({ change: 'create', table: shape }, schema),
            `create index by_hand on ${schema}.t (${ROW_COLUMN} desc)`,
            `create index by_expression on ${schema}.t ((${ROW_COLUMN} + 1))`,
          ]);
          expect(diffTable(shape, await look(), managed(shape), [])).toBeUndefined();
        }),
      ),
      { numRuns: 20 },
    );
  });
});
