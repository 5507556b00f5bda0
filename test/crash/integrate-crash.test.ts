// R30: a crash anywhere leaves each folder before or after each patch, never between, and running again continues to the same end.
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { cloneDatabase, openEnvironment, queryAt } from '../support/environment.ts';
import type { Environment } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import type { Element } from '../support/patches.ts';
import { activityCode, any, bare, compiled, exe, rows, script, table, texts, writePatchFile } from '../support/patches.ts';
import { everyServer, servers } from '../support/servers.ts';

/** How many runs are killed at a random moment; more: RUSTINE_CRASH_RUNS=500, other moments: RUSTINE_CRASH_SEED=7. */
const RUNS = Number(process.env.RUSTINE_CRASH_RUNS ?? '12');
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

// --- what is integrated -----------------------------------------------------------------------------------------------------------------

const FIELDS = { COD: 'A:10', DES: 'A:30', QTY: 'DCB:9.3', DAT: 'D' } as const;

function first(): readonly Element[] {
  return [
    activityCode('SIZ', { size: 3 }),
    any('ADP', 'LIMIT', [{ tag: 'ADP', values: { ACS: '', PARAM: 'LIMIT', INTIT: texts({ ENG: 'Limit', FRA: 'Limite' }) } }]),
    ...Array.from({ length: 12 }, (_, at) =>
      table(`STOCK${at}`, `S${at}`, FIELDS, { [`S${at}0`]: 'COD', [`S${at}1`]: '-DAT+COD' }),
    ),
    rows(
      'S0',
      'STOCK',
      Array.from({ length: 40 }, (_, at) => ({
        COD: `C${at}`,
        DES: `Item ${at}`,
        QTY: bare(`${at}.250`),
        DAT: bare('20240131'),
        LOST: 'x',
      })),
      { DES: { ENG: 'Item', FRA: 'Article' } },
    ),
    script('STOCKLIB', '# source\nEnd'),
    compiled('STOCKLIB', Buffer.from([0, 10, 255, 42])),
    script('TOTALS', `create function total() returns bigint language sql as 'select count(*) from stock0';`),
    script('REPAIR', `insert into stock0 (cod_0) values ('REPAIRED');`),
    exe('REPAIR'),
    exe('AFTERONE'),
  ];
}

/** Changes what the first one brought, and brings more. */
function second(): readonly Element[] {
  return [
    activityCode('SIZ', { size: 5 }),
    ...Array.from({ length: 6 }, (_, at) =>
      table(
        `STOCK${at}`,
        `S${at}`,
        { ...FIELDS, DES: 'A:60', MORE: { type: 'L', slots: 3 } },
        { [`S${at}0`]: 'COD', [`S${at}2`]: 'DES' },
      ),
    ),
    table('ORDERS', 'ORD', FIELDS, { ORD0: 'COD' }),
    rows('S0', 'STOCK', [
      { COD: 'C1', DES: 'Changed' },
      { COD: 'N1', DES: 'New', MORE: [1, 2, 3] },
    ]),
    rows('ORD', 'ALL', [{ COD: 'O1', QTY: 5 }]),
    script('STOCKLIB', '# source, second\nEnd'),
    script('TOTALS', `create function totals() returns bigint language sql as 'select count(*) from stock1';`),
    exe('AFTERTWO'),
  ];
}

const FILES = ['P_0001_140.dat', 'P_0002_140.dat'] as const;
const FOLDERS = ['DEV', 'LIVE', 'SEED', 'X3'] as const;
/** A folder is locked, planned, applied and recorded for each patch. */
const POSITIONS = FOLDERS.length * FILES.length;

/** What only other kinds of runs pass: killed there in the tests of those. */
const ofAnother = (point: string): boolean => /^(?:revert|validation)-/.test(point);

/** The points that the sources name: a new one is tried without anybody thinking of it. */
const POINTS = [
  ...new Set(
    readdirSync(join(import.meta.dirname, '../../src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(join(import.meta.dirname, '../../src', file), 'utf8').matchAll(/stopPoint\('([^']+)'\)/g),
      ])
      .map((match) => match[1] ?? '')
      .filter((point) => !ofAnother(point)),
  ),
];

/** Points of the whole run, before any folder: passed once. */
const ofRun = (point: string): boolean => point.startsWith('run-');

// --- the story --------------------------------------------------------------------------------------------------------------------------

