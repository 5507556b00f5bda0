// R41: what was written to a folder is chained, whoever wrote it.
import { describe, expect, test } from 'vitest';
import { openEnvironment } from '../support/environment.ts';
import { any, table } from '../support/patches.ts';
import { servers } from '../support/servers.ts';

/** Links that lead nowhere, rows whose hash is another one than they come to, folders whose last hash is none of theirs. */
const BROKEN = `
  select f.code, i.file from rustine.integration i join rustine.folder f on f.id = i.folder
  where i.hash is distinct from rustine.integration_hash(i, f.code)
    or (i.previous is not null and not exists (select from rustine.integration p where p.folder = i.folder and p.hash = i.previous))
  union all
  select code, null from rustine.folder f where not exists (select from rustine.integration i where i.folder = f.id and i.hash = f.chain)`;

const parameter = (title: string) => any('ADP', 'LIMIT', [{ tag: 'ADP', values: { ACS: 'ALL', PARAM: 'LIMIT', INTIT: title } }]);

describe.each(servers())('chain on $name', (server) => {
  test('R41: patches, creation from a parent, element set: each follows the one before, with its row of APATCH', async () => {
    const env = await openEnvironment(server);
    await env.integrate([
      await env.patch('P_0001_140.dat', [parameter('one')]),
      await env.patch('P_0002_140.dat', [table('BOX', 'BX', { COD: 'A:10' }, { BX0: 'COD' })]),
    ]);
    await env.folders(['SEED']);
    await env.rustine.setElement({ element: 'ADP:LIMIT', folder: 'SEED', assignments: [{ field: 'ACS', value: 'OWN' }] });
    expect(await env.query(BROKEN)).toEqual([]);
    const rows = await env.query(`
      select f.code, i.kind, i.file, i.apatch ->> 'fic_0' as apatch, i.previous is null as first
      from rustine.integration i join rustine.folder f on f.id = i.folder order by f.code desc, i.id`);
    expect(rows).toMatchObject([
      { code: 'X3', kind: 'creation', apatch: null, first: true },
      { code: 'X3', kind: 'patch', file: 'P_0001_140.dat', apatch: 'P_0001_140.dat', first: false },
      { code: 'X3', kind: 'patch', file: 'P_0002_140.dat', apatch: 'P_0002_140.dat', first: false },
      { code: 'SEED', kind: 'creation', apatch: null, first: true },
      { code: 'SEED', kind: 'patch', file: 'P_0001_140.dat', apatch: 'P_0001_140.dat', first: false },
      { code: 'SEED', kind: 'patch', file: 'P_0002_140.dat', apatch: 'P_0002_140.dat', first: false },
      { code: 'SEED', kind: 'set', apatch: null, first: false },
    ]);
  });

  test('R41: two that write to one folder at the same time stand one behind the other', async () => {
    const env = await openEnvironment(server);
    const write = () =>
      env.query(
        `insert into rustine.integration (folder, kind, file, digest, patch_type, operator) select id, 'set', 'x', '', '', 'u' from rustine.folder`,
      );
    await Promise.all([write(), write(), write()]);
    expect(await env.query(BROKEN)).toEqual([]);
    expect(await env.query('select count(distinct previous)::integer as n from rustine.integration')).toEqual([{ n: 3 }]);
  });
});
