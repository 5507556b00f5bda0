// Tables on a real server: what the DDL makes is what was wanted, and widening loses no row.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import type { Database, Session } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { quoteLiteral } from '../../src/database/sql.ts';
import { checkValues } from '../../src/integrate/value-checks.ts';
import { asideOf } from '../../src/tables/aside.ts';
import { ddlOf } from '../../src/tables/ddl.ts';
import type { Managed } from '../../src/tables/diff.ts';
import { diffTable } from '../../src/tables/diff.ts';
import { inspectTables } from '../../src/tables/inspect.ts';
import type { Column, ColumnType, Index, InspectedTable, Table } from '../../src/tables/model.ts';
import { ROW_COLUMN, ROW_SEQUENCE, TICK_COLUMN, typeName } from '../../src/tables/model.ts';
import { createDatabase, everyServer } from '../support/servers.ts';

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

/** What the definitions of these tables made. */
const managed = (...tables: readonly Table[]): Managed => ({
  indexes: new Set(tables.flatMap((each) => each.indexes.map((index) => index.name))),
  fields: new Set(tables.flatMap((each) => each.columns.map((column) => column.name.replace(/_\d+$/, '')))),
  inactiveFields: new Set(),
});
const asFound = (shape: Table): InspectedTable => ({ ...shape, attributes: shape.columns.length });

/** The tables of the catalog that what goes is put into, and that says whose a table is. */
const KEPT = `create schema rustine; create table rustine.folder (schema_name text, role_name text);
  create table rustine.kept (id bigint generated always as identity, folder integer, integration bigint, kind text, table_name text, columns jsonb, relation text, rows bigint, why text, kept_by text);
  create table rustine.kept_row (kept bigint, row_number bigint, value jsonb)`;

const digitsOf = (most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: Math.max(1, most) });

/** A value of the type, as text; texts often look like values of other types. */
function someValue(type: ColumnType): fc.Arbitrary<string> {
  switch (type.kind) {
    case 'varchar':
    case 'text': {
      const most = type.kind === 'varchar' ? type.length : 40;
      return fc
        .oneof(
          fc.constantFrom(
            '007',
            '42',
            '-1',
            '1.5',
            '.5',
            '+3',
            '1e3',
            '2024-02-29',
            '20240230',
            '0000-00-00',
            '99999999999',
            'NaN',
          ),
          fc.constantFrom(
            '2024-02-29T12:00:00Z',
            '2024-13-01 00:00:00',
            '6f1b7a0e-1c1e-4b8e-9a53-2f6c7a1d0e11',
            ' 5',
            '5 ',
            "O'Neil",
            'é',
          ),
          fc.string({ maxLength: 30 }).map((text) => text.replaceAll('\0', '')),
          digitsOf(30),
        )
        .map((text) => [...text.toWellFormed()].slice(0, most).join(''));
    }
    case 'numeric':
      return fc
        .tuple(digitsOf(type.precision - type.scale), digitsOf(type.scale), fc.constantFrom('', '-'))
        .map(
          ([whole, decimals, sign]) =>
            `${sign}${type.precision > type.scale ? whole : '0'}${type.scale > 0 ? `.${decimals}` : ''}`,
        );
    case 'smallint':
      return fc.integer({ min: -32_768, max: 32_767 }).map(String);
    case 'integer':
      return fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 })).map(String);
    case 'bigint':
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -300n, max: 300n })).map(String);
    default:
      return fc.constant(full(type));
  }
}

/** Whether two texts are the same value where both types can hold it. */
function sameValue(before: string, after: string, from: ColumnType, to: ColumnType): boolean {
  if (before === after) return true;
  // Numbers may be written with other decimals, dates in another form.
  const numbers = ['numeric', 'smallint', 'integer', 'bigint'];
  if (numbers.includes(from.kind) && (numbers.includes(to.kind) || to.kind === 'varchar' || to.kind === 'text'))
    return before.replace(/\.0*$|(\.\d*[1-9])0*$/, '$1') === after.replace(/\.0*$|(\.\d*[1-9])0*$/, '$1');
  if (from.kind === 'date' && to.kind === 'timestamptz') return after.startsWith(before) || after !== '';
  if (to.kind === 'bytea' && (from.kind === 'varchar' || from.kind === 'text'))
    return Buffer.from(after.replace('\\x', ''), 'hex').toString('utf8') === before;
  return false;
}

