// Item 8, R20, R37: elements of folders shown, compared and, in their set-up fields, changed by the folder's people.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { Refusal } from '../../src/base/errors.ts';
import { run } from '../../src/cli/run.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { any, bare, compiled, script, table, texts } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const refused = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing refused',
    (error: unknown) => (error instanceof Refusal ? { code: error.code, facts: error.facts } : error),
  );

/** The command line on this environment. */
async function rustine(env: TestEnvironment, ...argv: string[]) {
  const home = mkdtempSync(join(tmpdir(), 'rustine-cli-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run([...argv, '--home', home, '--database', env.url], {
    cwd: home,
    env: {},
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    width: undefined,
    errWidth: undefined,
    errHeight: undefined,
    errColour: false,
    colour: false,
    open: openRustine,
    onInterrupt: () => () => undefined,
    stopDatabase: () => Promise.resolve('not-running'),
  });
  return { code, out: out.join(''), err: err.join('') };
}

const action = (title: string, own: string, lines: readonly string[] = ['P1', 'P2']) =>
  any('ACT', 'ACTA', [
    {
      tag: 'ACT',
      values: {
        ACTION: 'ACTA',
        INTIT: texts({ ENG: title, FRA: `${title} (fr)` }),
        SPETRT: own,
        UPDUSR: title,
        RANK: bare('10.50'),
      },
    },
    ...lines.map((code) => ({ tag: 'ATR', values: { CODPAR: code, VAL: title } })),
  ]);
const value = async (env: TestEnvironment, folder = 'SEED') =>
  (
    await env.query<{ own: string; changed: string[] }>(
      `select c.fields ->> 'SPETRT' as own, r.changed from rustine.record r join rustine.content c on c.id = r.content join rustine.folder f on f.id = r.folder
       where f.code = $1 and r.name = 'ACTA' and r.tag = 'ACT'`,
      [folder],
    )
  ).map(({ own, changed }) => [own, changed]);

