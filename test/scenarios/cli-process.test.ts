// The program as a process: how it starts, what it leaves with, and a reader that goes away.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const RUSTINE = join(import.meta.dirname, '../../bin/rustine.js');
const home = mkdtempSync(join(tmpdir(), 'rustine-process-'));
afterAll(() => rmSync(home, { recursive: true }));

const env = { PATH: process.env.PATH, HOME: home, RUSTINE_HOME: home };
const rustine = (...words: string[]) => spawnSync(process.execPath, [RUSTINE, ...words], { env, encoding: 'utf8' });

describe('the program', () => {
  it('helps, and loads neither database nor configuration for it', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUSTINE, '--help'], {
      env: { ...env, NODE_DEBUG: 'esm' },
      encoding: 'utf8',
      maxBuffer: 16 * 2 ** 20,
    });
    expect(status).toBe(0);
    expect(stdout).toContain('integrate');
    expect(stderr).toMatch(/node_modules\/commander\//);
    expect(stderr).not.toMatch(/node_modules\/(pg|pg-boss|libpg-query|zod|yaml)\//);
  });

  it('leaves with the exit code of the contract', () => {
    expect(rustine('--version')).toMatchObject({ status: 0, stderr: '' });
    expect(rustine('frob')).toMatchObject({ status: 2, stdout: '' });
    const unreachable = rustine('status', '--database', 'postgresql://nobody:secret@127.0.0.1:1/none', '--json');
    expect(unreachable.status).toBe(3);
    expect(JSON.parse(unreachable.stdout).error).toMatchObject({ code: 'database-unreachable' });
    expect(unreachable.stdout + unreachable.stderr).not.toContain('secret');
  });

  it('is quiet about a reader that goes away', async () => {
    const child = spawn(process.execPath, [RUSTINE, '--help'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, complaint]).toEqual([0, '']);
  });

  // A clone brings a newer Node than the machine's: the machine's only launches it.
  const old = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'))
    .find((node) => existsSync(node) && /^v(1\d|2[01])\./.test(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout));

  it.skipIf(old === undefined)('ends when its launcher is killed (needs a Node.js older than 22 in the path)', async () => {
    // A server that takes connections and says nothing: the program waits for it.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `postgresql://nobody@127.0.0.1:${port}/none`;
    const launcher = spawn(old ?? '', [RUSTINE, 'status', '--database', url], { env, stdio: 'ignore' });
    const [connection] = (await once(server, 'connection')) as [Socket];
    connection.on('error', () => undefined).resume();
    launcher.kill('SIGKILL');
    await once(connection, 'close');
    server.close();
  });
});
