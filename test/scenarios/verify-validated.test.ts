// R34, R35, R41: which delivery counts for an element that a validation brought: verification and inquiry tell the same.
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Element } from '../support/patches.ts';
import { any, row, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', ZADD: { type: 'C', activity: 'ZVIP' } }, { ITM0: 'COD' });
const wider = table('ITEM', 'ITM', { COD: 'A:5', QTY: 'C', MORE: 'C' }, { ITM0: 'COD' });
const rowOf = (code: string): Element => row('ITM', code, { COD: code, QTY: 1 });

describe.each(oneServer())('$name', (server) => {
  const differences = async (env: TestEnvironment) =>
    (await env.rustine.verify({})).differences
      .filter(({ severity }) => severity === 'warn')
      .flatMap(({ code, subject, folders }) => folders.map(({ folder }) => `${folder} ${code} ${subject}`));
  const versions = async (env: TestEnvironment) => {
    const { element } = await env.rustine.history({ element: 'ATB:ITEM' });
    const held = (element?.versions ?? []).flatMap(({ file, folders }) => folders.map(({ folder }) => [folder, file]));
    return Object.fromEntries(held);
  };
  const valid = async (env: TestEnvironment, ...folders: string[]) => {
    const { state, findings } = await env.rustine.validate({ folders });
    expect(state, JSON.stringify(findings)).toBe('done');
  };

  test('R35, R41: rows that come after a later patch of the same table do not count as having delivered it', async () => {
    const env = await openEnvironment(server, { folders: ['LAGS'] });
    await env.integrate(await env.patch('A.dat', [item, rowOf('a')]), { folders: ['X3'] });
    await env.integrate(await env.patch('B.dat', [wider]), { folders: ['X3'] });
    await env.folders(['MADE', 'HAND']);
    await env.integrate([`${env.directory}/A.dat`], { folders: ['HAND'] });
    await valid(env, 'LAGS', 'MADE');
    await env.folders(['NEW']);
    expect(await differences(env)).toEqual([]);
    const all = { X3: 'B.dat', LAGS: 'B.dat', MADE: 'B.dat', HAND: 'B.dat', NEW: 'B.dat' };
    expect(await versions(env)).toEqual(all);
  });

  test('R35, R41: what a validation took from its parent counts as delivered by what the parent has, over several folders too', async () => {
    const env = await openEnvironment(server, { folders: ['MID'] });
    await env.folders(['LOW'], { parent: 'MID' });
    const type = any('ATY', 'OWN', [{ tag: 'ATY', values: { CODTYP: 'OWN', TYPTYP: 7, LNGTYP: 5 } }]);
    const path = await env.patch('A.dat', [item, type]);
    await env.integrate(path);
    await env.integrate(await env.patch('B.dat', [wider]));
    await env.integrate(path, { folders: ['X3'], authorize: ['ZVIP'] });
    expect(await versions(env)).toEqual({ X3: 'A.dat', MID: 'B.dat', LOW: 'B.dat' });
    await valid(env, 'MID', 'LOW');
    expect(await versions(env)).toEqual({ X3: 'A.dat', MID: 'A.dat', LOW: 'A.dat' });
    // The file came again: a folder got that version the first time when it came first.
    const { element: told, entries } = await env.rustine.history({ element: 'ATB:ITEM' });
    expect(told?.versions.map(({ at }) => at)).toEqual([entries.at(-1)?.at]);
    expect(await differences(env)).toEqual([]);
    await env.query(
      `update rustine.element set title = 'x' where name = 'ITEM' and folder = (select id from rustine.folder where code = 'LOW')`,
    );
    expect(await differences(env)).toEqual(['LOW element-differs ATB:ITEM']);
    // A patch of its own counts again.
    await env.integrate([`${env.directory}/B.dat`], { folders: ['LOW'], force: [{ check: 'already', reason: 'own' }] });
    expect(await versions(env)).toEqual({ X3: 'A.dat', MID: 'A.dat', LOW: 'B.dat' });
    expect(await differences(env)).toEqual([]);
    // What a supervisor patch brought comes with a creation, without the patch; so does a length that people set above, with a validation.
    const parameter = any('ADP', 'SUP', [{ tag: 'ADP', values: { ACS: 'ALL', PARAM: 'SUP' } }]);
    await env.integrate(await env.patch('S.dat', [parameter], { type: '2' }), { folders: ['X3'] });
    for (const element of ['ATY:AUS', 'ATY:OWN'])
      await env.rustine.setElement({ folder: 'X3', element, assignments: [{ field: 'LNGTYP', value: '7' }] });
    await env.folders(['NEW']);
    await valid(env, 'X3', 'MID', 'LOW');
    await env.folders(['NEWER'], { parent: 'MID', test: true });
    expect(await differences(env)).toEqual([]);
    await env.query(`update rustine.element set title = 'x' where name = 'SUP' and folder <> 1`);
    expect(await differences(env)).toEqual(['MID', 'NEW', 'LOW', 'NEWER'].map((folder) => `${folder} element-differs ADP:SUP`));
  });
});
