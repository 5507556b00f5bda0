// R38 over several servers: checked everywhere first, folders on further servers and their mirrors before those on the environment's own.
import { describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { row, script, table } from '../support/patches.ts';
import { standing } from '../support/reverting.ts';
import { oneServer, servers } from '../support/servers.ts';
import { reopened, statesOf, type Two, twoServers } from '../support/two-servers.ts';

const FILE = 'B.dat';
const item = (fields: Record<string, string> = {}) => table('ITEM', 'ITM', { COD: 'A:10', ...fields }, { IDX0: 'COD' });
const codes = ({ state, findings }: RunOutcome) => [
  state,
  findings.map(({ code, folder, subject }) => [code, folder ?? subject]),
];

describe.each(oneServer())('two servers, from $name', (server) => {
  const both = async (env: Two) => [await standing(env), await standing({ url: env.north, query: env.at })];

  test('R38: all of them, the mirror too; what blocks on one server blocks everywhere', async () => {
    const env = await twoServers(server, servers().at(-1));
    await env.integrate(await env.patch('A.dat', [item()]));
    const before = await both(env);
    await env.integrate(await env.patch(FILE, [item({ NAM: 'A:5' }), script('ZLIB', 'End'), row('ITM', 'x', { COD: 'A' })]));
    const after = await both(env);
    expect(codes(await env.rustine.revert({ file: FILE, folders: ['X3', 'LOC'] }))).toEqual([
      'refused',
      [['revert-below', 'X3']],
    ]);
    // Folders below on several servers: one finding.
    const above = await env.rustine.revert({ file: FILE, folders: ['X3'] });
    expect([above.state, above.findings.map(({ code, folder, facts }) => [code, folder, facts.folders])]).toEqual([
      'refused',
      [['revert-below', 'X3', ['FAR', 'LOC']]],
    ]);
    expect(await both(env)).toEqual(after);
    // A row that somebody made there.
    await env.at(`update far.item set nam_0 = 'own'`);
    const blocked = await env.rustine.revert({ file: FILE });
    expect(blocked.state).toBe('refused');
    expect(blocked.findings.map(({ folder }) => folder)).toContain('FAR');
    await env.at(`update far.item set nam_0 = ''`);
    expect(await both(env)).toEqual(after);
    const rehearsed = await env.rustine.revert({ file: FILE, rehearse: true });
    expect([codes(rehearsed), statesOf(rehearsed)]).toEqual([['done', []], { X3: 'reverted', LOC: 'reverted', FAR: 'reverted' }]);
    expect(await both(env)).toEqual(after);
    const outcome = await env.rustine.revert({ file: FILE });
    expect([codes(outcome), statesOf(outcome)]).toEqual([['done', []], { X3: 'reverted', LOC: 'reverted', FAR: 'reverted' }]);
    expect(await both(env)).toEqual(before);
    const { folders } = await env.rustine.runs.show(outcome.run);
    expect(folders.map(({ folder, state }) => [folder, state]).sort()).toEqual([
      ['FAR', 'reverted'],
      ['LOC', 'reverted'],
      ['X3', 'reverted'],
    ]);
    await expect(env.rustine.revert({ file: 'C.dat' })).rejects.toMatchObject({ code: 'revert-nowhere' });
  });

  test('R38: a server that is down keeps the folders above its own; a folder there can be taken back alone', async () => {
    const env = await twoServers(server, servers().at(-1));
    await env.integrate(await env.patch(FILE, [item()]));
    const after = await both(env);
    await env.proxy.close();
    const other = await reopened(env, { NORTH: env.proxy.url });
    const outcome = await other.revert({ file: FILE });
    expect(codes(outcome)).toEqual(['refused', [['server-unreachable', 'NORTH']]]);
    expect(await both(env)).toEqual(after);
    const direct = await reopened(env);
    const alone = await direct.revert({ file: FILE, folders: ['FAR'] });
    expect([codes(alone), statesOf(alone)]).toEqual([['done', []], { FAR: 'reverted' }]);
    expect((await direct.folders()).map(({ code, lag }) => [code, lag])).toEqual([
      ['X3', []],
      ['FAR', [FILE]],
      ['LOC', []],
    ]);
  });
});
