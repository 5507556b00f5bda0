// The embedded PostgreSQL with real processes: shared, stopped by the last one, recovered whoever is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEmbedded, pinEmbedded, stopEmbedded } from '../../src/database/embedded.ts';
import { type MadeCluster, makeCluster } from '../support/made-cluster.ts';
import { serverPlace } from '../support/server-place.ts';
import { temporaryHome } from '../support/servers.ts';
import { NEEDS_ROOT } from '../support/skip.ts';

let home = '';
let removeHome: () => Promise<void>;
let made: MadeCluster;
const clients: ChildProcess[] = [];

beforeAll(async () => {
  made = await makeCluster();
});
afterAll(() => made.remove());

beforeEach(async () => {
  ({ home, remove: removeHome } = await temporaryHome('rustine-test-', await serverPlace()));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.kill('SIGKILL');
  await eventually(async () => (await stopEmbedded(home)) !== 'in-use');
  await removeHome();
});

/** Another `rustine` process on the same home. */
async function startClient(at = home) {
  const process_ = launchClient(at);
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  const url = (await lines.next()).value;
  if (typeof url !== 'string') throw new Error('the client ended without a URL');
  return {
    url,
    kill: async () => {
      process_.kill('SIGKILL');
      await once(process_, 'exit');
    },
    tell: async (what: 'release' | 'exit') => {
      process_.stdin.write(`${what}\n`);
      await once(process_, 'exit');
    },
  };
}

function launchClient(at: string) {
  const program = join(import.meta.dirname, '..', 'support', 'embedded-client.ts');
  const child = spawn(process.execPath, [program, at], { stdio: ['pipe', 'pipe', 'inherit'] });
  clients.push(child);
  return child;
}

async function query(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const result = await client.query(sql);
    return result.rows?.[0] === undefined ? undefined : Object.values(result.rows[0])[0];
  } finally {
    await client.end();
  }
}

async function eventually(condition: () => Promise<boolean>, within = 15_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${condition}`);
    await sleep(10);
  }
}

/** The first line of a file of the server's directory, as a process id. */
async function pidIn(...path: string[]): Promise<number | undefined> {
  const text = await readFile(join(home, 'postgres', ...path), 'utf8').catch(() => undefined);
  if (text === undefined || text === '') return undefined;
  return path.at(-1) === 'keeper.json' ? Number(JSON.parse(text).pid) : Number(text.split('\n')[0]);
}

const serverPid = () => pidIn('data', 'postmaster.pid');
const keeperPid = () => pidIn('keeper.json');
const stopped = async () => (await serverPid()) === undefined && (await keeperPid()) === undefined;

async function killed(pid: number | undefined): Promise<void> {
  if (pid === undefined || Number.isNaN(pid)) throw new Error('nothing to kill');
  process.kill(pid, 'SIGKILL');
}

describe('one process', () => {
  test('starts it, uses it, stops it, and finds its data again at the same address', async () => {
    const first = await openEmbedded(home);
    expect(first.url).toMatch(/^postgresql:\/\/rustine:[\w-]{32}@127\.0\.0\.1:\d+\/rustine$/);
    expect(await query(first.url, 'SELECT current_database()')).toBe('rustine');
    expect(await query(first.url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toBe(true);
    expect(await query(first.url, "SELECT lower('ÉTÉ')")).toBe('été');
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS number');
    await first.release();
    expect(await stopped()).toBe(true);

    const second = await openEmbedded(home);
    expect(await query(second.url, 'SELECT number FROM kept')).toBe(7);
    expect(second.url).toBe(first.url);
    await second.release();
  });

  test('asks for the password, and shows it to nobody else', async () => {
    const server = await openEmbedded(home);
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    for (const name of ['password', 'keeper.json', 'server.log', 'keeper.log', 'keeper.lock']) {
      expect([name, (await stat(join(home, 'postgres', name))).mode & 0o077]).toEqual([name, 0]);
    }
    const logs = await Promise.all(['server.log', 'keeper.log'].map((name) => readFile(join(home, 'postgres', name), 'utf8')));
    expect(logs.join()).not.toContain(new URL(server.url).password);
    await server.release();
  });

  test('may open it twice and release it twice', async () => {
    await made.into(home);
    const [one, other] = await Promise.all([openEmbedded(home), openEmbedded(home)]);
    await Promise.all([one.release(), one.release()]);
    expect(await query(other.url, 'SELECT 1')).toBe(1);
    await other.release();
    expect(await stopped()).toBe(true);
  });

  test('that ends without a release leaves all the same', async () => {
    await made.into(home);
    const client = await startClient();
    await client.tell('exit');
    await eventually(stopped);
  });

  test('accepts a path with spaces, quotes and a length beyond that of socket names', async () => {
    const odd = join(home, `my "home", it's`, 'long'.repeat(40));
    const server = await openEmbedded(odd);
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await server.release();
  });

  test('reports a server that cannot start, with its last words', async () => {
    await made.into(home);
    await rm(join(home, 'postgres', 'data', 'global'), { recursive: true });
    await expect(openEmbedded(home)).rejects.toMatchObject({
      name: 'Failure',
      code: 'embedded-start',
      facts: { log: expect.arrayContaining([expect.stringContaining('global/pg_control')]) },
    });
    await eventually(async () => (await keeperPid()) === undefined);
  });

  test('refuses the data of another major version', async () => {
    await made.into(home);
    const file = join(home, 'postgres', 'data', 'PG_VERSION');
    await writeFile(file, '17\n');
    await expect(openEmbedded(home)).rejects.toMatchObject({ code: 'embedded-version', facts: { data: '17', server: '18' } });
  });
});

