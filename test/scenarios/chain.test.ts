// R41: what was written to a folder is chained, whoever wrote it.
import { describe, expect, test } from 'vitest';
import { openEnvironment } from '../support/environment.ts';
import { any, table } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

/** Links that lead nowhere, rows whose hash is another one than they come to, folders whose last hash is none of theirs. */
const BROKEN = `
  select f.code, i.file from rustine.integration i join rustine.folder f on f.id = i.folder
  where i.hash is distinct from rustine.integration_hash(i, f.code)
    or (i.previous is not null and not exists (select from rustine.integration p where p.folder = i.folder and p.hash = i.previous))
  union all
  select code, null from rustine.folder f where not exists (select from rustine.integration i where i.folder = f.id and i.hash = f.chain)`;

const parameter = (title: string) => any('ADP', 'LIMIT', [{ tag: 'ADP', values: { ACS: 'ALL', PARAM: 'LIMIT', INTIT: title } }]);

/** Folders that do not stand where their patches say. */
const ASTRAY = `
  select f.code from rustine.folder f cross join rustine.standing(f.id) s
  where (f.level, f.patches, f.standard) is distinct from (s.level, s.patches, s.standard)`;

describe.each(everyServer())('chain on $name', (server) => {
  test('R41: patches, creation from a parent, element set: each follows the one before, with its row of APATCH', async () => {
    const env = await openEnvironment(server);
    await env.integrate([
      await env.patch('P_0001_140.dat', [parameter('one')]),
      await env.patch('P_0002_140.dat', [table('BOX', 'BX', { COD: 'A:10' }, { BX0: 'COD' })]),
    ]);
    await env.folders(['SEED']);
    await env.rustine.setElement({ element: 'ADP:LIMIT', folder: 'SEED', assignments: [{ field: 'ACS', value: 'OWN' }] });
    expect(await env.query(BROKEN)).toEqual([]);
    expect(await env.query(ASTRAY)).toEqual([]);
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

  test('R34: where a folder stands follows what is written, corrected, taken back and removed', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const write = (number: number, more = '') =>
      env.query(
        `insert into rustine.integration (folder, file, digest, patch_type, series, number, version, apatch_num, operator)
         select id, 'P_' || $1 || '_140', sha256(convert_to($1 || $2, 'UTF8')), '1', 'P', $1::integer, '140', 1, 'u' from rustine.folder where code = 'SEED'`,
        [String(number), more],
      );
    const level = async () =>
      (await env.query<{ level: unknown; patches: number }>(`select level, patches from rustine.folder where code = 'SEED'`))[0];
    for (const number of [1, 3, 2]) await write(number);
    await write(2, 'other content');
    expect(await env.query(ASTRAY)).toEqual([]);
    expect(await level()).toEqual({ level: { P_140: 3 }, patches: 3 });
    await env.query('update rustine.integration set reverted_by = 0 where number = 3');
    expect(await env.query(ASTRAY)).toEqual([]);
    expect(await level()).toEqual({ level: { P_140: 2 }, patches: 2 });
    await env.query('delete from rustine.integration where number = 2');
    const seed = async () => (await env.rustine.folders()).find(({ code }) => code === 'SEED');
    expect(await seed()).toMatchObject({ level: { P_140: 1 }, patches: 1 });
    await write(4);
    expect(await seed()).toMatchObject({ level: { P_140: 4 }, patches: 2 });
  });
});
