// The network is cut under a run, and the disk is full: the folders at work are as before, nothing is lost, and running again ends it.
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openEmbedded, stopEmbedded } from '../../src/database/embedded.ts';
import { abandoned, random, rustine } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import { rows } from '../support/patches.ts';
import { openProxy } from '../support/proxy.ts';
import { temporaryHome } from '../support/servers.ts';
import { openStory, type Story } from '../support/story.ts';

const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');
const CUTS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '12') / 2);

describe('the network', () => {
  const cleanUp: (() => Promise<void>)[] = [];
  let home = '';
  let story: Story;

  beforeAll(async () => {
    const temporary = await temporaryHome();
    home = temporary.home;
    cleanUp.push(temporary.remove);
    const server = await openEmbedded(home);
    cleanUp.unshift(server.release);
    story = await openStory(home, server.url);
  });

  afterAll(async () => {
    for (const work of cleanUp) await work();
  });

  test(`R30: the network is cut at ${CUTS} moments of a run (seed ${SEED}), and comes back`, async () => {
    const next = random(SEED);
    const codes = new Set<number | null>();
    for (let cut = 0; cut < CUTS; cut++) {
      const { database, before } = await story.environment();
      let begun = (): void => undefined;
      const connected = new Promise<void>((resolve) => (begun = resolve));
      const proxy = await openProxy(database, () => {
        begun();
        return {};
      });
      const running = story.integrate(proxy.url);
      // Spread over the run, which takes about as long as this once it is connected.
      await Promise.race([connected, running]);
      await sleep(((cut + next()) / CUTS) * 600);
      proxy.cut();
      const [code, err] = await running;
      codes.add(code as number | null);
      // The world failed, not the program; where it noticed nothing, all was done.
      expect([code, err]).toEqual([code === 0 || code === 1 ? code : 3, err]);
      await proxy.close();
      await abandoned(database);
      await story.expectBeforeOrAfter(database, before);
      await story.expectTheEnd(database);
    }
    // Some cut met the run at work.
    expect([...codes].some((code) => code !== 0)).toBe(true);
  }, 120_000);
});

const MB = 2 ** 20;
/** Room for a server with its log, and for a few environments. */
const SIZE_MB = 400;

/** A file system of its own that can be filled; undefined where this user may not make one. */
async function smallDisk(): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'rustine-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=0711`, 'tmpfs', directory], {
    stdio: 'ignore',
  });
  if (status === 0) return directory;
  await rm(directory, { recursive: true });
  return undefined;
}

const disk = await smallDisk();

describe('the disk', () => {
  afterAll(async () => {
    if (disk === undefined) return;
    await stopEmbedded(disk).catch(() => undefined);
    spawnSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  });

  test.skipIf(disk === undefined)(
    'R30: the disk gets full in the middle of a run, at once or a little later, and has room again (needs the right to mount a file system)',
    async () => {
      const home = disk ?? '';
      const server = await openEmbedded(home);
      onTestFinished(() => server.release());
      await chmod(home, 0o711);
      // More than is left: some folders get it, the others do not.
      const big = rows(
        'ITM',
        'BIG',
        Array.from({ length: 20_000 }, (_, at) => ({ COD: `B${at}`, DES: `Row number ${at}` })),
      );
      const story = await openStory(home, server.url, [big]);
      for (const left of [1, 6, 12]) {
        const { database, before } = await story.environment();
        await queryAt(database, 'checkpoint');
        const filler = await fill(home, left * MB);
        const { code, out, err } = await rustine(['integrate', story.patch, '--database', database, '--json']);
        // The world failed, for all folders or for some, and it is said what is the matter: 53100 disk_full, or a server that went down over it.
        expect([left, code, err]).toEqual([left, code === 1 ? 1 : 3, err]);
        expect(out).toMatch(/"53100"|"database-(lost|unreachable)"/);
        await rm(filler);
        await answering(server.url);
        await abandoned(database);
        await story.expectBeforeOrAfter(database, before);
        await story.expectTheEnd(database);
        await queryAt(server.url, `drop database ${new URL(database).pathname.slice(1)} with (force)`);
      }
    },
    180_000,
  );
});

/** Takes all room but so many bytes. @returns the file that takes it */
async function fill(directory: string, left: number): Promise<string> {
  const path = join(directory, 'filler');
  const file = await open(path, 'w');
  try {
    const { bavail, bsize } = await statfs(directory);
    const block = Buffer.alloc(MB);
    for (let room = bavail * bsize - left; room > 0; room -= MB) await file.write(block, 0, Math.min(MB, room));
  } finally {
    await file.close();
  }
  return path;
}

/** A server whose log had no room has to start again. */
async function answering(url: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    try {
      await queryAt(url, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