describe.each(oneServer())('elements on $name', (server) => {
  test('item 8: an element with its lines and fields, for people and for programs', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A1.dat', [action('one', 'MINE')]));
    await env.integrate(await env.patch('A2.dat', [action('two', 'THEIRS')]));
    const { code, out } = await rustine(env, 'element', 'show', 'act:ACTA');
    expect(code).toBe(0);
    const day = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d, \S+`;
    expect(out).toMatch(
      new RegExp(
        [
          '^element  ACT:ACTA  ACT ACTA',
          'folder   X3',
          `created  by A1.dat, ${day}`,
          `updated  by A2.dat, ${day}`,
          '',
          'ACT ACTA',
          '  ACTION  ACTA',
          '  INTIT   ENG two · FRA two \\(fr\\)',
          '  RANK    10.50',
          '  SPETRT  MINE',
          `  delivered by A2.dat, .*, kept otherwise:`,
          '    SPETRT  THEIRS',
          '',
          'ATR P1',
          '  CODPAR  P1',
          '  VAL     two',
          '',
          'ATR P2',
          '  CODPAR  P2',
          '  VAL     two',
        ].join('\n'),
      ),
    );
    const json = await rustine(env, 'element', 'show', 'ACT:ACTA', '--json');
    expect(json.out).toContain('"RANK": 10.50');
    expect(JSON.parse(json.out)).toMatchObject({
      folder: 'X3',
      type: 'ACT',
      name: 'ACTA',
      created: { patch: 'A1.dat' },
      updated: { patch: 'A2.dat' },
      records: [
        {
          tag: 'ACT',
          key: 'ACTA',
          changed: [],
          fields: { SPETRT: 'MINE', UPDUSR: 'two' },
          offer: { scope: 'fields', patch: 'A2.dat', fields: { SPETRT: 'THEIRS' } },
        },
        { tag: 'ATR', key: 'P1', offer: null },
        { tag: 'ATR', key: 'P2', updated: { patch: 'A2.dat' } },
      ],
      offered: [],
    });
    const listed = await rustine(env, 'element', 'list', 'act', '--json');
    expect(JSON.parse(listed.out)).toEqual({
      folder: 'X3',
      elements: [{ type: 'ACT', name: 'ACTA', title: 'ACT ACTA', records: 3, patch: 'A2.dat' }],
    });
    expect((await rustine(env, 'element', 'list')).out).toMatch(/ATB {3}ADOSACT .*\n/);
  });

  test('item 8: the difference between two folders, without noise, also where one has no such element', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    await env.integrate(await env.patch('A1.dat', [action('one', 'MINE', ['P1', 'P2', 'P3'])]), { folders: ['X3', 'SEED'] });
    await env.integrate(await env.patch('A2.dat', [action('two', 'MINE', ['P4', 'P2', 'P1'])]), { folders: ['X3'] });
    const { code, out } = await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SEED', '--against', 'X3');
    expect([code, out]).toEqual([
      0,
      [
        'ACT:ACTA: - SEED, + X3',
        '- ATR P3',
        '+ ATR P4',
        '~ ACT ACTA',
        '  - INTIT[0] ENG one · FRA one (fr)',
        '  + INTIT[0] ENG two · FRA two (fr)',
        '~ ATR P1',
        '  - VAL[0] one',
        '  + VAL[0] two',
        '~ ATR P2',
        '  - VAL[0] one',
        '  + VAL[0] two',
        'The lines stand in another order.',
        '',
      ].join('\n'),
    ]);
    expect((await rustine(env, 'element', 'show', 'ACT:ACTA', '--against', 'SEED', '--verbose')).out).toContain(
      '- UPDUSR[0] two',
    );
    expect((await rustine(env, 'element', 'show', 'ACT:ACTA', '--against', 'X3')).out).toBe(
      'ACT:ACTA: - X3, + X3\nNo difference.\n',
    );
    const absent = await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SHOP', '--against', 'SEED');
    expect([absent.code, absent.out.split('\n').slice(0, 3)]).toEqual([
      0,
      ['ACT:ACTA: - SHOP, + SEED', 'Folder SHOP has no ACT:ACTA.', '+ ACT ACTA'],
    ]);
    expect(
      JSON.parse((await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SHOP', '--against', 'SEED', '--json')).out),
    ).toMatchObject({ here: false, there: true });
  });

  test('scripts: source, digest, and the lines that differ', async () => {
    const env = await openEnvironment(server);
    const lines = (from: number, change = '') =>
      Array.from({ length: 20 }, (_, at) => (at === 9 ? `${change}10` : String(at + from)));
    await env.integrate(
      await env.patch('S1.dat', [script('ZRUN', lines(1).join('\n')), compiled('ZRUN', Buffer.from([0, 1]))], {
        activityCodes: ['ZAL'],
      }),
    );
    await env.folders(['SEED'], { specific: true, test: true });
    await env.integrate(
      await env.patch('S2.dat', [script('ZRUN', lines(1, 'changed ').join('\n'))], { activityCodes: ['ZAL'] }),
      { folders: ['X3'] },
    );
    await env.integrate(await env.patch('S3.dat', [script('ZRUN', lines(1).join('\n'))], { activityCodes: ['ZAL'] }), {
      folders: ['SEED'],
    });
    expect((await rustine(env, 'element', 'show', 'TRT:ZRUN', '--folder', 'SEED')).out).toMatch(
      /20 lines, sha256 [0-9a-f]{16}\n\n1\n2\n/,
    );
    expect((await rustine(env, 'element', 'show', 'ADX:ZRUN')).out).toMatch(/2 bytes, sha256 [0-9a-f]{16}\n$/);
    expect((await rustine(env, 'element', 'show', 'TRT:ZRUN', '--folder', 'SEED', '--against', 'X3')).out).toMatch(
      /^TRT:ZRUN: - SEED, \+ X3\n- sha256 [0-9a-f]{64}\n\+ sha256 [0-9a-f]{64}\n@@ -7 \+7 @@\n 7\n 8\n 9\n-10\n\+changed 10\n 11\n 12\n 13\n$/,
    );
    expect(JSON.parse((await rustine(env, 'element', 'show', 'TRT:ZRUN', '--json')).out)).toMatchObject({
      type: 'TRT',
      size: 59,
      source: expect.arrayContaining(['changed 10']),
    });
  });

  test('an element that is not there is refused, with names like it and folders that have it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(
      await env.patch('A1.dat', [action('one', 'MINE'), any('ACT', 'OTHER', [{ tag: 'ACT', values: { ACTION: 'OTHER' } }])]),
      { folders: ['X3'] },
    );
    expect(await refused(env.rustine.element({ element: 'ACT:ACTB' }))).toEqual({
      code: 'element-unknown',
      facts: { element: 'ACT:ACTB', folder: 'X3', near: ['ACT:ACTA'], folders: [] },
    });
    expect(await refused(env.rustine.element({ element: 'ACT:ACTA', folder: 'SEED' }))).toMatchObject({
      code: 'element-unknown',
      facts: { near: [], folders: ['X3'] },
    });
    expect(await refused(env.rustine.element({ element: 'ACTA' }))).toMatchObject({ code: 'element-name' });
    expect(await refused(env.rustine.element({ element: 'ACT:ACTA', folder: 'NONE' }))).toMatchObject({ code: 'folder-unknown' });
    expect(
      await refused(env.rustine.setElement({ element: 'ACT:ACTB', assignments: [{ field: 'SPETRT', value: 'x' }] })),
    ).toMatchObject({ code: 'element-unknown' });
    const { code, err } = await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SEED');
    expect([code, err]).toEqual([2, expect.stringContaining('Folders that have it: X3.')]);
  });

  test('R20, R37: a set-up field that people change stays against patches; what was delivered stands beside it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    await env.integrate(await env.patch('A1.dat', [action('one', 'DELIVERED')]));
    const { code, out } = await rustine(env, 'element', 'set', 'ACT:ACTA', 'SPETRT=OWN', '--folder', 'SEED');
    expect([code, out]).toEqual([0, 'ACT:ACTA, line ACT ACTA: SPETRT changed in folder SEED. Patches keep it from now on.\n']);
    expect([await value(env), await value(env, 'SHOP')]).toEqual([[['OWN', ['SPETRT']]], [['DELIVERED', []]]]);
    expect(await env.query('select spetrt_0 from seed.action')).toEqual([{ spetrt_0: 'OWN' }]);
    expect((await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SEED')).out).toMatch(
      /updated +by \(element set ACT:ACTA\)/,
    );
    expect((await rustine(env, 'element', 'show', 'ACT:ACTA', '--folder', 'SEED')).out).toMatch(
      /ACT ACTA {2}\(changed here: SPETRT\).*SPETRT {2}OWN.*kept otherwise:\n {4}SPETRT {2}DELIVERED/s,
    );
    const again = await env.integrate(await env.patch('A2.dat', [action('one', 'DELIVERED')]));
    expect(again.folders.map(({ patches }) => patches[0]?.elements.updated)).toEqual([0, 0, 0]);
    await env.integrate(await env.patch('A3.dat', [action('two', 'LATER')]));
    expect(await value(env)).toEqual([['OWN', ['SPETRT']]]);
    expect(
      (await env.rustine.keptValues({ folder: 'SEED' })).map(({ element, field, before, now, own, unchanged }) => ({
        element,
        field,
        before,
        now,
        own,
        unchanged,
      })),
    ).toEqual([{ element: 'ACT:ACTA', field: 'SPETRT', before: 'DELIVERED', now: 'LATER', own: 'OWN', unchanged: false }]);
    expect(
      await env.query(
        `select fields ->> 'SPETRT' as own, delivered ->> 'SPETRT' as delivered from rustine.dictionary where folder = 'SEED' and tag = 'ACT'`,
      ),
    ).toEqual([{ own: 'OWN', delivered: 'LATER' }]);
    // Set to what was delivered: nothing is kept any more.
    expect(
      await env.rustine.setElement({ element: 'ACT:ACTA', folder: 'SEED', assignments: [{ field: 'SPETRT', value: 'LATER' }] }),
    ).toMatchObject({ changed: ['SPETRT'] });
    expect(await value(env)).toEqual([['LATER', []]]);
    expect(
      await env.query(
        `select from rustine.offer o join rustine.folder f on f.id = o.folder where f.code = 'SEED' and o.name = 'ACTA'`,
      ),
    ).toEqual([]);
    expect(
      await env.rustine.setElement({ element: 'ACT:ACTA', folder: 'SEED', assignments: [{ field: 'SPETRT', value: 'LATER' }] }),
    ).toMatchObject({ changed: [] });
  });

  test('R37: beside an own value stands who delivered the other one, and when, however often it is changed', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A1.dat', [action('one', 'DELIVERED')]));
    await env.query(`update rustine.integration set at = '2020-02-03 04:05:06Z' where file = 'A1.dat'`);
    const set = (field: string, text: string) =>
      env.rustine.setElement({ element: 'ACT:ACTA', folder: 'SEED', assignments: [{ field, value: text }] });
    const offered = async () => {
      const shown = await env.rustine.element({ element: 'ACT:ACTA', folder: 'SEED' });
      const record = 'element' in shown ? shown.element.records.find(({ tag }) => tag === 'ACT') : undefined;
      return [record?.offer?.patch, record?.offer?.since, record?.updated?.patch];
    };
    const delivered = ['A1.dat', '2020-02-03T04:05:06Z'];
    await set('SPETRT', 'OWN');
    expect(await offered()).toEqual([...delivered, '(element set ACT:ACTA)']);
    await set('SPETRT', 'OWN2');
    expect(await offered()).toEqual([...delivered, '(element set ACT:ACTA)']);
    // Back, and changed again: what was delivered did not come from the first change.
    await set('SPETRT', 'DELIVERED');
    expect(await offered()).toEqual([undefined, undefined, 'A1.dat']);
    await set('SPETRT', 'OWN3');
    expect(await offered()).toEqual([...delivered, '(element set ACT:ACTA)']);
    // A set-up field that no patch has delivered.
    await env.integrate(await env.patch('A2.dat', [table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' })]));
    await env.rustine.setElement({ element: 'ATB:ITEM', folder: 'SEED', assignments: [{ field: 'NBENREG', value: '7' }] });
    expect((await rustine(env, 'element', 'show', 'ATB:ITEM', '--folder', 'SEED')).out).toMatch(
      /delivered by A2\.dat, .*, kept otherwise:\n {4}NBENREG {2}-\n/,
    );
  });

  test('a script has no set-up fields, and is told as what it is', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A1.dat', [script('LIB', '# a\n'), compiled('LIB', Buffer.from([1]))]));
    for (const [type, folder] of [
      ['TRT', 'X3'],
      ['ADX', 'SEED'],
    ] as const) {
      const { code, err } = await rustine(env, 'element', 'set', `${type}:LIB`, 'X=1', '--folder', folder);
      expect([code, err]).toEqual([2, expect.stringContaining(`${type}:LIB is a script, and scripts have no set-up fields`)]);
    }
  });

  test('set-up fields of lines, numbers and arrays keep their form; what does not fit is refused and nothing is changed', async () => {
    const env = await openEnvironment(server);
    await env.integrate(
      await env.patch('A1.dat', [
        table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }, { header: { NBENREG: 100, SECURE: 1 } }),
        any('AMK', 'SCR', [{ tag: 'AMK', values: { CODMSK: 'SCR', NBRLIG: [10, 20], TRTSPE: '' } }]),
        any('ADP', 'PAR', [
          { tag: 'ADP', values: { PARAM: 'PAR', ACS: '' } },
          { tag: 'ADW', values: { CMP: 'A', FCY: '', VALEUR: '1' } },
        ]),
      ]),
    );
    const set = (element: string, field: string, value_: string, more: { slot?: number; record?: string } = {}) => {
      const { slot, ...record } = more;
      return env.rustine.setElement({
        element,
        ...record,
        assignments: [{ field, value: value_, ...(slot === undefined ? {} : { slot }) }],
      });
    };
    await set('ATB:ITEM', 'NBENREG', '250');
    await set('AMK:SCR', 'NBRLIG', '25', { slot: 1 });
    await set('ADP:PAR', 'VALEUR', '12', { record: 'ADW:A~' });
    expect(
      await env.query(
        `select jsonb_typeof(fields -> 'NBENREG') as kind, nbenreg_0 from rustine.dictionary, x3.atable where name = 'ITEM' and tag = 'ATB' and codfic_0 = name`,
      ),
    ).toEqual([{ kind: 'number', nbenreg_0: '250' }]);
    expect(await env.query(`select fields -> 'NBRLIG' as lines from rustine.dictionary where name = 'SCR'`)).toEqual([
      { lines: [10, 25] },
    ]);
    expect(await env.query('select valeur_0 from x3.adoval')).toEqual([{ valeur_0: '12' }]);
    const before = await env.query('select folder, name, tag, key, content, changed from rustine.record order by 1, 2, 3, 4');
    for (const [work, code, facts] of [
      [() => set('ATB:ITEM', 'NBENREG', 'many'), 'field-value', { reason: 'number' }],
      [() => set('AMK:SCR', 'NBRLIG', '1'), 'field-value', { reason: 'slot-missing' }],
      [() => set('AMK:SCR', 'NBRLIG', '1', { slot: 2 }), 'field-value', { reason: 'slot-unknown' }],
      [() => set('AMK:SCR', 'TRTSPE', 'a\nb'), 'field-value', { reason: 'line-end' }],
      [
        () => set('ATB:ITEM', 'CODFIC', 'X'),
        'field-not-set-up',
        { field: 'CODFIC', tag: 'ATB', known: expect.arrayContaining(['NBENREG', 'SECURE']) },
      ],
      [() => set('ATB:ITEM', 'CODTYP', 'L', { record: 'ATZ:COD' }), 'field-not-set-up', { known: [] }],
      [() => set('ADP:PAR', 'VALEUR', '1', { record: 'ADW:B~' }), 'record-unknown', { known: ['ADW:A~'] }],
      [() => set('ADP:PAR', 'VALEUR', '1', { record: 'ADW' }), 'record-name', {}],
    ] as const)
      expect(await refused(work())).toMatchObject({ code, facts });
    expect(await env.query('select folder, name, tag, key, content, changed from rustine.record order by 1, 2, 3, 4')).toEqual(
      before,
    );
    expect((await rustine(env, 'element', 'set', 'ATB:ITEM', 'NBENREG')).err).toContain('write FIELD=VALUE');
    expect((await rustine(env, 'element', 'set', 'AMK:SCR', 'nbrlig[0]=11', 'trtspe=ZX=Y', '--lang', 'fr')).out).toContain(
      'NBRLIG, TRTSPE modifiés',
    );
  });
});
