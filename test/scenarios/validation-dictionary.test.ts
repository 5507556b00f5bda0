// Validation brings a folder's dictionary, data types, scripts and texts in line with the folder that it follows, and loses nothing of its own.
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element, Values } from '../support/patches.ts';
import { any, row, script, table, texts } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

/** An action with lines; `specific` ones carry a code. */
const action = (values: Values, lines: readonly Values[] = []): Element =>
  any('ACT', 'ACTA', [
    { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', SPETRT: '', TYP: 1, ...values } },
    ...lines.map((line) => ({ tag: 'ATR', values: { CODACT: '', ...line } })),
  ]);

describe.each(oneServer())('$name', (server) => {
  const lines = async (env: TestEnvironment, folder: string, element = 'ACTA') =>
    (
      await env.query<{ line: string }>(
        `select concat_ws(' ', r.tag, r.key, nullif(c.activity, ''), c.fields ->> 'TYP', c.fields ->> 'VAL', nullif(c.fields ->> 'SPETRT', '')) as line
        from rustine.record r join rustine.content c on c.id = r.content join rustine.folder f on f.id = r.folder
        where f.code = $1 and r.name = $2 order by r.position, 1`,
        [folder, element],
      )
    ).map(({ line }) => line);
  const valid = async (env: TestEnvironment, folder: string) => {
    const { state, folders, findings } = await env.rustine.validate({ folders: [folder] });
    expect(state, JSON.stringify(findings)).toBe('done');
    return { ...folders[0], findings };
  };

  test('R35, R21: elements that a patch brought to the parent alone come, lines that it no longer has go, what only the folder has stays', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const own = any('ACT', 'OWNA', [{ tag: 'ACT', values: { ACTION: 'OWNA', CODACT: '', TYP: 9 } }]);
    await env.integrate(
      await env.patch('A.dat', [
        action({}, [
          { CODPAR: 'P1', VAL: 'a' },
          { CODPAR: 'P2', VAL: 'b' },
        ]),
      ]),
    );
    await env.integrate(await env.patch('OWN.dat', [own]), { folders: ['SEED'] });
    const more = any('ACT', 'MORE', [{ tag: 'ACT', values: { ACTION: 'MORE', CODACT: '', TYP: 3 } }]);
    await env.integrate(await env.patch('B.dat', [action({ TYP: 2 }, [{ CODPAR: 'P2', VAL: 'c' }]), more]), { folders: ['X3'] });
    const done = await valid(env, 'SEED');
    expect(done).toMatchObject({
      state: 'validated',
      due: false,
      patches: ['B.dat'],
      elements: { created: 1, updated: 1 },
      lines: { created: 1, updated: 2, removed: 1 },
      findings: [],
    });
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 2', 'ATR P2 c']);
    expect([await lines(env, 'SEED', 'MORE'), await lines(env, 'SEED', 'OWNA')]).toEqual([['ACT MORE 3'], ['ACT OWNA 9']]);
    expect(await env.query(`select fic_0, num_0 from seed.apatch order by num_0`)).toEqual([
      { fic_0: 'A.dat', num_0: 1 },
      { fic_0: 'OWN.dat', num_0: 2 },
      { fic_0: 'B.dat', num_0: 3 },
    ]);
    expect(
      await env.query(
        `select kind, file from rustine.integration i join rustine.folder f on f.id = i.folder where f.code = 'SEED' order by i.id`,
      ),
    ).toEqual([
      { kind: 'creation', file: '(dictionary of X3)' },
      { kind: 'patch', file: 'A.dat' },
      { kind: 'patch', file: 'OWN.dat' },
      { kind: 'validation', file: '(validation with X3)' },
      { kind: 'patch', file: 'B.dat' },
    ]);
    const twice = await valid(env, 'SEED');
    expect(twice).toMatchObject({ state: 'unchanged', patches: [], elements: { created: 0, updated: 0 } });
    expect(await env.query(`select count(*)::integer as n from rustine.integration where kind = 'validation'`)).toEqual([
      { n: 1 },
    ]);
  });

  test('R19: specific lines come where the patch that the folder lacks authorises them, of the elements of that patch alone', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const other = (line: Values): Element =>
      any('ACT', 'OTHER', [
        { tag: 'ACT', values: { ACTION: 'OTHER', CODACT: '', TYP: 1 } },
        { tag: 'ATR', values: { CODACT: 'ZALI', ...line } },
      ]);
    await env.integrate(await env.patch('A.dat', [action({})]));
    // Both have something of their own under the code: the supervisor folder in one element, the folder in the other one.
    await env.integrate(await env.patch('Z0.dat', [other({ CODPAR: 'PX', VAL: 'x3' })], { activityCodes: ['ZALI'] }), {
      folders: ['X3'],
    });
    await env.integrate(await env.patch('Z1.dat', [other({ CODPAR: 'PS', VAL: 'seed' })], { activityCodes: ['ZALI'] }), {
      folders: ['SEED'],
    });
    await env.integrate(
      await env.patch('Z2.dat', [action({ TYP: 2 }, [{ CODPAR: 'P1', CODACT: 'ZALI', VAL: 'in' }])], { activityCodes: ['ZALI'] }),
      {
        folders: ['X3'],
      },
    );
    const done = await valid(env, 'SEED');
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 2', 'ATR P1 ZALI in']);
    // Later there than in the supervisor folder: it stays, and is told.
    expect(await lines(env, 'SEED', 'OTHER')).toEqual(['ACT OTHER 1', 'ATR PS ZALI seed']);
    expect(done.findings).toMatchObject([{ code: 'elements-ahead', severity: 'info', facts: { elements: ['ACT:OTHER'] } }]);
    expect(done.patches).toEqual(['Z0.dat', 'Z2.dat']);
  });

  test('R19: specific lines that were let into the parent once, by a patch that the folder has, stay out; its own stay', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [action({}, [{ CODPAR: 'P1', CODACT: 'ZALI', VAL: 'z' }])]);
    await env.integrate(path, { folders: ['X3'], authorize: ['ZALI'] });
    await env.integrate(path, { folders: ['SEED'] });
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 1']);
    expect(await valid(env, 'SEED')).toMatchObject({
      state: 'unchanged',
      elements: { created: 0, updated: 0 },
      lines: { ignored: 1 },
      findings: [],
    });
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 1']);
  });

  test('R20, R37: set-up fields stay, and what the parent was offered or its people chose waits for a decision', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [action({ SPETRT: 'ONE' })]));
    await env.integrate(await env.patch('B.dat', [action({ SPETRT: 'TWO', TYP: 2 })]), { folders: ['X3'] });
    await valid(env, 'SEED');
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 2 ONE']);
    const cases = async () =>
      (await env.rustine.keptValues({})).map(({ case: id, folder, now, own }) => ({ id, folder, now, own }));
    const [first, second] = await cases();
    expect([first?.now, second?.now, second?.own]).toEqual(['TWO', 'TWO', 'ONE']);
    // The same three values: one decision for both.
    expect(first?.id).toBe(second?.id);
    await env.rustine.setElement({ folder: 'X3', element: 'ACT:ACTA', assignments: [{ field: 'SPETRT', value: 'PEOPLE' }] });
    expect((await valid(env, 'SEED')).state).toBe('validated');
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 2 ONE']);
    expect((await cases()).find(({ folder }) => folder === 'SEED')).toMatchObject({ now: 'PEOPLE', own: 'ONE' });
  });

  test('R35: a data type that somebody changed in the parent reaches the folder and all tables that use it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const type = any('ATY', 'TXT', [{ tag: 'ATY', values: { CODACT: '', CODTYP: 'TXT', LNGTYP: 10, TYPTYP: 7 } }]);
    await env.integrate(await env.patch('A.dat', [type, table('BOX', 'BOX', { COD: 'A:5', NAM: 'TXT' }, { BOX0: 'COD' })]));
    await env.query(`insert into seed.box (cod_0, nam_0) values ('a', 'ten chars.')`);
    await env.rustine.setElement({ folder: 'X3', element: 'ATY:TXT', assignments: [{ field: 'LNGTYP', value: '20' }] });
    const done = await valid(env, 'SEED');
    expect(done.steps).toContainEqual(expect.objectContaining({ step: 'data-types' }));
    expect(done.tables?.altered).toEqual(['box']);
    const width = `select atttypmod - 4 as n from pg_attribute where attrelid = 'seed.box'::regclass and attname = 'nam_0'`;
    expect(await env.query(width)).toEqual([{ n: 20 }]);
    // A narrower one that does not fit blocks: the folder is as it was.
    await env.query(`update seed.box set nam_0 = 'fifteen letters'`);
    await env.rustine.setElement({ folder: 'X3', element: 'ATY:TXT', assignments: [{ field: 'LNGTYP', value: '12' }] });
    const before = await lines(env, 'SEED', 'TXT');
    const blocked = await env.rustine.validate({ folders: ['SEED'] });
    expect(blocked.folders[0]).toMatchObject({
      state: 'failed',
      reason: { code: 'blocked', facts: { codes: ['values-do-not-fit'] } },
    });
    expect([await lines(env, 'SEED', 'TXT'), await env.query(width)]).toEqual([before, [{ n: 20 }]]);
  });

  test('R2, R23: texts of a language that the folder got come from the parent, for the dictionary and for data', async () => {
    const env = await openEnvironment(server);
    await env.folders(['SEED'], { languages: ['ENG'] });
    const menu = any('ADP', 'PAR', [{ tag: 'ADP', values: { ACS: '', PARAM: 'PAR', INTIT: texts({ ENG: 'one', FRA: 'un' }) } }]);
    await env.integrate(
      await env.patch('A.dat', [
        menu,
        table('BOX', 'BOX', { COD: 'A:5', NAM: 'A:30' }, { BOX0: 'COD' }),
        row('BOX', 'all', { COD: 'a' }, { NAM: { ENG: 'box', FRA: 'boîte' } }),
      ]),
    );
    const of = async (language: string) =>
      (
        await env.query<{ n: number }>(
          `select (select count(*) from rustine.translation t where t.folder = f.id and language = $1)::integer * 10 +
            (select count(*) from rustine.record r join rustine.content c on c.id = r.content where r.folder = f.id and r.name = 'PAR' and c.fields::text like '%' || $1 || '%')::integer as n
          from rustine.folder f where code = 'SEED'`,
          [language],
        )
      )[0]?.n;
    expect([await of('ENG'), await of('FRA')]).toEqual([11, 0]);
    await env.rustine.setFolder('SEED', { languages: ['FRA', 'ENG'] });
    expect(await valid(env, 'SEED')).toMatchObject({ state: 'validated', texts: 1, settled: ['languages'] });
    expect([await of('ENG'), await of('FRA')]).toEqual([11, 11]);
    await env.rustine.setFolder('SEED', { languages: ['FRA'] });
    await valid(env, 'SEED');
    // Nothing is deleted with a language that goes.
    expect([await of('ENG'), await of('FRA')]).toEqual([11, 11]);
    // One that the parent does not have: told with the patches that carried it.
    const german = any('ADP', 'GRM', [{ tag: 'ADP', values: { ACS: '', PARAM: 'GRM', INTIT: texts({ ENG: 'b', GER: 'c' }) } }]);
    await env.integrate(await env.patch('G.dat', [german], { languages: ['ENG', 'GER'] }));
    // Not where another one came to the same since: again, the older one would take the folder back.
    const both = any('ADP', 'BTH', [{ tag: 'ADP', values: { ACS: '', PARAM: 'BTH', INTIT: texts({ ENG: 'd', GER: 'e' }) } }]);
    const english = any('ADP', 'BTH', [{ tag: 'ADP', values: { ACS: '1', PARAM: 'BTH', INTIT: texts({ ENG: 'f' }) } }]);
    await env.integrate(await env.patch('H.dat', [both], { languages: ['ENG', 'GER'] }));
    await env.integrate(await env.patch('I.dat', [english], { languages: ['ENG'] }));
    await env.rustine.setFolder('SEED', { languages: ['FRA', 'GER'] });
    expect((await valid(env, 'SEED')).findings).toMatchObject([
      { code: 'texts-to-come', facts: { language: 'GER', files: ['G.dat'] } },
      { code: 'texts-out-of-reach', facts: { language: 'GER', files: ['H.dat'] } },
    ]);
    await env.integrate(`${env.directory}/G.dat`, { folders: ['SEED'], force: [{ check: 'already', reason: 'GER' }] });
    expect(await of('GER')).toBe(0);
    expect(
      await env.query(
        `select count(*)::integer as n from rustine.dictionary where folder = 'SEED' and fields::text like '%"GER"%'`,
      ),
    ).toEqual([{ n: 1 }]);
  });

  test('R5, R22: scripts come to test and specific folders, stale copies elsewhere are told, functions that are gone or altered are made again', async () => {
    const env = await openEnvironment(server, { folders: ['PLAIN'] });
    await env.folders(['TESTS'], { test: true });
    await env.folders(['SPEC'], { specific: true });
    const version = (n: number): readonly Element[] => [
      script('LIB', `create or replace function lib() returns integer language sql as 'select ${n}';`),
      script('ZLIB', `# ${n}`),
    ];
    await env.integrate(await env.patch('A.dat', version(1), { activityCodes: ['ZALI'] }));
    await env.rustine.setFolder('PLAIN', { test: true });
    expect(await valid(env, 'PLAIN')).toMatchObject({ state: 'validated', scripts: ['TRT:LIB', 'TRT:ZLIB'] });
    await env.rustine.setFolder('PLAIN', { test: false });
    await env.integrate(await env.patch('B.dat', version(2), { activityCodes: ['ZALI'] }), { folders: ['X3'] });
    expect(await valid(env, 'TESTS')).toMatchObject({ scripts: ['TRT:LIB', 'TRT:ZLIB'], findings: [] });
    expect(await valid(env, 'SPEC')).toMatchObject({ scripts: ['TRT:ZLIB'], findings: [] });
    const plain = await valid(env, 'PLAIN');
    expect(plain.scripts).toEqual(['TRT:ZLIB']);
    expect(plain.findings).toMatchObject([{ code: 'scripts-hide-newer', severity: 'warn', facts: { scripts: ['TRT:LIB'] } }]);
    const answer = async () => (await env.query<{ n: number }>('select tests.lib() as n'))[0]?.n;
    expect(await answer()).toBe(2);
    await env.query('drop function tests.lib()');
    expect(await valid(env, 'TESTS')).toMatchObject({ state: 'validated', scripts: ['TRT:LIB'] });
    expect(await answer()).toBe(2);
    await env.query(`create or replace function tests.lib() returns integer language sql as 'select 7'`);
    expect(await valid(env, 'TESTS')).toMatchObject({ state: 'validated', scripts: ['TRT:LIB'] });
    expect(await answer()).toBe(2);
    expect(await valid(env, 'TESTS')).toMatchObject({ state: 'unchanged', scripts: [] });
  });

  test('R2: a new parent', async () => {
    const env = await openEnvironment(server, { folders: ['DEV', 'SEED'] });
    await env.integrate(await env.patch('A.dat', [action({}), table('BOX', 'BOX', { COD: 'A:5' }, { BOX0: 'COD' })]));
    await env.integrate(await env.patch('B.dat', [action({ TYP: 5 }), table('BOX', 'BOX', { COD: 'A:9' }, { BOX0: 'COD' })]), {
      folders: ['DEV'],
    });
    await env.rustine.setFolder('SEED', { parent: 'DEV' });
    expect(await valid(env, 'SEED')).toMatchObject({ settled: ['parent'], patches: ['B.dat'], tables: { altered: ['box'] } });
    expect(await lines(env, 'SEED')).toEqual(['ACT ACTA 5']);
  });
});
