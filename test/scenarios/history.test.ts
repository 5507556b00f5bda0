// R41: the inquiry: who did what to which folders, by folder, patch, element, date and person; which folders have which version of an element.
import { describe, expect, test } from 'vitest';
import type { ElementVersion, HistoryEntry, HistoryOptions } from '../../src/app/history.ts';
import { typed } from '../support/command-line.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { any, row, script, table, type Values } from '../support/patches.ts';
import { everyServer, oneServer } from '../support/servers.ts';
import { twoServers } from '../support/two-servers.ts';

const item = (...more: readonly string[]) =>
  table('ITEM', 'ITM', { COD: 'A:5', ...Object.fromEntries(more.map((name) => [name, 'A:5'])) }, { KEY0: 'COD' });
const action = (value: string, more: Values = {}) =>
  any('ACT', 'ACTA', [{ tag: 'ACT', values: { ACTION: 'ACTA', CODACT: '', SPETRT: value, ...more } }]);

const brief = ({ kind, file, element, folders }: HistoryEntry) =>
  [kind, element ?? file, folders.map(({ folder }) => folder).join(' ')].join(' | ');

const asked = async (env: TestEnvironment, options: HistoryOptions = {}) =>
  (await env.rustine.history(options)).entries.map(brief);

const holds = (versions: readonly ElementVersion[]) =>
  versions.map(({ file, folders }) => [
    file,
    folders.map(({ folder, hold, from }) => `${folder} ${hold}${from === null ? '' : ` ${from}`}`).sort(),
  ]);

