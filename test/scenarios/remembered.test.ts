// What was delivered is remembered: once per file and server, by runs that are no rehearsals, whole or not at all.
import { createCipheriv, createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openDeliveries } from '../../src/app/deliveries.ts';
import { openRustine } from '../../src/app/rustine.ts';
import { Failure } from '../../src/base/errors.ts';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import type { Delivery } from '../../src/plan/delivery.ts';
import { keptBytes, keptDelivery } from '../../src/plan/kept-delivery.ts';
import { rememberDelivery, sweepRemembered } from '../../src/plan/remembered.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { row, script, table } from '../support/patches.ts';
import { everyServer, oneServer } from '../support/servers.ts';

const ITEM = table('ITEM', 'ITM', { COD: 'A:10', NAM: 'A:20' }, { KEY0: 'COD' });
const PATCH = [ITEM, script('HELLO', '# hello'), row('ITM', 'x', { COD: 'A', NAM: 'n' })];
const never = new AbortController().signal;

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function databaseOf({ url, later }: TestEnvironment): Promise<Database> {
  const database = await openPostgres(url, 4);
  later(() => database.close());
  return database;
}

async function opened(path: string): Promise<Delivery> {
  const [delivery] = (await openDeliveries([path])).deliveries;
  if (delivery === undefined) throw new Error('no delivery');
  return delivery;
}

const how = { keepBytes: 1024 ** 3, lockTimeoutMs: 5_000, stopPoint: () => undefined };

const patches = ({ query }: TestEnvironment) =>
  query<{ file: string; kept: boolean; chunks: number; elements: number }>(`
    select file, kept, (select count(*)::integer from rustine.patch_chunk c where c.digest = p.digest) as chunks,
      (select count(*)::integer from rustine.patch_element e where e.digest = p.digest) as elements
    from rustine.patch p order by file`);

async function all(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each(everyServer())('deliveries on $name', (server) => {
  test('R41: a patch is remembered once for all folders, and comes back as the file that it was', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const path = await env.patch('P_0001_140.dat', PATCH);
    await env.integrate(path, { folders: ['X3', 'SEED'] });
    await env.integrate(path);
    expect(await patches(env)).toEqual([{ file: 'P_0001_140.dat', kept: true, chunks: 1, elements: 3 }]);
    const bytes = await readFile(path);
    expect(
      await env.query(
        `select encode(digest, 'hex') as digest, patch_type, series, number, version, languages, bytes::integer, rows::integer from rustine.patch`,
      ),
    ).toEqual([
      {
        digest: sha(bytes),
        patch_type: '1',
        series: 'P',
        number: 1,
        version: '140',
        languages: ['ENG', 'FRA'],
        bytes: bytes.length,
        rows: 1,
      },
    ]);
    expect(await env.query('select ordinal, type, name from rustine.patch_element order by ordinal')).toEqual([
      { ordinal: 1, type: 'ATB', name: 'ITEM' },
      { ordinal: 2, type: 'TRT', name: 'HELLO' },
      { ordinal: 3, type: 'ITM', name: 'x' },
    ]);
    const database = await databaseOf(env);
    expect(await all(keptBytes(database, sha(bytes), 'P_0001_140.dat'))).toEqual(bytes);
    const again = await keptDelivery(database, sha(bytes));
    const before = await opened(path);
    expect(again).toMatchObject({ file: before.file, digest: before.digest, elements: before.elements, rows: before.rows });
    expect(await keptDelivery(database, sha(bytes), 'OTHER.dat')).toMatchObject({ file: 'OTHER.dat' });
    expect(await keptDelivery(database, '00'.repeat(32))).toBeUndefined();
  });

  test('what no integration refers to goes after some days, unless a run that is not over may have it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', PATCH));
    const database = await databaseOf(env);
    await rememberDelivery(database, await opened(await env.patch('B.dat', [ITEM])), how);
    await rememberDelivery(database, await opened(await env.patch('C.dat', [script('OTHER', '# other')])), how);
    const files = async () => (await patches(env)).map(({ file }) => file);
    await sweepRemembered(database);
    expect(await files()).toEqual(['A.dat', 'B.dat', 'C.dat']);
    await env.query(`update rustine.patch set since = now() - interval '8 days'`);
    await env.query(
      `insert into rustine.run (id, mode, state, from_folder, operator, host, pid, files) values ('r', 'integrate', 'running', 'X3', 'bob', 'h', 1, '{C.dat}')`,
    );
    await sweepRemembered(database);
    expect(await files()).toEqual(['A.dat', 'C.dat']);
    await env.query(`update rustine.run set finished_at = now(), state = 'failed' where id = 'r'`);
    // The last folder that had it goes: nothing stands in the way, and the file goes with the next run.
    await env.rustine.dropFolder('SEED');
    await env.query(`delete from rustine.integration where file = 'A.dat'`);
    await sweepRemembered(database);
    expect(await files()).toEqual([]);
    expect(await env.query('select * from rustine.patch_chunk')).toEqual([]);
  });

  test('two at once: one stores the file, the other one waits for it, or goes on when that takes too long', async () => {
    const env = await openEnvironment(server);
    const delivery = await opened(await env.patch('A.dat', PATCH));
    const database = await databaseOf(env);
    await Promise.all([1, 2, 3, 4].map(() => rememberDelivery(database, delivery, how)));
    expect(await patches(env)).toEqual([{ file: 'A.dat', kept: true, chunks: 1, elements: 3 }]);
    await env.query('update rustine.patch set kept = false');
    const other = await openPostgres(env.url, 1);
    env.later(() => other.close());
    await other.transaction(async (session) => {
      await session.script('select 1 from rustine.patch for no key update');
      await rememberDelivery(database, delivery, { ...how, lockTimeoutMs: 50 }).catch((error: unknown) => {
        throw new Error('whoever comes second must not fail', { cause: error });
      });
      expect(await patches(env)).toMatchObject([{ kept: false }]);
    });
    await rememberDelivery(database, delivery, how);
    expect(await patches(env)).toEqual([{ file: 'A.dat', kept: true, chunks: 1, elements: 3 }]);
  });
});

