// What becomes of a folder's dictionary when elements of unusual form come in, on a real database.
import { describe, expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { any, row, script, table } from '../support/patches.ts';
import { servers } from '../support/servers.ts';

interface Line {
  readonly tag: string;
  readonly key: string;
}

/** Records of an element in their order, with what the columns say. */
const lines = (env: TestEnvironment, type: string, columns = 'tag, key', folder = 'X3'): Promise<Line[]> =>
  env.query<Line>(
    `select ${columns} from rustine.dictionary where type = $1 and folder = $2 order by position, tag collate "C", key collate "C"`,
    [type, folder],
  );

describe.each(servers())('dictionary on $name', (server) => {
  test('of an element that stands twice in a file the last counts, wholly; data rows of both count', async () => {
    const env = await openEnvironment(server);
    const action = (title: string, parameters: readonly string[]) =>
      any('ACT', 'ACTA', [
        { tag: 'ACT', values: { ACTION: 'ACTA', INTIT: title } },
        ...parameters.map((code) => ({ tag: 'ATR', values: { CODPAR: code, VAL: title } })),
      ]);
    await env.integrate(await env.patch('T0.dat', [action('zero', ['P1', 'P2']), script('MYSCRIPT', '# zero')]));
    const outcome = await env.integrate(
      await env.patch('T1.dat', [
        action('one', ['P1', 'P3']),
        script('MYSCRIPT', '# one'),
        table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' }),
        row('ITM', 'same', { COD: 'A' }),
        action('two', ['P1', 'P2']),
        script('MYSCRIPT', '# two'),
        row('ITM', 'same', { COD: 'B' }),
      ]),
    );
    expect(outcome.findings.map((finding) => [finding.code, finding.subject])).toEqual([
      ['element-twice', 'ACT:ACTA'],
      ['element-twice', 'TRT:MYSCRIPT'],
      ['element-twice', 'ITM:same'],
    ]);
    expect(outcome.folders[0]?.patches[0]?.elements).toMatchObject({ created: 1, updated: 2, identical: 0 });
    expect(await lines(env, 'ACT', `tag, key, coalesce(fields ->> 'INTIT', fields ->> 'VAL') as v`)).toEqual([
      { tag: 'ACT', key: 'ACTA', v: 'two' },
      { tag: 'ATR', key: 'P1', v: 'two' },
      { tag: 'ATR', key: 'P2', v: 'two' },
    ]);
    expect(
      await env.query(
        `select convert_from(b.bytes, 'UTF8') as source from rustine.script s join rustine.blob b on b.digest = s.digest`,
      ),
    ).toEqual([{ source: '# two\n' }]);
    expect(await env.query('select cod_0 from x3.item order by 1')).toEqual([{ cod_0: 'A' }, { cod_0: 'B' }]);
  });
});