describe('several processes', () => {
  test('share one server, and the last to leave stops it', async () => {
    await made.into(home);
    const server = await openEmbedded(home);
    const other = await startClient();
    expect(other.url).toBe(server.url);
    await server.release();
    expect(await query(other.url, 'SELECT 1')).toBe(1);
    await other.tell('release');
    expect(await stopped()).toBe(true);
  });

  test('six starting at once in a fresh home find the same server, leave in any order, and come again while it stops', async () => {
    const six = await Promise.all(Array.from({ length: 6 }, () => startClient()));
    expect(new Set(six.map(({ url }) => url)).size).toBe(1);
    const order = six.toSorted(() => Math.random() - 0.5);
    await Promise.all(
      order.map(async (client, index) => sleep(index * 5).then(() => client.tell(index % 2 === 0 ? 'release' : 'exit'))),
    );
    // The last ones may be stopping it at this moment.
    const again = await openEmbedded(home);
    expect(await query(again.url, 'SELECT 1')).toBe(1);
    await again.release();
    expect(await stopped()).toBe(true);
  });

  test('opening and releasing over and over, always get a server that works', async () => {
    await made.into(home);
    const one = async () => {
      for (let round = 0; round < 8; round++) {
        const server = await openEmbedded(home);
        expect(await query(server.url, 'SELECT 1')).toBe(1);
        await server.release();
      }
    };
    await Promise.all([one(), one(), one(), one()]);
    expect(await stopped()).toBe(true);
  });
});

