// A script's language is told from its first words; which names may leave the database.
import { describe, expect, it } from 'vitest';
import { languageOf } from '../../src/dictionary/script-language.ts';
import { isSafeScriptName } from '../../src/dictionary/script-name.ts';

describe('the language of a script', () => {
  it.each([
    '-- a comment\n4gl or not',
    '/* a comment */',
    '\n\n  CREATE OR REPLACE FUNCTION f() returns void',
    'create materialized view v as select 1',
    'do $$ begin end $$;',
    "DO LANGUAGE plpgsql 'begin end'",
    'select 1;',
    'insert into item values (1);',
    'update item set a = 1;',
    'update only "x".item as i set a = 1;',
    'delete from item;',
    'with a as (select 1) select * from a;',
    'with recursive a(n) as (select 1) select 1',
    'grant select on item to public;',
    'set role postgres;',
    'commit;',
    'set search_path = seed, x3;',
    "SET LOCAL lock_timeout = '5s'",
    'set constraints all immediate;',
    'reset all;',
    'call fill(1, now());',
    "call seed.fill('a;b)');",
    'lock table item in exclusive mode;',
    'values (1), (2);',
    'create global temp table t (a int);',
    'analyze;',
    'analyze item;',
    'explain select 1;',
    'select a\nfrom item',
    'select cod_0\n  , nam_0\nfrom item',
    'select\n  count(*)\nfrom item',
    'select cod_0 from item',
    'select a::text;',
    'select now();',
    'select *\nfrom item',
    'select current_user;',
    '\uFEFF-- with a byte order mark',
  ])('%j is SQL', (text) => expect(languageOf('TRT', Buffer.from(text))).toBe('sql'));

  it.each([
    '# a comment\nEnd',
    '* a comment',
    '$ACTION\nCase ACTION',
    'Subprog STOCK(A)\nValue Integer A\nEnd',
    'Funprog F(A)',
    'Call STOCK(1) From STOCKLIB',
    'Local File ITEM [ITM]',
    'Update [F:ITM]',
    'Delete [F:ITM]',
    'Updbase',
    'Commit\nEnd',
    'Rollback : End',
    'If A = 1',
    'Do something',
    'With',
    'Set',
    'Set X = 1',
    'Set X = 1\nEnd # a;b',
    'Select CLIENT',
    'Select CLIENT\nEnd',
    'Select CLIENT : End',
    'Select CLIENT # a comment',
    'Call STOCK(1)\nCall OTHER()',
    'Lock [F:ITM]',
    'Value Integer A',
    'Reset A\nEnd',
    'Create',
    '',
    '- not a comment',
  ])("%j is the original product's", (text) => expect(languageOf('TRT', Buffer.from(text))).toBe('4gl'));

  it('of compiled scripts does not depend on their bytes, and bytes that are no text are not SQL', () => {
    expect(languageOf('ADX', Buffer.from('select 1'))).toBe('adx');
    expect(languageOf('TRT', Buffer.from('select \0'))).toBe('4gl');
  });
});

describe('names of scripts', () => {
  it.each(['SUBPROG', 'ZCLIENT_CVER', 'A.B', 'X-1', 'TRT$A', 'É1', '漢'.repeat(80)])('%j may be an argument and a file', (name) =>
    expect(isSafeScriptName(name)).toBe(true),
  );

  it.each([
    '',
    '-x',
    '--help',
    '.',
    '..',
    '.a',
    'a/b',
    'a\\b',
    'a..b',
    'a\0',
    'a\nb',
    'a b',
    'a;b',
    'a`b',
    '$(a)',
    '{file}',
    'nul',
    'CON.txt',
    'a.',
    'x'.repeat(101),
    '漢'.repeat(81),
    '😀'.repeat(61),
  ])('%j may not', (name) => expect(isSafeScriptName(name)).toBe(false));
});
