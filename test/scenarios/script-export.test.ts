// `script export`: what runtimes outside read is one whole set or another, whatever happens while it is written.
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportScripts } from '../../src/app/script-export.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { rustine as program } from '../support/crash.ts';
import { connected, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { compiled, script } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

/** Every file below the directory, with its content. */
async function files(directory: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  const pairs = found.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(directory.length + 1), await readFile(path, 'latin1')];
  });
  return Object.fromEntries((await Promise.all(pairs)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const sets = async (parent: string): Promise<string[]> => (await readdir(parent)).filter((name) => name.startsWith('.out.'));

describe.each(oneServer())('script export on $name', (server) => {
  async function withScripts(): Promise<{ readonly env: TestEnvironment; readonly parent: string; readonly out: string }> {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.folders(['TRY'], { test: true });
    await env.integrate(await env.patch('A.dat', [script('LIB', '# one\n'), compiled('LIB', Buffer.from([0, 10, 255]))]));
    const parent = join(env.home, 'exports');
    return { env, parent, out: join(parent, 'out') };
  }

  test("R22: each folder's own copies are files; a second export with nothing new changes nothing", async () => {
    const { env, parent, out } = await withScripts();
    expect(await env.rustine.scripts.export(out)).toMatchObject({
      scripts: 4,
      folders: ['SEED', 'TRY', 'X3'],
      unchanged: false,
      findings: [],
    });
    expect(await files(out)).toEqual({
      'TRY/ADX/LIB.adx': '\0\n\xff',
      'TRY/TRT/LIB.src': '# one\n',
      'X3/ADX/LIB.adx': '\0\n\xff',
      'X3/TRT/LIB.src': '# one\n',
    });
    expect(await readdir(out)).toEqual(expect.arrayContaining(['SEED', 'TRY', 'X3']));
    const set = await readlink(out);
    expect(await env.rustine.scripts.export(out)).toMatchObject({ unchanged: true });
    expect([await readlink(out), await sets(parent)]).toEqual([set, [set]]);
    await env.integrate(await env.patch('B.dat', [script('LIB', '# two\n')]), { folders: ['X3'] });
    expect(await env.rustine.scripts.export(out)).toMatchObject({ unchanged: false });
    expect(await files(out)).toMatchObject({ 'TRY/TRT/LIB.src': '# one\n', 'X3/TRT/LIB.src': '# two\n' });
    // Readers of the set before can end; the one after that clears it away.
    expect(await files(join(parent, set))).toMatchObject({ 'X3/TRT/LIB.src': '# one\n' });
    await env.rustine.scripts.export(out);
    expect(await sets(parent)).toEqual([await readlink(out)]);
    expect(await env.rustine.scripts.export(out, ['X3'])).toMatchObject({ folders: ['X3'], scripts: 2, unchanged: false });
    expect((await readdir(out)).filter((name) => !name.startsWith('.'))).toEqual(['X3']);
  });

  test('a directory that no export made is refused, and stays as it is', async () => {
    const { env, parent, out } = await withScripts();
    const refused = expect.objectContaining({ code: 'export-directory', facts: { directory: out, reason: 'not-an-export' } });
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'mine'), 'x');
    await expect(env.rustine.scripts.export(out)).rejects.toEqual(refused);
    expect(await readdir(out)).toEqual(['mine']);
    const other = join(parent, 'file');
    await writeFile(other, 'x');
    await expect(env.rustine.scripts.export(other)).rejects.toMatchObject({ code: 'export-directory' });
    const link = join(parent, 'link');
    await symlink(out, link);
    await expect(env.rustine.scripts.export(link)).rejects.toMatchObject({ code: 'export-directory' });
    await symlink(`.fake.${'0'.repeat(16)}`, join(parent, 'fake'));
    await expect(env.rustine.scripts.export(join(parent, 'fake'))).rejects.toMatchObject({ code: 'export-directory' });
    await expect(env.rustine.scripts.export(join(other, 'below'))).rejects.toMatchObject({
      code: 'export-directory',
      facts: { reason: 'ENOTDIR' },
    });
    expect(await sets(parent)).toEqual([]);
  });

  test.each(['export-written', 'export-linked'])(
    'killed at "%s", readers have the old set; the next export clears up',
    async (point) => {
      const { env, parent, out } = await withScripts();
      await env.rustine.scripts.export(out);
      const before = await files(out);
      await env.integrate(await env.patch('B.dat', [script('LIB', '# two\n')]));
      const command = ['script', 'export', out, '--home', env.home, '--database', env.url, '--json'];
      expect(await program(command, { at: point })).toMatchObject({ code: null });
      expect(await files(out)).toEqual(before);
      const again = await program(command);
      expect([again.code, JSON.parse(again.out)]).toMatchObject([0, { unchanged: false, scripts: 4 }]);
      expect(await files(out)).toMatchObject({ 'TRY/TRT/LIB.src': '# two\n', 'X3/TRT/LIB.src': '# two\n' });
      await env.rustine.scripts.export(out);
      expect((await readdir(parent)).sort()).toEqual([await readlink(out), 'out']);
    },
  );

  test('two exports at the same time do not disturb each other', async () => {
    const { env, parent, out } = await withScripts();
    const both = await Promise.all([env.rustine.scripts.export(out), env.rustine.scripts.export(out)]);
    expect(both.map(({ unchanged }) => unchanged).sort()).toEqual([false, true]);
    expect([Object.keys(await files(out)).length, await sets(parent)]).toEqual([4, [await readlink(out)]]);
  });

  test('a name that no file system takes leaves out that script, and no other', async () => {
    const { env, parent, out } = await withScripts();
    const [long, longest] = ['漢'.repeat(90), '漢'.repeat(80)];
    await env.integrate(await env.patch('B.dat', [script(long, '# long\n'), script(longest, '# longest\n')]));
    const { findings, scripts } = await env.rustine.scripts.export(out);
    expect([findings.map(({ code, folder, subject }) => [code, folder, subject]), scripts]).toEqual([
      [
        ['script-name-unsafe', 'TRY', `TRT:${long}`],
        ['script-name-unsafe', 'X3', `TRT:${long}`],
      ],
      6,
    ]);
    expect(Object.keys(await files(out))).toContain(`X3/TRT/${longest}.src`);
    expect(await sets(parent)).toEqual([await readlink(out)]);
  });

  test.skipIf(process.platform !== 'linux')('an export that fails leaves nothing behind', async () => {
    const { env } = await withScripts();
    await env.integrate(await env.patch('B.dat', [script('N'.repeat(90), '# long\n')]));
    // So deep that a path to the set is still possible, and one to the longest script no more: 4,096 bytes with the final NUL.
    let parent = join(env.home, 'deep');
    while (parent.length < 3_800) parent = join(parent, 'd'.repeat(200));
    parent = join(parent, 'd'.repeat(4_000 - parent.length - 1));
    await expect(env.rustine.scripts.export(join(parent, 'out'))).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
    expect(await readdir(parent)).toEqual([]);
  });

  test('waits for another export, but not for ever; locks that anybody can take do not stop it', async () => {
    const { env, parent, out } = await withScripts();
    await connected(await env.rustine.databaseUrl('SEED'), async (client) => {
      await client.query('select pg_advisory_lock(n) from generate_series(7083110, 7083120) n');
      expect(await env.rustine.scripts.export(out)).toMatchObject({ unchanged: false });
    });
    await connected(env.url, async (client) => {
      await client.query('begin');
      await client.query('select from rustine.environment for no key update');
      const database = await openPostgres(env.url, 1);
      env.later(() => database.close());
      const busy = exportScripts(database, await readFolders(database), join(parent, 'other'), () => undefined, 200);
      await expect(busy).rejects.toMatchObject({ code: 'export-busy', facts: { directory: join(parent, 'other') } });
      await client.query('rollback');
    });
    expect((await readdir(parent)).filter((name) => name.includes('other'))).toEqual([]);
  });
});