describe('kill -9', () => {
  test('of a client: the server stops when the others leave', async () => {
    await made.into(home);
    const server = await openEmbedded(home);
    const client = await startClient();
    await client.kill();
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await server.release();
    expect(await stopped()).toBe(true);
  });

  test('of the only client: the server stops', async () => {
    await made.into(home);
    await (await startClient()).kill();
    await eventually(stopped);
  });

  test('of a client that waits for the start: the keeper does not stay', async () => {
    for (const after of [20, 60, 120, 250]) {
      const client = launchClient(home);
      await sleep(after);
      client.kill('SIGKILL');
      await once(client, 'exit');
    }
    await eventually(stopped);
    const server = await openEmbedded(home);
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await server.release();
  });

  test('of the keeper: sessions go on, the next client adopts the server, the last one stops it', async () => {
    await made.into(home);
    const server = await openEmbedded(home);
    const session = new Client({ connectionString: server.url });
    await session.connect();
    const before = await serverPid();
    await killed(await keeperPid());

    const next = await startClient();
    expect(next.url).toBe(server.url);
    expect(await serverPid()).toBe(before);
    expect((await session.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    // The first client has joined the new keeper by itself: the other one's leave does not take the server from it.
    await next.tell('release');
    expect((await session.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await session.end();
    await server.release();
    expect(await stopped()).toBe(true);
  });

  test('of the keeper, and then the only client leaves: the server is stopped', async () => {
    await made.into(home);
    const client = await startClient();
    await killed(await keeperPid());
    await client.tell('release');
    expect(await stopped()).toBe(true);
  });

  test('of the keeper and the client: the next one adopts and stops the server', async () => {
    await made.into(home);
    const client = await startClient();
    const before = await serverPid();
    await killed(await keeperPid());
    await client.kill();
    const server = await openEmbedded(home);
    expect(await serverPid()).toBe(before);
    await server.release();
    expect(await stopped()).toBe(true);
  });

  test('of PostgreSQL: who opens next finds all that was committed', async () => {
    await made.into(home);
    const server = await openEmbedded(home);
    await query(server.url, 'CREATE TABLE kept AS SELECT 7 AS number');
    await killed(await serverPid());
    const next = await startClient();
    expect(await query(next.url, 'SELECT number FROM kept')).toBe(7);
    // Whoever had it open has it again, at the same address.
    await eventually(async () => (await query(server.url, 'SELECT number FROM kept').catch(() => undefined)) === 7);
    await next.tell('release');
    await server.release();
    expect(await stopped()).toBe(true);
  });

  test('of PostgreSQL and the keeper at once', async () => {
    await made.into(home);
    const client = await startClient();
    await query(client.url, 'CREATE TABLE kept AS SELECT 7 AS number');
    await killed(await keeperPid());
    await killed(await serverPid());
    await client.kill();
    const server = await openEmbedded(home);
    expect(await query(server.url, 'SELECT number FROM kept')).toBe(7);
    await server.release();
  });

  test('of the keeper during the creation: nothing half done, nothing left over', async () => {
    const client = launchClient(home);
    const directory = join(home, 'postgres');
    await eventually(async () => (await readdir(directory).catch(() => [])).some((name) => name.startsWith('init-')));
    client.kill('SIGKILL');
    await killed(await keeperPid());
    expect(await readdir(directory)).not.toContain('data');

    const server = await openEmbedded(home);
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await server.release();
    await (await openEmbedded(home)).release();
    expect((await readdir(directory)).filter((name) => name.startsWith('init-'))).toEqual([]);
  });
});

describe('pinned', () => {
  test('it stays after the last process, until it is stopped', async () => {
    await made.into(home);
    await pinEmbedded(home);
    const pid = await serverPid();
    const server = await openEmbedded(home);
    expect(await serverPid()).toBe(pid);
    await server.release();
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    expect(await stopEmbedded(home)).toBe('stopped');
    expect(await stopped()).toBe(true);
    expect(await stopEmbedded(home)).toBe('not-running');
  });

  test('it stays also when the keeper is killed', async () => {
    await made.into(home);
    await pinEmbedded(home);
    await killed(await keeperPid());
    const server = await openEmbedded(home);
    await server.release();
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await killed(await keeperPid());
    expect(await stopEmbedded(home)).toBe('stopped');
    expect(await stopped()).toBe(true);
  });

  test('a stop while others hold it takes effect when they leave', async () => {
    await made.into(home);
    const server = await openEmbedded(home);
    await pinEmbedded(home);
    expect(await stopEmbedded(home)).toBe('in-use');
    expect(await query(server.url, 'SELECT 1')).toBe(1);
    await server.release();
    expect(await stopped()).toBe(true);
  });

  test('stopping what was never there creates nothing', async () => {
    expect(await stopEmbedded(home)).toBe('not-running');
    expect(await readdir(home)).toEqual([]);
    expect(await stopEmbedded(join(home, 'absent'))).toBe('not-running');
  });
});

describe.skipIf(NEEDS_ROOT.skip)(`as root (${NEEDS_ROOT.reason})`, () => {
  test('a home that the server cannot enter keeps its data elsewhere, and says where', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'rustine-closed-'));
    await mkdir(join(closed, 'home'));
    await chmod(closed, 0o700);
    const inside = join(closed, 'home');
    let elsewhere = '';
    try {
      const [one, other] = await Promise.all([openEmbedded(inside), startClient(inside)]);
      expect(other.url).toBe(one.url);
      await query(one.url, 'CREATE TABLE kept AS SELECT 7 AS number');
      await other.tell('release');
      await one.release();

      const pointer = JSON.parse(await readFile(join(inside, 'postgres', 'where.json'), 'utf8'));
      elsewhere = pointer.directory;
      expect(elsewhere).toMatch(/^\/var\/lib\/rustine\/[0-9a-f]{16}-[0-9a-f]{8}$/);
      expect(await readdir(elsewhere)).toContain('data');

      const again = await openEmbedded(inside);
      expect(await query(again.url, 'SELECT number FROM kept')).toBe(7);
      await again.release();
    } finally {
      await stopEmbedded(inside);
      if (elsewhere !== '') await rm(elsewhere, { recursive: true, force: true });
      await rm(closed, { recursive: true, force: true });
    }
  });
});