describe.each(everyServer())('history on $name', (server) => {
  test('R41: what was done, the latest first; by folder, patch, day and person; what one run did to many folders is one entry', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const first = await env.integrate(await env.patch('P_0001_140.dat', [item()]));
    await env.integrate(await env.patch('ZCLIENT.dat', [action('ONE')]), { folders: ['X3', 'SEED'] });
    await env.rustine.setElement({ element: 'ACT:ACTA', folder: 'SEED', assignments: [{ field: 'SPETRT', value: 'MINE' }] });
    const { entries, total, element, notRemembered } = await env.rustine.history({});
    expect(entries.map(brief)).toEqual([
      'set | ACT:ACTA | SEED',
      'patch | ZCLIENT.dat | SEED X3',
      'patch | P_0001_140.dat | SEED SHOP X3',
      // What a person does without a run is one entry a day.
      'creation |  | SEED SHOP X3',
    ]);
    expect({ total, element, notRemembered }).toEqual({ total: 4, element: null, notRemembered: [] });
    const [{ digest } = { digest: '' }] = await env.query<{ digest: string }>(
      `select encode(digest, 'hex') as digest from rustine.patch where file = 'P_0001_140.dat'`,
    );
    expect(entries[2]).toMatchObject({
      run: first.run,
      digest,
      authorized: [],
      ignored: [],
      forced: {},
      takenBack: false,
      choice: null,
    });
    expect(entries[2]?.folders.map(({ server: on, takenBack }) => [on, takenBack])).toEqual([1, 2, 3].map(() => [null, null]));
    expect(await asked(env, { folder: 'shop' })).toEqual(['patch | P_0001_140.dat | SHOP', 'creation |  | SHOP']);
    for (const patch of ['p_0001_140.DAT', 'P_0001_140', '/somewhere/P_0001_140.dat'])
      expect(await asked(env, { patch })).toEqual(['patch | P_0001_140.dat | SEED SHOP X3']);
    expect(await asked(env, { patch: 'ZCLIENT.dat', folder: 'SHOP' })).toEqual([]);
    expect(await env.rustine.history({ limit: 2 })).toMatchObject({ total: 4, entries: [{ kind: 'set' }, { kind: 'patch' }] });
    // What a person did on a day, and who else did something another day.
    await env.query(
      `update rustine.integration set at = '2026-03-05 23:59:59+00', operator = 'alice' where file = 'P_0001_140.dat'`,
    );
    expect(await asked(env, { since: '2026-03-05', until: '2026-03-05' })).toEqual(['patch | P_0001_140.dat | SEED SHOP X3']);
    expect(await asked(env, { until: '2026-03-04' })).toEqual([]);
    expect(await asked(env, { since: '2026-03-06', until: '2026-03-07' })).toEqual([]);
    expect(await asked(env, { operator: 'ALICE' })).toEqual(['patch | P_0001_140.dat | SEED SHOP X3']);
    expect(await asked(env, { operator: 'alice', folder: 'SEED', patch: 'P_0001_140', since: '2026-01-01' })).toEqual([
      'patch | P_0001_140.dat | SEED',
    ]);
  });

  test('R41: which folders have which version of an element, and whether they hold what was delivered', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP', 'OLD'] });
    await env.integrate(await env.patch('A.dat', [action('ONE'), item()]));
    await env.integrate(await env.patch('B.dat', [action('TWO', { TYP: 2 })]), { folders: ['X3', 'SEED', 'SHOP'] });
    await env.rustine.setElement({ element: 'ACT:ACTA', folder: 'SHOP', assignments: [{ field: 'SPETRT', value: 'MINE' }] });
    await env.folders(['NEW']);
    const of = async (element: string) => (await env.rustine.history({ element })).element?.versions ?? [];
    expect(holds(await of('act:ACTA'))).toEqual([
      ['B.dat', ['NEW own', 'SEED own', 'SHOP own', 'X3 own']],
      ['A.dat', ['OLD delivered']],
    ]);
    expect(holds(await of('ATB:ITEM'))).toEqual([
      ['A.dat', ['NEW created', 'OLD delivered', 'SEED delivered', 'SHOP delivered', 'X3 delivered']],
    ]);
    // What the element went through: also what was set, and what a folder had from its creation.
    expect(await asked(env, { element: 'ACT:ACTA' })).toEqual([
      'copied | B.dat | NEW',
      'copied | A.dat | NEW',
      'set | ACT:ACTA | SHOP',
      'patch | B.dat | SEED SHOP X3',
      'patch | A.dat | OLD SEED SHOP X3',
    ]);
    expect(await asked(env, { element: 'ATB:ITEM', folder: 'SEED' })).toEqual(['patch | A.dat | SEED']);
  });

  test('R4, R41: of a script it is the copy in use that counts, wherever it is', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.folders(['TRY'], { test: true });
    await env.integrate(await env.patch('A.dat', [script('HELLO', '# one')]));
    const of = async (element: string) => holds((await env.rustine.history({ element })).element?.versions ?? []);
    expect(await of('TRT:HELLO')).toEqual([['A.dat', ['SEED inherited X3', 'TRY delivered', 'X3 delivered']]]);
    await env.integrate(await env.patch('C.dat', [script('HELLO', '# two')]), { folders: ['X3', 'SEED'] });
    expect(await of('TRT:HELLO')).toEqual([
      ['C.dat', ['SEED inherited X3', 'X3 delivered']],
      ['A.dat', ['TRY delivered']],
    ]);
    await env.integrate(await env.patch('D.dat', [item(), row('ITM', 'R', { COD: 'A' })]));
    expect(await of('ITM:R')).toEqual([['D.dat', ['SEED rows', 'TRY rows', 'X3 rows']]]);
  });
});

