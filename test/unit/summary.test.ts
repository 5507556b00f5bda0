// The end of a run over many folders: on one screen whatever came of it, failures by distinct cause, the way to the rest.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import type { DueFolder } from '../../src/cli/due.ts';
import { messages as en } from '../../src/cli/messages/en.ts';
import { messages as fr } from '../../src/cli/messages/fr.ts';
import { runSummary } from '../../src/cli/summary.ts';
import type { SummaryStyle } from '../../src/cli/summary-style.ts';
import { widthOf } from '../../src/cli/text-width.ts';
import { NO_LINES } from '../../src/dictionary/merge-result.ts';
import { type FolderOutcome, NO_ELEMENTS, NO_TABLES, type PatchOutcome, type RunOutcome } from '../../src/journal/outcome.ts';

const STYLE: SummaryStyle = { width: 80, colour: false, verbose: false, quiet: false, ms: 754_000 };
const RUN = '7b93a6d5-ebea-41f5-9fba-d2379c6ef017';

const patch = (file: string, more: Partial<PatchOutcome> = {}): PatchOutcome => ({
  file,
  state: 'integrated',
  elements: { ...NO_ELEMENTS, created: 3, updated: 1 },
  lines: NO_LINES,
  tables: { ...NO_TABLES, created: ['zclienth'] },
  scripts: { installed: 2, run: 1 },
  rows: { inserted: 7, updated: 0, deleted: 0 },
  ran: ['JOB'],
  pending: [],
  ms: 41,
  ...more,
});

const folder = (code: string, state: FolderOutcome['state'], patches: readonly PatchOutcome[]): FolderOutcome => ({
  folder: code,
  state,
  due: true,
  patches,
});

const locked = (code: string, pid: number): Finding => ({
  code: 'lock-timeout',
  severity: 'block',
  folder: code,
  patch: 'B.dat',
  facts: { folder: code, table: 'bpcustomer', pids: [String(pid)], users: ['bob'], applications: ['psql'], since: ['09:15'] },
});
const narrow = (code: string): Finding => ({
  code: 'values-do-not-fit',
  severity: 'block',
  folder: code,
  patch: 'A.dat',
  subject: 'ATB:ITM',
  facts: { table: 'itm', column: 'nam_0', from: 'varchar(30)', to: 'varchar(10)', count: 3, keys: ['A', 'B'] },
});
const ignored = (code: string, element: string): Finding => ({
  code: 'element-ignored',
  severity: 'warn',
  folder: code,
  patch: 'A.dat',
  subject: element,
  facts: { element, code: 'ZALI', option: '--authorize ZALI' },
});

const codes = Array.from({ length: 500 }, (_, at) => `F${String(at).padStart(3, '0')}`);

/** 500 folders of which every fifth fails for one cause and every fiftieth for another one, different in each. */
function manyFolders(mode: RunOutcome['mode'] = 'integrate'): RunOutcome {
  const causeOf = (at: number) => (at % 50 === 7 ? 'locked' : at % 5 === 3 ? 'narrow' : 'none');
  const failed = (file: string, code: string) =>
    patch(file, { state: 'failed', elements: NO_ELEMENTS, reason: { code, facts: {} } });
  return {
    run: RUN,
    mode,
    state: 'partial',
    findings: [
      ...codes.flatMap((code, at) =>
        causeOf(at) === 'locked' ? [locked(code, at)] : causeOf(at) === 'narrow' ? [narrow(code)] : [],
      ),
      ...codes.flatMap((code, at) => ['ATB:Z1', 'ATB:Z2', `ATB:Z${at}`].map((element) => ignored(code, element))),
    ],
    folders: codes.map((code, at) =>
      causeOf(at) === 'none'
        ? folder(code, 'integrated', [patch('A.dat', { ms: at }), patch('B.dat', at % 3 === 0 ? { pending: ['SUBSLC'] } : {})])
        : folder(code, 'failed', [
            causeOf(at) === 'locked' ? patch('A.dat') : failed('A.dat', 'blocked'),
            failed('B.dat', causeOf(at) === 'locked' ? 'lock-timeout' : 'blocked'),
          ]),
    ),
  };
}

const due: readonly DueFolder[] = codes.map((code, at) => ({
  code,
  state: 'ready',
  lag: at % 5 === 3 ? ['A.dat', 'B.dat'] : [],
  reasons: at % 2 === 0 ? ['activity-code:KIT'] : [],
}));

