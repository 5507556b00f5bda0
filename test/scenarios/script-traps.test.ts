// What a SQL script leaves behind on purpose: functions that Rustine itself would call, a login of its own making, rights that keep its role alive.
import { randomBytes } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { databaseOwner, openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { any, exe, script, table } from '../support/patches.ts';
import { openPooler } from '../support/pooler.ts';
import { everyServer } from '../support/servers.ts';

/** Functions that fit calls of Rustine's better than the server's own; whoever calls one becomes the supervisor folder. */
const traps = (schema: string): string =>
  ['concat_ws(text, bigint, bigint) returns text', 'array_position(integer[], integer) returns integer']
    .map(
      (signature) =>
        `create function ${schema}.${signature} language plpgsql as $$ begin update rustine.environment set supervisor = 'EVIL'; return null; end $$;`,
    )
    .join('\n');

/** Does what would spring them: by a transaction, and by single statements. */
async function work(rustine: TestEnvironment['rustine']): Promise<void> {
  await rustine.createFolders(['SHOP'], {});
  await rustine.scripts.which('TRAP', {});
}

const supervisor = async (env: TestEnvironment): Promise<unknown> =>
  (await env.query<{ supervisor: string }>('select supervisor from rustine.environment'))[0]?.supervisor;

describe.each(everyServer())('what a SQL script leaves behind, on $name', (server) => {
  test('R3: functions in public that everybody may create are not called in place of the server’s own', async () => {
    const env = await openEnvironment(server);
    await env.query('grant create on schema public to public');
    // The settings of the session are reset too: the next command may get the same connection.
    await env.integrate(await env.patch('A.dat', [script('TRAP', `-- x\n${traps('public')}\nreset all; reset search_path;`)]));
    expect(await env.query(`select from pg_proc where pronamespace = 'public'::regnamespace`)).toHaveLength(2);
    await work(env.rustine);
    expect(await supervisor(env)).toBe('X3');
  });

  test('R3: with a pooler in between, too', async () => {
    const env = await openEnvironment(server);
    await env.query('grant create on schema public to public');
    const pooler = await openPooler(env.url);
    onTestFinished(pooler.close);
    const rustine = await openRustine({ home: env.home, database: pooler.url, language: 'en', jobs: 2 });
    onTestFinished(() => rustine.close());
    const path = await env.patch('A.dat', [script('TRAP', `-- x\n${traps('public')}\nreset all;`)]);
    expect((await rustine.integrate({ paths: [path], mode: 'integrate' })).state).toBe('done');
    await work(rustine);
    expect(await supervisor(env)).toBe('X3');
  });

  test('R3: nor those of a folder whose schema is named like the database user', async () => {
    const user = `u${randomBytes(4).toString('hex')}`;
    // Dropped last: the database belongs to it.
    onTestFinished(async () => {
      await queryAt(server.url, `drop role if exists ${escapeIdentifier(user)}`);
    });
    const env = await openEnvironment(server, {
      init: { supervisor: user.toUpperCase() },
      as: async (superuser, database) => {
        await queryAt(superuser, `create role ${escapeIdentifier(user)} login password 'secret' createrole`);
        await queryAt(superuser, `alter database ${escapeIdentifier(database)} owner to ${escapeIdentifier(user)}`);
        const url = new URL(superuser);
        url.username = user;
        url.password = 'secret';
        return url.href;
      },
    });
    await env.integrate(await env.patch('A.dat', [script('TRAP', `-- x\n${traps(user)}`)]));
    await work(env.rustine);
    expect(await supervisor(env)).toBe(user.toUpperCase());
  });

  test.each(['superuser', 'owner'] as const)(
    'R3: a folder is dropped whatever its role was given (connected as %s)',
    async (user) => {
      const env = await openEnvironment(server, { folders: ['SHOP'], ...(user === 'owner' ? { as: databaseOwner } : {}) });
      const grip = `-- x\nselect lo_create(0); alter default privileges grant select on tables to public;`;
      await env.integrate(await env.patch('A.dat', [script('GRIP', grip), exe('GRIP')]));
      await env.rustine.dropFolder('SHOP');
      expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3']);
      const [role] = await env.query<{ roles: number }>(
        `select count(*)::integer as roles from pg_roles where rolname = current_database() || '_shop'`,
      );
      expect(role?.roles).toBe(0);
    },
  );

  test('R26: a type of a script that has the name of a table is told before anything changes; a typed view stays away', async () => {
    const env = await openEnvironment(server);
    const types = `-- x\ncreate type item as enum ('a'); create domain aglobvar as integer;`;
    await env.integrate(await env.patch('A.dat', [script('TYPES', types)]));
    const path = await env.patch('B.dat', [table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' })]);
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect(outcome.findings).toMatchObject([
      { code: 'name-taken', severity: 'block', subject: 'ATB:ITEM', facts: { table: 'ITEM', kind: 'table', name: 'item' } },
    ]);
    const variable = any('AGB', 'A', [{ tag: 'AGB', values: { CODVAR: 'A' } }]);
    expect((await env.integrate(await env.patch('C.dat', [variable]))).findings).toMatchObject([
      { code: 'view-hidden', severity: 'info', facts: { view: 'aglobvar' } },
    ]);
  });

  test('R26: a view or function that uses a column which changes is named, and nothing changes', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const item = (length: number) => table('ITEM', 'ITM', { COD: 'A:10', DES: `A:${length}`, QTY: 'L' }, { ITM0: 'COD' });
    const uses = `-- x\ncreate view uses as select cod_0, des_0 from item;
      create function reads() returns text language sql begin atomic select des_0 from item; end;`;
    await env.integrate(await env.patch('A.dat', [item(20), script('USES', uses)]));
    const path = await env.patch('B.dat', [item(30)]);
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    const { findings } = outcome;
    expect(findings.filter(({ code }) => code === 'column-in-use')).toMatchObject([
      {
        severity: 'block',
        subject: 'ATB:ITEM',
        facts: { table: 'ITEM', columns: ['des_0'], objects: ['FUNCTION x3.reads()', `VIEW x3.uses (${env.database}_x3)`] },
      },
    ]);
    expect(await env.query('select fic_0 from seed.apatch')).toEqual([{ fic_0: 'A.dat' }]);
    await env.query('drop view x3.uses; drop function x3.reads()');
    await env.query('create view x3.codes as select cod_0 from x3.item');
    await env.integrate(path);
  });
});
