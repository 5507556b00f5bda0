// The two real patch files into real folders: what is created, what is ignored, what is refused.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { noRealPatches, realPatches } from '../support/patch-files.ts';
import { noFields, saltrsPatch } from '../support/saltrs.ts';
import { servers } from '../support/servers.ts';

const real = (start: string): string => realPatches().find((patch) => patch.file.startsWith(start))?.path ?? '';

if (noRealPatches !== undefined) console.warn(noRealPatches);
if (noFields !== undefined) console.warn(noFields);

describe.skipIf(noRealPatches !== undefined || noFields !== undefined).each(servers())('real patches on $name', (server) => {
  let env: TestEnvironment;

  beforeEach(async () => {
    env = await openEnvironment(server, { folders: ['SEED'] });
  });

  const rows = (text: string): Promise<Record<string, unknown>[]> => env.query(text);
  const integrate = (
    path: string,
    options: { authorize?: string[]; folders?: string[]; mode?: 'rehearse' } = {},
  ): Promise<RunOutcome> => env.rustine.integrate({ paths: [path], mode: options.mode ?? 'integrate', ...options });
  /** What `status --verify` finds: nothing, after whatever patches did. */
  const verified = async (): Promise<readonly unknown[]> =>
    (await env.rustine.verify({})).differences.filter(({ severity }) => severity === 'warn');
  const columns = (schema: string): Promise<Record<string, unknown>[]> =>
    rows(`select attname, format_type(atttypid, atttypmod) as type, attnotnull from pg_attribute
          where attrelid = '${schema}.zclienth'::regclass and attnum > 0 order by attnum`);

  test('ZCLIENT with --authorize ZALI: the table as ATZ and ATI say, scripts in X3 only, one APATCH row each', async () => {
    const outcome = await integrate(real('ZCLIENT'), { authorize: ['ZALI'] });
    expect(outcome.state).toBe('done');
    expect(outcome.folders.map((folder) => [folder.folder, folder.state, folder.due])).toEqual([
      ['X3', 'integrated', false],
      ['SEED', 'integrated', false],
    ]);
    const expected = [
      { attname: 'updtick_0', type: 'integer', attnotnull: true },
      { attname: 'clientname_0', type: 'character varying(20)', attnotnull: true },
      { attname: 'clientlevel_0', type: 'integer', attnotnull: true },
      { attname: 'credattim_0', type: 'timestamp with time zone', attnotnull: false },
      { attname: 'upddattim_0', type: 'timestamp with time zone', attnotnull: false },
      { attname: 'auuid_0', type: 'uuid', attnotnull: false },
      { attname: 'creusr_0', type: 'character varying(5)', attnotnull: true },
      { attname: 'updusr_0', type: 'character varying(5)', attnotnull: true },
      { attname: 'rowid', type: 'bigint', attnotnull: true },
    ];
    expect(await columns('x3')).toEqual(expected);
    expect(await columns('seed')).toEqual(expected);
    expect(await rows(`select schemaname, indexdef from pg_indexes where tablename = 'zclienth' order by 1`)).toEqual([
      { schemaname: 'seed', indexdef: 'CREATE UNIQUE INDEX zclienth_zclh0 ON seed.zclienth USING btree (clientname_0)' },
      { schemaname: 'x3', indexdef: 'CREATE UNIQUE INDEX zclienth_zclh0 ON x3.zclienth USING btree (clientname_0)' },
    ]);
    expect(
      await rows(`select f.code, s.kind, s.name, length(b.bytes) as bytes from rustine.script s
      join rustine.folder f on f.id = s.folder join rustine.blob b using (digest) order by 1, 3`),
    ).toEqual([
      { code: 'X3', kind: 'ADX', name: 'ZCLIENT_CVER', bytes: 396 },
      { code: 'X3', kind: 'ADX', name: 'ZCLIENT_RVER', bytes: 396 },
    ]);
    for (const schema of ['x3', 'seed']) {
      expect(await rows(`select num_0, fic_0 from ${schema}.apatch`)).toEqual([{ num_0: 1, fic_0: 'ZCLIENT.dat' }]);
      expect(await rows(`select codact_0, flact_0 from ${schema}.adosact`)).toEqual([{ codact_0: 'ZALI', flact_0: 2 }]);
    }
  });

  test('R19: without --authorize everything that carries ZALI is ignored, named, with the option that lets it in', async () => {
    const outcome = await integrate(real('ZCLIENT'));
    expect(outcome.folders[0]?.patches[0]?.elements).toEqual({ created: 0, updated: 0, identical: 0, kept: 0, ignored: 6 });
    const named = outcome.findings
      .filter((finding) => finding.folder === 'SEED')
      .map((finding) => [finding.subject, finding.facts.option]);
    expect(named).toEqual(
      ['ACV:ZALI', 'ADX:ZCLIENT_CVER', 'ADX:ZCLIENT_RVER', 'ATB:ZCLIENTH', 'ACLA:ZCLIENT', 'ASW:ZCLIENT'].map((subject) => [
        subject,
        '--authorize ZALI',
      ]),
    );
    expect(await rows(`select to_regclass('x3.zclienth') is null as absent`)).toEqual([{ absent: true }]);
    const later = await integrate(real('ZCLIENT'), { authorize: ['ZALI'] });
    expect(later.folders.map((folder) => folder.state)).toEqual(['integrated', 'integrated']);
    expect(await rows('select num_0, fic_0, updtick_0 from seed.apatch')).toEqual([
      { num_0: 1, fic_0: 'ZCLIENT.dat', updtick_0: 2 },
    ]);
    expect(await verified()).toEqual([]);
  });

  test('a second run changes nothing and says already', async () => {
    await integrate(real('ZCLIENT'), { authorize: ['ZALI'] });
    const before = await rows('select * from rustine.integration order by id');
    const again = await integrate(real('ZCLIENT'), { authorize: ['ZALI'] });
    expect(again.state).toBe('done');
    expect(again.folders.map((folder) => [folder.state, folder.patches[0]?.state])).toEqual([
      ['unchanged', 'already'],
      ['unchanged', 'already'],
    ]);
    expect(await rows('select * from rustine.integration order by id')).toEqual(before);
  });

  test('R24: V11 is refused where SLT names no table, nothing is changed; a base patch lets its row in', async () => {
    const refused = await integrate(real('V11'));
    expect(refused.state).toBe('refused');
    expect(
      refused.findings.filter((finding) => finding.code === 'table-unknown').map((finding) => [finding.folder, finding.facts]),
    ).toEqual([
      ['X3', { abbreviation: 'SLT', rows: 1 }],
      ['SEED', { abbreviation: 'SLT', rows: 1 }],
    ]);
    expect(await rows(`select count(*)::integer from rustine.element where type in ('ACV', 'ASU', 'AWE')`)).toEqual([
      { count: 0 },
    ]);
    const base = join(env.home, 'BASE_SALTRS.dat');
    await writeFile(base, await saltrsPatch(real('V11')));
    expect((await integrate(base, { folders: ['X3'] })).state).toBe('done');
    const partial = await integrate(real('V11'), { authorize: ['YSWPH'] });
    expect([partial.state, ...partial.folders.map((folder) => folder.state)]).toEqual(['partial', 'integrated', 'failed']);
    expect((await integrate(base)).state).toBe('done');
    const done = await integrate(real('V11'), { authorize: ['YSWPH'] });
    expect(done.folders.map((folder) => [folder.state, folder.patches[0]?.rows])).toEqual([
      ['unchanged', { inserted: 0, updated: 0, deleted: 0 }],
      ['integrated', { inserted: 1, updated: 0, deleted: 0 }],
    ]);
    for (const schema of ['x3', 'seed']) {
      expect(
        await rows(`select strtyp_0, strnum_0, desaxx_0, allqtycod_0, ccecodd_19 is not null as slots from ${schema}.saltrs`),
      ).toEqual([{ strtyp_0: 2, strnum_0: 'WS', desaxx_0: 'Web services', allqtycod_0: 1, slots: true }]);
    }
    expect(await rows(`select distinct name from rustine.script`)).toEqual([{ name: 'YSWPHPSTOCK' }]);
    expect(await rows(`select distinct script from rustine.pending_script`)).toEqual([{ script: 'SUBSLC' }]);
    expect(await verified()).toEqual([]);
  });

  test('R32: a rehearsal does everything and leaves nothing', async () => {
    const outcome = await integrate(real('ZCLIENT'), { authorize: ['ZALI'], mode: 'rehearse' });
    expect([outcome.mode, outcome.state, outcome.folders[1]?.patches[0]?.tables.created]).toEqual([
      'rehearse',
      'done',
      ['zclienth'],
    ]);
    expect(
      await rows(`select to_regclass('x3.zclienth') is null as absent, (select count(*)::integer from x3.apatch) as patches`),
    ).toEqual([{ absent: true, patches: 0 }]);
  });

  test('every record of the real files has an identity of its own', async () => {
    for (const { path } of realPatches()) {
      const outcome = await integrate(path, { authorize: ['ZALI', 'YSWPH'], mode: 'rehearse' });
      expect(outcome.findings.filter((finding) => finding.code === 'element-key-incomplete')).toEqual([]);
    }
  });
});
