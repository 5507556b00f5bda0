// A run that is watched: the state from its events, the lines that fit the screen, and what is really on the screen.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLiveBlock } from '../../src/cli/live-block.ts';
import type { Messages } from '../../src/cli/messages/en.ts';
import { messages as en } from '../../src/cli/messages/en.ts';
import { messages as fr } from '../../src/cli/messages/fr.ts';
import { type Clock, createProgress } from '../../src/cli/progress.ts';
import { advance, noProgress, paceOf, type RunProgress, waitingFolders } from '../../src/cli/progress-model.ts';
import { clock, progressLines } from '../../src/cli/progress-view.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { cut, widthOf } from '../../src/cli/text-width.ts';
import type { RunEvent } from '../../src/journal/journal.ts';
import type { PatchOutcome } from '../../src/journal/outcome.ts';
import { emptyOutcome } from '../../src/journal/outcome.ts';
import { memoryScreen } from '../support/screen.ts';

const LOCKED = {
  code: 'lock-timeout',
  facts: { folder: 'F1', table: 'bpcustomer', pids: ['7'], users: ['bob'], applications: ['psql'], since: ['09:15'] },
};

function outcome(file: string, state: PatchOutcome['state'], more: Partial<PatchOutcome> = {}): PatchOutcome {
  return { ...emptyOutcome(file, state, 1), ...more };
}

const started = (folders: readonly string[], files: readonly string[] = ['A.dat']): RunEvent => ({
  kind: 'run-started',
  run: 'r1',
  mode: 'integrate',
  files,
  folders,
});
const codes = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `F${at}`);

/** A folder from its beginning to its end. */
function folderEvents(folder: string, state: 'integrated' | 'failed', file = 'A.dat'): readonly RunEvent[] {
  const failed = state === 'failed' ? { reason: { ...LOCKED, facts: { ...LOCKED.facts, folder } } } : {};
  return [
    { kind: 'patch-started', folder, file },
    { kind: 'patch-finished', folder, outcome: outcome(file, state, failed) },
    { kind: 'folder-finished', folder, state },
  ];
}

/** Events a second apart. */
const stateAfter = (events: readonly RunEvent[], from = noProgress(0)): RunProgress =>
  events.reduce((state, event, at) => advance(state, event, (at + 1) * 1000), from);

