// What SQL scripts use: tables and columns with their scopes, inside functions, as the dictionary names them.
import { describe, expect, test } from 'vitest';
import { type KnownTables, resolveReferences } from '../../src/plan/script-references.ts';
import { LONGEST_SQL, readSql } from '../../src/plan/sql-references.ts';

const TABLES: Readonly<Record<string, string>> = { BOX: 'COD WEIGHT ROOM', SHELF: 'NUM ROOM', BAG: 'COD LOAD' };
const known: KnownTables = {
  byAbbreviation: () => undefined,
  fieldsOf: (table) => (TABLES[table] === undefined ? undefined : new Set(TABLES[table].split(' '))),
};

/** `TABLE(FIELD FIELD)` for each table. */
async function uses(source: string): Promise<string[]> {
  const references = await readSql(source);
  expect(references.unread).toEqual([]);
  return resolveReferences(references, known).tables.map(
    ({ table, fields }) => `${table}(${fields.map(({ field }) => field).join(' ')})`,
  );
}

const plpgsql = (body: string, declare = ''): string =>
  `create function f() returns bigint language plpgsql as $$ declare ${declare} begin ${body} return 1; end $$`;

describe('tables and columns', () => {
  test.each<[string, string, string[]]>([
    ['a query', 'select b.cod_0, weight_0 from box b where b.room_1 = 1', ['BOX(COD ROOM WEIGHT)']],
    [
      'a join: a bare column belongs to the table that has it',
      'select load_0, num_0 from box join bag using (cod_0), shelf',
      ['BAG(LOAD)', 'BOX()', 'SHELF(NUM)'],
    ],
    [
      'a subquery sees the tables around it',
      'select 1 from shelf s where exists (select 1 from box where room_0 = s.room_0 and weight_0 > num_0)',
      ['BOX(ROOM WEIGHT)', 'SHELF(NUM ROOM)'],
    ],
    ['a name in with is no table', 'with bag as (select cod_0 from box) select bag.cod_0, load_0 from bag', ['BOX(COD)']],
    ['a subquery with a name is no table', 'select x.cod_0 from (select b.cod_0 from box b) x', ['BOX(COD)']],
    [
      'insert',
      'insert into bag (cod_0, load_0) select cod_0, 1 from box on conflict (cod_0) do update set load_0 = excluded.load_0',
      ['BAG(COD LOAD)', 'BOX(COD)'],
    ],
    [
      'update',
      'update box b set weight_0 = s.num_0 from shelf s where s.room_0 = b.room_0',
      ['BOX(ROOM WEIGHT)', 'SHELF(NUM ROOM)'],
    ],
    ['delete', 'delete from box using bag where bag.cod_0 = box.cod_0', ['BAG(COD)', 'BOX(COD)']],
    [
      'merge',
      'merge into box m using bag s on m.cod_0 = s.cod_0 when matched then update set weight_0 = s.load_0',
      ['BAG(COD LOAD)', 'BOX(COD WEIGHT)'],
    ],
    [
      'tables that it makes itself are not meant',
      'create temp table pile (cod_0 text); insert into pile select cod_0 from box; select pile.cod_0 from pile',
      ['BOX(COD)'],
    ],
    [
      'those of PostgreSQL and of schemas that are named neither',
      'select c.relname from pg_class c, other.box b where b.cod_0 = 1',
      [],
    ],
    ['a name as text', "select 'box'::regclass", ['BOX()']],
    ['a table that nobody knows', 'select s.any_0 from strange s', ['STRANGE(ANY)']],
    ['a function in SQL', "create function f() returns int language sql as 'select weight_0 from box'", ['BOX(WEIGHT)']],
    [
      'a function in SQL with a body of its own',
      'create function f() returns int begin atomic select b.weight_0 from box b; end',
      ['BOX(WEIGHT)'],
    ],
    [
      'rows as parameters and results',
      'create function f(b box) returns setof bag language sql as $$ select b.weight_0 $$',
      ['BAG()', 'BOX(WEIGHT)'],
    ],
    ['a block', 'do $$ begin update box set weight_0 = 1; end $$', ['BOX(WEIGHT)']],
    [
      'PL/pgSQL: statements, conditions, loops',
      plpgsql(
        'if exists (select 1 from box where weight_0 > 1) then for r in select load_0 from bag loop perform r.load_0; end loop; end if;',
        'r record;',
      ),
      ['BAG(LOAD)', 'BOX(WEIGHT)'],
    ],
    [
      'PL/pgSQL: variables with the type of a table',
      plpgsql('v.weight_0 := w + (select num_0 from shelf);', 'v box%rowtype; w bag.load_0%type; b bag;'),
      ['BAG(LOAD)', 'BOX(WEIGHT)', 'SHELF(NUM)'],
    ],
    [
      'PL/pgSQL: cursors',
      plpgsql('open c; open d for select load_0 from bag;', 'c cursor for select weight_0 from box; d refcursor;'),
      ['BAG(LOAD)', 'BOX(WEIGHT)'],
    ],
    [
      'PL/pgSQL: text that is run',
      "create function f() returns setof int language plpgsql as $$ begin execute 'select weight_0 from box'; return query execute 'select load_0 from bag'; end $$",
      ['BAG(LOAD)', 'BOX(WEIGHT)'],
    ],
  ])('%s', async (_what, source, expected) => {
    expect(await uses(source)).toEqual(expected);
  });

  test('the line is that of the script, in a function too', async () => {
    const source = `-- é\nselect b.cod_0\n  from box b;\n${plpgsql('\n\n perform 1 from bag;\n')};\ncreate function g() returns int language sql as $$\nselect 1\nfrom shelf $$;`;
    const { tables } = await readSql(source);
    const lineOf = (word: string): number => source.slice(0, source.indexOf(word)).split('\n').length;
    expect(tables.filter(({ sure }) => sure).map(({ name, line }) => [name, line])).toEqual([
      ['BOX', lineOf('box b')],
      ['BAG', lineOf('perform')],
      ['SHELF', lineOf('shelf')],
    ]);
  });
});