describe.each(oneServer())('history on $name', (server) => {
  test('R15, R19, R41: who authorised and who forced what, and why; what was left out', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const force = [{ check: 'sequence', reason: 'the first two are on paper' }];
    const specific = [action('ONE', { CODACT: 'ZALI' })];
    await env.integrate(await env.patch('P_0003_140.dat', specific), { force });
    await env.integrate(await env.patch('ZONE.dat', specific), { authorize: ['ZALI'] });
    const { entries } = await env.rustine.history({ element: 'ACT:ACTA' });
    expect(entries).toMatchObject([
      { file: 'ZONE.dat', authorized: ['ZALI'], ignored: [], forced: {} },
      { file: 'P_0003_140.dat', authorized: [], ignored: ['ZALI'], forced: { sequence: 'the first two are on paper' } },
    ]);
    const { out } = await typed(env, ['history', '--patch', 'P_0003_140.dat']);
    expect(out).toMatch(/integrated +P_0003_140\.dat +[0-9a-f]{8} +2: SEED, X3/);
    expect(out).toContain('not authorised, left out: ZALI');
    expect(out).toMatch(/forced \(sequence\) by \S+: the first two are on paper/);
  });

  test('R37, R41: decisions about kept values are in the story of the element, with their reason', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [action('ONE')]));
    await env.integrate(await env.patch('B.dat', [action('TWO')]), { folders: ['X3'] });
    const [kept] = await env.rustine.keptValues({});
    await env.rustine.decide({ case: kept?.case ?? '', choice: 'take', reason: 'everybody needs TWO' });
    const { element, entries } = await env.rustine.history({ element: 'ACT:ACTA' });
    expect(element?.decisions).toMatchObject([
      { case: kept?.case, choice: 'take', place: 'ACT ACTA SPETRT', reason: 'everybody needs TWO' },
    ]);
    expect(entries[0]).toMatchObject({
      kind: 'decision',
      element: 'ACT:ACTA',
      choice: 'take',
      reason: 'everybody needs TWO',
      file: '',
      digest: null,
    });
    expect((await asked(env, { folder: 'X3' }))[0]).toBe('decision | ACT:ACTA | X3');
    const { out } = await typed(env, ['history', '--element', 'ACT:ACTA']);
    expect(out).toContain('Decisions about values that folders keep');
    expect(out).toContain('the delivered value is taken: everybody needs TWO');
  });

  test('R38, R41: a patch that was taken back is shown as such, and who did it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'SHOP'] });
    const { run } = await env.integrate(await env.patch('A.dat', [item()]));
    const back = await env.rustine.revert({ file: 'A.dat', folders: ['SEED'], reason: 'the wrong one' });
    expect(back.state).toBe('done');
    await env.query(`update rustine.integration set operator = 'bob' where kind = 'revert'`);
    const found = await env.rustine.history({ patch: 'A.dat' });
    // Which folder came last is not said.
    const entries = found.entries.toSorted((a, b) => b.kind.localeCompare(a.kind) || Number(b.takenBack) - Number(a.takenBack));
    expect(entries.map(brief)).toEqual(['revert | A.dat | SEED', 'patch | A.dat | SEED', 'patch | A.dat | SHOP X3']);
    expect(entries.map((entry) => [entry.takenBack, entry.run === run, entry.operator === 'bob'])).toEqual([
      [false, false, true],
      [true, true, false],
      [false, true, false],
    ]);
    expect(entries[0]).toMatchObject({ reason: 'the wrong one', forced: {}, run: back.run });
    expect(entries[1]?.folders[0]?.takenBack).toMatchObject({ by: 'bob', run: back.run });
    expect(
      (await env.rustine.history({ element: 'ATB:ITEM' })).element?.versions.map(({ file, folders }) => [
        file,
        folders.map(({ hold }) => hold),
      ]),
    ).toEqual([
      ['A.dat', ['delivered', 'delivered']],
      [null, ['absent']],
    ]);
    expect(await asked(env, { element: 'ATB:ITEM' })).toHaveLength(3);
    const { out } = await typed(env, ['history', '--patch', 'A']);
    expect(out).toMatch(/integrated \(gone\) +A\.dat/);
    expect(out).toContain('reason: the wrong one');
    expect(out).toMatch(/taken back by bob, \d{4}-\d\d-\d\d \d\d:\d\d: SEED/);
    expect((await typed(env, ['history', '--patch', 'A', '--lang', 'fr'])).out).toMatch(/repris par bob, .* : SEED/);
  });

  test('R35, R41: what a validation brought is told as such, with the version that the folder has by it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [action('ONE'), item()]), { folders: ['X3'] });
    const { run } = await env.rustine.validate({ folders: ['SEED'] });
    const { entries, element } = await env.rustine.history({ folder: 'SEED', element: 'ACT:ACTA' });
    expect(entries).toMatchObject([{ kind: 'copied', file: 'A.dat', run }]);
    expect(holds(element?.versions ?? [])).toEqual([['A.dat', ['SEED delivered']]]);
    const all = (await env.rustine.history({ folder: 'SEED' })).entries;
    expect(all.map(({ kind }) => kind).sort()).toEqual(['copied', 'creation', 'validation']);
    expect(all.find(({ kind }) => kind === 'validation')).toMatchObject({ run, file: '', digest: null });
    expect((await typed(env, ['history', '--folder', 'SEED'])).out).toMatch(/brought by validation +A\.dat/);
  });

  test('R41: what was integrated before deliveries were remembered is said, and as much as is known of it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('OLD.dat', [item(), action('ONE')]));
    await env.query('delete from rustine.patch');
    await env.integrate(await env.patch('NEW.dat', [action('ONE', { TYP: 3 })]), { folders: ['X3'] });
    const { element, notRemembered, entries } = await env.rustine.history({ element: 'ACT:ACTA' });
    expect(element?.versions).toMatchObject([
      { file: 'NEW.dat', remembered: true, folders: [{ folder: 'X3', hold: 'delivered' }] },
      { file: 'OLD.dat', remembered: false, folders: [{ folder: 'SEED', hold: 'delivered' }] },
    ]);
    expect(notRemembered).toEqual(['OLD.dat']);
    expect(entries.map(brief)).toEqual(['patch | NEW.dat | X3']);
    const { out } = await typed(env, ['history', '--element', 'ACT:ACTA']);
    expect(out).toContain('OLD.dat (before deliveries were remembered)');
    expect(out).toContain('1 patch was integrated before deliveries were remembered');
    expect((await env.rustine.history({})).notRemembered).toEqual([]);
  });

  test('R41: bad input is refused with what is known instead', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('ZCLIENT.dat', [item()]));
    const refused = (options: HistoryOptions) =>
      env.rustine.history(options).then(
        () => 'no',
        (error: { code: string; facts: object }) => ({ code: error.code, ...error.facts }),
      );
    expect(await refused({ folder: 'NONE' })).toMatchObject({ code: 'folder-unknown', folder: 'NONE' });
    expect(await refused({ folder: '1' })).toMatchObject({ code: 'folder-code' });
    expect(await refused({ patch: 'ZCLIENTS.dat' })).toMatchObject({
      code: 'patch-never-integrated',
      file: 'ZCLIENTS.dat',
      near: ['ZCLIENT.dat'],
    });
    expect(await refused({ element: 'ITEM' })).toMatchObject({ code: 'element-name' });
    expect(await refused({ element: 'ATB:ITEMS' })).toMatchObject({ code: 'element-never-delivered', near: ['ATB:ITEM'] });
    expect(await refused({ operator: 'nobody' })).toMatchObject({ code: 'operator-unknown', operator: 'nobody' });
    expect(await refused({ since: '2026-02-02', until: '2026-02-01' })).toMatchObject({ code: 'history-days' });
    for (const [words, said] of [
      [['--since', 'yesterday'], '--since'],
      [['--until', '2026-02-30'], '--until'],
      [['--limit', '0'], '--limit'],
      [['--operator', ''], '--operator'],
      [['--patch', ' '], '--patch'],
    ] as const) {
      const { code, err } = await typed(env, ['history', ...words]);
      expect([code, err.includes(said)], words.join(' ')).toEqual([2, true]);
    }
    const { code, err } = await typed(env, ['history', '--operator', 'nobody', '--lang', 'fr']);
    expect([code, err]).toEqual([2, expect.stringContaining("n'a jamais rien écrit dans un dossier")]);
  });

  test('R41: many folders fit a screen, --verbose names each, --json has a stable shape', async () => {
    const codes = Array.from({ length: 12 }, (_, at) => `F${String(at).padStart(2, '0')}`);
    const env = await openEnvironment(server, { folders: codes });
    await env.integrate(await env.patch('A.dat', [item()]));
    const plain = (await typed(env, ['history', '--patch', 'A.dat'])).out;
    expect(plain.split('\n').length).toBeLessThan(8);
    expect(plain).toContain('13: F00, F01, F02, F03 … +9');
    expect(plain).toContain('With --verbose each folder has its line.');
    const verbose = (await typed(env, ['history', '--patch', 'A.dat', '--verbose'])).out;
    expect(codes.every((code) => new RegExp(`^  ${code}  \\d{4}-`, 'm').test(verbose))).toBe(true);
    expect((await typed(env, ['history', '--element', 'ATB:ITEM', '--verbose'])).out).toContain(codes.join(', '));
    const limited = (await typed(env, ['history', '--limit', '1'])).out;
    expect(limited).toContain('1 of 2 entries; --limit 4 shows more');
    const json = JSON.parse((await typed(env, ['history', '--element', 'ATB:ITEM', '--json'])).out);
    expect(Object.keys(json).sort()).toEqual(['element', 'entries', 'findings', 'notRemembered', 'total']);
    expect(Object.keys(json.entries[0]).sort()).toEqual(
      [
        'kind',
        'run',
        'file',
        'digest',
        'element',
        'at',
        'until',
        'operator',
        'authorized',
        'ignored',
        'forced',
        'choice',
        'reason',
        'takenBack',
        'folders',
      ].sort(),
    );
    expect(Object.keys(json.entries[0].folders[0]).sort()).toEqual([
      'at',
      'copied',
      'folder',
      'integration',
      'purged',
      'server',
      'takenBack',
    ]);
    expect(Object.keys(json.element.versions[0]).sort()).toEqual(['at', 'digest', 'file', 'folders', 'remembered']);
    const french = (await typed(env, ['history', '--lang', 'fr'])).out;
    expect(french).toMatch(/quand \(UTC\) +quoi +fichier ou élément/);
    expect(french).toMatch(/intégré +A\.dat/);
  });

  test('R41: over several servers one run is one entry, and a server that does not answer is named', async () => {
    const env = await twoServers(server, undefined);
    await env.integrate(await env.patch('A.dat', [item(), script('HELLO', '# hello')]));
    expect(await asked(env)).toEqual(['patch | A.dat | LOC X3 FAR', 'creation |  | LOC X3 FAR']);
    const { entries, element } = await env.rustine.history({ element: 'TRT:HELLO' });
    expect(entries[0]?.folders.map(({ folder, server: on }) => [folder, on])).toEqual([
      ['LOC', null],
      ['X3', null],
      ['FAR', 'NORTH'],
    ]);
    expect(holds(element?.versions ?? [])).toEqual([['A.dat', ['FAR inherited X3', 'LOC inherited X3', 'X3 delivered']]]);
    expect(await asked(env, { folder: 'FAR' })).toEqual(['patch | A.dat | FAR', 'creation |  | FAR']);
    // Once on each server, for its folders.
    expect(await env.query('select file, kept from rustine.patch')).toEqual([{ file: 'A.dat', kept: true }]);
    expect(await env.at('select file, kept from rustine.patch')).toEqual([{ file: 'A.dat', kept: true }]);
    await env.proxy.close();
    const other = await typed(env, ['history', '--patch', 'A.dat', '--json'], {
      settings: { servers: { NORTH: env.proxy.url } },
    });
    const json = JSON.parse(other.out);
    expect(json.entries.map(brief)).toEqual(['patch | A.dat | LOC X3']);
    expect(json.findings).toMatchObject([{ code: 'server-unreachable', subject: 'NORTH' }]);
  });
});