describe('the state of a run', () => {
  it('takes the time that the patches took where their events come all at once, as from the queue', () => {
    const events: readonly RunEvent[] = [
      started(['F0'], ['A.dat', 'B.dat']),
      { kind: 'patch-started', folder: 'F0', file: 'A.dat' },
      { kind: 'patch-finished', folder: 'F0', outcome: outcome('A.dat', 'integrated', { ms: 2_100 }) },
      { kind: 'patch-started', folder: 'F0', file: 'B.dat' },
      { kind: 'patch-finished', folder: 'F0', outcome: outcome('B.dat', 'integrated', { ms: 900 }) },
      { kind: 'folder-finished', folder: 'F0', state: 'integrated' },
    ];
    const state = events.reduce((before, event) => advance(before, event, 5), noProgress(0));
    expect(state.ended).toEqual([{ folder: 'F0', state: 'integrated', patches: 2, ms: 3_000 }]);
    expect(state.spent.size).toBe(0);
  });

  it('counts who waits, who is at work and who ended', () => {
    const state = stateAfter([
      started(codes(5)),
      ...folderEvents('F0', 'integrated'),
      { kind: 'folder-finished', folder: 'F1', state: 'unchanged' },
      { kind: 'patch-started', folder: 'F2', file: 'A.dat' },
    ]);
    expect(state.counts).toEqual({ integrated: 1, unchanged: 1 });
    expect([...state.working.keys()]).toEqual(['F2']);
    expect(waitingFolders(state)).toBe(2);
    // One that had nothing to do took no work: it is counted, and does not push others off the screen.
    expect(state.ended.map(({ folder }) => folder)).toEqual(['F0']);
  });

  it('keeps folders that failed for the same cause together, whatever folder their facts name', () => {
    const state = stateAfter([started(codes(9)), ...['F1', 'F2', 'F3'].flatMap((folder) => folderEvents(folder, 'failed'))]);
    expect([...state.failed.values()]).toMatchObject([{ cause: { code: 'lock-timeout' }, folders: ['F1', 'F2', 'F3'] }]);
  });

  it('tells the finding that blocks, not that something did', () => {
    const facts = { table: 'ITM', count: 3 };
    const state = stateAfter([
      started(codes(2)),
      { kind: 'patch-started', folder: 'F1', file: 'A.dat' },
      { kind: 'finding', finding: { code: 'values-do-not-fit', severity: 'block', folder: 'F1', facts } },
      { kind: 'patch-finished', folder: 'F1', outcome: outcome('A.dat', 'failed', { reason: { code: 'blocked', facts: {} } }) },
    ]);
    expect([...state.failed.values()].map(({ cause }) => cause)).toEqual([{ code: 'values-do-not-fit', facts }]);
  });

  it('knows that a folder runs its scripts once the patch is in', () => {
    const state = stateAfter([
      started(codes(2), ['A.dat', 'B.dat']),
      { kind: 'patch-started', folder: 'F1', file: 'B.dat' },
      { kind: 'patch-finished', folder: 'F1', outcome: outcome('B.dat', 'integrated', { pending: ['JOB'] }) },
    ]);
    expect(state.working.get('F1')).toMatchObject({ doing: 'scripts', file: 'B.dat', number: 2 });
  });

  it('of a run that is all or none counts the folders that wait for the others', () => {
    const state = stateAfter([
      started(codes(3)),
      { kind: 'patch-started', folder: 'F0', file: 'A.dat' },
      { kind: 'folder-prepared', folder: 'F0' },
      { kind: 'patch-started', folder: 'F1', file: 'A.dat' },
    ]);
    expect(progressLines(state, 9_000, { columns: 80, rows: 24 }, en, false)[2]).toBe('1 at work · 1 prepared · 1 waiting');
    const whole = stateAfter(
      codes(3).map((each) => ({ kind: 'folder-finished', folder: each, state: 'integrated' })),
      state,
    );
    expect([whole.prepared.size, waitingFolders(whole), whole.counts.integrated]).toEqual([0, 0, 3]);
  });

  it('tells the pace of late, and slows down while nothing ends', () => {
    let state = advance(noProgress(0), started(codes(100)), 0);
    expect(paceOf(state, 10)).toBeUndefined();
    for (let at = 0; at < 50; at++)
      for (const event of folderEvents(`F${at}`, 'integrated')) state = advance(state, event, at * 2000);
    const pace = paceOf(state, 98_000);
    expect(pace?.foldersPerMinute).toBeCloseTo(30, 0);
    expect(pace?.patchesPerSecond).toBeCloseTo(0.51, 2);
    expect(pace?.left).toBeCloseTo(100_000, -2);
    expect(paceOf(state, 980_000)?.foldersPerMinute).toBeLessThan(3);
  });
});

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('P_0013_140.dat', '客戶表.dat', '👩‍👩‍👧‍👦.dat', 'e\u0301te\u0301.dat', '\u001b[2J.dat', 'a\nb.dat'),
);
const folder = fc.constantFrom(...codes(60));
const event: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ kind: fc.constant('patch-started' as const), folder, file: text }),
  fc.record({
    kind: fc.constant('finding' as const),
    finding: fc.record({ code: text, severity: fc.constant('block' as const), folder, facts: fc.record({ table: text }) }),
  }),
  fc.record({
    kind: fc.constant('patch-finished' as const),
    folder,
    outcome: fc
      .tuple(text, fc.constantFrom('integrated' as const, 'failed' as const), fc.array(text, { maxLength: 2 }), text)
      .map(([file, state, pending, code]) =>
        outcome(file, state, { pending, ...(state === 'failed' ? { reason: { code, facts: {} } } : {}) }),
      ),
  }),
  fc.record({
    kind: fc.constant('folder-postponed' as const),
    folder,
    file: text,
    attempt: fc.nat(9),
    pauseMs: fc.nat(9_000),
    table: text,
    blockers: fc.array(fc.record({ table: text, pid: fc.nat(), role: text, application: text, query: text, since: text }), {
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constant('wave-started' as const),
    wave: fc.nat(3),
    folders: fc.constant(codes(5)),
    canary: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('run-cancelled' as const), run: fc.constant('r1'), by: text, hard: fc.boolean() }),
  fc.record({
    kind: fc.constant('run-waiting' as const),
    run: text,
    operator: text,
    host: text,
    since: text,
    folders: fc.constant(codes(9)),
  }),
  fc.record({
    kind: fc.constant('folder-finished' as const),
    folder,
    state: fc.constantFrom('integrated', 'unchanged', 'failed', 'skipped', 'cancelled'),
  }),
);
const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
const languages = { en, fr };
const language = fc.constantFrom('en' as const, 'fr' as const);

describe('the lines of a run', () => {
  it('never are more than the height nor wider than the width, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), size, language, (events, screen, messages) => {
        const lines = progressLines(stateAfter([started(codes(60)), ...events]), 1e6, screen, languages[messages], false);
        expect(lines.length).toBeGreaterThan(0);
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, screen.rows - 1));
        for (const line of lines) {
          expect(widthOf(line)).toBeLessThanOrEqual(Math.max(1, screen.columns - 1));
          expect(line).not.toMatch(/[\p{Cc}]/u);
        }
      }),
    );
  });

  it('show failures even where there is room for little else', () => {
    const busy = codes(20).map((each): RunEvent => ({ kind: 'patch-started', folder: each, file: 'A.dat' }));
    const state = stateAfter([started(codes(50)), ...folderEvents('F40', 'failed'), ...busy]);
    for (const rows of [3, 4, 5, 8, 24]) {
      const lines = progressLines(state, 1e5, { columns: 80, rows }, en, false);
      expect(lines.some((line) => line.includes('✗ F40'))).toBe(true);
      expect(lines[0]).toContain('1 failed');
    }
    expect(progressLines(state, 1e5, { columns: 80, rows: 8 }, en, false).at(-1)).toContain('more at work');
  });

  it('name the longest at work first, with the time of its patch', () => {
    const state = stateAfter([
      started(codes(9), ['A.dat', 'B.dat']),
      { kind: 'patch-started', folder: 'F7', file: 'A.dat' },
      { kind: 'patch-started', folder: 'F2', file: 'B.dat' },
    ]);
    const lines = progressLines(state, 75_000, { columns: 80, rows: 24 }, en, false);
    expect(lines.slice(3)).toEqual(['▸ F7         A.dat 1/2  1:13  integrating', '▸ F2         B.dat 2/2  1:12  integrating']);
  });

  it('say in French what they say in English', () => {
    const state = stateAfter([started(codes(12)), ...codes(4).flatMap((each) => folderEvents(each, 'integrated'))]);
    const shown = (messages: Messages) => progressLines(state, 13_000, { columns: 100, rows: 24 }, messages, false).slice(0, 4);
    expect(shown(en)).toEqual([
      '████████░░░░░░░░░░░░░░░░  33 %  4/12 folders',
      '0:13 so far · about 0:24 left · 20.0 folders/min · 0.3 patches/s',
      '8 waiting · 4 integrated',
      '✓ F3         integrated, 1 patch, 2.0 s',
    ]);
    expect(shown(fr)).toEqual([
      '████████░░░░░░░░░░░░░░░░  33 %  4/12 dossiers',
      'depuis 0:13 · encore 0:24 environ · 20,0 dossiers/min · 0,3 patches/s',
      '8 en attente · 4 intégrés',
      '✓ F3         intégré, 1 patch, 2,0 s',
    ]);
  });

  it('show who is in the way of a folder and when it comes again, waves, and that the run is being stopped', () => {
    const blockers = [{ table: 'itm', pid: 7, role: 'bob', application: 'psql', query: 'lock table itm', since: '09:15' }];
    const postponed = (each: string, pauseMs: number): RunEvent => ({
      kind: 'folder-postponed',
      folder: each,
      file: 'A.dat',
      attempt: 1,
      pauseMs,
      table: 'itm',
      blockers,
    });
    const state = stateAfter([
      started(codes(9)),
      { kind: 'wave-started', wave: 1, folders: codes(9), canary: false },
      { kind: 'patch-started', folder: 'F1', file: 'A.dat' },
      { kind: 'patch-started', folder: 'F2', file: 'A.dat' },
      postponed('F1', 9_000),
      { kind: 'run-cancelled', run: 'r1', by: 'alice', hard: false },
    ]);
    const lines = progressLines(state, 10_000, { columns: 100, rows: 24 }, en, false);
    expect(lines[1]).toContain('alice');
    expect(lines[2]).toBe('wave 2 · 1 at work · 1 postponed · 7 waiting');
    expect(lines[3]).toMatch(/^○ F1.*itm.*psql as bob, pid 7, since 09:15: lock table itm.*4\.0/);
    expect(lines[4]).toMatch(/^▸ F2 /);
    // It comes again: its time goes on from where it began.
    const again = advance(state, { kind: 'patch-started', folder: 'F1', file: 'A.dat' }, 11_000);
    expect([again.postponed.size, again.working.get('F1')?.since]).toEqual([0, 3_000]);
  });

  it('tell times as clocks do', () => {
    expect([0, 7_000, 59_600, 760_000, 3_912_000].map(clock)).toEqual(['0:00', '0:07', '1:00', '12:40', '1:05:12']);
  });
});

