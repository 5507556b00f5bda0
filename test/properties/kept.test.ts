// Nothing is lost (R27): whatever rows patches bring, each version that ever stood in the table is there or put aside, and comes back.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { content, rows, table, type Values } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

const line: fc.Arbitrary<Values> = fc.record(
  { K: fc.constantFrom('a', 'b', 'c', ''), F: fc.constantFrom('', 'x', `it's "y"`), G: fc.constantFrom(0, 7) },
  { requiredKeys: ['K'] },
);

interface Step {
  /** The whole content (TAB), or rows to insert or update (DIV). */
  readonly whole: boolean;
  readonly rows: readonly Values[];
}
const steps = fc.array(fc.record({ whole: fc.boolean(), rows: fc.array(line, { maxLength: 4 }) }) as fc.Arbitrary<Step>, {
  minLength: 2,
  maxLength: 6,
});

describe.each(oneServer())('kept rows on $name', (server) => {
  const later = untilTheEnd();
  let environment: TestEnvironment;
  let run = 0;

  beforeAll(async () => {
    environment = await openEnvironment(server, { later });
  });

  /** Rows without the tick, which counts changes and is none itself. */
  const versions = async (from: string): Promise<string[]> =>
    (
      await environment.query<{ version: string }>(`select (value - 'updtick_0')::text as version from (${from}) v order by 1`)
    ).map((each) => each.version);
  const standing = (name: string) => versions(`select to_jsonb(t) as value from x3.${name} t`);
  const aside = (name: string) =>
    versions(`select r.value from rustine.kept k join rustine.kept_row r on r.kept = k.id where k.table_name = '${name}'`);

  async function expectNothingLost(name: string, ever: ReadonlySet<string>): Promise<void> {
    const found = new Set([...(await standing(name)), ...(await aside(name))]);
    expect([...ever].filter((version) => !found.has(version))).toEqual([]);
  }

  test('R27: every version of a row is in the table or in the kept store, and putting all of it back gives the first content back', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const number = ++run;
        const code = `R${number}`;
        const name = code.toLowerCase();
        const ever = new Set<string>();
        let first: readonly string[] = [];
        for (const [at, step] of sequence.entries()) {
          const definition = at === 0 ? [table(code, code, { K: 'A:3', F: 'A:9', G: 'C' }, { I0: 'K' })] : [];
          const brought = step.whole ? content(code, step.rows) : rows(code, 'ALL', step.rows);
          await environment.integrate(await environment.patch(`P${number}X${at}.dat`, [...definition, brought]));
          const now = await standing(name);
          for (const version of now) ever.add(version);
          if (at === 0) first = now;
        }
        await expectNothingLost(name, ever);
        const kept = await environment.rustine.kept({ table: name });
        expect(kept.every((entry) => entry.rows > 0)).toBe(true);
        const outcome = await environment.rustine.restoreKept(
          kept.map((entry) => entry.id),
          { overwrite: true },
        );
        expect(outcome).toMatchObject({ state: 'done', findings: [] });
        const back = new Set(await standing(name));
        expect(first.filter((version) => !back.has(version))).toEqual([]);
        await expectNothingLost(name, ever);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