describe.each(everyServer())('$name', (server) => {
  /** Every position and all runs on the first server; the others are there to find what differs between versions. */
  const thorough = server.name === servers()[0]?.name;
  const positions = Array.from({ length: POSITIONS }, (_, at) => at + 1).filter((at) => thorough || at % 3 === 1);
  const runs = thorough ? RUNS : Math.ceil(RUNS / 4);
  const cleanUp: (() => Promise<void>)[] = [];
  let directory = '';
  let original = '';
  /** What each folder holds after none, one and both of the patches, when nobody disturbs. */
  let stages: readonly Environment[] = [];

  beforeAll(async () => {
    const later = (work: () => Promise<void>): void => void cleanUp.unshift(work);
    directory = await mkdtemp(join(tmpdir(), 'rustine-crash-'));
    later(() => rm(directory, { recursive: true, force: true }));
    await writePatchFile(directory, FILES[0], first());
    await writePatchFile(directory, FILES[1], second());
    const environment = await openEnvironment(server, { folders: ['DEV', 'SEED'], later });
    await environment.folders(['LIVE'], { parent: 'DEV', test: true, languages: ['FRA'] });
    await environment.rustine.close();
    original = environment.database;
    const undisturbed = await cloneDatabase(server, original, later);
    const found = [await holdings(undisturbed.url)];
    for (const file of FILES) {
      expect(await rustine(['integrate', join(directory, file), '--database', undisturbed.url])).toMatchObject({ code: 0 });
      found.push(await holdings(undisturbed.url));
    }
    stages = found;
  });

  afterAll(async () => {
    for (const work of cleanUp) await work().catch(() => undefined);
  });

  const copy = async (): Promise<string> => (await cloneDatabase(server, original, onTestFinished)).url;
  const integrate = (url: string, stop: Parameters<typeof rustine>[1] = {}, options: readonly string[] = []) =>
    rustine(
      [
        'integrate',
        directory,
        '--database',
        url,
        '--home',
        directory.replace('rustine-crash-', 'rustine-no-home-'),
        '--json',
        ...options,
      ],
      stop,
    );

  /** Each folder is wholly where an undisturbed run would have left it after as many patches; no folder is ahead of the supervisor's. */
  async function expectNothingBetween(url: string): Promise<number> {
    await abandoned(url);
    const { folders, apatch } = await holdings(url);
    const reached = new Map(FOLDERS.map((code) => [code, apatch.get(code)?.length ?? -1]));
    for (const [code, count] of reached) {
      expect([code, difference(stages[count]?.folders.get(code) ?? [], folders.get(code) ?? [])]).toEqual([code, []]);
      expect(apatch.get(code)).toEqual(FILES.slice(0, count));
      expect(count).toBeLessThanOrEqual(reached.get('X3') ?? 0);
    }
    return [...reached.values()].reduce((sum, count) => sum + count, 0);
  }

  async function expectTheEnd(url: string): Promise<void> {
    const again = await integrate(url);
    expect([again.code, again.err]).toEqual([0, '']);
    const { folders, apatch } = await holdings(url);
    for (const code of FOLDERS) {
      expect([code, difference(stages[FILES.length]?.folders.get(code) ?? [], folders.get(code) ?? [])]).toEqual([code, []]);
      expect(apatch.get(code)).toEqual(FILES);
    }
    expect(await leftovers(url)).toEqual([]);
  }

  test('R30: the sources name points to stop at', () => {
    expect(POINTS).toEqual(expect.arrayContaining(['folder-locked', 'planned', 'applied', 'recorded']));
  });

  test.each(POINTS)(
    'R30: killed at "%s", in every folder and patch, each folder is before or after, and the next run ends it',
    async (point) => {
      const progress: number[] = [];
      for (const position of ofRun(point) ? [1] : positions) {
        const url = await copy();
        const killed = await integrate(url, { at: `${point}:${position}` });
        expect([point, position, killed.code]).toEqual([point, position, null]);
        progress.push(await expectNothingBetween(url));
        await expectTheEnd(url);
      }
      // The kills were spread over the run, not all at its beginning.
      expect(progress.at(0)).toBe(0);
      if (!ofRun(point)) expect(progress.at(-1)).toBeGreaterThanOrEqual((positions.at(-1) ?? 0) - 2);
    },
    240_000,
  );

  test('R30: killed at each point again and again, the run gets further until it is through', async () => {
    const url = await copy();
    // A file is remembered once: a later run that does not pass there again would go through at once.
    const points = POINTS.filter((point) => !point.startsWith('run-patch-'));
    for (let turn = 0; ; turn++) {
      const point = points[turn % points.length] ?? '';
      const { code } = await integrate(url, { at: `${point}:${ofRun(point) ? 1 : 2}` });
      await expectNothingBetween(url);
      if (code !== null) break;
      expect(turn).toBeLessThan(4 * POSITIONS);
    }
    await expectTheEnd(url);
  }, 240_000);

  test(
    `R30: killed at ${runs} random moments (seed ${SEED}), the next run ends it, waiting or not until the server has noticed`,
    async () => {
      const next = random(SEED);
      const whole = (await integrate(await copy())).ms;
      const progress = new Set<number>();
      for (let run = 0; run < runs; run++) {
        const url = await copy();
        const after = Math.round(next() * whole);
        await integrate(url, { after });
        if (next() < 0.7) progress.add(await expectNothingBetween(url));
        await expectTheEnd(url);
        await queryAt(server.url, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
      }
      // Three kills may well hit the same stretch of the run; a dozen do not.
      if (thorough) expect(progress.size).toBeGreaterThan(1);
    },
    60_000 + runs * 10_000,
  );

  test('R30: two runs of the same patches at the same time, the first one killed: the other one waits for it, and ends it', async () => {
    const url = await copy();
    const [killed, survivor] = await Promise.all([
      integrate(url, { at: 'applied:2' }, ['--wait', '2m']),
      integrate(url, {}, ['--wait', '2m']),
    ]);
    // Where the one that is to be killed comes second, nothing is left for it to stop at.
    expect([killed.code ?? 0, survivor.code, survivor.err]).toEqual([0, 0, '']);
    expect(await expectNothingBetween(url)).toBe(POSITIONS);
    await expectTheEnd(url);
  });
});
