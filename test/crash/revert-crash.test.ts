// Killed anywhere while a patch is taken back, each folder is before or after it; recover settles the run, and the same command goes on.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { abandoned, leftovers, rustine } from '../support/crash.ts';
import { queryAt } from '../support/environment.ts';
import type { Environment } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import { script } from '../support/patches.ts';
import { withoutAccount } from '../support/reverting.ts';
import type { TestDatabase } from '../support/servers.ts';
import { createDatabase, oneServer } from '../support/servers.ts';
import { openStory, STORY_FILES, type Story } from '../support/story.ts';

const FILE = STORY_FILES[1];
const STOPS = ['run-logins-shut', 'revert-begun', 'revert-checked:3', 'revert-catalog:3', 'revert-tables:4', 'revert-recorded:5'];

describe.each(oneServer())('taking back, killed, on $name', (server) => {
  let own: TestDatabase;
  let home: string;
  let story: Story;
  let after: Environment;
  beforeAll(async () => {
    own = await createDatabase(server);
    home = await mkdtemp(join(tmpdir(), 'rustine-crash-'));
    story = await openStory(home, own.url, [
      script('FUN', 'create or replace function fun() returns integer language sql as $$ select 2 $$;'),
    ]);
  });
  afterAll(async () => {
    const made = await queryAt<{ name: string }>(
      own.url,
      `select datname as name from pg_database where datname like 'environment_%'`,
    );
    for (const { name } of made) await queryAt(own.url, `drop database ${name} with (force)`);
    await own.drop();
    await rm(home, { recursive: true, force: true });
  });

  const revert = (database: string, at?: string) =>
    rustine(['revert', FILE, '--folder', 'all', '--database', database, '--quiet'], at === undefined ? {} : { at });

  /** @returns folders that still have it */
  async function expectBeforeOrAfter(database: string, before: Environment): Promise<readonly string[]> {
    const now = await holdings(database);
    const having: string[] = [];
    for (const [code, holding] of now.folders) {
      const has = now.apatch.get(code)?.includes(FILE) === true;
      if (has) having.push(code);
      const expected = (has ? after : before).folders.get(code) ?? [];
      expect([code, difference(withoutAccount(expected), withoutAccount(holding))]).toEqual([code, []]);
    }
    return having;
  }

  test.each(STOPS)(
    'R38, R30: at %s',
    async (at) => {
      const { database, before } = await story.environment();
      expect(await story.integrate(database)).toEqual([0, '']);
      after = await holdings(database);
      expect((await revert(database, at)).code).toBeNull();
      await abandoned(database);
      const left = await expectBeforeOrAfter(database, before);
      // Children go first.
      expect(left).toContain('X3');
      const recovered = await rustine(['recover', '--database', database]);
      expect(recovered.code).toBe(0);
      expect(await leftovers(database)).toEqual([]);
      const again = await revert(database);
      expect([again.code, again.err]).toEqual([0, '']);
      expect(await expectBeforeOrAfter(database, before)).toEqual([]);
      expect(await leftovers(database)).toEqual([]);
    },
    120_000,
  );
});
