// The command line over a Rustine that only remembers what it was asked: language, documents, exit codes, usage.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckOutcome } from '../../src/app/checks.ts';
import type { Settings } from '../../src/app/config.ts';
import type { FolderView, IntegrateOptions, Rustine } from '../../src/app/rustine.ts';
import type { ValidationOutcome } from '../../src/app/validations.ts';
import { Failure, Refusal } from '../../src/base/errors.ts';
import { run } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { NO_LINES } from '../../src/dictionary/merge-result.ts';
import type { KeptEntry } from '../../src/environment/kept.ts';
import type { JournalEntry } from '../../src/journal/journal.ts';
import { emptyOutcome, type FolderOutcome, NO_ELEMENTS, type PatchOutcome, type RunOutcome } from '../../src/journal/outcome.ts';
import type { RunRecord } from '../../src/journal/trace.ts';

const X3: FolderView = {
  code: 'X3',
  parent: null,
  state: 'ready',
  level: { P_140: 12 },
  lag: [],
  due: false,
  languages: ['FRA', 'ENG'],
  activityCodes: [],
  activitySizes: {},
  legislations: [],
  modules: null,
  reasons: [],
  test: false,
  specific: false,
  historyOf: null,
  schema: 'x3',
  role: 'rustine_x3',
  tables: 4,
  patches: 2,
  server: null,
};
const SEED: FolderView = { ...X3, code: 'SEED', parent: 'X3', lag: ['P_0013_140.dat'], due: true, role: null };

const patch: PatchOutcome = {
  file: 'ZCLIENT.dat',
  state: 'integrated',
  elements: { ...NO_ELEMENTS, created: 3, ignored: 2 },
  lines: { ...NO_LINES, created: 30, ignored: 2 },
  tables: { created: ['zclienth'], altered: [], removed: [], changes: [] },
  scripts: { installed: 2, run: 0 },
  rows: { inserted: 1, updated: 0, deleted: 0 },
  ran: [],
  pending: ['SUBSLC'],
  ms: 41,
};
const folder = (code: string, more: Partial<FolderOutcome> = {}): FolderOutcome => ({
  folder: code,
  state: 'integrated',
  due: false,
  patches: [patch],
  ...more,
});
const OPEN_RUN = {
  run: '4f3a0000-0000-4000-8000-000000000000',
  mode: 'integrate',
  state: 'running',
  operator: 'alice',
  host: 'db1',
  startedAt: '2026-01-02T03:04:05.678Z',
  finishedAt: null,
  files: ['ZCLIENT.dat'],
  counts: { waiting: 2, integrated: 1, postponed: 1 },
  cancelRequestedBy: null,
  cancelReason: null,
};
const RUN_FOLDERS = [
  { folder: 'X3', wave: 0, state: 'integrated', attempts: 1, startedAt: '2026-01-02T03:04:06.000Z', blocker: null },
  {
    folder: 'SEED',
    wave: 1,
    state: 'postponed',
    attempts: 3,
    startedAt: '2026-01-02T03:04:07.000Z',
    blocker: { role: 'bob', application: 'psql\u001b[2J', pid: 7, since: '' },
  },
];
const NO_TASKS = { runs: 0, tasks: 0, workers: 0, shut: 0 };
const DONE: RunOutcome = {
  run: 'r1',
  mode: 'integrate',
  state: 'done',
  findings: [],
  folders: [folder('X3'), folder('SEED', { due: true })],
};
const ignored = (code: string) =>
  ({
    code: 'element-ignored',
    severity: 'warn',
    folder: code,
    patch: 'ZCLIENT.dat',
    subject: 'ATB:ZCLIENTH',
    facts: { element: 'ATB:ZCLIENTH', code: 'ZALI', option: '--authorize ZALI' },
  }) as const;
const REFUSED: RunOutcome = {
  ...DONE,
  state: 'refused',
  folders: [folder('X3', { state: 'skipped', patches: [] })],
  findings: [
    ignored('X3'),
    { code: 'directory-foreign', severity: 'block', subject: '/patches', facts: { directory: 'patches', names: ['readme.txt'] } },
    ignored('SEED'),
  ],
};

const KEPT: KeptEntry = {
  id: 12,
  folder: 'SEED',
  at: '2026-01-02T03:04:05Z',
  file: 'ZCLIENT.dat',
  by: 'alice',
  table: 'item',
  kind: 'columns',
  columns: { old_0: 'varchar(20)' },
  rows: 30,
  why: 'dropped',
  restored: null,
};
const COSTS: PatchOutcome['tables'] = {
  created: [],
  altered: ['item'],
  removed: ['box'],
  changes: [
    { table: 'item', step: 'retype-column', column: 'num_0', rewrites: true, lock: 'access-exclusive', rows: 12 },
    { table: 'item', step: 'create-index', index: 'item_itm1', rewrites: false, lock: 'share', rows: 12 },
    { table: 'box', step: 'remove-table', rewrites: false, lock: 'access-exclusive', rows: null },
  ],
};
const RUN: RunRecord = {
  run: '7b93a6d5-ebea-41f5-9fba-d2379c6ef017',
  mode: 'integrate',
  state: 'done',
  operator: 'alice',
  host: 'db1',
  from: 'X3',
  startedAt: '2026-01-02T03:04:01.000Z',
  finishedAt: '2026-01-02T03:04:05.700Z',
  files: ['ZCLIENT.dat'],
  authorized: ['ZVIP'],
  forced: { sequence: 'the rest is on paper' },
  cancelRequestedBy: null,
  cancelReason: null,
  folders: 2,
};
const END: JournalEntry = { kind: 'run-finished', run: RUN.run, state: 'done', ms: 7, seq: 1, at: '2026-01-02T03:04:05.678Z' };
const NO_ROWS = { inserted: 0, updated: 0, deleted: 0 };
const NOTHING_ELSE = {
  steps: [],
  elements: NO_ELEMENTS,
  lines: NO_LINES,
  scripts: [],
  ran: [],
  rows: NO_ROWS,
  texts: 0,
  patches: [],
};
const VALIDATED: ValidationOutcome = {
  run: RUN.run,
  mode: 'validate',
  state: 'partial',
  findings: [{ code: 'blocked', severity: 'block', folder: 'SEED', facts: { codes: ['values-do-not-fit'] } }],
  folders: [
    {
      folder: 'X3',
      state: 'validated',
      due: true,
      reasons: ['languages'],
      settled: ['activity-code:KIT', 'modules'],
      ...NOTHING_ELSE,
      tables: COSTS,
      ms: 7,
    },
    {
      folder: 'SEED',
      state: 'failed',
      ...NOTHING_ELSE,
      due: true,
      reasons: ['modules'],
      settled: [],
      tables: { created: [], altered: [], removed: [], changes: [] },
      ms: 3,
      reason: { code: 'blocked', facts: { codes: ['values-do-not-fit'] } },
    },
  ],
};

