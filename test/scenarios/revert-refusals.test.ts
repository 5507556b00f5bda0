// R38: what speaks against taking a patch back, told in all folders at once, and what does not.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { typed } from '../support/command-line.ts';
import { connected, databaseOwner, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { difference } from '../support/folder-dump.ts';
import { activityCode, any, type Element, exe, row, script, table, texts } from '../support/patches.ts';
import { standing } from '../support/reverting.ts';
import { schemaDump } from '../support/schema-dump.ts';
import { oneServer } from '../support/servers.ts';

const FIRST = 'P_0001_140.dat';
const SECOND = 'P_0002_140.dat';
const parameter = (name: string, title: string, access = ''): Element =>
  any('ADP', name, [{ tag: 'ADP', values: { ACS: access, PARAM: name, INTIT: texts({ ENG: title }) } }]);
const sqlFunction = (name: string, body: string): string =>
  `create or replace function ${name}() returns integer language sql as $$ select ${body} $$;`;

const told = ({ state, findings }: RunOutcome) => [
  state,
  findings.map(({ code, folder, facts }) => [
    code,
    folder,
    facts?.elements ?? facts?.folders ?? facts?.later ?? facts?.scripts ?? facts?.codes ?? facts?.functions ?? facts?.why,
  ]),
];

describe.each(oneServer())('$name', (server) => {
  const revert = (env: TestEnvironment, file: string, folders?: readonly string[]) =>
    env.rustine.revert({ file, ...(folders === undefined ? {} : { folders }) });

  test('R38: only the last patch, children first; each knows the one before', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'PLANT'] });
    const empty = await standing(env);
    await env.integrate(await env.patch(FIRST, [parameter('A', 'a'), table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' })]));
    const one = await standing(env);
    await env.integrate(await env.patch(SECOND, [parameter('A', 'b'), row('ITM', 'x', { COD: 'A' })]));
    const two = await standing(env);
    expect(told(await revert(env, FIRST))).toEqual([
      'refused',
      ['X3', 'PLANT', 'SEED'].map((folder) => ['revert-not-last', folder, [SECOND]]),
    ]);
    expect(told(await revert(env, SECOND, ['X3', 'PLANT']))).toEqual(['refused', [['revert-below', 'X3', ['SEED']]]]);
    expect(await standing(env)).toEqual(two);
    expect((await revert(env, SECOND, ['SEED'])).state).toBe('done');
    const status = await env.rustine.folder('SEED');
    expect([status.lag, status.due, status.level]).toEqual([[SECOND], true, { P_140: 1 }]);
    expect(told(await revert(env, SECOND, ['X3', 'SEED']))).toEqual([
      'refused',
      [
        ['revert-below', 'X3', ['PLANT']],
        ['revert-not-integrated', 'SEED', undefined],
      ],
    ]);
    const both = await env.rustine.revert({ file: SECOND, rehearse: true });
    expect([both.state, both.mode]).toEqual(['done', 'revert-rehearse']);
    expect((await revert(env, SECOND)).folders.map(({ folder, state }) => [folder, state])).toEqual([
      ['X3', 'reverted'],
      ['PLANT', 'reverted'],
    ]);
    expect(await standing(env)).toEqual(one);
    expect((await revert(env, FIRST)).state).toBe('done');
    expect(await standing(env)).toEqual(empty);
  });

  test('R38: the same file integrated again for more codes goes back to the first time', async () => {
    const env = await openEnvironment(server);
    const path = await env.patch(FIRST, [parameter('A', 'a'), script('ZMINE', 'End')], { activityCodes: [] });
    await env.integrate(path);
    const one = await standing(env);
    await env.integrate(path, { authorize: ['ZALI'] });
    expect(await env.query(`select name from rustine.script`)).toEqual([{ name: 'ZMINE' }]);
    expect((await revert(env, FIRST)).state).toBe('done');
    expect(await standing(env)).toEqual(one);
    const [view] = await env.rustine.folders();
    expect([view?.level, view?.patches]).toEqual([{ P_140: 1 }, 1]);
    expect((await revert(env, FIRST)).state).toBe('done');
    expect((await env.rustine.folders()).map(({ level }) => level)).toEqual([{}]);
  });

  test('R38: what people changed in what it brought is not lost; what they changed elsewhere stays', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch(FIRST, [parameter('MINE', 'a'), parameter('YOURS', 'a')]));
    await env.integrate(await env.patch(SECOND, [parameter('YOURS', 'b'), activityCode('NEW')]));
    const set = (name: string) =>
      env.rustine.setElement({ element: `ADP:${name}`, folder: 'SEED', assignments: [{ field: 'ACS', value: 'OWN' }] });
    await set('MINE');
    await set('YOURS');
    await env.rustine.setFolder('SEED', { activityCodes: ['NEW'] });
    expect(told(await revert(env, SECOND, ['SEED']))).toEqual([
      'refused',
      [
        ['revert-elements-changed', 'SEED', ['ADP:YOURS']],
        ['revert-activity-codes', 'SEED', ['NEW']],
      ],
    ]);
    // Set back, nothing of it depends on the patch any more; what they changed elsewhere stays.
    await env.rustine.setElement({ element: 'ADP:YOURS', folder: 'SEED', assignments: [{ field: 'ACS', value: '' }] });
    await env.rustine.setFolder('SEED', { activityCodes: [] });
    expect(told(await revert(env, SECOND, ['SEED']))).toEqual(['done', []]);
    expect(
      await env.query(
        `select name, fields ->> 'ACS' as own from rustine.dictionary where folder = 'SEED' and type = 'ADP' order by 1`,
      ),
    ).toEqual([
      { name: 'MINE', own: 'OWN' },
      { name: 'YOURS', own: '' },
    ]);
  });

  test('R38: functions and scripts that are not as the patch left them', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch(FIRST, [script('LIB', sqlFunction('price', '1'))]));
    const before = await standing(env);
    await env.integrate(await env.patch(SECOND, [script('LIB', sqlFunction('price', '2')), exe('LATER')]));
    expect((await env.rustine.scripts.pending()).map(({ script }) => script)).toEqual(['LATER']);
    await env.query(`create or replace function x3.price() returns integer language sql as $$ select 3 $$`);
    await env.query(`update rustine.pending_script set attempts = 1`);
    expect(told(await revert(env, SECOND))).toEqual([
      'refused',
      [
        ['revert-scripts-ran', 'X3', ['LATER']],
        ['revert-functions-changed', 'X3', ['x3.price()']],
      ],
    ]);
    await env.query(`create or replace function x3.price() returns integer language sql as $$ select 2 $$`);
    await env.query(`update rustine.pending_script set attempts = 0`);
    const outcome = await revert(env, SECOND);
    expect(told(outcome)).toEqual(['done', []]);
    expect(await standing(env)).toEqual(before);
    expect(await env.query('select x3.price() as price')).toEqual([{ price: 1 }]);
  });

  test('R3, R38: a user who owns the database and is no superuser takes functions back with their rights', async () => {
    const env = await openEnvironment(server, { as: databaseOwner });
    await env.integrate(
      await env.patch(FIRST, [script('LIB', `${sqlFunction('price', '1')} revoke execute on function price() from public;`)]),
    );
    const before = await standing(env);
    const dump = await schemaDump(env.url, 'x3');
    const two = `drop function price(); create function price(more integer default 1) returns text language sql as $$ select 'x' $$;`;
    await env.integrate(await env.patch(SECOND, [script('LIB', two), exe('LIB2'), script('LIB2', sqlFunction('cost', '1'))]));
    expect(told(await revert(env, SECOND))).toEqual(['done', []]);
    expect(difference(dump, await schemaDump(env.url, 'x3'))).toEqual([]);
    expect(await standing(env)).toEqual(before);
  });

  test('R38: a function that something else uses by now is named', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch(FIRST, [script('LIB', sqlFunction('price', '1'))]));
    await env.query('create view public.prices as select x3.price()');
    const after = await standing(env);
    const outcome = await revert(env, FIRST);
    expect([outcome.state, outcome.findings.map(({ code, facts }) => [code, facts?.reason])]).toEqual([
      'refused',
      [['revert-in-use', 'view public.prices depends on function x3.price()']],
    ]);
    expect(await standing(env)).toEqual(after);
  });

  test('R34: reasons of being due that it gave go with it; what was validated with it stays', async () => {
    const env = await openEnvironment(server);
    const kit = table('BAG', 'BAG', { COD: 'A:5', KIT: { type: 'A:5', slots: 2, activity: 'KIT' } }, { BAG0: 'COD' });
    await env.integrate(await env.patch(FIRST, [activityCode('KIT', { active: true, size: 2 }), kit]));
    await env.rustine.validate({ folders: ['X3'] });
    const before = await standing(env);
    const second = await env.patch(SECOND, [activityCode('KIT', { active: true, size: 3 })]);
    await env.integrate(second);
    expect((await env.rustine.folder('X3')).reasons).toEqual(['activity-code:KIT']);
    expect(told(await revert(env, SECOND))).toEqual(['done', []]);
    expect((await env.rustine.folder('X3')).reasons).toEqual([]);
    expect(await standing(env)).toEqual(before);
    await env.integrate(second);
    await env.rustine.validate({ folders: ['X3'] });
    const outcome = await revert(env, SECOND);
    expect([outcome.state, outcome.findings.map(({ code, facts }) => [code, facts?.reasons])]).toEqual([
      'refused',
      [['revert-validated', ['activity-code:KIT']]],
    ]);
  });

  test('R12: nobody else is in the folder meanwhile; a folder of which nothing was remembered', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'PLANT'] });
    await env.integrate(await env.patch(FIRST, [parameter('A', 'a')]));
    const url = await env.rustine.databaseUrl('SEED');
    await connected(url, async (client) => {
      await client.query('select 1');
      const there = await revert(env, FIRST);
      expect([there.state, there.findings.map(({ code, folder }) => [code, folder])]).toEqual([
        'refused',
        [['sessions-active', 'SEED']],
      ]);
      expect((await env.rustine.revert({ file: FIRST, rehearse: true, disconnect: true })).state).toBe('done');
    });
    await env.query(
      `update rustine.folder set state = 'locked', locked = '{"at": "2026-01-02 03:04", "by": "bob", "code": "blocked"}' where code = 'SEED'`,
    );
    const locked = await revert(env, FIRST);
    expect([locked.state, locked.findings.map(({ code, folder }) => [code, folder])]).toEqual([
      'refused',
      [['folder-locked', 'SEED']],
    ]);
    await env.query(`update rustine.folder set state = 'ready', locked = null`);
    await env.query(
      `update rustine.integration set before = null where folder = (select id from rustine.folder where code = 'SEED')`,
    );
    await env.folders(['YOUNG'], { parent: 'SEED' });
    expect(told(await revert(env, FIRST))).toEqual([
      'refused',
      [
        ['revert-not-remembered', 'SEED', 'older'],
        ['revert-not-remembered', 'YOUNG', 'creation'],
      ],
    ]);
    // What a validation brought stays, there and above: both refusals say so, and neither sends to the other folder.
    await env.integrate(await env.patch('LATE.dat', [parameter('L', 'l')]), { folders: ['X3', 'PLANT'] });
    expect((await env.rustine.validate({ folders: ['SEED'] })).state).toBe('done');
    const below = (await revert(env, 'LATE.dat', ['X3'])).findings;
    expect(below.map(({ code, facts }) => [code, facts.folders, facts.stuck])).toEqual([
      ['revert-below', ['PLANT', 'SEED'], ['SEED']],
    ]);
    expect(told(await revert(env, 'LATE.dat', ['SEED']))).toEqual(['refused', [['revert-not-remembered', 'SEED', 'validation']]]);
    const said = async (...words: readonly string[]) => {
      const { out, err } = await typed(env, ['revert', 'LATE.dat', '--folder', ...words]);
      return `${out}${err}`.replaceAll(/\s+/g, ' ');
    };
    for (const folder of ['X3', 'SEED']) {
      expect(await said(folder)).toMatch(/remember nothing for taking back.*ntegrate a patch that sets right what is wrong/);
      expect(await said(folder, '--lang', 'fr')).toMatch(/retien(t|nent) rien pour la reprise.*ntégrez un patch qui corrige/);
    }
  });

  test('the command line: bad input, both languages, exit codes, trace', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch(FIRST, [parameter('A', 'a')]));
    await env.integrate(await env.patch(SECOND, [parameter('B', 'b')]));
    const type = async (...words: readonly string[]) => {
      const { code, out, err } = await typed(env, ['revert', ...words]);
      return { code, text: `${out}${err}` };
    };
    expect(await type(SECOND)).toEqual({ code: 2, text: expect.stringContaining('--folder all') });
    expect(await type('P_0003_140.dat', '--folder', 'all')).toEqual({
      code: 2,
      text: expect.stringContaining('No folder has P_0003_140.dat'),
    });
    expect(await type(`patches/${SECOND}`, '--folder', 'all')).toEqual({
      code: 2,
      text: expect.stringContaining(`rustine revert ${SECOND}`),
    });
    expect(await type(SECOND, '--folder', 'NOWHERE')).toEqual({ code: 2, text: expect.stringContaining('NOWHERE') });
    const refused = await type(FIRST, '--folder', 'all', '--lang', 'fr');
    expect(refused.code).toBe(2);
    expect(refused.text).toContain(
      `${FIRST} n'est pas le dernier patch de X3, SEED ; venus après : ${SECOND}. Reprenez d'abord le dernier : rustine revert ${SECOND} --folder X3,SEED`,
    );
    expect(refused.text).toContain("Refusé : rien n'a changé.");
    const done = await type(SECOND, '--folder', 'all', '--reason', 'livraison erronée', '--lang', 'fr');
    expect(done.code).toBe(0);
    expect(done.text).toContain('repris');
    expect(done.text).toContain('1 enlevé');
    const json = await typed(env, ['revert', FIRST, '--folder', 'SEED', '--rehearse', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      mode: 'revert-rehearse',
      state: 'done',
      folders: [{ folder: 'SEED', state: 'reverted', patches: [{ file: FIRST, state: 'reverted', elements: { removed: 1 } }] }],
    });
    const trace = await typed(env, ['log', 'last', '--lang', 'en']);
    expect(trace.out).toContain(`SEED ${FIRST}: taken back`);
    expect(
      await env.query(
        `select kind, forced ->> 'revert' as reason, reverts is not null as of from rustine.integration where kind = 'revert' order by id limit 1`,
      ),
    ).toEqual([{ kind: 'revert', reason: 'livraison erronée', of: true }]);
  });
});