describe('the block on the screen', () => {
  it('shows exactly the lines that were drawn last, with the cursor below them', () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '·'), maxLength: 19 }), { maxLength: 7 });
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 8 }), (frames) => {
        const screen = memoryScreen(20, 8);
        screen.write('before\n');
        const block = createLiveBlock(screen.write);
        for (const frame of frames) block.draw(frame, { columns: 20, rows: 8 });
        const last = frames.at(-1) ?? [];
        const all = [...screen.scrolled(), ...screen.lines()];
        expect(all[0]).toBe('before');
        expect(screen.cursor().column).toBe(0);
        const top = screen.cursor().row - last.length;
        expect(Array.from(last, (_, at) => screen.lines()[top + at] ?? '')).toEqual(last.map((line) => line.trimEnd()));
        block.clear({ columns: 20, rows: 8 });
        expect(screen.lines().slice(screen.cursor().row)).toEqual([]);
      }),
    );
  });

  it('writes nothing where nothing changed, and only the lines that did', () => {
    const written: string[] = [];
    const block = createLiveBlock((piece) => void written.push(piece));
    const screen = { columns: 80, rows: 24 };
    block.draw(['one', 'two', 'three'], screen);
    block.draw(['one', 'two', 'three'], screen);
    block.draw(['one', '2', 'three'], screen);
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('2');
    expect(written[1]).not.toMatch(/one|three/);
  });

  it('is drawn anew from where a narrower terminal has moved it', () => {
    const written: string[] = [];
    const block = createLiveBlock((piece) => void written.push(piece));
    block.draw(['x'.repeat(70), 'y'], { columns: 80, rows: 24 });
    block.draw(['x'.repeat(30), 'y'], { columns: 40, rows: 24 });
    // The first line takes two rows by now.
    expect(written[1]).toContain('\u001b[3A');
  });
});

