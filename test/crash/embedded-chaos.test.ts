// The embedded PostgreSQL while everything around it is killed at random moments: it always comes back, and always ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { openEmbedded, stopEmbedded } from '../../src/database/embedded.ts';
import { temporaryHome } from '../support/servers.ts';

/** Seconds; more for a longer search. */
const DURATION = Number(process.env.RUSTINE_CHAOS ?? 6) * 1_000;
const PROGRAM = join(import.meta.dirname, '..', 'support', 'embedded-client.ts');

test('whoever is killed, nothing committed is lost and nothing stays behind', { timeout: DURATION + 60_000 }, async () => {
  const { home, remove } = await temporaryHome();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = randomFrom(seed);
  const until = Date.now() + DURATION;
  let committed = 0;

  const user = async (): Promise<void> => {
    while (Date.now() < until) {
      const client = spawn(process.execPath, [PROGRAM, home], { stdio: ['pipe', 'pipe', 'inherit'] });
      const ended = once(client, 'exit');
      client.stdin.on('error', () => undefined);
      const line = (await Promise.race([once(createInterface({ input: client.stdout }), 'line'), ended])) as [unknown];
      // The only thing that must not happen: a client that was not killed and got no server.
      expect([seed, typeof line[0]]).toEqual([seed, 'string']);
      if (await committedRow(String(line[0]))) committed += 1;
      await sleep(random() * 100);
      const choice = random();
      if (choice < 0.4) client.kill('SIGKILL');
      else client.stdin.write(choice < 0.7 ? 'release\n' : 'exit\n');
      await ended;
    }
  };
  const killer = async (file: readonly string[], pause: number): Promise<void> => {
    for (; Date.now() < until; await sleep(random() * pause)) {
      const text = await readFile(join(home, 'postgres', ...file), 'utf8').catch(() => '');
      const pid = text.startsWith('{') ? Number(JSON.parse(text).pid) : Number(text.split('\n')[0]);
      if (pid > 0) tryKill(pid);
    }
  };
  await Promise.all([user(), user(), user(), killer(['keeper.json'], 900), killer(['data', 'postmaster.pid'], 1_700)]);

  const server = await openEmbedded(home);
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM survivors');
  await client.end();
  await server.release();
  expect(committed).toBeGreaterThan(0);
  // More is possible: a commit whose answer was lost with the server.
  expect(rows[0]?.count).toBeGreaterThanOrEqual(committed);
  expect([seed, await stopEmbedded(home)]).toEqual([seed, 'not-running']);
  await remove();
});

/** Whether a row was certainly committed. */
async function committedRow(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS survivors (id int GENERATED ALWAYS AS IDENTITY)');
    await client.query('INSERT INTO survivors DEFAULT VALUES');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A small generator with a seed (mulberry32), so that the choices of a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
