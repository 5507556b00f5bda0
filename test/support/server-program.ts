// A program: runs a PostgreSQL in a temporary directory until its input ends, then removes it. Prints the URL when it is ready.
// Arguments: the directory of its binaries, and settings of its own (`max_prepared_transactions=0`).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverUser } from '../../src/database/embedded-user.ts';
import { serverPlace } from './server-place.ts';

const [, , binaries = '', ...own] = process.argv;
const asked = new Promise<void>((resolve) => {
  process.stdin.resume();
  process.stdin.once('close', () => resolve());
});
// A Ctrl-C reaches us as well as the test runner, which ends our input when it has finished.
process.on('SIGINT', () => undefined);

const directory = await mkdtemp(join(await serverPlace(), 'rustine-pg15-'));
try {
  await serve();
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

async function serve(): Promise<void> {
  const user = await serverUser(await stat(directory));
  const data = join(directory, 'data');
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) for (const path of [passwordFile, directory]) await chown(path, user.uid, user.gid);
  const log = await open(join(directory, 'log'), 'a');
  const options = { ...user, cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, detached: true } as const;

  const initdb = [
    '-D',
    data,
    '-U',
    'rustine',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--no-sync',
  ];
  const creation = spawn(join(binaries, 'initdb'), initdb, { ...options, stdio: ['ignore', log.fd, log.fd] });
  const [code] = (await once(creation, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`initdb: ${await readFile(join(directory, 'log'), 'utf8')}`);

  const port = await freePort();
  const settings = [
    ...[`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'jit=off'],
    ...[
      'max_connections=100',
      'max_prepared_transactions=100',
      'max_locks_per_transaction=1024',
      'wal_level=minimal',
      'max_wal_senders=0',
    ],
    // The data does not outlive the tests.
    ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
    ...own,
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(binaries, 'postgres'), args, { ...options, stdio: ['ignore', log.fd, log.fd] });
  const ended = once(server, 'exit');
  while (!(await isReady(data))) {
    if (server.exitCode !== null) throw new Error(`postgres: ${await readFile(join(directory, 'log'), 'utf8')}`);
    await sleep(10);
  }
  process.stdout.write(`postgresql://rustine:${password}@127.0.0.1:${port}/postgres\n`);
  await Promise.race([asked, ended]);
  // Immediate: there is nothing to keep.
  server.kill('SIGQUIT');
  await ended;
  await log.close();
}

async function isReady(data: string): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[7]?.trim() === 'ready';
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
