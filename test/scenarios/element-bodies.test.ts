// Elements that are no records of the dictionary go through their life on a real database: scripts, rows of tables, scripts to run.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Fixture } from '../support/fixtures.ts';
import { fixtures } from '../support/fixtures.ts';
import type { Element } from '../support/patches.ts';
import { everyServer } from '../support/servers.ts';

const LANGUAGES = ['ENG', 'FRA'];
const known = new Map((await fixtures()).map((given) => [given.file, given]));

function fixture(file: string): Fixture {
  const given = known.get(file);
  if (given === undefined) throw new Error(`no fixture ${file}`);
  return given;
}

const elements = (...files: readonly string[]): readonly Element[] => files.map((file) => fixture(file).element);

/** Source or payload of a script's fixture. */
function body(file: string): Buffer {
  const pieces = fixture(file).element.flatMap((part) => (part.part === 'source' || part.part === 'payload' ? [part.bytes] : []));
  return Buffer.concat(pieces);
}

/** X3 and SEED. */
async function environment(server: Parameters<typeof openEnvironment>[0]): Promise<TestEnvironment> {
  const env = await openEnvironment(server, { init: { languages: LANGUAGES } });
  await env.folders(['SEED'], { languages: LANGUAGES });
  return env;
}

const firstPatches = (outcome: RunOutcome) => outcome.folders.map((folder) => folder.patches[0]);

describe.each(everyServer())('elements with bodies on $name', (server) => {
  test.each(['TRT', 'ADX'])(
    'R22: %s comes to the supervisor folder byte for byte, and is identical the second time',
    async (kind) => {
      const env = await environment(server);
      const scripts = () =>
        env.query<{ folder: string; kind: string; name: string; bytes: Buffer }>(
          `select f.code as folder, s.kind, s.name, b.bytes from rustine.script s join rustine.folder f on f.id = s.folder join rustine.blob b on b.digest = s.digest`,
        );
      const first = await env.integrate(await env.patch('ONE.dat', elements(kind)));
      expect(firstPatches(first).map((patch) => [patch?.elements.created, patch?.scripts.installed])).toEqual([
        [1, 1],
        [0, 0],
      ]);
      const there = await scripts();
      expect(there).toEqual([{ folder: 'X3', kind, name: 'FIXPLANNER', bytes: body(kind) }]);
      const second = await env.integrate(await env.patch('TWO.dat', elements(kind)));
      expect(firstPatches(second)[0]).toMatchObject({ elements: { identical: 1 }, scripts: { installed: 0 } });
      expect(await scripts()).toEqual(there);
    },
  );

  test('R24: rows come to the table that their abbreviation names, with arrays, decimals and texts by language; again they are the same', async () => {
    const env = await environment(server);
    await env.integrate(await env.patch('TABLE.dat', elements('ACV', 'ATY', 'ATB')));
    const plans = () =>
      env.query(
        `select cod_0, day_0::text, weight_0::text, state_0, state_1, seats_0, bay_0, bay_1, bay_2, remark_0, updtick_0 from seed.fixtab order by cod_0`,
      );
    const first = await env.integrate(await env.patch('ROWS.dat', elements('DIV')));
    expect(firstPatches(first).map((patch) => patch?.rows)).toMatchObject([
      { inserted: 2, updated: 0 },
      { inserted: 2, updated: 0 },
    ]);
    const state = { state_1: 1, updtick_0: 1 };
    expect(await plans()).toEqual([
      {
        ...state,
        cod_0: 'PLAN1',
        day_0: '2024-03-04',
        weight_0: '1250.500',
        state_0: 1,
        state_1: 2,
        seats_0: 12,
        bay_0: 'N1',
        bay_1: 'N2',
        bay_2: 'S1',
        remark_0: 'says "late"',
      },
      {
        ...state,
        cod_0: 'PLAN2',
        day_0: null,
        weight_0: '-0.500',
        state_0: 3,
        seats_0: 0,
        bay_0: 'S1',
        bay_1: '',
        bay_2: '',
        remark_0: 'spare',
      },
    ]);
    expect(await env.query(`select distinct field, language, text from rustine.translation order by language`)).toEqual([
      { field: 'REMARK', language: 'ENG', text: 'spare' },
      { field: 'REMARK', language: 'FRA', text: 'réserve' },
    ]);
    const again = await env.integrate(await env.patch('AGAIN.dat', elements('DIV')));
    expect(firstPatches(again).map((patch) => patch?.rows)).toMatchObject([
      { inserted: 0, updated: 0 },
      { inserted: 0, updated: 0 },
    ]);
  });

  test('R24: TAB replaces the content of its table, and what was there is kept aside; AAA adds rows to the tables it names', async () => {
    const env = await environment(server);
    await env.integrate(await env.patch('TABLE.dat', elements('ACV', 'ATY', 'ATB', 'DIV')));
    const plans = async () =>
      (await env.query<{ cod: string }>('select cod_0 as cod from seed.fixtab order by 1')).map((row) => row.cod);
    expect(await plans()).toEqual(['PLAN1', 'PLAN2']);
    const replaced = await env.integrate(await env.patch('ALL.dat', elements('TAB')));
    expect(firstPatches(replaced).map((patch) => patch?.rows)).toMatchObject([{ inserted: 2 }, { inserted: 2 }]);
    expect(await plans()).toEqual(['PLAN3', 'PLAN4']);
    const kept = `select r.value ->> 'cod_0' as cod from rustine.kept k join rustine.kept_row r on r.kept = k.id join rustine.folder f on f.id = k.folder
      where f.code = 'SEED' and k.table_name = 'fixtab' order by 1`;
    expect(await env.query(kept)).toEqual([{ cod: 'PLAN1' }, { cod: 'PLAN2' }]);
    await env.integrate(await env.patch('MODEL.dat', elements('AAA')));
    expect(await plans()).toEqual(['PLAN3', 'PLAN4', 'PLAN5']);
    const again = await env.integrate(await env.patch('AGAIN.dat', elements('AAA')));
    expect(firstPatches(again).map((patch) => patch?.rows)).toMatchObject(Array(2).fill({ inserted: 0, updated: 0, deleted: 0 }));
  });

  test('R28: a script to run at the end is listed once for each folder, also when it is delivered again', async () => {
    const env = await environment(server);
    for (const file of ['ONE.dat', 'TWO.dat']) {
      const outcome = await env.integrate(await env.patch(file, elements('TRT', 'EXE')));
      expect(firstPatches(outcome).map((patch) => patch?.pending)).toEqual([['FIXPLANNER'], ['FIXPLANNER']]);
    }
    const pending = `select f.code, p.script, p.title from rustine.pending_script p join rustine.folder f on f.id = p.folder order by f.code`;
    expect(await env.query(pending)).toEqual(
      ['SEED', 'X3'].map((code) => ({ code, script: 'FIXPLANNER', title: 'Plan what is waiting' })),
    );
  });
});