const CLEAR: CheckOutcome = {
  state: 'clear',
  findings: [
    {
      code: 'already-integrated',
      severity: 'info',
      patch: 'A.dat',
      subject: 'A.dat',
      facts: { file: 'A.dat', folders: ['X3'], count: 1, everywhere: false },
    },
  ],
  folders: [
    { folder: 'X3', patches: [{ file: 'A.dat', task: 'already' }] },
    { folder: 'SEED', patches: [{ file: 'A.dat', task: 'integrate' }] },
  ],
};
const BLOCKED: CheckOutcome = {
  ...CLEAR,
  state: 'blocked',
  findings: [
    ...CLEAR.findings,
    {
      code: 'sequence-gap',
      severity: 'block',
      folder: 'SEED',
      patch: 'P_0003_140.dat',
      subject: 'P_0003_140.dat',
      facts: { file: 'P_0003_140.dat', needs: 'P_0002_140', has: '', lacks: ['P_0002_140.dat'] },
    },
    {
      code: 'content-changed',
      severity: 'warn',
      folder: 'SEED',
      patch: 'B.dat',
      facts: { file: 'B.dat', on: '2026-01-02', integrated: 'aa', now: 'bb', check: 'content', forced: 'sent anew', by: 'ann' },
    },
  ],
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly (readonly [string, ...unknown[]])[];
  readonly settings: readonly Settings[];
}

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rustine-cli-'));
});
afterEach(() => rmSync(home, { recursive: true }));

interface World {
  readonly env?: Record<string, string>;
  readonly width?: number;
  readonly errWidth?: number;
  readonly answers?: Partial<Record<keyof Rustine, unknown>>;
  readonly open?: () => never;
}

/** Runs the command line as a user would, with answers instead of an engine; an answer that is an error is thrown. */
async function cli(
  line: string | readonly string[],
  { env = {}, width, errWidth, answers = {}, open }: World = {},
): Promise<Ran> {
  const streams = { out: '', err: '' };
  const calls: [string, ...unknown[]][] = [];
  const settings: Settings[] = [];
  const answer =
    (name: keyof Rustine, usual: unknown) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      const given = answers[name] ?? usual;
      if (given instanceof Error) throw given;
      return given;
    };
  const rustine = {
    init: answer('init', { supervisor: X3, findings: [] }),
    missed: () => [],
    createFolders: answer('createFolders', { folders: [SEED], findings: [] }),
    folders: answer('folders', [X3, SEED]),
    folder: answer('folder', SEED),
    dropFolder: answer('dropFolder', undefined),
    integrate: answer('integrate', DONE),
    queue: answer('integrate', { ...DONE, state: 'queued', files: ['A.dat'], concerned: ['X3'], workers: 1 }),
    follow: async () => DONE,
    check: answer('check', CLEAR),
    validate: answer('validate', VALIDATED),
    recover: answer('recover', {
      runs: { settled: ['r1'], left: [] },
      logins: { settled: ['SEED'], left: [{ code: 'login-left-shut', severity: 'warn', folder: 'SHOP', facts: {} }] },
      staging: { settled: [], left: [] },
    }),
    latestRuns: answer('latestRuns', [RUN]),
    trace: answer('trace', { run: RUN, pages: [[END]] }),
    kept: answer('kept', [KEPT]),
    keptRows: answer('keptRows', {
      entry: KEPT,
      rows: [{ rowid: '7', key: { cod_0: 'A' }, old: { cod_0: 'A', nam_0: 'old' }, now: { cod_0: 'A', nam_0: 'new' } }],
    }),
    restoreKept: answer('restoreKept', {
      mode: 'restore',
      state: 'done',
      findings: [],
      restored: [{ id: 12, folder: 'SEED', table: 'item', rows: 2, columns: ['old_0'], whole: true }],
    }),
    purgeKept: answer('purgeKept', { purged: [KEPT], forgotten: [] }),
    rememberedPatches: answer('rememberedPatches', []),
    tasks: { waiting: async () => (answers.tasks ?? NO_TASKS) as typeof NO_TASKS },
    runs: { open: answer('runs', []), show: answer('runs', { run: OPEN_RUN, folders: [] }), cancel: answer('runs', OPEN_RUN) },
    databaseUrl: answer('databaseUrl', 'postgresql://x@localhost/r'),
    serverUrl: answer('serverUrl', 'postgresql://x@north/r'),
    close: answer('close', undefined),
  } as unknown as Rustine;
  const terminal: Terminal = {
    out: (text) => {
      streams.out += text;
    },
    err: (text) => {
      streams.err += text;
    },
    env: { RUSTINE_HOME: home, ...env },
    cwd: home,
    width,
    errWidth,
    errHeight: errWidth === undefined ? undefined : 24,
    errColour: false,
    colour: false,
    open: async (with_) => {
      settings.push(with_);
      return open === undefined ? rustine : open();
    },
    onInterrupt: () => () => undefined,
    stopDatabase: async () => 'stopped',
  };
  const code = await run(typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line, terminal);
  return { code, ...streams, calls, settings };
}

