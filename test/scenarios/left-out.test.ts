// Folders that a run leaves out (R14): which scripts they inherit would use tables or fields that they do not have.
import { describe, expect, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { Finding } from '../../src/base/finding.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { noRealPatches, realPatches } from '../support/patch-files.ts';
import type { Element } from '../support/patches.ts';
import { activityCode, compiled, script, table } from '../support/patches.ts';
import { everyServer, oneServer } from '../support/servers.ts';
import { countRoundTrips } from '../support/wire-count.ts';

const BOX = table('BOX', 'BX', { COD: 'A:10' }, { BX0: 'COD' });
const WIDER_BOX = table('BOX', 'BX', { COD: 'A:10', WEIGHT: 'L' }, { BX0: 'COD' });
const SHELF = table('SHELF', 'SH', { NUM: 'L', ROOM: 'A:10' }, { SH0: 'NUM' });
const WEIGH = script('WEIGH', 'Local File BOX [BOX1]\nRead [BOX1]BX0 = "A"\nTOTAL += [F:BOX1]WEIGHT\nEnd\n');
const LOOK = script('LOOK', '# opened by the caller\nFor [SH] Where ROOM = "A"\n  I += 1\nNext\n');

const OURS = ['left-out-breaks', 'left-out-breaks-more', 'references-unreadable'];
const ours = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ code }) => OURS.includes(code));

async function rehearse(env: TestEnvironment, elements: readonly Element[], folders: readonly string[]) {
  const path = await env.patch('NEW.dat', elements);
  const outcome = await env.rustine.integrate({ paths: [path], mode: 'rehearse', folders });
  return ours(outcome.findings);
}

describe.each(everyServer())('R14: folders left out, on $name', (server) => {
  test('a script that they inherit uses a new field, a new table: each folder and script is named, with what is missing', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'LIVE'] });
    await env.integrate(await env.patch('OLD.dat', [BOX, WEIGH]));
    const found = await rehearse(env, [WIDER_BOX, SHELF, WEIGH, LOOK], ['X3', 'LIVE']);
    expect(found).toEqual([
      {
        code: 'left-out-breaks',
        severity: 'warn',
        folder: 'SEED',
        patch: 'NEW.dat',
        subject: 'TRT:WEIGH',
        facts: { script: 'TRT:WEIGH', from: 'X3', missing: ['BOX.WEIGHT'], files: ['NEW.dat'] },
      },
      {
        code: 'left-out-breaks',
        severity: 'warn',
        folder: 'SEED',
        patch: 'NEW.dat',
        subject: 'TRT:LOOK',
        facts: { script: 'TRT:LOOK', from: 'X3', missing: ['SHELF'], files: ['NEW.dat'] },
      },
    ]);
    expect(await rehearse(env, [WIDER_BOX, SHELF, WEIGH, LOOK], ['X3', 'SEED', 'LIVE'])).toEqual([]);
  });

  test('SQL scripts too, inside their functions', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('OLD.dat', [BOX]));
    const source = `-- total
create or replace function total() returns bigint language sql as $$ select sum(b.weight_0) from box b $$;
create or replace function rooms() returns bigint language plpgsql as $$
begin
  return (select count(*) from shelf where room_0 <> '');
end $$;`;
    const found = await rehearse(env, [WIDER_BOX, SHELF, script('TOTAL', source)], ['X3']);
    expect(found.map(({ folder, subject, facts }) => [folder, subject, facts.missing])).toEqual([
      ['SEED', 'TRT:TOTAL', ['BOX.WEIGHT', 'SHELF']],
    ]);
  });

  test('only what is inherited: not a hidden copy, not a script that stays where it is, not what the folder has', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.folders(['TRY'], { test: true });
    await env.folders(['BELOW'], { parent: 'TRY' });
    await env.integrate(await env.patch('OLD.dat', [BOX, WEIGH]));
    // TRY has a copy of its own, and hides the supervisor folder's from BELOW.
    const found = await rehearse(env, [WIDER_BOX, WEIGH], ['X3']);
    expect(found.map(({ folder }) => folder)).toEqual(['SEED']);
    const below = await rehearse(env, [WIDER_BOX, WEIGH], ['X3', 'SEED', 'TRY']);
    expect(below.map(({ folder, facts }) => [folder, facts.from])).toEqual([['BELOW', 'TRY']]);
    // The supervisor folder is not given: its script stays.
    expect(await rehearse(env, [WIDER_BOX, WEIGH], ['SEED'])).toEqual([]);
    // Everybody has what this script uses.
    expect(await rehearse(env, [BOX, script('OTHER', 'Local File BOX [BX]\nRead [BX]BX0 = [F:BX]COD\n')], ['X3'])).toEqual([]);
    // A specific script that nobody authorised comes nowhere.
    expect(await rehearse(env, [SHELF, script('ZLOOK', 'Local File SHELF [SH]\n')], ['X3'])).toEqual([]);
  });

  test('what the supervisor folder has from before and the folder never got counts as well', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('OLD.dat', [SHELF]), { folders: ['X3'] });
    const [finding] = await rehearse(env, [LOOK], ['X3']);
    expect(finding).toMatchObject({ folder: 'SEED', subject: 'TRT:LOOK', facts: { missing: ['SHELF'], files: [] } });
  });

  test('R19: so does what was ignored in a folder, and what came with other content', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'LIVE'] });
    await env.integrate(await env.patch('BOX.dat', [BOX]));
    const specific = await env.patch('SPEC.dat', [
      activityCode('ZALI', { active: true }),
      table('BOX', 'BX', { COD: 'A:10', WEIGHT: { type: 'L', activity: 'ZALI' } }, { BX0: 'COD' }),
    ]);
    await env.integrate(specific, { folders: ['X3', 'LIVE'], authorize: ['ZALI'] });
    await env.integrate(specific, { folders: ['SEED'] });
    await env.integrate(await env.patch('SHELF.dat', [table('SHELF', 'SH', { NUM: 'L' }, { SH0: 'NUM' })]), {
      folders: ['LIVE'],
    });
    await env.integrate(await env.patch('SHELF.dat', [SHELF]), { folders: ['X3', 'SEED'] });
    const found = await rehearse(env, [WEIGH, LOOK], ['X3']);
    expect(found.map(({ folder, facts }) => [folder, facts.script, facts.missing])).toEqual([
      ['SEED', 'TRT:WEIGH', ['BOX.WEIGHT']],
      ['LIVE', 'TRT:LOOK', ['SHELF.ROOM']],
    ]);
  });

  test('a compiled script whose source does not come is named once for the run', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'LIVE'] });
    const bytes = Buffer.from([1, 0, 2]);
    const found = await rehearse(
      env,
      [SHELF, compiled('BLIND', bytes), compiled('LOOK', bytes), LOOK, script('BAD', '-- sql\nselect from where;')],
      ['X3'],
    );
    expect(found.map(({ code, folder, facts }) => [code, folder, facts])).toEqual([
      ['left-out-breaks', 'LIVE', expect.objectContaining({ script: 'TRT:LOOK' })],
      ['left-out-breaks', 'SEED', expect.objectContaining({ script: 'TRT:LOOK' })],
      [
        'references-unreadable',
        undefined,
        { scripts: ['ADX:BLIND', 'TRT:BAD'], count: 2, folders: ['LIVE', 'SEED'], folderCount: 2 },
      ],
    ]);
  });
});

