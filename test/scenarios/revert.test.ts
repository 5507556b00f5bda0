// R38: the last patch of a folder is taken back from what was remembered, and the folder is as it was before.
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REMEMBERED } from '../../src/integrate/revert-catalog.ts';
import { openEnvironment } from '../support/environment.ts';
import { difference } from '../support/folder-dump.ts';
import { noRealPatches, realPatches } from '../support/patch-files.ts';
import { any, type Element, exe, script, texts } from '../support/patches.ts';
import { standing } from '../support/reverting.ts';
import { noFields, saltrsPatch } from '../support/saltrs.ts';
import { schemaDump } from '../support/schema-dump.ts';
import { everyServer } from '../support/servers.ts';

if (noRealPatches !== undefined) console.warn(noRealPatches);
if (noFields !== undefined) console.warn(noFields);

const parameter = (name: string, title: string, access = ''): Element =>
  any('ADP', name, [{ tag: 'ADP', values: { ACS: access, PARAM: name, INTIT: texts({ ENG: title, FRA: title }) } }]);

const PRICE = `create or replace function price(amount numeric) returns numeric language sql as $$ select amount * 2 $$;`;

/** In the supervisor folder a function, in the others one that uses it. */
const USES = `do $$ begin
  if current_schema() = 'x3' then create function base() returns integer language sql return 1;
  else create function above() returns integer language sql return base(); end if;
end $$`;

describe.each(everyServer())('$name', (server) => {
  test('R38: dictionary, scripts, functions and views are as they were before, in every folder', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'TEST'] });
    const first = await env.patch('P_0001_140.dat', [
      parameter('LIMIT', 'Limit', 'OWN'),
      parameter('OTHER', 'Other'),
      script('LIB', PRICE),
    ]);
    await env.integrate(first);
    const before = await standing(env);
    const verified = (await env.rustine.verify({})).differences;
    expect(verified).toEqual([]);
    const second = await env.patch('P_0002_140.dat', [
      parameter('LIMIT', 'Upper limit', 'NEW'),
      parameter('THIRD', 'Third'),
      any('AML', '7', [{ tag: 'AML', values: { AUZMOD: 1 } }]),
      script('LIB', PRICE.replace('amount * 2', 'amount * 3').replace('price(', 'cost(')),
      script('MORE', 'End'),
      exe('LIB'),
      script('USES', USES),
      exe('USES'),
    ]);
    const integrated = await env.integrate(second);
    const after = await standing(env);
    expect(difference(before.folders.X3 ?? [], after.folders.X3 ?? []).length).toBeGreaterThan(5);
    const rehearsed = await env.rustine.revert({ file: 'P_0002_140.dat', rehearse: true });
    expect([rehearsed.findings, rehearsed.state]).toEqual([[], 'done']);
    expect(await standing(env)).toEqual(after);
    const outcome = await env.rustine.revert({ file: 'P_0002_140.dat', reason: 'wrong delivery' });
    expect([outcome.findings, outcome.state]).toEqual([[], 'done']);
    expect(outcome.folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'reverted'],
      ['SEED', 'reverted'],
      ['TEST', 'reverted'],
    ]);
    expect(await standing(env)).toEqual(before);
    expect((await env.rustine.verify({})).differences).toEqual(verified);
    const again = await env.integrate(second);
    const plain = (run: typeof again) => run.folders.map((f) => ({ ...f, patches: f.patches.map((p) => ({ ...p, ms: 0 })) }));
    expect(plain(again)).toEqual(plain(integrated));
    expect((await standing(env)).folders).toEqual(after.folders);
  });

  test('what is remembered is known by the keys that the catalog has', async () => {
    const env = await openEnvironment(server, { init: {} });
    const keys = await env.query<{ table: string; key: readonly string[] }>(`
      select c.relname::text as table, array_agg(a.attname::text order by k.place) as key
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_index i on i.indrelid = c.oid and i.indisprimary
      cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (number, place) join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
      where t.tgname = 'before_update' group by 1 order by 1`);
    expect(keys.map(({ table, key }) => [table, key])).toEqual(
      REMEMBERED.map(({ table, key }) => [table, ['folder', ...key]]).sort(),
    );
  });

  test.skipIf(noRealPatches !== undefined || noFields !== undefined)(
    'R38: the real patches leave nothing: byte by byte the same folders, and integrated again the same as the first time',
    async () => {
      const env = await openEnvironment(server, { folders: ['SEED'] });
      const real = (start: string): string => realPatches().find(({ file }) => file.startsWith(start))?.path ?? '';
      const base = join(env.home, 'BASE_SALTRS.dat');
      await writeFile(base, await saltrsPatch(real('V11')));
      const state = async () => [await standing(env), await schemaDump(env.url, 'x3'), await schemaDump(env.url, 'seed')];
      const steps = [base, real('ZCLIENT'), real('V11')];
      const states: Awaited<ReturnType<typeof state>>[] = [];
      for (const path of steps) {
        states.push(await state());
        await env.integrate(path, { authorize: ['ZALI', 'YSWPH'] });
      }
      const last = await schemaDump(env.url, 'x3');
      for (const path of steps.toReversed()) {
        const outcome = await env.rustine.revert({ file: basename(path) });
        expect([basename(path), outcome.state, outcome.findings]).toEqual([basename(path), 'done', []]);
        expect(await state()).toEqual(states.pop());
      }
      for (const path of steps) await env.integrate(path, { authorize: ['ZALI', 'YSWPH'] });
      const passing = (lines: readonly string[]): readonly string[] =>
        lines.filter((line) => !/apatch|\d{4}-\d\d-\d\d|[0-9a-f]{8}-[0-9a-f]{4}-/.test(line));
      expect(passing(await schemaDump(env.url, 'x3'))).toEqual(passing(last));
    },
    120_000,
  );
});
