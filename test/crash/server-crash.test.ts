// The database server is killed under a run: what was committed stays, nothing says it is there when it is not, and running again ends it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { RunListener } from '../../src/journal/journal.ts';
import { abandoned, random } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import { type OwnServer, openOwnServer } from '../support/own-server.ts';
import { openStory, STORY_FILES, type Story } from '../support/story.ts';
import { untilTheEnd } from '../support/until.ts';

/** How often the server is killed at a random moment. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '25') / 5);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

let server: OwnServer;
let story: Story;
const later = untilTheEnd();

beforeAll(async () => {
  server = await openOwnServer(later);
  story = await openStory(server.home, server.url);
});

/** The server answers again. */
async function recovered(): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    try {
      await queryAt(server.url, 'select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** A session of the server that may be killed at any time. */
async function victim(): Promise<number> {
  const client = new Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  const { rows: found } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return found[0]?.pid ?? 0;
}

test.each(['X3', 'A', 'B', 'D'])(
  'R30: the server restarts when folder %s has got the patch: the others get all of it or nothing',
  async (folder) => {
    const { database, before } = await story.environment();
    const pid = await victim();
    const program = await openRustine({ home: server.home, database, language: 'en', jobs: 1 });
    // A session that dies makes the server restart by itself; unlogged tables, such as those of the staging, are empty then.
    const listener: RunListener = (event) => {
      if (event.kind !== 'patch-finished' || event.folder !== folder || event.outcome.state !== 'integrated') return;
      process.kill(pid, 'SIGKILL');
      // Long enough that only one folder meets the dying server, and the next ones the restarted.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    };
    await program.integrate({ paths: [story.patch], mode: 'integrate', listener }).catch(() => undefined);
    await recovered();
    await program.close();
    await abandoned(database);
    const now = await story.expectBeforeOrAfter(database, before);
    expect(now.apatch.get(folder)).toContain(STORY_FILES[1]);
    // The same process goes on, as a server does: it knows that its own run is no longer there.
    const next = await openRustine({ home: server.home, database, language: 'en' });
    await next.integrate({ paths: [story.patch], mode: 'integrate' });
    await next.close();
    await story.expectTheEnd(database);
  },
);

test(
  `R30: kill -9 of the server at ${RUNS} random moments of a run (seed ${SEED})`,
  async () => {
    const next = random(SEED);
    for (let run = 0; run < RUNS; run++) {
      const { database, before } = await story.environment();
      const running = story.integrate(database);
      await sleep(150 + next() * 350);
      await server.kill();
      const [code, err] = await running;
      // Whatever the server answers or does not answer: the world failed, not the program.
      expect([code, err]).toEqual([code === 0 || code === 1 ? code : 3, err]);
      await recovered();
      await abandoned(database);
      await story.expectBeforeOrAfter(database, before);
      await story.expectTheEnd(database);
    }
  },
  60_000 + RUNS * 60_000,
);
