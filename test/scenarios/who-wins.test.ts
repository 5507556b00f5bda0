// What folders have customised stays: special rules of element types, one story each (R7–R9, R18–R22).
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element, PatchOptions, RecordOf, Values } from '../support/patches.ts';
import { activityCode, any, bare, exe, row, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

describe.each(oneServer())('$name', (server) => {
  let numbers = 0;
  async function deliver(
    env: TestEnvironment,
    elements: readonly Element[],
    options: Parameters<TestEnvironment['integrate']>[1] = {},
    patch: PatchOptions = {},
  ) {
    numbers += 1;
    return env.integrate(await env.patch(`W${numbers}.dat`, elements, patch), options);
  }
  /** `key: value of the field`, in their order. */
  const lines = async (env: TestEnvironment, type: string, tag: string, field: string, folder = 'SEED') =>
    (
      await env.query<{ line: string }>(
        `select concat(key, ': ', fields ->> $3) as line from rustine.dictionary where folder = $4 and type = $1 and tag = $2 and ($1 <> 'ATB' or name = 'ORDERS') order by key`,
        [type, tag, field, folder],
      )
    ).map((each) => each.line);
  const codes = (outcome: Awaited<ReturnType<TestEnvironment['integrate']>>, folder = 'SEED') =>
    outcome.findings.filter((finding) => finding.folder === folder).map((finding) => finding.code);

  test('R7: a Supervisor patch goes to the supervisor folder only, whatever folders are given', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const outcome = await deliver(env, [activityCode('STD')], {}, { type: '2' });
    expect(outcome.folders.map((folder) => [folder.folder, folder.state])).toEqual([
      ['X3', 'integrated'],
      ['SEED', 'skipped'],
    ]);
    expect(codes(outcome)).toEqual(['supervisor-only']);
  });

  test('R8, R9: actions from X on are specific too: an Add-on keeps them, a Specific patch takes them away', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const screen = (actions: readonly Values[]): Element =>
      any('AMK', 'SCREEN', [
        { tag: 'AMK', values: { CODMSK: 'SCREEN', CODACT: '' } },
        ...actions.map((values): RecordOf => ({ tag: 'AMA', values: { CODZON: 'FLD', ...values } })),
      ]);
    await deliver(env, [
      screen([
        { NOACT: 1, ACTION: 'STD' },
        { NOACT: 2, ACTION: 'ZACT' },
        { NOACT: 3, ACTION: 'SPV' },
      ]),
    ]);
    await deliver(env, [screen([{ NOACT: 1, ACTION: 'STD' }])], {}, { type: '5' });
    expect(await lines(env, 'AMK', 'AMA', 'ACTION')).toEqual(['FLD~1: STD', 'FLD~2: ZACT', 'FLD~3: SPV']);
    await deliver(env, [screen([{ NOACT: 1, ACTION: 'STD' }])], {}, { type: '3' });
    expect(await lines(env, 'AMK', 'AMA', 'ACTION')).toEqual(['FLD~1: STD', 'FLD~3: SPV']);
  });

  test('R18: what an element needs may stand after it in the patch', async () => {
    const env = await openEnvironment(server);
    const type = any('ATY', 'QTY', [{ tag: 'ATY', values: { CODTYP: 'QTY', CODACT: '', TYPTYP: 4, LNGTYP: bare('9.3') } }]);
    const outcome = await deliver(env, [
      exe('LAST'),
      row('ORD', 'ALL', { COD: 'A', QTY: bare('1.250') }),
      table('ORDERS', 'ORD', { COD: 'A:10', QTY: 'QTY' }, { ORD0: 'COD' }),
      type,
      script('LAST', "-- at the end\nupdate orders set qty_0 = qty_0 * 2 where cod_0 = 'A';"),
    ]);
    expect(outcome.folders[0]?.patches[0]).toMatchObject({ tables: { created: ['orders'] }, rows: { inserted: 1 } });
    expect(await env.query('select qty_0::text as qty from x3.orders')).toEqual([{ qty: '2.500' }]);
  });

  test('R19: a specific code on the header of a standard table keeps patches away, and is warned of each time', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const orders = (fields: Readonly<Record<string, string>>, activity = '') =>
      table('ORDERS', 'ORD', { COD: 'A:10', ...fields }, { ORD0: 'COD' }, { activity });
    await deliver(env, [orders({})]);
    const marked = await deliver(env, [orders({}, 'ZMINE')], { folders: ['SEED'], authorize: ['ZMINE'] });
    expect(marked.findings.filter((finding) => finding.code === 'header-specific')).toMatchObject([
      { severity: 'warn', folder: 'SEED', subject: 'ATB:ORDERS', facts: { code: 'ZMINE', blocked: false } },
    ]);
    for (const field of ['ONE', 'TWO']) {
      const outcome = await deliver(env, [orders({ [field]: 'A:5' })]);
      expect(outcome.findings.filter((finding) => finding.code === 'header-specific')).toMatchObject([
        { severity: 'warn', folder: 'SEED', subject: 'ATB:ORDERS', facts: { code: 'ZMINE', blocked: true } },
      ]);
      expect(outcome.folders[1]?.patches[0]?.elements).toMatchObject({ kept: 1, updated: 0 });
    }
    expect(await lines(env, 'ATB', 'ATZ', 'CODTYP')).toEqual(['COD: A']);
    expect(await lines(env, 'ATB', 'ATZ', 'CODTYP', 'X3')).toEqual(['COD: A', 'TWO: A']);
  });

  test('R20: a local menu whose content may be changed keeps its lines; new ones come in, none goes', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const menu = (changeable: number, items: Readonly<Record<number, string>>): Element =>
      any('AML', '900', [
        { tag: 'AML', values: { MENLOC: 900, CODACT: '', AUZMOD: changeable } },
        ...Object.entries(items).map(
          ([number, text]): RecordOf => ({
            tag: 'AST',
            values: { LANNUM: Number(number), LAN: 'ENG', LANMES: text },
          }),
        ),
      ]);
    await deliver(env, [menu(2, { 1: 'red', 2: 'green' })]);
    await env.rustine.setElement({
      element: 'AML:900',
      folder: 'SEED',
      record: 'AST:1~ENG',
      assignments: [{ field: 'LANMES', value: 'crimson' }],
    });
    await deliver(env, [menu(2, { 1: 'RED', 3: 'blue' })]);
    expect(await lines(env, 'AML', 'AST', 'LANMES')).toEqual(['1~ENG: crimson', '2~ENG: green', '3~ENG: blue']);
    // Where it may not be changed, the delivery counts.
    await deliver(env, [menu(1, { 1: 'RED', 3: 'blue' })]);
    await deliver(env, [menu(1, { 1: 'RED', 3: 'BLUE' })]);
    expect(await lines(env, 'AML', 'AST', 'LANMES')).toEqual(['1~ENG: RED', '3~ENG: BLUE']);
  });

  test('R20, R21: values of a general parameter are the folder’s: none is overwritten, none goes, new ones come in', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const parameter = (values: Readonly<Record<string, string>>): Element =>
      any('ADP', 'PAR', [
        { tag: 'ADP', values: { PARAM: 'PAR', CODACT: '' } },
        ...Object.entries(values).map(
          ([company, value]): RecordOf => ({ tag: 'ADW', values: { CMP: company, FCY: '', VALEUR: value } }),
        ),
      ]);
    await deliver(env, [parameter({ C1: '1', C2: '2' })]);
    await deliver(env, [parameter({ C1: '9', C3: '3' })]);
    expect(await lines(env, 'ADP', 'ADW', 'VALEUR')).toEqual(['C1~: 1', 'C2~: 2', 'C3~: 3']);
  });

  test('R19: screens of a window that are specific by code or by name stay in it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const window_ = (screens: readonly string[], acts: readonly string[]): Element =>
      any('AWI', 'WIN', [
        { tag: 'AWI', values: { WIN: 'WIN', CODACT: '', NBMSK: screens.length, NOMMSK: screens, ACTMSK: acts } },
      ]);
    await deliver(env, [window_(['ORD0', 'ORD1', 'ZMORE', 'ORDX'], ['', '', '', 'YCUS'])], { authorize: ['ZALL', 'YCUS'] });
    await deliver(env, [window_(['ORD0', 'ORD1', 'ORD2'], ['', '', ''])]);
    const [header] = await env.query(
      `select fields -> 'NOMMSK' as screens, fields -> 'NBMSK' as count from rustine.dictionary where folder = 'SEED' and type = 'AWI'`,
    );
    expect(header).toEqual({ screens: ['ORD0', 'ORD1', 'ORD2', 'ORDX', 'ZMORE'], count: 5 });
  });

  test('R19: lines of a protected block are protected with it, and point at it where it had to give way', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const screen = (blocks: readonly (readonly [string, string])[], fields: Readonly<Record<string, number>>): Element =>
      any('AMK', 'SCREEN', [
        {
          tag: 'AMK',
          values: {
            CODMSK: 'SCREEN',
            CODACT: '',
            NBBLOC: blocks.length,
            ACTBLOC: blocks.map(([code]) => code),
            TITBLOC: blocks.map(([, title]) => title),
          },
        },
        ...Object.entries(fields).map(
          ([name, block]): RecordOf => ({ tag: 'AMZ', values: { CODZON: name, CODACT: '', NUMBLOC: block } }),
        ),
      ]);
    await deliver(
      env,
      [
        screen(
          [
            ['', 'one'],
            ['YCUS', 'mine'],
          ],
          { A: 1, MINE: 2 },
        ),
      ],
      { authorize: ['YCUS'] },
    );
    const outcome = await deliver(env, [
      screen(
        [
          ['', 'one'],
          ['', 'two'],
        ],
        { A: 1, B: 2 },
      ),
    ]);
    expect(await lines(env, 'AMK', 'AMZ', 'NUMBLOC')).toEqual(['A: 1', 'B: 2', 'MINE: 3']);
    const [header] = await env.query(
      `select fields -> 'TITBLOC' as titles, fields -> 'NBBLOC' as count from rustine.dictionary where folder = 'SEED' and type = 'AMK' and tag = 'AMK'`,
    );
    expect(header).toEqual({ titles: ['one', 'two', 'mine'], count: 3 });
    expect(outcome.folders[1]?.patches[0]?.elements).toMatchObject({ updated: 1 });
    const again = await deliver(env, [
      screen(
        [
          ['', 'one'],
          ['', 'two'],
        ],
        { A: 1, B: 2 },
      ),
    ]);
    expect(again.folders[1]?.patches[0]?.elements).toMatchObject({ identical: 1, updated: 0 });
    // Not authorised, a block does not come in, nor do its lines.
    const closed = await deliver(env, [
      screen(
        [
          ['', 'one'],
          ['', 'two'],
          ['XNEW', 'theirs'],
        ],
        { A: 1, B: 2, THEIRS: 3 },
      ),
    ]);
    expect(closed.findings.find((finding) => finding.code === 'lines-ignored' && finding.folder === 'SEED')?.facts).toMatchObject(
      {
        code: 'XNEW',
        count: 2,
      },
    );
    expect(await lines(env, 'AMK', 'AMZ', 'NUMBLOC')).toEqual(['A: 1', 'B: 2', 'MINE: 3']);
  });

  test('R19: the same patch with the code of the folder’s own line authorised lets the delivered line in, without a false alarm', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const line = (code: string, value: string): Element =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '' } },
        { tag: 'ATR', values: { CODPAR: 'P1', CODACT: code, VAL: value } },
      ]);
    await deliver(env, [line('YOWN', 'mine')], { authorize: ['YOWN'] });
    const path = await env.patch('THEIRS.dat', [line('', 'theirs')]);
    await env.integrate(path);
    expect(await lines(env, 'ACT', 'ATR', 'VAL')).toEqual(['P1: mine']);
    const outcome = await env.integrate(path, { authorize: ['YOWN'] });
    expect(outcome.findings.map((finding) => finding.code)).not.toContain('authorize-unused');
    expect(await lines(env, 'ACT', 'ATR', 'VAL')).toEqual(['P1: theirs']);
  });

  test('an element’s title follows the patch also where nothing else changes', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const global = (title: string): Element =>
      any('AGB', 'GLOB', [{ tag: 'AGB', values: { CODVAR: 'GLOB', CODACT: '' } }], title);
    await deliver(env, [global('old')]);
    const outcome = await deliver(env, [global('new')]);
    expect(outcome.folders[1]?.patches[0]?.elements).toMatchObject({ identical: 1 });
    expect(await env.query(`select distinct title from rustine.dictionary where type = 'AGB'`)).toEqual([{ title: 'new' }]);
  });

  test('R19: what belongs to a line is guarded with it: actions of a protected field stay, those of an ignored one stay out', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const screen = (fields: Readonly<Record<string, string>>): Element =>
      any('AMK', 'SCREEN', [
        { tag: 'AMK', values: { CODMSK: 'SCREEN', CODACT: '' } },
        ...Object.entries(fields).flatMap(([name, code]): readonly RecordOf[] => [
          { tag: 'AMZ', values: { CODZON: name, CODACT: code } },
          { tag: 'AMA', values: { CODZON: name, NOACT: 1, ACTION: 'STD' } },
          { tag: 'AMP', values: { CODZON: name, CODPAR: 'P' } },
        ]),
      ]);
    await deliver(env, [screen({ FLD: '', MINE: 'YOWN' })], { authorize: ['YOWN'] });
    await deliver(env, [screen({ FLD: '', THEIRS: 'ZNEW' })]);
    expect(await lines(env, 'AMK', 'AMZ', 'CODACT')).toEqual(['FLD: ', 'MINE: YOWN']);
    expect(await lines(env, 'AMK', 'AMA', 'ACTION')).toEqual(['FLD~1: STD', 'MINE~1: STD']);
    expect(await lines(env, 'AMK', 'AMP', 'CODPAR')).toEqual(['FLD~P: P', 'MINE~P: P']);
  });

  test('R19: a block guards its lines whatever standard code they carry', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const screen = (own: boolean): Element =>
      any('AMK', 'SCREEN', [
        {
          tag: 'AMK',
          values: { CODMSK: 'SCREEN', CODACT: '', NBBLOC: own ? 2 : 1, ACTBLOC: ['', own ? 'ZBL' : ''], STACKED: [1, 1] },
        },
        { tag: 'AMZ', values: { CODZON: 'A', CODACT: '', NUMBLOC: 1 } },
        ...(own ? [{ tag: 'AMZ', values: { CODZON: 'KIT', CODACT: 'KAB', NUMBLOC: 2 } }] : []),
      ]);
    await deliver(env, [screen(true)]);
    expect(await lines(env, 'AMK', 'AMZ', 'NUMBLOC')).toEqual(['A: 1']);
    await deliver(env, [screen(true)], { authorize: ['ZBL'] });
    await deliver(env, [screen(false)]);
    expect(await lines(env, 'AMK', 'AMZ', 'NUMBLOC')).toEqual(['A: 1', 'KIT: 2']);
    // As many blocks as the header says: places that hold something by habit are none.
    const [header] = await env.query(
      `select fields -> 'NBBLOC' as count from rustine.dictionary where folder = 'SEED' and type = 'AMK' and tag = 'AMK'`,
    );
    expect(header).toEqual({ count: 2 });
  });

  test('R23: lines in a language follow the rule for texts', async () => {
    const env = await openEnvironment(server, { init: { languages: ['FRA', 'ENG', 'SPA'] } });
    await env.folders(['SEED'], { languages: ['FRA', 'SPA'] });
    await env.folders(['GER'], { languages: ['GER'] });
    const menu = (...languages: readonly string[]): Element =>
      any('AML', '900', [
        { tag: 'AML', values: { MENLOC: 900, CODACT: '', AUZMOD: 1 } },
        ...languages.map((language): RecordOf => ({ tag: 'AST', values: { LANNUM: 1, LAN: language, LANMES: language } })),
      ]);
    await deliver(env, [menu('FRA', 'SPA', 'ENG')], {}, { languages: ['FRA', 'SPA', 'ENG'] });
    expect(await lines(env, 'AML', 'AST', 'LANMES')).toEqual(['1~FRA: FRA', '1~SPA: SPA']);
    expect(await lines(env, 'AML', 'AST', 'LANMES', 'GER')).toEqual(['1~FRA: FRA']);
    await deliver(env, [menu('FRA', 'ENG')], {}, { languages: ['FRA', 'ENG'] });
    expect(await lines(env, 'AML', 'AST', 'LANMES')).toEqual(['1~FRA: FRA', '1~SPA: SPA']);
  });

  test('R25: a folder is due when what a code counts as changes, and only then', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const due = async () => (await env.rustine.folders()).filter((folder) => folder.due).map((folder) => folder.code);
    await deliver(env, [table('ORDERS', 'ORD', { COD: 'A:10', KIT: { type: 'A:5', activity: 'KIT' } }, { ORD0: 'COD' })]);
    await deliver(env, [activityCode('OTHER', { active: false })]);
    await deliver(env, [activityCode('KIT')]);
    expect(await due()).toEqual([]);
    await deliver(env, [activityCode('KIT', { active: false })]);
    expect(await due()).toEqual(['X3', 'SEED']);
    await env.rustine.validate({ folders: ['X3', 'SEED'] });
    expect(await due()).toEqual([]);
    // Unknown to ADOSACT it counts as active: delivered as inactive, the tables that carry it have to follow.
    await deliver(env, [table('LINES', 'LIN', { COD: 'A:10', ADD: { type: 'A:5', activity: 'ADD' } }, { LIN0: 'COD' })]);
    await deliver(env, [activityCode('ADD', { active: false })]);
    expect(await due()).toEqual(['X3', 'SEED']);
  });

  test.each([
    ['FLACT', 70000],
    ['DIME', 1.5],
    ['DIME', 99999999999],
    ['DIME', -3],
    ['MODULE', 'abc'],
  ])('R25: an activity code whose %s is %s blocks, with element and field', async (field, value) => {
    const env = await openEnvironment(server);
    const code = any('ACV', 'KIT', [
      {
        tag: 'ACV',
        values: { CODACT: 'KIT', FLACT: 2, DIME: 0, MODULE: 1, [field]: typeof value === 'number' ? bare(String(value)) : value },
      },
    ]);
    const path = await env.patch('BAD.dat', [code]);
    const outcome = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect(outcome.state).toBe('refused');
    expect(outcome.findings).toMatchObject([
      { code: 'activity-code-value', severity: 'block', subject: 'ACV:KIT', facts: { field } },
    ]);
  });

  test('R20: an element that comes without its header keeps the folder’s', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const line = { tag: 'ATR', values: { CODPAR: 'P1', CODACT: '', VAL: 'two' } };
    await deliver(env, [
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', SPETRT: 'S' } },
        { ...line, values: { ...line.values, VAL: 'one' } },
      ]),
    ]);
    const outcome = await deliver(env, [any('ACT', 'ACTA', [line])]);
    expect(codes(outcome)).toContain('element-header-missing');
    expect(await lines(env, 'ACT', 'ACT', 'SPETRT')).toEqual(['ACTA: S']);
    expect(await lines(env, 'ACT', 'ATR', 'VAL')).toEqual(['P1: two']);
  });
});