describe('help', () => {
  it('is English by default and names every command that exists', async () => {
    const { code, out, err } = await cli('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const command of ['init', 'folder', 'integrate', 'check', 'validate', 'status', 'cancel', 'log', 'kept', 'patch', 'db'])
      expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(out).toContain('Options:');
  });

  it.each(['--help --lang fr', '--lang fr --help', '--lang=fr --help'])('is French throughout with %s', async (line) => {
    const { out } = await cli(line);
    expect(out).toContain('Commandes :');
    expect(out).not.toMatch(/Options:|Usage:|Commands:|display help|show|<folder>|\[command\]/);
  });

  it.each([
    [{ LANG: 'fr_FR.UTF-8' }, true],
    [{ LC_ALL: 'C', LANG: 'fr_FR.UTF-8' }, false],
    [{ LC_ALL: '', LC_MESSAGES: 'fr', LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'frisian' }, false],
    [{ RUSTINE_LANG: 'fr' }, false],
  ])('follows the locale %o', async (env, french) => {
    const { out } = await cli('--help', { env: env as Record<string, string> });
    expect(out.includes('Commandes :')).toBe(french);
  });

  it.each([
    ['integrate --help', 'Arguments:'],
    ['help integrate', 'Arguments:'],
    ['folder create --help', '--history-of'],
    ['folder create --help', 'Options of every command:'],
  ])('%s shows %s', async (line, text) => {
    const { code, out } = await cli(line);
    expect(code).toBe(0);
    expect(out).toContain(text);
  });

  it('and version are documents too', async () => {
    expect(JSON.parse((await cli('--version --json')).out)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(JSON.parse((await cli('--help --json')).out)).toEqual({ help: expect.stringContaining('integrate') });
  });

  it('without a command goes to standard error, as usage', async () => {
    const { code, out, err } = await cli('');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Commands:');
  });
});

describe('bad usage', () => {
  it.each([
    ['integate x', { problem: 'unknown-command', value: 'integate', nearest: 'integrate', command: 'rustine' }],
    ['work X3', { problem: 'unknown-command', value: 'work' }],
    ['folder creat A', { problem: 'unknown-command', nearest: 'create', command: 'rustine folder' }],
    ['folder', { problem: 'missing-command', known: expect.arrayContaining(['create', 'list']) }],
    ['integrate', { problem: 'missing-argument', value: 'path' }],
    ['integrate x --atomically', { problem: 'unknown-option', value: '--atomically', command: 'rustine integrate' }],
    ['integrate x --wait 5', { problem: 'duration', option: '--wait', value: '5' }],
    ['integrate x --wait 0s', { problem: 'duration', value: '0s' }],
    ['integrate x --wait 30m1h', { problem: 'duration' }],
    ['integrate x --wait 600h', { problem: 'duration' }],
    ['integrate x --wait', { problem: 'missing-value', value: '--wait' }],
    ['integrate x --bath', { problem: 'unknown-option', nearest: '--batch' }],
    ['integrate x --follow', { problem: 'follow-batch' }],
    ['task add patch SEED', { problem: 'choice' }],
    ['task cancel x', { problem: 'positive-number' }],
    ['worker --kinds accounting,odd', { problem: 'choice', value: 'odd' }],
    ['integrate x --folder A', { problem: 'unknown-option', nearest: '--folders' }],
    ['integrate x --folders', { problem: 'missing-value', value: '--folders' }],
    ['integrate x --folders ,', { problem: 'empty-list', option: '--folders', command: 'rustine integrate' }],
    ['integrate x --on-error ignore', { problem: 'choice', known: ['continue', 'stop'] }],
    ['integrate x --jobs 0', { problem: 'positive-number', value: '0' }],
    ['integrate x --jobs two', { problem: 'positive-number', value: 'two' }],
    ['integrate x --force sequence', { problem: 'force-reason', value: 'sequence' }],
    ['integrate x --force sequence=', { problem: 'force-reason' }],
    ['init extra', { problem: 'too-many-arguments', value: 'extra', command: 'rustine init' }],
    ['folder drop SEED', { problem: 'confirm-drop', folder: 'SEED' }],
    ['status --lang de', { problem: 'choice', option: '--lang', value: 'de' }],
  ])('%s is refused with facts, and nothing is opened', async (line, facts) => {
    for (const language of ['en', 'fr']) {
      const { code, out, calls, settings } = await cli(`${line} --json`, { env: { LANG: language } });
      expect(code).toBe(2);
      const { error } = JSON.parse(out);
      expect(error).toMatchObject({ code: 'usage', ...facts });
      expect(error.message).toMatch(language === 'en' ? /See `rustine/ : /Voir `rustine/);
      expect(error.message).not.toMatch(/\?(?! )[^`]*undefined|undefined|usage \(/);
      expect([calls, settings]).toEqual([[], []]);
    }
  });

  it('writes for people to standard error only', async () => {
    const { code, out, err } = await cli('frob');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe('rustine: There is no command "frob". See `rustine --help`.\n');
  });

  it.each([
    'folder show 9X',
    'folder create A-B',
    'integrate x --folders A,B_',
    'status --from 1',
    'integrate x --authorize z-1',
    'init --languages FR',
  ])('%s is refused for its code', async (line) => {
    const { code, out, calls } = await cli(`${line} --json`);
    expect([code, JSON.parse(out).error.code]).toEqual([2, expect.stringMatching(/-code$/)]);
    expect(calls.filter(([name]) => name !== 'close')).toEqual([]);
  });
});

describe('the options of every command', () => {
  it.each([
    '--home h --from seed --lang fr folder list',
    'folder list --home h --from seed --lang fr',
    'folder --home h list --lang fr --from seed',
  ])('may stand anywhere: %s', async (line) => {
    const { settings } = await cli(line);
    expect(settings).toEqual([{ home: join(home, 'h'), from: 'SEED', language: 'fr' }]);
  });

  it('come from the environment too, and the command line wins', async () => {
    const env = { RUSTINE_HOME: join(home, 'e'), RUSTINE_DATABASE_URL: 'postgresql://a/b' };
    expect((await cli('status', { env })).settings[0]).toMatchObject({ home: join(home, 'e'), database: 'postgresql://a/b' });
    expect((await cli('status --database postgres://c/d --home f', { env })).settings[0]).toMatchObject({
      home: join(home, 'f'),
      database: 'postgres://c/d',
    });
  });

  it('speak the language of rustine.yaml where nothing else says one', async () => {
    writeFileSync(join(home, 'rustine.yaml'), 'language: fr\n');
    expect((await cli('status')).out).toContain('dossier');
    expect((await cli('status --lang en')).out).toContain('folder');
  });
});

describe('folders', () => {
  it('are listed with level and lag', async () => {
    const { code, out, calls } = await cli('folder list');
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toMatch(/^folder\s+parent\s+state\s+due\s+level\s+lag/);
    expect(out).toMatch(/^SEED\s+X3\s+ready\s+yes\s+P_140: 12\s+1\s/m);
    expect(calls.map(([name]) => name)).toEqual(['folders', 'close']);
  });

  it.each(['folder list --json', 'status --json'])('are a document: %s', async (line) => {
    const { out, err } = await cli(line);
    const next = [[], ['rustine integrate P_0013_140.dat --folders SEED']];
    const status = line.startsWith('status');
    expect(JSON.parse(out)).toEqual({
      folders: [X3, SEED].map((view, at) => (status ? { ...view, next: next[at] } : view)),
      ...(status ? { runs: [], batch: NO_TASKS, findings: [] } : {}),
    });
    expect(err).toBe('');
  });

  it('fit the width of the terminal', async () => {
    const wide = { ...SEED, level: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`P_${n}`, n])) };
    const { out } = await cli('folder list', { width: 70, answers: { folders: [X3, wide] } });
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(70);
    expect(out).toContain('…');
  });

  it('that are due are named by status', async () => {
    expect((await cli('status')).out).toContain('`rustine integrate P_0013_140.dat --folders SEED`');
    expect((await cli('folder show SEED')).out).toContain('`rustine integrate P_0013_140.dat --folders SEED`');
    expect((await cli('status', { answers: { folders: [X3] } })).out).toContain('All folders are in line');
  });

  it('R34: are named after a run from the queue that was followed, too', async () => {
    const lacks = '`rustine integrate P_0013_140.dat --folders SEED`';
    expect((await cli('integrate A.dat --batch --follow')).out).toContain(lacks);
    expect((await cli('integrate A.dat --batch --follow --quiet')).out).not.toContain(lacks);
  });

  it('are shown with what is queued, and whether anybody will do it', async () => {
    const tasks = { runs: 1, tasks: 2, workers: 0, shut: 0 };
    expect((await cli('status', { answers: { tasks } })).out).toContain(
      '1 run and 2 other tasks queued, no worker: they wait until `rustine worker` starts one',
    );
    expect((await cli('status', { answers: { tasks: { ...tasks, workers: 3 } } })).out).toContain('3 workers at work');
    expect((await cli('status')).out).not.toContain('Batch server');
    const shut = async (more: object) => (await cli('status', { answers: { tasks: { ...tasks, ...more } } })).out;
    expect(await shut({ shut: 5 })).toContain('Nobody is let into 5 folders until then; `rustine cancel RUN` ends the run');
    expect(await shut({ shut: 5, workers: 1 })).not.toContain('Nobody is let');
    expect(await shut({})).not.toContain('Nobody is let');
  });

  it('are shown with the runs at work', async () => {
    const open = await cli('status', { answers: { runs: [OPEN_RUN] } });
    expect(open.out).toMatch(
      /Run 4f3a\S+ of alice on db1 since 2026-01-02 03:04:05 UTC, with ZCLIENT.dat: running \(2 waiting, 1 integrated, 1 postponed\)/,
    );
    const asked = await cli('status', {
      answers: { runs: [{ ...OPEN_RUN, cancelRequestedBy: 'bob', cancelReason: 'panne' }] },
      env: { LANG: 'fr' },
    });
    expect(asked.out).toMatch(/Exécution 4f3a.* : en cours \(2 en attente.*\n.*bob a demandé son arrêt \(panne\)/);
    expect(JSON.parse((await cli('status --json', { answers: { runs: [OPEN_RUN] } })).out)).toMatchObject({
      folders: [{}, {}],
      runs: [OPEN_RUN],
    });
    const one = await cli('status --run 4f3a', { answers: { runs: { run: OPEN_RUN, folders: RUN_FOLDERS } } });
    expect(one.calls[0]).toEqual(['runs', '4f3a']);
    expect(one.out).toMatch(/SEED +2 +postponed +3 +2026-01-02 03:04:07 UTC +psql\ufffd\[2J as bob, pid 7/);
  });

  it('are left alone by a run that is stopped: by its number, or as the only one', async () => {
    expect((await cli('cancel')).calls[0]).toEqual(['runs', undefined, undefined]);
    const { out, calls } = await cli('cancel 4f3a --lang fr');
    expect(calls[0]).toEqual(['runs', '4f3a', undefined]);
    const waiting = await cli('cancel', { answers: { runs: { ...OPEN_RUN, state: 'waiting' } } });
    expect(waiting.out).toMatch(/asked to stop: it only waits for others/);
    expect((await cli(['cancel', '--reason', 'wrong delivery'])).calls[0]).toEqual(['runs', undefined, 'wrong delivery']);
    expect(out).toMatch(/L'arrêt de l'exécution 4f3a.* est demandé/);
    expect(JSON.parse((await cli('cancel --json')).out)).toEqual({ run: OPEN_RUN });
  });

  it('are created with checked settings', async () => {
    const { calls, out } = await cli(
      'folder create seed test01 --parent x3 --test --languages fra,eng --activity-codes zali --history-of old',
    );
    expect(calls[0]).toEqual([
      'createFolders',
      ['SEED', 'TEST01'],
      { parent: 'X3', test: true, languages: ['FRA', 'ENG'], activityCodes: ['ZALI'], historyOf: 'OLD' },
    ]);
    expect(out).toBe('Folder SEED created.\n');
    expect((await cli('folder create seed --quiet')).out).toBe('');
    expect(JSON.parse((await cli('folder create seed --json')).out)).toEqual({ folders: [SEED], findings: [] });
  });

  it('are shown and dropped one by one', async () => {
    expect(JSON.parse((await cli('folder show seed --json')).out)).toEqual(SEED);
    expect((await cli('folder show seed')).out).toMatch(/^role\s+none \(the database user/m);
    expect((await cli('folder drop seed --yes --json')).calls[0]).toEqual(['dropFolder', 'SEED']);
  });

  it('begin with the supervisor folder', async () => {
    const { calls, out } = await cli('init --supervisor paye --languages FRA');
    expect(calls[0]).toEqual(['init', { supervisor: 'PAYE', languages: ['FRA'] }]);
    expect(out).toContain('supervisor folder is X3');
  });
});

describe('recover', () => {
  const nothing = { settled: [], left: [] };

  it('says what it settled and what is left, in both languages and as a document', async () => {
    const { code, out } = await cli('recover');
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/1 run \(r1\)\nLogins let in again: SEED\nThe login of folder SHOP stays shut: .*/),
    ]);
    expect((await cli('recover --lang fr')).out).toMatch(/1 exécution marquée interrompue \(r1\)\nConnexions rouvertes : SEED\n/);
    expect(JSON.parse((await cli('recover --json')).out)).toEqual({
      settled: { runs: ['r1'], logins: ['SEED'], staging: [] },
      left: {
        runs: [],
        logins: [
          { code: 'login-left-shut', severity: 'warn', folder: 'SHOP', message: expect.stringContaining('SHOP'), facts: {} },
        ],
        staging: [],
      },
    });
  });

  it('says so where nothing is left to settle', async () => {
    const answers = { recover: { runs: nothing, logins: nothing, staging: nothing } };
    expect(await cli('recover', { answers })).toMatchObject({ code: 0, out: 'Nothing is left to settle.\n' });
    expect((await cli('recover --quiet', { answers })).out).toBe('');
  });
});

describe('check', () => {
  it('asks for the checks alone, with the options that count for them', async () => {
    const { calls, code } = await cli('check a b --folders seed --authorize zali --force sequence=withdrawn --jobs 3');
    expect([code, calls[0]]).toEqual([
      0,
      [
        'check',
        {
          paths: ['a', 'b'],
          folders: ['SEED'],
          authorize: ['ZALI'],
          force: [{ check: 'sequence', reason: 'withdrawn' }],
          jobs: 3,
        },
      ],
    ]);
    expect((await cli('check a --folders all')).calls[0]?.[1]).toEqual({ paths: ['a'] });
  });

  it('says in a line what a run would do', async () => {
    expect((await cli('check a')).out).toContain('Nothing blocks: 1 patch for 1 folder.');
    expect((await cli('check a --lang fr')).out).toContain('Rien ne bloque : 1 patch pour 1 dossier.');
    const nothing = { ...CLEAR, folders: [{ folder: 'X3', patches: [{ file: 'A.dat', task: 'already' }] }] };
    expect((await cli('check a', { answers: { check: nothing } })).out).toContain('Nothing blocks, and nothing is to be done.');
    expect((await cli('check a --quiet')).out).toBe('');
  });

  it('leaves with 1 where something blocks, what is forced with author and reason', async () => {
    const { code, out } = await cli('check a', { answers: { check: BLOCKED } });
    expect(code).toBe(1);
    expect(out).toMatch(/SEED – P_0003_140.dat is out of sequence.* has P_0002_140.dat, which this folder lacks/);
    expect(out).toMatch(
      /B\.dat was integrated on 2026-01-02 with other content \(digest aa, now bb\)\. Forced \(content\) by ann: sent anew/,
    );
    expect(out).toContain('A run would be refused');
    const french = (await cli('check a --lang fr', { answers: { check: BLOCKED } })).out;
    expect(french).toMatch(/hors séquence.* a P_0002_140.dat, qui manque à ce dossier/);
    expect(french).toMatch(/Forcé \(content\) par ann : sent anew/);
    expect(french).toContain("L'intégration serait refusée");
    expect((await cli('check a --quiet', { answers: { check: BLOCKED } })).out).not.toContain('already');
  });

  it('gives a document, with a sentence per finding', async () => {
    const { code, out, err } = await cli('check a --json', { answers: { check: BLOCKED } });
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({
      state: 'blocked',
      findings: [
        { code: 'already-integrated', message: expect.stringContaining('A.dat is integrated already in 1 folder (X3)') },
        { code: 'sequence-gap', folder: 'SEED', facts: { lacks: ['P_0002_140.dat'] } },
        { code: 'content-changed', facts: { forced: 'sent anew' } },
      ],
      folders: BLOCKED.folders,
    });
  });

  it('needs a path and a reason', async () => {
    expect((await cli('check')).code).toBe(2);
    expect((await cli('check a --force sequence')).code).toBe(2);
  });
});

describe('integrate', () => {
  it('passes its options on', async () => {
    const { calls } = await cli([
      'integrate',
      'a.dat',
      'dir',
      '--folders',
      'x3,SEED',
      '--authorize',
      'zali',
      '--rehearse',
      '--on-error',
      'stop',
      '--jobs',
      '3',
      '--first',
      'SEED',
      '--wait',
      '10m',
      '--force',
      'sequence=the rest is on paper',
      '--force',
      'content = mended = by hand',
    ]);
    expect(calls[0]).toEqual([
      'integrate',
      {
        paths: ['a.dat', 'dir'],
        folders: ['X3', 'SEED'],
        authorize: ['ZALI'],
        mode: 'rehearse',
        onError: 'stop',
        jobs: 3,
        listener: expect.any(Function),
        cancel: expect.any(AbortSignal),
        abort: expect.any(AbortSignal),
        first: ['SEED'],
        waitMs: 600_000,
        force: [
          { check: 'sequence', reason: 'the rest is on paper' },
          { check: 'content', reason: 'mended = by hand' },
        ],
      },
    ]);
  });

  it('says how sessions are treated, with a time in hours, minutes and seconds', async () => {
    const given = async (options: string) => {
      const [, { waitMs, disconnect }] = (await cli(`integrate x ${options}`)).calls[0] as [string, IntegrateOptions];
      return [waitMs, disconnect];
    };
    expect(await given('--wait 30s')).toEqual([30_000, undefined]);
    expect(await given('--wait 1h30m --disconnect')).toEqual([5_400_000, true]);
    expect([await given('--wait 5m'), await given('--wait 5ms'), await given('')]).toEqual([
      [300_000, undefined],
      [5, undefined],
      [undefined, undefined],
    ]);
  });

  it('goes to all folders by default, and when told so', async () => {
    for (const line of ['integrate x', 'integrate x --folders all']) {
      expect((await cli(line)).calls[0]?.[1]).toMatchObject({ paths: ['x'], mode: 'integrate', listener: expect.any(Function) });
      expect((await cli(line)).calls[0]?.[1]).not.toHaveProperty('folders');
    }
  });

  it('takes the number of jobs from rustine.yaml', async () => {
    writeFileSync(join(home, 'rustine.yaml'), 'jobs: 7\n');
    expect((await cli('integrate x')).calls[0]?.[1]).toMatchObject({ jobs: 7 });
    expect((await cli('integrate x --jobs 2')).calls[0]?.[1]).toMatchObject({ jobs: 2 });
  });

  it.each([
    ['done', 0],
    ['partial', 1],
    ['refused', 2],
    ['failed', 3],
  ] as const)('that is %s leaves with %i', async (state, code) => {
    expect((await cli('integrate x', { answers: { integrate: { ...DONE, state } } })).code).toBe(code);
  });

  it('gives the document of the contract', async () => {
    const { out, err } = await cli('integrate x --json');
    expect(JSON.parse(out)).toEqual(DONE);
    expect(err).toBe('');
  });

  it('gives the whole document when it is refused, with a sentence per finding', async () => {
    for (const [language, sentence] of [
      ['en', /ATB:ZCLIENTH is ignored.*--authorize ZALI lets it in/],
      ['fr', /ATB:ZCLIENTH est ignoré.*--authorize ZALI/],
    ] as const) {
      const { code, out } = await cli(`integrate x --json --lang ${language}`, { answers: { integrate: REFUSED } });
      expect(code).toBe(2);
      expect(JSON.parse(out)).toMatchObject({
        run: 'r1',
        mode: 'integrate',
        state: 'refused',
        findings: [
          { ...ignored('X3'), message: expect.stringMatching(sentence) },
          { code: 'directory-foreign' },
          { folder: 'SEED' },
        ],
        folders: [{ folder: 'X3', state: 'skipped' }],
      });
    }
  });

  it('tells people blocks first, and the same finding of two folders once', async () => {
    const { out } = await cli('integrate x', { answers: { integrate: REFUSED } });
    const lines = out.split('\n');
    expect(lines[0]).toBe('1 problem that blocks');
    expect(lines[1]).toContain('patches holds more than patch files: readme.txt');
    expect(lines[2]).toBe('1 warning');
    expect(lines[3]).toContain('ZCLIENT.dat · folders X3, SEED – ATB:ZCLIENTH is ignored');
    expect(out).toContain('Refused: nothing was changed.');
    expect(out).not.toContain('41 ms');
  });

  it('sums up folders that fared alike in one line', async () => {
    const folders = Array.from({ length: 120 }, (_, n) => folder(`F${n}`, { patches: [{ ...patch, pending: [], ms: n }] }));
    const { out } = await cli('integrate x', { answers: { integrate: { ...DONE, folders } } });
    expect(out).toMatch(
      /^F0, F1, F2, F3 … \+116\s+integrated\s+1\s+3 new, 2 ignored\s+1 new\s+2 installed\s+1 inserted\s+119 ms$/m,
    );
    expect(out.split('\n').length).toBeLessThan(10);
  });

  it('R28: counts SQL scripts that were run, beside those that were installed', async () => {
    const runs = (installed: number, run_: number) =>
      folder('X3', { patches: [{ ...patch, scripts: { installed, run: run_ } }] });
    const shown = async (installed: number, run_: number) =>
      (await cli('integrate x', { answers: { integrate: { ...DONE, folders: [runs(installed, run_)] } } })).out;
    expect(await shown(0, 1)).toMatch(/^X3 +integrated .* 1 new +1 run +1 inserted/m);
    expect(await shown(2, 1)).toMatch(/^X3 +integrated .* 1 new +2 installed, 1 run +1 inserted/m);
  });

  it('shows a few findings of a kind, and all with --verbose', async () => {
    const findings = Array.from({ length: 40 }, (_, n) => ({
      ...ignored('X3'),
      subject: `ATB:T${n}`,
      facts: { ...ignored('X3').facts, element: `ATB:T${n}` },
    }));
    const answers = { integrate: { ...DONE, findings } };
    expect((await cli('integrate x', { answers })).out).toContain('… and 37 more like this');
    expect((await cli('integrate x --verbose', { answers })).out).toContain('ATB:T39');
  });

  it('R34: says what is due after it, also in folders that it left out', async () => {
    const folders = [X3, { ...SEED, lag: [], reasons: ['activity-code:KIT'] }, { ...SEED, code: 'LEFT', lag: [patch.file] }];
    const { out, calls } = await cli('integrate x', { answers: { folders } });
    expect(calls.map(([name]) => name)).toEqual(['integrate', 'folders', 'close']);
    expect(out).toContain('Due for validation: SEED (activity code KIT): `rustine validate SEED`');
    expect(out).toContain('`rustine integrate ZCLIENT.dat --folders LEFT`');
    const refused = await cli('integrate x', { answers: { folders, integrate: REFUSED } });
    const rehearsed = await cli('integrate x --rehearse', { answers: { folders, integrate: { ...DONE, mode: 'rehearse' } } });
    expect([refused.out, refused.calls.length]).toEqual([expect.not.stringContaining('rustine validate'), 2]);
    expect(rehearsed.out).toContain('Would be due for validation: SEED.');
    const lost = await cli('integrate x', { answers: { folders: new Failure('database-lost', { reason: 'gone' }) } });
    expect([lost.code, lost.out]).toEqual([0, expect.stringContaining('Done.')]);
  });

  it('says why a folder failed, once', async () => {
    const reason = {
      code: 'lock-timeout',
      facts: { folder: 'SEED', pids: ['7'], users: ['bob'], applications: ['psql'], since: ['09:15'], table: 'bpcustomer' },
    };
    const folders = [folder('X3'), folder('SEED', { state: 'failed', patches: [{ ...patch, state: 'failed', reason }] })];
    const failed: RunOutcome = { ...DONE, state: 'partial', folders };
    expect((await cli('integrate x', { answers: { integrate: failed } })).out).toContain(
      'table bpcustomer stayed locked by psql as bob, pid 7, since 09:15 for too long',
    );
    const told = {
      ...failed,
      findings: [{ code: reason.code, severity: 'block', folder: 'SEED', patch: patch.file, facts: reason.facts }],
    };
    expect((await cli('integrate x', { answers: { integrate: told } })).out.match(/stayed locked/g)).toHaveLength(1);
    expect(
      JSON.parse((await cli('integrate x --json', { answers: { integrate: failed } })).out).folders[1].patches[0].reason.message,
    ).toContain('stayed locked');
  });

  it('is silent with --quiet when all went well, and speaks up otherwise', async () => {
    expect(await cli('integrate x --quiet')).toMatchObject({ out: '', err: '' });
    expect((await cli('integrate x --quiet', { answers: { integrate: REFUSED } })).out).toMatch(/blocks[\s\S]*Refused/);
  });
});

describe('changes of tables', () => {
  const changed = { ...DONE, folders: [folder('X3', { patches: [{ ...patch, tables: COSTS }] })] };

  it('are told with what they cost in a rehearsal, and with --verbose', async () => {
    const lines = [
      'Changes of tables in folder X3:',
      '  item: changes the type of column num_0 – writes all rows anew, nobody reads or writes meanwhile, 12 rows',
      '  item: makes index item_itm1 – nobody writes meanwhile, 12 rows',
      '  box: puts the table aside – nobody reads or writes meanwhile',
    ].join('\n');
    expect((await cli('integrate p --rehearse', { answers: { integrate: { ...changed, mode: 'rehearse' } } })).out).toContain(
      lines,
    );
    expect((await cli('integrate p -v', { answers: { integrate: changed } })).out).toContain(lines);
    expect((await cli('integrate p', { answers: { integrate: changed } })).out).not.toContain('num_0');
    expect((await cli('integrate p -v --lang fr', { answers: { integrate: changed } })).out).toContain(
      '  box : met la table de côté – ni lecture ni écriture pendant ce temps',
    );
  });
});

describe('validate', () => {
  const asked = (options: object) => ({
    ...options,
    listener: expect.any(Function),
    cancel: expect.any(AbortSignal),
    abort: expect.any(AbortSignal),
  });

  it('takes folders or --due, not both and not none', async () => {
    expect((await cli('validate x3 SEED')).calls[0]).toEqual(['validate', asked({ folders: ['X3', 'SEED'] })]);
    expect((await cli('validate --due')).calls[0]).toEqual(['validate', asked({})]);
    const much =
      'validate SEED --preview --first seed --on-error stop --force sessions=ok --wait 1m --disconnect --jobs 3 --verbose';
    expect((await cli(much)).calls[0]).toEqual([
      'validate',
      asked({
        folders: ['SEED'],
        preview: true,
        differences: true,
        first: ['seed'],
        onError: 'stop',
        force: [{ check: 'sessions', reason: 'ok' }],
        waitMs: 60_000,
        disconnect: true,
        jobs: 3,
      }),
    ]);
    for (const line of ['validate', 'validate SEED --due']) {
      const { code, calls, err } = await cli(line);
      expect([code, calls]).toEqual([2, []]);
      expect(err).toContain('--due');
    }
  });

  it('says for each folder what changed and what it settled', async () => {
    const { code, out } = await cli('validate X3 SEED');
    expect(code).toBe(1);
    expect(out).toMatch(/X3 +validated +1 altered, 1 put aside +activity code KIT, modules +7 ms/);
    expect(out).toContain('Due for validation: X3 (languages), SEED (modules): `rustine validate X3 SEED`');
    expect(out).toContain('Validated in some folders only.');
    expect(
      (await cli('validate --due', { answers: { validate: { ...VALIDATED, state: 'done', findings: [], folders: [] } } })).out,
    ).toBe('No folder is due.\n');
  });

  it('gives the document', async () => {
    const document = JSON.parse((await cli('validate X3 SEED --json')).out);
    expect(document).toMatchObject({
      ...VALIDATED,
      findings: [{ code: 'blocked', message: expect.stringContaining('values-do-not-fit') }],
    });
    expect(document.folders[1].reason.message).toContain('values-do-not-fit');
  });
});

describe('errors', () => {
  it.each([
    [new Refusal('not-initialized', {}), 2],
    [new Failure('database-unreachable', { url: 'postgresql://h/d', reason: 'ECONNREFUSED' }), 3],
    [Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', syscall: 'write', path: '/x' }), 3],
    [new TypeError('x is not a function'), 70],
  ])('%s leaves with %i', async (error, code) => {
    const world = { answers: { folders: error } };
    const human = await cli('status', world);
    expect([human.code, human.out]).toEqual([code, '']);
    expect(human.err).toMatch(/^rustine: /);
    expect(human.err).not.toContain('    at ');
    expect(human.calls.map(([name]) => name)).toContain('close');
    const { out } = await cli('status --json', world);
    expect(Object.keys(JSON.parse(out))).toEqual(['error']);
    expect(JSON.parse(out).error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    if (code === 70) expect((await cli('status --verbose', world)).err).toContain('    at ');
  });

  it('of opening are told as well', async () => {
    const open = () => {
      throw new Refusal('catalog-newer', { found: 9, known: 3 });
    };
    expect(JSON.parse((await cli('db url --json', { open })).out).error).toMatchObject({
      code: 'catalog-newer',
      found: 9,
      known: 3,
    });
  });

  it('keep their message where a fact has the same name', async () => {
    const folders = new Failure('database-error', {
      sqlstate: '42P01',
      message: 'a fact of that name',
      reason: 'relation "x" does not exist',
      detail: '',
      hint: '',
      where: '',
    });
    const { error } = JSON.parse((await cli('status --json', { answers: { folders } })).out);
    expect(error).toMatchObject({
      code: 'database-error',
      sqlstate: '42P01',
      message: expect.stringMatching(/SQLSTATE 42P01.*relation "x"/),
    });
  });

  it('cannot steer the terminal', async () => {
    const folder = new Refusal('folder-unknown', { folder: '\u001b[31mX\u202e', known: ['\u0007A'] });
    const { err } = await cli('folder show x', { answers: { folder } });
    for (const steering of ['\u001b', '\u0007', '\u202e']) expect(err).not.toContain(steering);
  });
});

describe('kept', () => {
  it('lists what was put aside, whether or not one says list', async () => {
    for (const line of ['kept --folder seed --table ITEM', 'kept list --folder seed --table ITEM']) {
      const { out, calls } = await cli(line);
      expect(calls[0]).toEqual(['kept', { folder: 'seed', table: 'ITEM' }]);
      expect(out).toMatch(
        /^12\s+SEED\s+2026-01-02 03:04\s+ZCLIENT.dat\s+item\s+old_0 varchar\(20\)\s+30\s+no longer defined\s+-$/m,
      );
    }
    expect(JSON.parse((await cli('kept --json')).out)).toEqual({ remembered: [], kept: [KEPT] });
    expect((await cli('kept --lang fr', { answers: { kept: [] } })).out).toBe("Rien n'est mis de côté.\n");
  });

  it('shows old values beside those of now', async () => {
    const { out, calls } = await cli('kept show 12 --limit 1');
    expect(calls[0]).toEqual(['keptRows', 12, 1]);
    expect(out).toMatch(/^A\s+nam_0\s+old\s+new$/m);
    expect(out).toContain('29 rows more');
    expect(JSON.parse((await cli('kept show 12 --json')).out)).toMatchObject({ entry: KEPT, rows: [{ rowid: '7' }] });
  });

  it('puts back all or none, and leaves with 2 when refused', async () => {
    const done = await cli('kept restore 12 13 12 --overwrite --rehearse');
    expect([done.code, done.calls[0]]).toEqual([0, ['restoreKept', [12, 13], { overwrite: true, rehearse: true }]]);
    expect(done.out).toContain('12: SEED item: 2 rows put back, columns added again: old_0');
    const facts = { kept: 12, table: 'item', index: 'item_itm0', count: 1, keys: ['A'] };
    const refused = {
      mode: 'restore',
      state: 'refused',
      findings: [{ code: 'kept-key-taken', severity: 'block', folder: 'SEED', subject: 'ATB:ITEM', facts }],
      restored: [],
    };
    for (const [language, sentence] of [
      ['en', /1 row \(A\) has a key of index item_itm0[\s\S]*Refused: nothing was changed/],
      ['fr', /1 ligne \(A\) a une clé de l'index item_itm0[\s\S]*Refusé : rien n'a changé/],
    ] as const) {
      const { code, out } = await cli(`kept restore 12 --lang ${language}`, { answers: { restoreKept: refused } });
      expect(code).toBe(2);
      expect(out).toMatch(sentence);
    }
  });

  it.each([
    ['kept purge', 'purge-what'],
    ['kept purge --folder seed --yes', 'purge-what'],
    ['kept purge 12 --folder seed --before 2026-01-01 --yes', 'purge-what'],
    ['kept purge 12', 'confirm-purge'],
    ['kept purge --folder seed --before 2026-02-30 --yes', 'day'],
    ['kept purge 1x --yes', 'positive-number'],
    ['kept restore', 'missing-argument'],
    ['kept nonsense', 'too-many-arguments'],
  ])('%s is refused', async (line, problem) => {
    const { code, out, calls } = await cli(`${line} --json`);
    expect([code, calls, JSON.parse(out).error.problem]).toEqual([2, [], problem]);
  });

  it('R27: does not say that it put back what found no place', async () => {
    const entry = { id: 12, folder: 'SEED', table: 'item', rows: 0, columns: [], whole: false };
    const end = async (restored: readonly object[], mode = 'restore') =>
      (await cli('kept restore 12', { answers: { restoreKept: { mode, state: 'done', findings: [], restored } } })).out
        .trimEnd()
        .split('\n')
        .at(-1);
    expect(await end([entry])).toMatch(/^Nothing was put back/);
    expect(await end([entry], 'rehearse')).toMatch(/nothing would be put back/);
    expect(await end([entry, { ...entry, id: 13, rows: 2, whole: true }])).toMatch(/^Put back in part/);
    expect(await end([{ ...entry, whole: true }])).toBe('Put back.');
  });

  it('removes for good on request only', async () => {
    expect((await cli('kept purge 12 13 --yes')).calls[0]).toEqual(['purgeKept', { ids: [12, 13] }]);
    const { calls, out } = await cli('kept purge --folder seed --before 2026-01-31 --yes');
    expect([calls[0], out]).toEqual([['purgeKept', { folder: 'seed', before: '2026-01-31' }], '1 entry removed for good.\n']);
  });
});

describe('the rest', () => {
  it('R33: log tells what was asked, forced checks among it, and what happened line by line', async () => {
    const { out, calls } = await cli('log 7b93');
    expect(calls[0]).toEqual(['trace', '7b93', {}]);
    expect(out).toMatch(/^run +7b93a6d5-ebea-41f5-9fba-d2379c6ef017$/m);
    expect(out).toMatch(/^forced +sequence: the rest is on paper$/m);
    expect(out.split('\n').slice(-3)).toEqual(['', '2026-01-02 03:04:05  done (7 ms)', '']);
    expect(JSON.parse((await cli('log 7b93 --json')).out)).toEqual({ ...RUN, entries: [END] });
    const lines = (await cli('log 7b93 --format jsonl')).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ kind: 'run', ...RUN }, END]);
  });

  it('log does not repeat for each patch what the finding before it has said', async () => {
    const facts = { patch: 'A.dat', supervisor: 'X3' };
    const place = { folder: 'SEED', patch: 'A.dat' };
    const left: JournalEntry = {
      kind: 'finding',
      finding: { code: 'folder-left-behind', severity: 'warn', ...place, facts },
      seq: 1,
      at: END.at,
    };
    const skipped = { ...emptyOutcome('A.dat', 'skipped', 0), reason: { code: 'folder-left-behind', facts } };
    const failed = { ...emptyOutcome('B.dat', 'failed', 0), reason: { code: 'database-lost', facts: {} } };
    const entries: readonly JournalEntry[] = [
      left,
      { kind: 'patch-finished', folder: 'SEED', outcome: skipped, seq: 2, at: END.at },
      { kind: 'patch-finished', folder: 'SEED', outcome: failed, seq: 3, at: END.at },
    ];
    const { out } = await cli('log 7b93', { answers: { trace: { run: RUN, pages: [entries] } } });
    expect(out.match(/no folder gets ahead of it/g)).toHaveLength(1);
    expect(out).toMatch(/SEED A\.dat: skipped · 0 ms – folder-left-behind$/m);
    // No finding tells of an error: its line does.
    expect(out).toMatch(/SEED B\.dat: failed · 0 ms – The connection/);
  });

  it('log without a run lists the latest ones; an option about a trace means the last one', async () => {
    const { out, calls } = await cli('log');
    expect(calls[0]).toEqual(['latestRuns', 20]);
    expect(out).toMatch(/^7b93a6d5 +2026-01-02 03:04 +alice +integration +done +2 +ZCLIENT\.dat$/m);
    expect(JSON.parse((await cli('log --json --limit 3')).out)).toEqual({ runs: [RUN] });
    expect((await cli('log --folder seed --follow')).calls[0]).toEqual(['trace', 'last', { folder: 'seed', follow: true }]);
    expect((await cli('log', { answers: { latestRuns: [] } })).out).toBe('Nothing was run here yet.\n');
    expect(await cli('log last --json --format jsonl')).toMatchObject({ code: 2, calls: [] });
  });

  it('log writes to a new file, never over one that is there', async () => {
    const done = await cli('log 7b93 --output trace.txt');
    expect(done).toMatchObject({ code: 0, out: `1 entry written to ${join(home, 'trace.txt')}.\n` });
    const written = readFileSync(join(home, 'trace.txt'), 'utf8');
    expect(written).toContain('2026-01-02 03:04:05  done (7 ms)\n');
    const again = await cli('log 7b93 --output trace.txt --json');
    expect([again.code, JSON.parse(again.out).error.code]).toEqual([2, 'output-exists']);
    expect(readFileSync(join(home, 'trace.txt'), 'utf8')).toBe(written);
    const json = await cli('log 7b93 --output trace.json --json');
    expect(JSON.parse(json.out)).toEqual({ run: RUN.run, path: join(home, 'trace.json'), entries: 1 });
    expect(JSON.parse(readFileSync(join(home, 'trace.json'), 'utf8'))).toEqual({ ...RUN, entries: [END] });
    expect((await cli('log 7b93 --output no/such/trace.txt')).code).toBe(3);
  });

  it('db gives the URL and stops', async () => {
    expect((await cli('db url')).out).toBe('postgresql://x@localhost/r\n');
    expect((await cli('db url --folder seed')).calls[0]).toEqual(['databaseUrl', 'SEED']);
    expect((await cli('db url --server north')).calls[0]).toEqual(['serverUrl', 'north']);
    expect((await cli('db url --server north --folder seed')).code).toBe(2);
    expect((await cli('status --verify --run last')).code).toBe(2);
    expect(JSON.parse((await cli('db stop --json')).out)).toEqual({ state: 'stopped' });
  });

  it('patch show tells what a file holds', async () => {
    const file = join(home, 'ZA.dat');
    writeFileSync(
      file,
      '1,"","FRA/ENG","1","ZALI","X3","3",\n2,"ACV","ZALI","Été"\n3,"ACV",ZALI\n4,"CODACT",0,"ZALI"\n6,"ACV"\n7,"ACV","ZALI","Été"\n8,""\n',
    );
    const { out } = await cli('patch show ZA.dat');
    expect(out).toContain('ZA.dat: specific patch from folder X3, languages FRA, ENG, authorises activity codes ZALI');
    expect(out).toMatch(/^ACV\s+ZALI\s+ACV 1\s+Été$/m);
    expect(JSON.parse((await cli(`patch show ${file} --json`)).out)).toMatchObject({
      file: 'ZA.dat',
      header: { type: '3', languages: ['FRA', 'ENG'], activityCodes: ['ZALI'], folder: 'X3' },
      elements: [{ type: 'ACV', name: 'ZALI', title: 'Été', records: { ACV: 1 } }],
    });
  });

  it('patch show says where a damaged file breaks', async () => {
    writeFileSync(join(home, 'ZB.dat'), '1,"","FRA","1","","X3","1",\n2,"ACV","ZALI",""\n');
    const { code, out, err } = await cli('patch show ZB.dat --lang fr --json');
    expect(code).toBe(2);
    expect(JSON.parse(out).error).toMatchObject({ code: 'patch-format', file: 'ZB.dat', line: 3 });
    expect(err).toContain('ZB.dat, ligne 3');
    expect(err).toContain('la fin du fichier');
  });

  it('R10: of a zip says that it is to be unpacked, not that it is damaged', async () => {
    writeFileSync(join(home, 'z.zip'), Buffer.from('PK\u0003\u0004\u0014\u0000\u0000\u0000', 'latin1'));
    const english = await cli('patch show z.zip');
    expect([english.code, english.err]).toEqual([2, expect.stringContaining('z.zip is a zip, not a patch file. Unpack it')]);
    expect(english.err).not.toContain('damaged');
    expect((await cli('patch show z.zip --lang fr')).err).toContain('Décompressez-le et donnez le répertoire');
  });
});