describe('what cannot be read is told', () => {
  test.each([
    ['a mistake', 'select 1;\nselect from where', 'syntax', 2],
    ['a mistake in a function', "select 1;\ncreate function f() returns int language sql as 'select from where'", 'syntax', 2],
    ['a mistake in PL/pgSQL', plpgsql('if then'), 'syntax', 1],
    ['another language', "\ncreate function f() returns int language plpython3u as 'pass'", 'language', 2],
    ['text that is put together', plpgsql("\nexecute 'select 1 from ' || tg;", 'tg text;'), 'dynamic', 2],
    ['a nest too deep', `select ${'1+'.repeat(50_000)}1`, 'syntax', 1],
    ['parentheses too deep', `select ${'('.repeat(50_000)}1${')'.repeat(50_000)}`, 'syntax', 1],
    [
      'blocks too deep',
      `create function f() returns void language plpgsql as $$${'begin '.repeat(1_500)}null;${'end;'.repeat(1_500)}$$`,
      'syntax',
      1,
    ],
    ['a script too long', `select '${'x'.repeat(LONGEST_SQL)}'`, 'size', 1],
  ])('%s', async (_what, source, kind, line) => {
    const { unread } = await readSql(source);
    expect(unread).toEqual([expect.objectContaining({ kind, line })]);
    expect(await uses('select cod_0 from box')).toEqual(['BOX(COD)']);
  });

  test('the rest is read all the same', async () => {
    const references = await readSql(
      "create function f() returns int language sql as 'select from where'; select cod_0 from box",
    );
    expect(references.tables).toMatchObject([{ name: 'BOX' }]);
  });

  test('no text stops it', async () => {
    for (const source of ['', ';', '\0', '\uFEFFselect 1', '--', '/*', "'", '$$', 'é', '\u{1F600}'.repeat(10)])
      await readSql(source);
  });
});
