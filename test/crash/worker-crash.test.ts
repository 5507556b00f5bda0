// R30: workers are killed at random moments of a queued run: another one goes on, nothing is done twice, and the run comes to its end.
import { beforeAll, expect, test } from 'vitest';
import { abandoned, leftovers, random, rustine } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import { openOwnServer } from '../support/own-server.ts';
import { openStory, STORY_FILES, type Story } from '../support/story.ts';
import { untilTheEnd } from '../support/until.ts';

/** How often workers are killed; more: RUSTINE_CRASH_RUNS=200, other moments: RUSTINE_CRASH_SEED=7. */
const RUNS = Math.ceil(Number(process.env.RUSTINE_CRASH_RUNS ?? '12') / 2);
const SEED = Number(process.env.RUSTINE_CRASH_SEED ?? '1');

let home = '';
let story: Story;
const later = untilTheEnd();

beforeAll(async () => {
  const server = await openOwnServer(later);
  home = server.home;
  story = await openStory(home, server.url);
});

const worker = (database: string, after?: number) =>
  rustine(
    ['worker', '--once', '--jobs', '2', '--database', database, '--home', `${home}-none`],
    after === undefined ? {} : { after },
  );

async function queue(database: string): Promise<string> {
  const queued = await rustine(['integrate', story.patch, '--batch', '--json', '--database', database, '--home', `${home}-none`]);
  expect([queued.code, queued.err]).toEqual([0, '']);
  return (JSON.parse(queued.out) as { run: string }).run;
}

/** The queued run has ended well, each folder got the patch once, and nothing is left. */
async function expectDone(database: string, run: string): Promise<void> {
  expect(await queryAt(database, 'select state from rustine.run where id = $1', [run])).toEqual([{ state: 'done' }]);
  const got = await queryAt<{ folder: string; times: number }>(
    database,
    `select folder.code as folder, count(*)::integer as times
       from rustine.integration join rustine.folder on folder.id = integration.folder where file = $1 group by 1 order by 1`,
    [STORY_FILES[1]],
  );
  expect(got).toEqual(['A', 'B', 'C', 'D', 'X3'].map((folder) => ({ folder, times: 1 })));
  expect(await leftovers(database)).toEqual([]);
  await story.expectTheEnd(database);
}

test(
  `R30: of two workers one is killed at ${RUNS} random moments (seed ${SEED}): the run ends without it`,
  async () => {
    const next = random(SEED);
    const undisturbed = await story.environment();
    const first = await queue(undisturbed.database);
    const { code, ms } = await worker(undisturbed.database);
    expect(code).toBe(0);
    await expectDone(undisturbed.database, first);
    for (let at = 0; at < RUNS; at++) {
      const { database, before } = await story.environment();
      const run = await queue(database);
      const [, survivor] = await Promise.all([worker(database, next() * ms), worker(database)]);
      expect([survivor.code, survivor.err]).toEqual([0, survivor.err]);
      await story.expectBeforeOrAfter(database, before);
      // One that had nothing to do any more may have gone before the other one was killed.
      const last = await worker(database);
      expect([last.code, last.err]).toEqual([0, last.err]);
      await expectDone(database, run);
    }
  },
  60_000 + RUNS * 20_000,
);

test(
  `R30: every worker is killed, again and again, ${RUNS} times at random moments (seed ${SEED}): the run gets further, and the last one ends it`,
  async () => {
    const next = random(SEED + 1);
    let { database, before } = await story.environment();
    let run = await queue(database);
    for (let at = 0; at < RUNS; at++) {
      await worker(database, 200 + next() * 600);
      await abandoned(database);
      await story.expectBeforeOrAfter(database, before);
      // Of too many lost workers a run gives up (that is a story of its own), so no run loses more than three.
      if (at % 3 !== 2) continue;
      expect((await worker(database)).code).toBe(0);
      await expectDone(database, run);
      ({ database, before } = await story.environment());
      run = await queue(database);
    }
    expect((await worker(database)).code).toBe(0);
    await expectDone(database, run);
  },
  60_000 + RUNS * 20_000,
);