/** A clock that goes when it is told to. */
function fakeClock(): Clock & { go(ms: number): void; readonly timers: number } {
  let now = 0;
  const works = new Map<() => void, { readonly every: number; next: number }>();
  return {
    now: () => now,
    date: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + now),
    every: (ms, work) => {
      works.set(work, { every: ms, next: now + ms });
      return () => works.delete(work);
    },
    go(ms) {
      for (const end = now + ms; now < end; ) {
        now++;
        for (const [work, timer] of works) {
          if (timer.next > now) continue;
          timer.next += timer.every;
          work();
        }
      }
    },
    get timers() {
      return works.size;
    },
  };
}

function watched(terminal: Partial<Terminal>, messages: Messages = en) {
  const written: string[] = [];
  const time = fakeClock();
  const whole = { err: (piece: string) => void written.push(piece), errColour: false, width: 80, ...terminal } as Terminal;
  return { written, time, progress: createProgress(whole, messages, time) };
}

describe('progress', () => {
  it('draws at most ten times a second, and goes on counting seconds while nothing happens', () => {
    const { written, time, progress } = watched({ errWidth: 80, errHeight: 24 });
    progress.listener(started(codes(500)));
    for (let at = 0; at < 400; at++) {
      for (const each of folderEvents(`F${at}`, 'integrated')) progress.listener(each);
      time.go(5);
    }
    expect(written.length).toBeGreaterThan(15);
    expect(written.length).toBeLessThanOrEqual(20);
    const busy = written.length;
    time.go(10_000);
    expect(written.length - busy).toBeGreaterThanOrEqual(9);
    expect(written.length - busy).toBeLessThanOrEqual(21);
    progress.end();
    expect(time.timers).toBe(0);
  });

  it('leaves the screen to the summary, or its last lines where the summary goes elsewhere', () => {
    for (const width of [80, undefined]) {
      const screen = memoryScreen(80, 24);
      const time = fakeClock();
      const terminal = { err: screen.write, errWidth: 80, errHeight: 24, errColour: true, width } as Terminal;
      const progress = createProgress(terminal, en, time);
      progress.listener(started(codes(2)));
      for (const each of folderEvents('F1', 'failed')) progress.listener(each);
      time.go(200);
      progress.end();
      expect(screen.lines().some((line) => line.includes('✗ F1'))).toBe(width === undefined);
      expect(screen.cursor().column).toBe(0);
    }
  });

  it('says what stays above the block, and keeps its place below', () => {
    const screen = memoryScreen(80, 24);
    const time = fakeClock();
    const terminal = { err: screen.write, errWidth: 80, errHeight: 24, errColour: false, width: 80 } as Terminal;
    const progress = createProgress(terminal, en, time);
    progress.listener(started(codes(4)));
    time.go(200);
    progress.say('Stopping.');
    for (const each of folderEvents('F1', 'integrated')) progress.listener(each);
    time.go(200);
    expect(screen.lines()[0]).toBe('Stopping.');
    expect(screen.lines().filter((line) => line.includes('/4 folders'))).toHaveLength(1);
    progress.end();
    expect(screen.lines()).toEqual(['Stopping.']);
  });

  it('writes nothing where nothing was run', () => {
    const { written, time, progress } = watched({ errWidth: 80, errHeight: 24 });
    time.go(5_000);
    progress.end();
    expect(written).toEqual([]);
  });

  it('is a line per folder with its time where there is no terminal, failures and scripts with what came of them', () => {
    const { written, time, progress } = watched({ errWidth: undefined, errHeight: undefined });
    const script: RunEvent = {
      kind: 'script-run',
      folder: 'F0',
      script: 'JOB',
      language: '4gl',
      state: 'done',
      exit: 0,
      output: '',
      ms: 12,
    };
    const events = [
      started(['F0', 'F1', 'F2']),
      ...folderEvents('F0', 'integrated'),
      script,
      ...folderEvents('F1', 'failed'),
      { kind: 'folder-finished', folder: 'F2', state: 'unchanged' } as const,
    ];
    for (const each of events) {
      time.go(500);
      progress.listener(each);
    }
    progress.end();
    expect(written).toEqual([
      '2026-01-02 03:04:05  Integrating 1 patch in 3 folders\n',
      '2026-01-02 03:04:07  1/3 F0: integrated, 1 patch, 1.0 s\n',
      '2026-01-02 03:04:07  F0 JOB (4gl): run · 12 ms\n',
      expect.stringMatching(/^2026-01-02 03:04:08 {2}F1 A\.dat: failed – .*bpcustomer stayed locked by psql/),
      '2026-01-02 03:04:09  2/3 F1: failed, 1.0 s\n',
      '2026-01-02 03:04:09  3/3 F2: unchanged\n',
    ]);
  });
});

describe('the width of text', () => {
  it.each([
    ['abc', 3],
    ['客戶', 4],
    ['e\u0301', 1],
    ['👩‍👩‍👧‍👦', 2],
    ['🇫🇷', 2],
    ['✗ ✓ ▸ █', 7],
    ['ｆｕｌｌ', 8],
    ['\u200b', 0],
  ])('%s takes %i columns', (shown, width) => expect(widthOf(shown)).toBe(width));

  it('cuts between what people see as characters, never wider than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 0, max: 30 }), (whole, width) => {
        const shown = cut(whole, width);
        expect(widthOf(shown)).toBeLessThanOrEqual(width);
        if (widthOf(whole) <= width) expect(shown).toBe(width === 0 ? '' : whole);
      }),
    );
    expect(cut('客戶表', 4)).toBe('客…');
    expect(cut('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  });
});
