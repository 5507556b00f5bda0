// The verdict matrix by live runs: every cell is what the tables of the source say, and what docs/verdicts.md shows.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Delivered, Own, SetUpReason, SetUpState } from '../../src/dictionary/verdicts.ts';
import { ELEMENT_VERDICTS, LINE_VERDICTS, SET_UP_VERDICTS } from '../../src/dictionary/verdicts.ts';
import { openEnvironment } from '../support/environment.ts';
import { oneServer } from '../support/servers.ts';
import type { Matrix } from '../verdicts/matrix.ts';
import { liveMatrices } from '../verdicts/matrix.ts';
import { verdictPage } from '../verdicts/page.ts';

const DELIVERED: Readonly<Record<string, Delivered>> = {
  standard: 'authorised',
  'specific, authorised': 'authorised',
  'specific, not authorised': 'not-authorised',
  'not in the patch': 'absent',
};

/** What the folder has, as the merge sees it: with its code authorised a specific line is like any other. */
function ownOf(column: string, row: string): Own {
  if (column === 'absent') return 'absent';
  const specific = column === 'specific' || (column === 'the same' && row.startsWith('specific'));
  return specific && row !== 'specific, authorised' ? 'protected' : 'standard';
}

const REASONS: Readonly<Record<string, SetUpReason>> = {
  none: 'none',
  '--take-unchanged': 'take-unchanged',
  'decided keep': 'decided-keep',
  'decided take': 'decided-take',
  'decided value': 'decided-value',
};
const STATES: Readonly<Record<string, SetUpState>> = {
  'is the same': 'same',
  'changed by nobody': 'unchanged',
  'changed by the folder': 'changed',
};

type Cell = readonly [title: string, row: string, column: string, verdict: string];

const cellsOf = (matrices: readonly Matrix[]): readonly Cell[] =>
  matrices.flatMap(({ title, columns, rows }) =>
    rows.flatMap(({ name, cells }) => cells.map((cell, at): Cell => [title, name, columns[at] ?? '', cell])),
  );

/** What the tables of the source say; undefined where a cell is none of theirs. */
function expected([title, row, column, cell]: Cell): string | undefined {
  if (cell === '–') return undefined;
  if (title.startsWith('Set-up')) return SET_UP_VERDICTS[REASONS[row] ?? 'none'][STATES[column] ?? 'same'];
  const table = title.startsWith('Elements') ? ELEMENT_VERDICTS : LINE_VERDICTS;
  const verdict = table[DELIVERED[row] ?? 'absent'][ownOf(column, row)];
  return verdict === 'updated' && column === 'the same' ? 'identical' : verdict;
}

describe.each(oneServer())('$name', (server) => {
  let matrices: readonly Matrix[] = [];
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const env = await openEnvironment(server, { folders: ['SEED'], later: (work) => void closing.unshift(work) });
    await env.folders(['TEST'], { test: true });
    await env.folders(['SPEC'], { specific: true });
    matrices = await liveMatrices(env);
    return async () => {
      for (const close of closing) await close();
    };
  }, 120_000);

  test('R8, R9, R19–R22, R37: the page shows what live runs do', () => {
    expect(verdictPage(matrices)).toBe(readFileSync(new URL('../../docs/verdicts.md', import.meta.url), 'utf8'));
  });

  test.each([
    'Elements, by their header',
    'Lines of an element',
    'Blocks of a screen',
    'Set-up fields of a record that the folder has',
  ])('R19–R21, R37: %s: every cell is what the table of the source says', (title) => {
    const cells = cellsOf(matrices).filter((cell) => cell[0] === title && cell[3] !== '–');
    expect(cells.length).toBeGreaterThan(10);
    // A kept block does not shut a delivered one out: there is room beside it.
    const found = cells.map(
      ([, row, column, cell]) => `${row} / ${column}: ${cell.replace(', the delivered one beside it', '')}`,
    );
    expect(found).toEqual(cells.map((cell) => `${cell[1]} / ${cell[2]}: ${expected(cell)}`));
  });

  test('R8, R9: specific parts follow a Specific patch only, vertical ones a Vertical patch only', () => {
    const cells = cellsOf(matrices).filter(([title]) => title.startsWith('Specific and vertical'));
    const opens: Readonly<Record<string, string>> = { SPE: 'specific', SPV: 'vertical' };
    for (const [, row, column, cell] of cells) {
      const part = /SP[EV]/.exec(row)?.[0];
      const open = part === undefined || opens[part] === column;
      expect([row, column, cell]).toEqual([
        row,
        column,
        open ? (row.includes('not in the patch') ? 'removed' : 'updated') : 'kept',
      ]);
    }
  });

  test('R22: scripts go to the supervisor and test folders, specific ones to specific folders and where they are', () => {
    const cells = cellsOf(matrices).filter(([title]) => title === 'Scripts');
    for (const [, row, column, cell] of cells) {
      const receives = ['supervisor folder', 'test folder'].includes(column) || (row !== 'standard' && column !== 'other folder');
      expect([row, column, cell]).toEqual([
        row,
        column,
        row.includes('not authorised') ? 'ignored' : receives ? 'installed' : 'inherited',
      ]);
    }
  });
});
