// R36: history folders are what their live folders are, but for the data; they are never patched, and due when the live one has changed.
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/base/errors.ts';
import { typed } from '../support/command-line.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { difference, type Holding, holdings } from '../support/folder-dump.ts';
import { activityCode, any, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';
import { twoServers } from '../support/two-servers.ts';

const refused = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing refused',
    (error: unknown) => (error instanceof Refusal ? [error.code, error.facts] : error),
  );

/** Rows of these say what a folder is; those of others are its data. */
const OWN_ROWS = /^row \| (apatch|adosact) /;

/** What a live folder and its history folder have in common: all but data, what was put aside, and what waits for decisions. */
const common = (holding: Holding | undefined, folder: string): Holding =>
  (holding ?? [])
    .filter(
      (line) =>
        !/^(dictionary|integration|event|remainder|row|kept|kept row|offer|translation|pending) \|/.test(line) ||
        OWN_ROWS.test(line),
    )
    .map((line) => line.replace(/^(column \| \w+) \| \d+/, '$1').replace(/"(updtick_0|updusr_0)": [^,]+/g, ''))
    .map((line) => (line.startsWith('folder |') ? line.replace(/ \| \{[^{]*\}$/, '') : line))
    .map((line) =>
      line
        .replaceAll(`${folder.toLowerCase()}.`, '')
        .replaceAll(`"${folder}"`, '"folder"')
        .replace(`| ${folder} |`, '| folder |'),
    )
    .toSorted();

async function apart(env: TestEnvironment, live = 'LIVE', history = 'HIST'): Promise<readonly string[]> {
  const { folders } = await holdings(env.url);
  return difference(common(folders.get(live), live), common(folders.get(history), history));
}

const reasons = async (env: TestEnvironment, folder = 'HIST') => (await env.rustine.folder(folder)).reasons;

const customer = (more: Readonly<Record<string, string>> = {}) =>
  table('CUSTOMER', 'CUS', { NUM: 'A:10', NAM: 'A:30', ...more }, { CUS0: 'NUM' });
const BOXES = `create or replace function boxes() returns bigint language sql as 'select count(*) from zbox';`;
const withoutState = (holding: Holding = []): Holding => holding.filter((line) => !line.startsWith('folder |'));
const own = any('ACT', 'ZOWN', [{ tag: 'ACT', values: { CODACT: 'ZLIV', SPETRT: 'ZOWN' } }]);

/** A live folder with data, specific elements, values that its people changed, scripts of its own, switched codes. */
async function opened(server: Parameters<typeof openEnvironment>[0]): Promise<TestEnvironment> {
  const env = await openEnvironment(server, { init: { languages: ['ENG', 'FRA'] }, folders: ['DEV'] });
  await env.folders(['LIVE'], { parent: 'DEV', languages: ['FRA'], legislations: ['FRA'], modules: [1, 2], specific: true });
  await env.integrate(
    await env.patch('P_0001_140.dat', [
      activityCode('KIT', { active: false, size: 2 }),
      customer(),
      table('KITS', 'KTS', { NUM: 'A:10', PART: { type: 'A:5', activity: 'KIT' } }, { KTS0: 'NUM' }),
      any('ADP', 'LEVEL', [{ tag: 'ADP', values: { ACS: 'a', CODACT: '' } }]),
      row('CUS', 'C1', { NUM: 'C1', NAM: 'One' }),
    ]),
  );
  await env.integrate(await env.patch('ZLIVE.dat', [own, script('ZOWN', '# own')], { type: '3', activityCodes: ['ZLIV'] }), {
    folders: ['LIVE'],
  });
  await env.rustine.setFolder('LIVE', { activityCodes: ['KIT:3'] });
  await env.rustine.setElement({ folder: 'LIVE', element: 'ADP:LEVEL', assignments: [{ field: 'ACS', value: 'b' }] });
  await env.rustine.validate({ folders: ['LIVE'] });
  return env;
}

describe.each(oneServer())('history folders on $name', (server) => {
  test('R36: a history folder is made as its live folder is, without the data', async () => {
    const env = await opened(server);
    await env.folders(['HIST'], { historyOf: 'LIVE' });
    expect(await apart(env)).toEqual([]);
    const [live, history] = await Promise.all([env.rustine.folder('LIVE'), env.rustine.folder('HIST')]);
    expect(history).toMatchObject({
      ...live,
      code: 'HIST',
      schema: 'hist',
      role: history.role,
      historyOf: 'LIVE',
      due: false,
      reasons: [],
      lag: [],
    });
    expect(history).toMatchObject({ parent: 'DEV', languages: ['FRA'], modules: [1, 2], activitySizes: { KIT: 3 }, patches: 2 });
    expect(await env.query('select num_0, nam_0 from live.customer')).toEqual([{ num_0: 'C1', nam_0: 'One' }]);
    expect(await env.query('select num_0 from hist.customer')).toEqual([]);
    // It takes what is archived as it is.
    await env.query('insert into hist.customer (num_0, nam_0) select num_0, nam_0 from live.customer');
  });

  test('R36: its settings are those of the live folder; what asks for others is refused', async () => {
    const env = await openEnvironment(server, { folders: ['DEV', 'LIVE'] });
    await env.rustine.setFolder('LIVE', { modules: [1, 2], activityCodes: ['KIT:3'] });
    const create = (options: Parameters<typeof env.rustine.createFolders>[1]) =>
      refused(env.rustine.createFolders(['HIST'], { historyOf: 'LIVE', ...options }));
    const wrong = (...options: readonly string[]) => ['folder-history-settings', { folder: 'HIST', of: 'LIVE', options }];
    expect(await create({ parent: 'DEV' })).toEqual(wrong('--parent'));
    expect(await create({ languages: ['GER'], legislations: ['FRA'] })).toEqual(wrong('--languages', '--legislations'));
    expect(await create({ modules: [1], activityCodes: ['KIT:2'] })).toEqual(wrong('--modules', '--activity-codes'));
    expect(await create({ test: true, specific: true })).toEqual(wrong('--test', '--specific'));
    expect((await env.rustine.folders()).map(({ code }) => code)).toEqual(['X3', 'DEV', 'LIVE']);
    await env.folders(['HIST'], {
      historyOf: 'LIVE',
      parent: 'X3',
      languages: ['eng', 'FRA'],
      modules: [2, 1],
      activityCodes: ['KIT:3'],
      specific: false,
    });
    expect(await env.rustine.folder('HIST')).toMatchObject({ modules: [1, 2], activitySizes: { KIT: 3 }, due: false });
  });

  test('R36: it is never patched, and nothing is changed there by hand: the command for the live folder is told', async () => {
    const env = await openEnvironment(server, { folders: ['LIVE'] });
    await env.folders(['HIST'], { historyOf: 'LIVE' });
    const patch = await env.patch('P_0001_140.dat', [
      any('ADP', 'LEVEL', [{ tag: 'ADP', values: { ACS: 'a', CODACT: '' } }]),
      customer(),
    ]);
    const alone = await env.integrate(patch, { folders: ['HIST'] });
    expect([alone.folders.find(({ folder }) => folder === 'HIST')?.state, alone.findings.map(({ code }) => code)]).toEqual([
      'skipped',
      expect.arrayContaining(['history-folder']),
    ]);
    expect(await reasons(env)).toEqual([]);
    const all = await env.integrate(patch);
    expect(all.folders.map(({ folder, state }) => `${folder} ${state}`)).toEqual([
      'X3 integrated',
      'HIST skipped',
      'LIVE integrated',
    ]);
    expect(
      await env.query(`select from rustine.integrated i join rustine.folder f on f.id = i.folder where f.code = 'HIST'`),
    ).toEqual([]);
    const follows = (change: string) => ['history-folder-follows', { folder: 'HIST', live: 'LIVE', change }];
    const setting = { element: 'ADP:LEVEL', assignments: [{ field: 'ACS', value: 'b' }] };
    expect(await refused(env.rustine.setElement({ folder: 'HIST', ...setting }))).toEqual(follows('element'));
    for (const change of [{ test: true }, { parent: 'LIVE' }, { modules: null }, { activityCodes: [] }])
      expect(await refused(env.rustine.setFolder('HIST', change))).toEqual(follows('settings'));
    const say = async (...argv: readonly string[]) => (await typed(env, argv)).err;
    expect(await say('folder', 'set', 'HIST', '--test')).toContain(
      'HIST is the history folder of LIVE and follows it by validation: its settings are not changed there. Do it in LIVE (`rustine folder set LIVE …`), then `rustine validate HIST`.',
    );
    expect(await say('element', 'set', 'ADP:LEVEL', 'ACS=b', '--folder', 'HIST', '--lang', 'fr')).toContain(
      "HIST est le dossier historique de LIVE et le suit par la validation : aucun élément ne s'y change. Faites-le dans LIVE (`rustine element set … --folder LIVE`), puis `rustine validate HIST`.",
    );
  });

  test('R36: it is due when the live folder has changed, in whatever way, and says in which', async () => {
    const env = await openEnvironment(server, { folders: ['LIVE', 'OTHER'] });
    await env.folders(['HIST', 'HIST2'], { historyOf: 'LIVE' });
    const level = (value: string) => any('ADP', 'LEVEL', [{ tag: 'ADP', values: { ACS: value, CODACT: '' } }]);
    const patch = async (number: number, elements: Parameters<typeof env.patch>[1] = [level(String(number))]) =>
      env.integrate(await env.patch(`P_000${number}_140.dat`, elements));
    await env.integrate(await env.patch('OTHER.dat', [level('o')]), { folders: ['OTHER'] });
    expect(await reasons(env)).toEqual([]);
    await patch(1);
    expect(await reasons(env)).toEqual(['live-folder:LIVE:patch:P_0001_140.dat']);
    await env.rustine.setElement({ folder: 'LIVE', element: 'ADP:LEVEL', assignments: [{ field: 'ACS', value: 'own' }] });
    await env.rustine.setFolder('LIVE', { languages: ['FRA'], activityCodes: ['KIT'] });
    expect(await refused(env.rustine.revert({ file: 'P_0001_140.dat', folders: ['HIST'] }))).toEqual([
      'history-folder-follows',
      { folder: 'HIST', live: 'LIVE', change: 'revert' },
    ]);
    await env.rustine.setFolder('LIVE', { parent: 'OTHER', test: true });
    expect(await reasons(env)).toEqual([
      'live-folder:LIVE:set',
      'live-folder:LIVE:patch:P_0001_140.dat',
      'live-folder:LIVE:setting:parent',
      'live-folder:LIVE:setting:languages',
      'live-folder:LIVE:setting:activity-codes',
    ]);
    // A decision is made for the live folder, and comes from there.
    await patch(2);
    const [kept] = await env.rustine.keptValues({ folder: 'LIVE' });
    expect(await env.rustine.keptValues({ folder: 'HIST' })).toEqual([]);
    expect((await env.rustine.decide({ case: kept?.case ?? '', choice: 'take' })).folders).toEqual(['LIVE']);
    await patch(3);
    await patch(4);
    expect((await reasons(env, 'HIST2')).slice(0, 4)).toEqual([
      'live-folder:LIVE:patch:P_0004_140.dat',
      'live-folder:LIVE:patch:P_0003_140.dat',
      'live-folder:LIVE:decision',
      'live-folder:LIVE:more',
    ]);
    expect((await env.rustine.folder('HIST')).due).toBe(true);
    const shown = await typed(env, ['status']);
    expect(shown.out.replaceAll(/\s+/g, ' ')).toContain('live folder LIVE changed: patch P_0004_140.dat');
    const french = await typed(env, ['folder', 'show', 'HIST', '--lang', 'fr']);
    expect(french.out.replaceAll(/\s+/g, ' ')).toContain("le dossier d'exploitation LIVE a changé : patch P_0004_140.dat");
  });

  test('R36: validated, it is what the live folder is now, and nothing of what is archived there is lost', async () => {
    const env = await opened(server);
    await env.folders(['HIST'], { historyOf: 'LIVE' });
    await env.query(
      `insert into hist.customer (num_0, nam_0) values ('OLD', 'Archived'); insert into hist.kits (num_0, part_2) values ('K', 'three')`,
    );
    // Fields come and go, a table and its script of the live folder's own, set-up fields, activity codes, another parent.
    await env.integrate(
      await env.patch(
        'ZMORE.dat',
        [table('ZBOX', 'ZBX', { NUM: 'A:5' }, { ZBX0: 'NUM' }, { activity: 'ZLIV' }), script('ZBOXES', BOXES)],
        {
          type: '3',
          activityCodes: ['ZLIV'],
        },
      ),
      { folders: ['LIVE'] },
    );
    await env.integrate(
      await env.patch('P_0002_140.dat', [table('CUSTOMER', 'CUS', { NUM: 'A:10', TEL: 'A:12' }, { CUS0: 'NUM' })]),
    );
    await env.rustine.setElement({ folder: 'LIVE', element: 'ADP:LEVEL', assignments: [{ field: 'ACS', value: 'c' }] });
    await env.rustine.setFolder('LIVE', { parent: 'X3', languages: ['FRA', 'ENG'], activityCodes: ['KIT:2'] });
    expect(await env.rustine.validate({ folders: ['LIVE'] })).toMatchObject({ state: 'done' });
    const done = await env.rustine.validate({});
    expect(done).toMatchObject({
      state: 'done',
      folders: [{ folder: 'HIST', state: 'validated', due: false, patches: ['ZMORE.dat', 'P_0002_140.dat'] }],
    });
    expect(await apart(env)).toEqual([]);
    expect(await env.rustine.folder('HIST')).toMatchObject({
      due: false,
      parent: 'X3',
      languages: ['FRA', 'ENG'],
      patches: 4,
      activitySizes: { KIT: 2 },
    });
    expect(await env.query('select num_0, tel_0 from hist.customer')).toEqual([{ num_0: 'OLD', tel_0: '' }]);
    expect(await env.query(`select to_regprocedure('hist.boxes()') is not null as boxes`)).toEqual([{ boxes: true }]);
    const kept = await env.rustine.kept({ folder: 'HIST' });
    expect(kept.map(({ kind, table: name, why, rows }) => [kind, name, why, Number(rows)])).toEqual(
      expect.arrayContaining([
        ['columns', 'customer', 'dropped', 1],
        ['columns', 'kits', 'shrunk', 1],
      ]),
    );
    // Again: nothing to do.
    expect((await env.rustine.validate({ folders: ['HIST'] })).folders).toMatchObject([{ state: 'unchanged', due: false }]);
    expect((await env.rustine.validate({})).folders).toEqual([]);
    // What nobody could want back by itself: the live folder has the table and its script no more.
    await env.query(`insert into hist.zbox (num_0) values ('B1')`);
    await env.query(`
      delete from rustine.record r using rustine.folder f where f.id = r.folder and f.code = 'LIVE' and r.type = 'ATB' and r.name = 'ZBOX';
      delete from rustine.element r using rustine.folder f where f.id = r.folder and f.code = 'LIVE' and r.type = 'ATB' and r.name = 'ZBOX';
      delete from rustine.script s using rustine.folder f where f.id = s.folder and f.code = 'LIVE' and s.name = 'ZBOXES';
      update rustine.integration i set reverted_by = 1 from rustine.folder f where f.id = i.folder and f.code = 'LIVE' and i.file = 'ZMORE.dat';
      delete from live.apatch where fic_0 = 'ZMORE.dat'; drop function live.boxes(); drop table live.zbox`);
    const gone = await env.rustine.validate({ folders: ['HIST'] });
    expect(gone.folders).toMatchObject([{ state: 'validated', tables: { removed: ['zbox'] } }]);
    expect(gone.findings).toMatchObject([{ code: 'history-elements-gone', facts: { elements: ['ATB:ZBOX', 'TRT:ZBOXES'] } }]);
    expect(await env.query(`select to_regclass('hist.zbox') as zbox, to_regprocedure('hist.boxes()') as boxes`)).toEqual([
      { zbox: null, boxes: null },
    ]);
    expect((await env.rustine.kept({ folder: 'HIST' })).filter(({ kind }) => kind === 'table')).toMatchObject([
      { table: 'zbox' },
    ]);
    expect((await env.query(`select fic_0 from hist.apatch order by num_0`)).map((row) => Object.values(row)[0])).toEqual([
      'P_0001_140.dat',
      'ZLIVE.dat',
      'P_0002_140.dat',
    ]);
  });

  test('R36: values that fit no more block, and nothing is changed', async () => {
    const env = await openEnvironment(server, { folders: ['LIVE'] });
    await env.integrate(await env.patch('A.dat', [customer()]));
    await env.folders(['HIST'], { historyOf: 'LIVE' });
    await env.query(`insert into hist.customer (num_0, nam_0) values ('OLD', 'more than ten letters')`);
    await env.integrate(await env.patch('B.dat', [table('CUSTOMER', 'CUS', { NUM: 'A:10', NAM: 'A:10' }, { CUS0: 'NUM' })]));
    const before = (await holdings(env.url)).folders.get('HIST');
    const blocked = await env.rustine.validate({ folders: ['HIST'] });
    expect(blocked.folders).toMatchObject([{ folder: 'HIST', state: 'failed', due: true }]);
    expect(blocked.findings.map(({ code }) => code)).toContain('values-do-not-fit');
    const after = (await holdings(env.url)).folders.get('HIST');
    expect(difference(withoutState(before), withoutState(after))).toEqual([]);
    await env.query(`update hist.customer set nam_0 = 'shorter'`);
    expect((await env.rustine.validate({ folders: ['HIST'] })).folders).toMatchObject([{ state: 'validated', due: false }]);
    expect(await env.query('select num_0, nam_0 from hist.customer')).toEqual([{ num_0: 'OLD', nam_0: 'shorter' }]);
  });

  test('R36: in a run the live folder comes first; where it fails its history waits, untouched, and both come with the next', async () => {
    const env = await openEnvironment(server, { folders: ['LIVE'] });
    await env.integrate(await env.patch('A.dat', [customer()]));
    await env.folders(['HIST'], { historyOf: 'LIVE' });
    await env.query(`insert into live.customer (num_0, nam_0) values ('NEW', 'more than ten letters')`);
    await env.query(`insert into hist.customer (num_0, nam_0) values ('OLD', 'short')`);
    await env.integrate(await env.patch('B.dat', [table('CUSTOMER', 'CUS', { NUM: 'A:10', NAM: 'A:10' }, { CUS0: 'NUM' })]), {
      folders: ['X3'],
    });
    await env.rustine.setFolder('LIVE', { legislations: ['FRA'] });
    const before = (await holdings(env.url)).folders.get('HIST');
    const failed = await env.rustine.validate({});
    expect(failed.folders).toMatchObject([
      { folder: 'HIST', state: 'skipped', reason: { code: 'parent-not-validated' } },
      { folder: 'LIVE', state: 'failed' },
    ]);
    expect((await env.rustine.folders()).map(({ code, state, due }) => [code, state, due])).toEqual([
      ['X3', 'ready', false],
      ['HIST', 'ready', true],
      ['LIVE', 'locked', true],
    ]);
    const alone = await env.rustine.validate({ folders: ['HIST'] });
    expect(alone.findings).toMatchObject([
      { code: 'parent-not-ready', facts: { parent: 'LIVE', state: 'locked', command: 'rustine validate LIVE HIST' } },
    ]);
    expect(difference(before ?? [], (await holdings(env.url)).folders.get('HIST') ?? [])).toEqual([]);
    await env.query(`update live.customer set nam_0 = 'short'`);
    const waves: unknown[] = [];
    const mended = await env.rustine.validate({
      listener: (event) => void (event.kind === 'wave-started' && waves.push(event.folders)),
    });
    expect(mended).toMatchObject({ state: 'done', folders: [{ folder: 'HIST', state: 'validated' }, { state: 'validated' }] });
    expect(waves).toEqual([['LIVE'], ['HIST']]);
    expect(await apart(env)).toEqual([]);
    expect(await env.query('select num_0, nam_0 from hist.customer')).toEqual([{ num_0: 'OLD', nam_0: 'short' }]);
    // A patch that is taken back in the live folder goes here after it.
    await env.integrate(await env.patch('C.dat', [table('BOX', 'BOX', { NUM: 'A:5' }, { BOX0: 'NUM' })]));
    await env.rustine.validate({ folders: ['HIST'] });
    expect((await env.rustine.revert({ file: 'C.dat' })).state).toBe('done');
    expect(await reasons(env)).toEqual(['live-folder:LIVE:revert:C.dat']);
    const say = async (...argv: readonly string[]) => typed(env, argv);
    expect((await say('status', '--lang', 'fr')).out.replaceAll(/\s+/g, ' ')).toContain(
      "HIST (le dossier d'exploitation LIVE a changé : reprise de C.dat) : `rustine validate HIST`",
    );
    expect(JSON.parse((await say('validate', '--due', '--json')).out)).toMatchObject({
      state: 'done',
      folders: [{ folder: 'HIST', state: 'validated', tables: { removed: ['box'] } }],
    });
    expect(await apart(env)).toEqual([]);
    expect((await env.rustine.folders()).find(({ code }) => code === 'HIST')).toMatchObject({ due: false, patches: 2 });
    const inquiry = (await say('history', '--folder', 'HIST', '--patch', 'C.dat')).out.replaceAll(/\s+/g, ' ');
    for (const told of ['brought (gone)', 'given up by a validation', 'as the live folder has it no more: HIST'])
      expect(inquiry).toContain(told);
    expect(inquiry).not.toContain('taken back by');
    const found = async () => (await env.rustine.verify({ folders: ['HIST'] })).differences.map(({ code }) => code);
    expect(await found()).toEqual([]);
    await env.integrate([`${env.directory}/C.dat`]);
    await env.rustine.validate({ folders: ['HIST'] });
    expect([await found(), await apart(env)]).toEqual([[], []]);
    // By hand it is seen: nothing took that patch back.
    await env.query(
      `update rustine.integration i set reverted_by = i.id - 1 from rustine.folder f where f.id = i.folder and f.code = 'HIST' and i.file = 'C.dat' and i.reverted_by is null`,
    );
    expect(await found()).toContain('history-taken-back');
  });

  test('R36: a history folder lives where its live folder does, and follows it there', async () => {
    const env = await twoServers(server, undefined);
    await env.folders(['SUB'], { parent: 'FAR' });
    const { folders } = await env.rustine.createFolders(['HIST'], { historyOf: 'SUB' });
    expect(folders).toMatchObject([{ code: 'HIST', server: 'NORTH', parent: 'FAR', historyOf: 'SUB', due: false }]);
    expect(await refused(env.rustine.createFolders(['HIST2'], { historyOf: 'LOC', server: 'NORTH' }))).toEqual([
      'folder-history-elsewhere',
      { folder: 'HIST2', of: 'LOC', server: '', wanted: 'NORTH' },
    ]);
    await env.integrate(await env.patch('P_0001_140.dat', [customer()]));
    expect(await reasons(env)).toEqual(['live-folder:SUB:patch:P_0001_140.dat']);
    expect((await env.rustine.folders()).find(({ code }) => code === 'HIST')).toMatchObject({ due: true, lag: [] });
    expect(await refused(env.rustine.setFolder('HIST', { test: true }))).toMatchObject([
      'history-folder-follows',
      { live: 'SUB' },
    ]);
    expect(await refused(env.rustine.dropFolder('SUB'))).toMatchObject([
      'folder-has-children',
      { children: [], histories: ['HIST'] },
    ]);
  });
});
