// Verbs over several servers: decisions, set-up fields and what was put aside, wherever the folder lives; what `server add` refuses, in both languages.
import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { problemOf, problemText } from '../../src/cli/problem.ts';
import { openEnvironment, queryAt } from '../support/environment.ts';
import { any, row, table } from '../support/patches.ts';
import { createDatabase, oneServer, servers } from '../support/servers.ts';
import { reopened, twoServers } from '../support/two-servers.ts';

const action = (script: string) => any('ACT', 'ACTA', [{ tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', SPETRT: script } }]);
const item = (fields: Record<string, string> = {}) => table('ITEM', 'ITM', { COD: 'A:10', ...fields }, { ITM0: 'COD' });
const SCRIPTS = `select folder, fields ->> 'SPETRT' as script from rustine.dictionary where type = 'ACT' and tag = 'ACT' order by 1`;

describe.each(oneServer())('two servers, from $name', (server) => {
  const further = servers().at(-1);

  test('R37: a decision is carried out wherever a folder has the case, in mirrors too, and followed by later patches', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('A.dat', [action('ONE')]));
    await env.integrate(await env.patch('B.dat', [action('TWO')]), { folders: ['X3', 'FAR'] });
    const kept = await env.rustine.keptValues({});
    expect(kept.map(({ folder, now, own }) => [folder, now, own])).toEqual([
      ['X3', 'TWO', 'ONE'],
      ['FAR', 'TWO', 'ONE'],
    ]);
    const id = kept[0]?.case ?? '';
    await expect(env.rustine.decide({ case: 'none', choice: 'keep' })).rejects.toMatchObject({ code: 'case-unknown' });
    const decided = await env.rustine.decide({ case: id, choice: 'take', reason: 'new script' });
    expect(decided).toMatchObject({ element: 'ACT:ACTA', choice: 'take', folders: ['X3', 'FAR'] });
    expect(await env.rustine.keptValues({ all: true })).toEqual([]);
    expect(await env.query(SCRIPTS)).toEqual([
      { folder: 'LOC', script: 'ONE' },
      { folder: 'X3', script: 'TWO' },
    ]);
    expect(await env.at(SCRIPTS)).toEqual([
      { folder: 'FAR', script: 'TWO' },
      { folder: 'X3', script: 'TWO' },
    ]);
    await env.integrate(await env.patch('C.dat', [action('TWO')]), { folders: ['LOC'] });
    expect((await env.query<{ script: string }>(SCRIPTS))[0]).toEqual({ folder: 'LOC', script: 'TWO' });
  });

  test('R20: a set-up field is set where the folder lives; that of an original in its mirror too', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('A.dat', [action('ONE')]));
    const set = (folder: string, value: string) =>
      env.rustine.setElement({ element: 'ACT:ACTA', folder, assignments: [{ field: 'SPETRT', value }] });
    expect(await set('FAR', 'OWN')).toMatchObject({ folder: 'FAR', changed: ['SPETRT'] });
    expect(await set('X3', 'SUP')).toMatchObject({ folder: 'X3', changed: ['SPETRT'] });
    expect(await env.at(SCRIPTS)).toEqual([
      { folder: 'FAR', script: 'OWN' },
      { folder: 'X3', script: 'SUP' },
    ]);
    expect(await env.query(SCRIPTS)).toEqual([
      { folder: 'LOC', script: 'ONE' },
      { folder: 'X3', script: 'SUP' },
    ]);
    await expect(set('NONE', 'x')).rejects.toMatchObject({ code: 'folder-unknown' });
    await env.proxy.close();
    const later = await reopened(env, { NORTH: env.proxy.url });
    await expect(
      later.setElement({ element: 'ACT:ACTA', folder: 'FAR', assignments: [{ field: 'SPETRT', value: 'LATER' }] }),
    ).rejects.toMatchObject({ code: 'server-unreachable', facts: { server: 'NORTH' } });
    expect(await env.at(SCRIPTS)).toMatchObject([{ folder: 'FAR', script: 'OWN' }, {}]);
  });

  test('R27: what was put aside is listed of all servers, and shown and removed where it is', async () => {
    const env = await twoServers(server, further);
    await env.integrate(await env.patch('A.dat', [item({ NAM: 'A:20' }), row('ITM', 'x', { COD: 'A', NAM: 'one' })]));
    await env.integrate(await env.patch('B.dat', [item()]));
    const kept = await env.rustine.kept({ table: 'ITEM' });
    expect(kept.map(({ folder }) => folder).sort()).toEqual(['FAR', 'LOC', 'X3']);
    const far = kept.find(({ folder }) => folder === 'FAR')?.id ?? 0;
    expect((await env.rustine.keptRows(far, 5)).rows).toHaveLength(1);
    expect((await env.rustine.restoreKept([far], { rehearse: true })).state).toBe('done');
    expect((await env.rustine.purgeKept({ folder: 'FAR', before: '2999-01-01' })).purged.map(({ id }) => id)).toEqual([far]);
    expect((await env.rustine.kept({})).map(({ folder }) => folder).sort()).toEqual(['LOC', 'X3']);
    await expect(env.rustine.keptRows(far, 5)).rejects.toMatchObject({ code: 'kept-unknown' });
  });

  test('what cannot be added as a server is refused with a sentence, in both languages, and nothing is added', async () => {
    const env = await twoServers(server, further);
    const [english, french] = (
      await Promise.all([import('../../src/cli/messages/en.ts'), import('../../src/cli/messages/fr.ts')])
    ).map(({ messages }) => messages);
    const fresh = async (): Promise<string> => {
      const { url, drop } = await createDatabase(server);
      onTestFinished(drop);
      return url;
    };
    const said = async (name: string, url: string): Promise<readonly [string, string, string]> => {
      const problem = problemOf(await env.rustine.addServer(name, url).catch((error: unknown) => error));
      if (english === undefined || french === undefined) throw new Error('no languages');
      const texts = [problemText(problem, english), problemText(problem, french)] as const;
      for (const text of texts) expect(text).not.toMatch(/undefined|NaN|\?\.|\(\?/);
      expect(texts[0]).not.toBe(texts[1]);
      return [problem.code, ...texts];
    };
    const about = (code: string, en: RegExp, fr: RegExp) => [code, expect.stringMatching(en), expect.stringMatching(fr)];
    expect(await said('SOUTH', 'somewhere')).toEqual(
      about('database-url', /^<url> is not a database URL/, /^<url> n'est pas une URL de base de données/),
    );
    expect(await said('NOT A NAME', env.north)).toEqual(
      about('server-name', /is not a server name/, /n'est pas un nom de serveur/),
    );
    expect(await said('SOUTH', 'postgresql://u:secret@127.0.0.1:1/none')).toEqual(
      about('server-unreachable', /^Server SOUTH .*cannot be reached/, /^Le serveur SOUTH .*est injoignable/),
    );
    expect((await said('SOUTH', 'postgresql://u:secret@127.0.0.1:1/none')).join(' ')).not.toContain('secret');
    expect(await said('north', await fresh())).toEqual(
      about('server-exists', /NORTH is in this environment already/, /NORTH fait déjà partie/),
    );
    expect(await said('SOUTH', env.north)).toEqual(
      about('server-known', /already, as server NORTH/, /déjà partie .* comme serveur NORTH/),
    );
    expect(await said('SOUTH', env.url)).toEqual(
      about('server-is-environment', /environment's own database/, /base de l'environnement lui-même/),
    );
    expect(await said('SOUTH', (await openEnvironment(server)).url)).toEqual(
      about('server-of-another', /another environment/, /un autre environnement/),
    );
    const used = await fresh();
    await queryAt(used, 'create schema other');
    expect(await said('SOUTH', used)).toEqual(
      about('server-database-used', /not empty: it holds other/, /n'est pas vide : elle contient other/),
    );
    expect(await said('SOUTH', await withoutRights(await fresh()))).toEqual(about('database-rights', /CREATE, /, /CREATE, /));
    expect((await env.rustine.servers()).map(({ name }) => name)).toEqual(['NORTH']);
  });

  test('a server whose catalog a newer version made is not added again, and nothing is noted', async () => {
    const env = await twoServers(server, further, false);
    await env.rustine.dropServer('NORTH');
    await env.at('update rustine.environment set version = 999');
    await expect(env.rustine.addServer('NORTH', env.north)).rejects.toMatchObject({
      code: 'catalog-newer',
      facts: { found: 999 },
    });
    expect(await env.rustine.servers()).toEqual([]);
  });
});

/** The URL of somebody who may connect to the database, and no more. */
async function withoutRights(url: string): Promise<string> {
  const role = `guest_${randomBytes(4).toString('hex')}`;
  await queryAt(url, `create role ${escapeIdentifier(role)} login password 'guest'`);
  onTestFinished(async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`drop role ${escapeIdentifier(role)}`).catch(() => undefined);
    await client.end();
  });
  const guest = new URL(url);
  guest.username = role;
  guest.password = 'guest';
  return guest.toString();
}