test('a table that is as it should be needs nothing, whatever the order of its columns', () => {
  fc.assert(
    fc.property(tableShape, (shape) => {
      const findings: Finding[] = [];
      expect(diffTable(shape, asFound(shape), managed(shape), findings)).toBeUndefined();
      const turned = { ...asFound(shape), columns: shape.columns.toReversed(), indexes: shape.indexes.toReversed() };
      expect(diffTable(shape, turned, managed(shape), findings)).toBeUndefined();
      expect(findings).toEqual([]);
    }),
  );
});

describe.each(everyServer())('$name', (server) => {
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
      session: Session;
      execute(statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
      look(): Promise<InspectedTable | undefined>;
    }) => Promise<Result>,
  ): Promise<Result> {
    const schema = `s${++schemas}`;
    return database.transaction(async (session) => {
      await session.script(`create schema ${schema}; create sequence ${schema}.${ROW_SEQUENCE}; ${KEPT}`);
      return work({
        schema,
        session,
        execute: async (statements) =>
          statements.length === 0 ? [] : ((await session.script(statements.join(';\n'))).at(-1)?.rows ?? []),
        look: async () => (await inspectTables(session, schema, ['t'])).get('t'),
      });
    }, 'rollback');
  }

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

  /** Everything that an integration does to the tables, its checks first. @returns whether they let it through */
  async function change(session: Session, schema: string, wanted: Table, found: InspectedTable | undefined, own: Managed) {
    const findings: Finding[] = [];
    const step = diffTable(wanted, found, own, findings);
    const changes = step === undefined ? [] : [step];
    const checked = await checkValues(session, changes, schema);
    if (checked.findings.length > 0) return checked.findings;
    const origin = { schema, folder: 1, integration: null, by: 'test' };
    const statements = changes.flatMap((each) => [...asideOf(each, origin), ...ddlOf(each, schema)]);
    if (statements.length > 0) await session.script(statements.join(';\n'));
    return findings;
  }

  test('R26: an empty table takes any other shape, and is then as it should be', async () => {
    await fc.assert(
      fc.asyncProperty(tableShape, tableShape, (from, to) =>
        inSchema(async ({ schema, session, look }) => {
          expect(await change(session, schema, from, await look(), managed(from))).toEqual([]);
          const own = managed(from, to);
          expect(await change(session, schema, to, await look(), own)).toEqual([]);
          expect(diffTable(to, await look(), own, [])).toBeUndefined();
          const { columns } = (await look()) ?? { columns: [] };
          expect(columns.map(({ name, type }) => `${name} ${typeName(type)}`).sort()).toEqual(
            to.columns.map(({ name, type }) => `${name} ${typeName(type)}`).sort(),
          );
          await session.script(`insert into ${schema}.t default values`);
        }),
      ),
      { numRuns: 80 },
    );
  });

  test('R27: whatever shape a table with rows takes, each value is in its column as before, or put aside, or the change is refused', async () => {
    const shapes = fc
      .tuple(columnType, columnType)
      .chain(([from, to]) => fc.tuple(fc.constant(from), fc.constant(to), someValue(from)));
    await fc.assert(
      fc.asyncProperty(shapes, ([from, to, value]) =>
        inSchema(async ({ schema, session, look }) => {
          const table = (type: ColumnType): Table => ({
            name: 't',
            columns: [FIXED[0]!, { name: 'f_0', field: 'f', type }, FIXED[1]!],
            indexes: [],
          });
          await change(session, schema, table(from), undefined, managed(table(from)));
          await session.script(
            `insert into ${schema}.t (f_0) values (${quoteLiteral(value)}); insert into ${schema}.t default values`,
          );
          const text = async () =>
            (await session.script(`select coalesce(f_0::text, '') as v from ${schema}.t order by rowid`))[0]?.rows.map(
              (row) => row.v,
            );
          const before = await text();
          const findings = await change(session, schema, table(to), await look(), managed(table(from)));
          if (findings.length > 0) {
            expect([findings.map((finding) => [finding.code, finding.facts.count]), await text()]).toEqual([
              [['values-do-not-fit', 1]],
              before,
            ]);
            return;
          }
          const [kept] = await session.script(`select r.value ->> 'f_0' as v from rustine.kept_row r`);
          const after = await text();
          const aside = kept?.rows[0]?.v;
          const same = sameValue(String(before?.[0]), String(after?.[0]), from, to);
          if (!same) expect(aside).toBe(before?.[0]);
        }),
      ),
      { numRuns: 150 },
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
