// A life that was found hard once, told plainly: a folder that gets what it lacks late, by hand or by validation, after its people and its parent changed things.
import type { Step } from './life-steps.ts';
import type { Numbered } from './patch-sequences.ts';
import type { Field, RecordOf } from './patches.ts';
import { any, rows, script, table } from './patches.ts';

type Fields = Readonly<Record<string, Field>>;

const definition =
  (more: Fields): Numbered =>
  (run) =>
    table(`T${run}`, `T${run}`, { KEY: 'A:5', ...more }, { I0: 'KEY' });

const menu =
  (...lines: readonly RecordOf[]): Numbered =>
  (run) =>
    any('AML', `${run}B`, [{ tag: 'AML', values: { AUZMOD: 1, CODACT: '' } }, ...lines]);

const parameter =
  (value: string): Numbered =>
  (run) =>
    any('ADP', `${run}A`, [{ tag: 'ADP', values: { ACS: value, CODACT: '' } }]);

const patch = (type: string, take: boolean, to: Extract<Step, { kind: 'patch' }>['to'], elements: readonly Numbered[]): Step => ({
  kind: 'patch',
  patch: { elements, options: { type, activityCodes: [] } },
  to,
  atomic: false,
  take,
});

/** Columns, lines and set-up values come and go in the parent before LIVE gets the first of them; SHOP replaces rows that its people wrote meanwhile. */
export const lateFolders: readonly Step[] = [
  // Vertical: makes no folder lag.
  patch(
    '4',
    true,
    ['SHOP'],
    [
      definition({}),
      (run) => rows(`T${run}`, 'CHOSEN', [{ KEY: 'a', F1: 'early' }]),
      menu({ tag: 'AST', values: { LANNUM: 1, LAN: 'ENG', LANMES: 'line' } }),
      parameter('first'),
      (run) =>
        script(
          `TWOF${run}`,
          `create or replace function two${run}_1() returns bigint language sql as 'select count(*) from t${run}';`,
        ),
    ],
  ),
  { kind: 'set', folder: 'X3', letter: 'A', value: 'own' },
  patch(
    '1',
    false,
    [],
    [
      definition({ F1: 'A:20' }),
      (run) => any('TAB', `T${run}`, [{ tag: 'DIV', values: { KEY: 'b', F1: 'later' } }]),
      menu(),
      parameter('second'),
    ],
  ),
  { kind: 'rows', folder: 'SHOP' },
  { kind: 'catch-up', folder: 'SHOP' },
  patch('1', false, ['LIVE', 'SHOP'], [definition({ F1: 'A:20', F2: 'L' })]),
  { kind: 'validate' },
  { kind: 'revert', folder: 'X3' },
];