test.each(oneServer())(
  'R14: 500 folders left out cost the statements of one, and what is said of each has an end',
  async (server) => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('OLD.dat', [BOX]));
    const scripts = Array.from({ length: 25 }, (_, i) => script(`WEIGH${i}`, `Local File BOX [B]\nX = [F:B]WEIGHT + ${i}\n`));
    const path = await env.patch('NEW.dat', [WIDER_BOX, ...scripts]);
    const wire = await countRoundTrips(env.url);
    const program = await openRustine({ home: env.home, database: wire.url, language: 'en', jobs: 1 });
    env.later(async () => {
      await program.close();
      await wire.close();
    });
    const run = async () => {
      wire.take();
      const outcome = await program.integrate({ paths: [path], mode: 'rehearse', folders: ['X3'] });
      return { trips: wire.take(), found: ours(outcome.findings) };
    };
    await run();
    const one = await run();
    expect(one.found.filter(({ code }) => code === 'left-out-breaks')).toHaveLength(20);
    expect(one.found.at(-1)).toMatchObject({ code: 'left-out-breaks-more', folder: 'SEED', facts: { count: 5 } });
    await env.query(`with made as (
      insert into rustine.folder (code, parent, state, schema_name, languages, created_by)
      select 'F' || n, parent, state, 'f' || n, languages, 'test' from rustine.folder, generate_series(1, 499) n where code = 'SEED' returning id)
    insert into rustine.record (folder, type, name, tag, key, position, content, created_by, updated_by)
    select made.id, type, name, tag, key, position, content, r.created_by, r.updated_by
    from made, rustine.record r join rustine.folder f on f.id = r.folder where f.code = 'SEED' and r.type = 'ATB'`);
    // They have the same patches: what lagging folders cost is another matter.
    await env.query(`insert into rustine.integration (folder, kind, file, digest, patch_type, apatch_num, operator)
      select f.id, i.kind, i.file, i.digest, i.patch_type, i.apatch_num, i.operator
      from rustine.folder f, rustine.integrated i join rustine.folder s on s.id = i.folder where f.code ~ '^F[0-9]' and s.code = 'SEED'`);
    const start = performance.now();
    const many = await run();
    expect(many.trips).toBe(one.trips);
    expect(many.found).toHaveLength(500 * 21);
    expect(performance.now() - start).toBeLessThan(15_000);
  },
);

if (noRealPatches !== undefined) console.warn(noRealPatches);

describe.skipIf(noRealPatches !== undefined).each(oneServer())('R14: a real script, on $name', (server) => {
  test('what the supervisor folder gets uses a field that a folder left out lacks: named when it comes in the same run, and when it came before', async () => {
    const env = await openEnvironment(server, { folders: ['SEED', 'LIVE'] });
    const real = realPatches().find(({ file }) => file.startsWith('V11_'))?.path ?? '';
    const fields = { ITMREF: 'A:20', STOFCY: 'A:5', PHYALL: 'L' };
    await env.integrate(await env.patch('ITM1.dat', [table('ITMMVT', 'ITV', fields, { ITV0: 'STOFCY+ITMREF' })]));
    const more = await env.patch('ITM2.dat', [table('ITMMVT', 'ITV', { ...fields, PHYSTO: 'L' }, { ITV0: 'STOFCY+ITMREF' })]);
    const checked = async (paths: readonly string[]) => {
      const { findings } = await env.rustine.check({ paths, folders: ['X3'], authorize: ['YSWPH'] });
      return ours(findings).map(({ folder, subject, facts }) => [folder, subject, facts.missing]);
    };
    const missing = ['LIVE', 'SEED'].map((folder) => [folder, 'TRT:YSWPHPSTOCK', ['ITMMVT.PHYSTO']]);
    expect(await checked([real, more])).toEqual(missing);
    await env.integrate(more, { folders: ['X3'] });
    expect(await checked([real])).toEqual(missing);
    await env.integrate(more);
    expect(await checked([real])).toEqual([]);
  });
});