describe.each(oneServer())('deliveries on $name', (server) => {
  test('a rehearsal leaves nothing, neither does a run that is refused or has nothing to do', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', PATCH);
    await env.integrate(path, { mode: 'rehearse' });
    await env.integrate(path, { mode: 'rehearse', atomic: true });
    expect(await patches(env)).toEqual([]);
    const unknown = await env.patch('BAD.dat', [row('QQQ', 'x', { COD: 'A' })]);
    await env.rustine.integrate({ paths: [unknown], mode: 'integrate' });
    await env.integrate(path);
    const kept = { file: 'A.dat', kept: true, chunks: 1, elements: 3 };
    // Integrated before files were kept, or while the limit was lower: whoever integrates it again, for nothing, has it kept.
    for (const lost of ['delete from rustine.patch', 'delete from rustine.patch_chunk; update rustine.patch set kept = false']) {
      await env.query(lost);
      await env.integrate(path, { mode: 'rehearse' });
      expect(await patches(env)).not.toContainEqual(kept);
      expect(await env.integrate(path)).toMatchObject({
        state: 'done',
        folders: [{ state: 'unchanged' }, { state: 'unchanged' }],
      });
      expect(await patches(env)).toEqual([kept]);
    }
  });

  test('runs that are all or none, and queued ones, remember too', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', PATCH), { atomic: true });
    const worker = await openRustine({ home: env.home, database: env.url, language: 'en' });
    env.later(() => worker.close());
    for (const [path, mode] of [
      [await env.patch('B.dat', [ITEM]), 'integrate'],
      [await env.patch('C.dat', [script('C', '# c')]), 'rehearse'],
    ] as const) {
      const { run } = await env.rustine.queue({ paths: [path], mode });
      await worker.tasks.work({ jobs: 2, once: true, stop: never, abort: never, listener: () => undefined });
      expect(await env.rustine.follow(run, () => undefined, never)).toMatchObject({ state: 'done', findings: [] });
    }
    expect(await patches(env)).toEqual([
      { file: 'A.dat', kept: true, chunks: 1, elements: 3 },
      { file: 'B.dat', kept: true, chunks: 1, elements: 1 },
    ]);
  });

  test('above the limit only the elements are remembered, and the file is kept once the limit allows it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'], settings: { keepPatchesBytes: 10 } });
    const path = await env.patch('A.dat', PATCH);
    await env.integrate(path, { folders: ['X3', 'SEED'] });
    expect(await patches(env)).toEqual([{ file: 'A.dat', kept: false, chunks: 0, elements: 3 }]);
    const database = await databaseOf(env);
    const digest = sha(await readFile(path));
    expect(await keptDelivery(database, digest)).toBeUndefined();
    const larger = await openRustine({ home: env.home, database: env.url, language: 'en' });
    env.later(() => larger.close());
    await larger.integrate({ paths: [path], mode: 'integrate' });
    expect(await patches(env)).toEqual([{ file: 'A.dat', kept: true, chunks: 1, elements: 3 }]);
    expect((await keptDelivery(database, digest))?.digest).toBe(digest);
  });

  test('what is kept and damaged is told as such, and kept again when somebody says so', async () => {
    const env = await openEnvironment(server);
    // Large enough for several pieces, of bytes that gzip makes little of.
    const noise = Array.from({ length: 40_000 }, (_, at) => createHash('sha256').update(String(at)).digest('base64')).join('\n');
    const path = await env.patch('BIG.dat', [script('NOISE', noise)]);
    await env.integrate(path);
    const [{ chunks } = { chunks: 0 }] = await patches(env);
    expect(chunks).toBeGreaterThan(1);
    const database = await databaseOf(env);
    const digest = sha(await readFile(path));
    const damages = [
      `update rustine.patch_chunk set bytes = set_byte(bytes, 500, get_byte(bytes, 500) # 255) where number = 1`,
      `delete from rustine.patch_chunk where number = 1`,
      `update rustine.patch_chunk set bytes = substr(bytes, 1, 100)`,
      `delete from rustine.patch_chunk`,
    ];
    for (const damage of damages) {
      await env.query(damage);
      const error = await keptDelivery(database, digest).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(error, damage).toBeInstanceOf(Failure);
      expect(error).toMatchObject({ code: 'kept-file-damaged', facts: { file: 'BIG.dat', digest } });
    }
    await env.query('update rustine.patch set kept = false');
    await rememberDelivery(database, await opened(path), how);
    expect((await keptDelivery(database, digest))?.digest).toBe(digest);
  });

  test('a large file is stored and read as a stream: memory does not grow with it', { timeout: 120_000 }, async () => {
    const env = await openEnvironment(server);
    const database = await databaseOf(env);
    const [pieces, bytes] = [256, 256 * 1024];
    const before = await opened(await env.patch('BIG.dat', PATCH));
    // Nothing that gzip could make smaller; the same each time.
    const noise = async function* (): AsyncGenerator<Uint8Array> {
      for (let number = 0; number < pieces; number++) {
        const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, number), Buffer.alloc(16));
        yield cipher.update(Buffer.alloc(bytes));
      }
    };
    const hash = createHash('sha256');
    for await (const chunk of noise()) hash.update(chunk);
    const digest = hash.digest('hex');
    const start = process.memoryUsage.rss();
    let grown = 0;
    const watched = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        grown = Math.max(grown, process.memoryUsage.rss() - start);
        yield chunk;
      }
    };
    await rememberDelivery(database, { ...before, digest, bytes: pieces * bytes, content: () => watched(noise()) }, how);
    let read = 0;
    for await (const chunk of watched(keptBytes(database, digest, 'BIG.dat'))) read += chunk.length;
    expect(read).toBe(pieces * bytes);
    // Half of it: somebody who held the file, or what gzip made of it, would have taken all.
    expect(grown).toBeLessThan((pieces * bytes) / 2);
  });

  test('a file that changes between reading and storing is not kept', async () => {
    const env = await openEnvironment(server);
    const path = await env.patch('A.dat', PATCH);
    const delivery = await opened(path);
    await writeFile(path, (await readFile(path, 'latin1')).replace('# hello', '# HELLO'), 'latin1');
    await expect(rememberDelivery(await databaseOf(env), delivery, how)).rejects.toMatchObject({ code: 'patch-changed' });
    expect(await patches(env)).toEqual([{ file: 'A.dat', kept: false, chunks: 0, elements: 3 }]);
  });
});