describe('the summary of a run over 500 folders', () => {
  it('fits a screen: counts, sums, distinct causes with their first folders, what is due, the run', () => {
    const lines = runSummary(manyFolders(), due, en, STYLE).split('\n');
    expect(lines.length).toBeLessThanOrEqual(22);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
    const text = lines.join('\n');
    expect(lines[0]).toBe('500 folders: 390 integrated, 110 failed.');
    expect(text).toMatch(/In all: 790 patches integrated · elements: \d+ new, \d+ updated/);
    expect(text).toContain('110 folders failed, for 11 causes');
    expect(text).toContain('100 folders (F003, F008, F013 and 97 more) · A.dat');
    expect(text).toMatch(/10 folders \(F007, F057, F107 and 7 more\) · B\.dat \(and 9 more\s+like this\)/);
    expect(text).toMatch(/rustine validate --due/);
    expect(text).toContain('500 warnings; the trace has them all');
    expect(lines.at(-2)).toBe('Done for some folders only.');
    expect(lines.at(-1)).toBe('Run 7b93a6d5 · 754.0 s · rustine log 7b93a6d5');
  });

  it('says the same in French', () => {
    const lines = runSummary(manyFolders(), due, fr, STYLE).split('\n');
    expect(lines.length).toBeLessThanOrEqual(22);
    expect(lines[0]).toBe('500 dossiers : 390 intégrés, 110 en échec.');
    expect(lines.join('\n')).toContain('100 dossiers (F003, F008, F013 et 97 autres)');
  });

  it('R32: of a rehearsal lists the failures of all folders together, by distinct cause', () => {
    const text = runSummary(manyFolders('rehearse'), [], en, STYLE);
    expect(text).toContain('110 folders failed, for 11 causes');
    expect(text).toMatch(/Would be due for validation: 500 folders \(F000, F001, F002 and 497 more\)\./);
    expect(text).toContain('Rehearsed, and rolled back: it would fail in some folders.');
    expect(text.split('\n').length).toBeLessThanOrEqual(22);
  });

  it('says everything with --verbose', () => {
    const text = runSummary(manyFolders(), due, en, { ...STYLE, verbose: true });
    expect(text.split('\n').length).toBeGreaterThan(100);
    expect(text).toContain('ATB:Z499');
  });

  it('of folders that all fared alike is the table that few folders have', () => {
    const outcome: RunOutcome = {
      ...manyFolders(),
      state: 'done',
      findings: [],
      folders: codes.map((code) => folder(code, 'integrated', [patch('A.dat')])),
    };
    const lines = runSummary(outcome, [], en, { ...STYLE, width: 140 }).split('\n');
    expect(lines[1]).toMatch(/^F000, F001, F002, F003 … \+496/);
    expect(lines.length).toBeLessThan(8);
    // Where the table would be cut, the counts say it better.
    expect(runSummary(outcome, [], en, STYLE)).toMatch(/^500 folders: 500 integrated\.$/m);
  });

  it('names a command that shows what is due where the commands are too long for the screen', () => {
    const tangled = due.map((each, at) => ({ ...each, lag: [`P_${at}_140.dat`] }));
    const text = runSummary(manyFolders(), tangled, en, STYLE);
    expect(text).toContain('500 folders are due: `rustine status` says why, and what to do');
  });

  it('fits the screen whatever was found, in any width from 60 columns', () => {
    const base = manyFolders();
    const finding: fc.Arbitrary<Finding> = fc
      .record({
        code: fc.constantFrom('lock-timeout', 'values-do-not-fit', 'element-ignored', 'never-heard-of', 'database-lost'),
        severity: fc.constantFrom('block' as const, 'warn' as const, 'info' as const),
        folder: fc.constantFrom(...codes),
        patch: fc.constantFrom('A.dat', `${'long'.repeat(30)}.dat`, '客戶表.dat'),
        subject: fc.string({ maxLength: 90 }),
      })
      .map((each) => ({ ...each, facts: { folder: each.folder, table: each.subject } }));
    const state = fc.constantFrom('done' as const, 'partial' as const, 'refused' as const, 'failed' as const);
    fc.assert(
      fc.property(
        fc.array(finding, { maxLength: 60 }),
        fc.record({ state, mode: fc.constantFrom('integrate' as const, 'rehearse' as const) }),
        fc.constantFrom(60, 80, 120),
        fc.constantFrom(en, fr),
        fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 12 }),
        (findings, how, width, messages, pending) => {
          const folders = base.folders.map((each) => ({ ...each, patches: each.patches.map((one) => ({ ...one, pending })) }));
          const text = runSummary({ ...base, ...how, findings, folders }, due, messages, { ...STYLE, width });
          expect(text.split('\n').length).toBeLessThanOrEqual(22);
          expect(Math.max(...text.split('\n').map(widthOf))).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 25 },
    );
  });
});

it('R28: scripts that runners ran are counted with those that the database ran', () => {
  const ran = folder('X3', 'integrated', [patch('A.dat', { scripts: { installed: 2, run: 1 }, ranOutside: ['AFTER', 'LATER'] })]);
  const outcome: RunOutcome = { ...manyFolders(), state: 'done', findings: [], folders: [ran] };
  expect(runSummary(outcome, [], en, { ...STYLE, width: undefined })).toMatch(/^X3 .* 2 installed, 3 run /m);
});

describe('findings of a few folders', () => {
  it('are one where only the folder in their facts differs, and say all of them', () => {
    const two = ['X3', 'SEED'].map((code) => locked(code, 7));
    const outcome: RunOutcome = {
      ...manyFolders(),
      findings: two,
      folders: ['X3', 'SEED'].map((code) => folder(code, 'failed', [patch('B.dat', { state: 'failed' })])),
    };
    const text = runSummary(outcome, [], en, { ...STYLE, width: undefined });
    expect(text.match(/stayed locked/g)).toHaveLength(1);
    expect(text).toContain('B.dat · folders X3, SEED – ');
  });
});
