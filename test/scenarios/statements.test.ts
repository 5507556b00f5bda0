// A patch costs a handful of round trips per folder, however many elements it has: counted on the wire.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Rustine } from '../../src/app/rustine.ts';
import { openRustine } from '../../src/app/rustine.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import type { Element } from '../support/patches.ts';
import { activityCode, any, bare, compiled, exe, row, script, table, texts } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';
import { countRoundTrips } from '../support/wire-count.ts';

/** Begin, settings, folder locked, integrated already?, starting state, everything written, everything recorded, commit; and the folder's state for those who watch. */
const PER_FOLDER = 9;

/** Of a folder that lags: besides what both differ in, its tables, rows from kept files. */
const PER_VALIDATION = 29;
/** Of a folder in which nothing is to be done. */
const PER_VALIDATION_IN_LINE = 20;

/** Elements of many types; each patch has at least one of each. */
function elements(count: number): readonly Element[] {
  const some: readonly ((at: number) => Element)[] = [
    (at) => table(`T${at}`, `AB${at}`, { COD: 'A:10', DES: 'A:30', QTY: 'DCB:9.2' }, { [`T${at}0`]: 'COD', [`T${at}1`]: 'DES' }),
    (at) => row('AB0', `ROW${at}`, { COD: `C${at}`, DES: 'x', QTY: bare('1.50') }, { DES: { ENG: 'text', FRA: 'texte' } }),
    (at) =>
      any('ADP', `PAR${at}`, [{ tag: 'ADP', values: { ACS: 'A', PARAM: `PAR${at}`, INTIT: texts({ ENG: 'p', FRA: 'p' }) } }]),
    (at) => script(`SCRIPT${at}`, `# ${at}`),
    (at) => compiled(`SCRIPT${at}`, Buffer.from([0, at & 255])),
    (at) =>
      any(
        'AML',
        String(at),
        Array.from({ length: 5 }, (_, line) => ({ tag: 'AST', values: { LANNUM: line, LAN: 'ENG', TEXTE: `menu ${line}` } })),
      ),
    (at) => activityCode(`C${at}`, { size: at }),
    (at) => exe(`RUN${at}`),
    (at) => any('ZZZ', `UNKNOWN${at}`, [{ tag: 'ZZZ', values: { ANY: 'thing' } }]),
    (at) =>
      any('ACT', `ACT${at}`, [
        { tag: 'ACT', values: { ACTION: `ACT${at}`, CODACT: '' } },
        { tag: 'ATR', values: { CODPAR: 'P1' } },
      ]),
  ];
  return Array.from({ length: count }, (_, at) => some[at % some.length]!(Math.floor(at / some.length)));
}

describe.each(oneServer())('$name', (server) => {
  /** Round trips of one integration, folders one after the other. */
  async function trips(environment: TestEnvironment, paths: readonly string[]): Promise<number> {
    return roundTrips(environment, async (program) => {
      expect((await program.integrate({ paths, mode: 'integrate' })).state).toBe('done');
    });
  }

  async function roundTrips(environment: TestEnvironment, work: (program: Rustine) => Promise<void>): Promise<number> {
    const wire = await countRoundTrips(environment.url);
    const program = await openRustine({ home: environment.home, database: wire.url, language: 'en', jobs: 1 });
    onTestFinished(async () => {
      await program.close();
      await wire.close();
    });
    wire.take();
    await work(program);
    return wire.take();
  }

  const folders = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `F${at}`);

  async function cost(elementCount: number, folderCount: number): Promise<number> {
    const environment = await openEnvironment(server, { folders: folders(folderCount) });
    return trips(environment, [await environment.patch('P_0001_140.dat', elements(elementCount))]);
  }

  test('a patch of 1,000 elements costs as many round trips as one of 10; one more folder in the same state costs 9, whatever the patch', async () => {
    const [small, large] = [await cost(10, 1), await cost(1_000, 1)];
    expect(large).toBe(small);
    const more = 3;
    expect((await cost(10, 1 + more)) - small).toBe(more * PER_FOLDER);
    expect((await cost(1_000, 1 + more)) - large).toBe(more * PER_FOLDER);
  });

  test('an update costs as much per folder as a first integration', async () => {
    const update = async (count: number): Promise<number> => {
      const environment = await openEnvironment(server, { folders: folders(count) });
      await environment.integrate(await environment.patch('P_0001_140.dat', elements(100)));
      const changed = [
        ...elements(100),
        table('T0', 'AB0', { COD: 'A:10', DES: 'A:90', QTY: 'DCB:9.2', NEW: 'L' }, { T00: 'COD' }),
      ];
      return trips(environment, [await environment.patch('P_0002_140.dat', changed)]);
    };
    expect((await update(4)) - (await update(1))).toBe(3 * PER_FOLDER);
  });

  test('SQL scripts, installed and to be run, cost no round trip more, however many', async () => {
    const sqlScripts = async (count: number, folderCount: number): Promise<number> => {
      const environment = await openEnvironment(server, { folders: folders(folderCount) });
      const each = Array.from({ length: count }, (_, at) => [
        script(`LIB${at}`, `create or replace function lib${at}() returns integer language sql as 'select ${at}';`),
        script(`FIX${at}`, `select lib${at}();`),
        exe(`FIX${at}`),
      ]);
      return trips(environment, [await environment.patch('P_0001_140.dat', [...elements(10), ...each.flat()])]);
    };
    const [one, three] = [await sqlScripts(1, 1), await sqlScripts(1, 3)];
    expect(three - one).toBe(2 * PER_FOLDER);
    expect((await sqlScripts(30, 3)) - three).toBe(0);
  });

  test('nothing to do costs the same for 1 folder and for 20', async () => {
    const again = async (count: number): Promise<number> => {
      const environment = await openEnvironment(server, { folders: folders(count) });
      const path = await environment.patch('P_0001_140.dat', elements(20));
      await environment.integrate(path);
      return trips(environment, [path]);
    };
    const one = await again(1);
    expect(await again(20)).toBe(one);
    // One of them asks whether dead programs left anything to settle, one whether there are further servers, one whether the files that folders have are kept, one whether their schemas are there.
    expect(one).toBeLessThanOrEqual(24);
  });

  test('a validation costs as many round trips for 10 elements as for 1,000; one more folder that lags in the same way costs the same again', async () => {
    const validation = async (elementCount: number, folderCount: number, lagging: boolean): Promise<number> => {
      const environment = await openEnvironment(server, { folders: folders(folderCount) });
      const path = await environment.patch('P_0001_140.dat', elements(elementCount));
      await environment.integrate(path, lagging ? { folders: ['X3'] } : {});
      return roundTrips(environment, async (program) => {
        expect((await program.validate({ folders: folders(folderCount) })).state).toBe('done');
      });
    };
    const [small, large] = [await validation(10, 1, true), await validation(1_000, 1, true)];
    expect(large).toBe(small);
    expect((await validation(10, 4, true)) - small).toBe(3 * PER_VALIDATION);
    const inLine = await validation(10, 1, false);
    expect((await validation(10, 4, false)) - inLine).toBe(3 * PER_VALIDATION_IN_LINE);
  });
});
