// Whatever was integrated, changed by right and validated: verification finds nothing; and whatever a hand then changes, it finds that.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { cloneEnvironment, openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { begin, Life } from '../support/life.ts';
import { verified } from '../support/life-invariants.ts';
import { lives, type Step } from '../support/life-steps.ts';
import { any } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

const RUNS = Number(process.env.RUSTINE_LIVES ?? '2');
const seed = process.env.RUSTINE_LIFE_SEED === undefined ? {} : { seed: Number(process.env.RUSTINE_LIFE_SEED) };

/** Statements about one of a folder's tables, columns, rows of APATCH or of the catalog; each finds something to change in a folder that has patches. */
const TAMPERING = {
  'a column is dropped': `alter table {table} drop column updtick_0`,
  'a column is added': `alter table {table} add column intruder text`,
  'a column may be empty': `alter table {table} alter column codact_0 drop not null`,
  'a default goes': `alter table {table} alter column rowid drop default`,
  'the table goes': `drop table {table} cascade`,
  'the table is renamed': `alter table {table} rename to intruder`,
  'a constraint comes': `alter table {table} add constraint intruder check (rowid >= 0)`,
  'a row of APATCH goes': `delete from {schema}.apatch where num_0 = (select max(num_0) from {schema}.apatch)`,
  'a row of APATCH comes': `insert into {schema}.apatch (num_0, fic_0) values (4711, 'INTRUDER.dat')`,
  'a row of APATCH changes': `update {schema}.apatch set comment_0 = 'intruder' where num_0 = (select max(num_0) from {schema}.apatch)`,
  'what was done last goes': `delete from rustine.integration where id = (select max(id) from rustine.integration where folder = {folder})`,
  'what was done first changes': `update rustine.integration set operator = 'intruder' where id = (select min(id) from rustine.integration where folder = {folder})`,
  'a right comes': `grant truncate on {table} to public`,
} as const;

/** Lets a hand do that to the supervisor folder, and verification find it. */
async function tamper(env: TestEnvironment, hand: keyof typeof TAMPERING): Promise<void> {
  const [{ schema = '', folder = 0 } = {}] = await env.query<{ schema: string; folder: number }>(
    `select schema_name as schema, id as folder from rustine.folder where parent is null`,
  );
  const names = { '{table}': `${schema}.adosact`, '{schema}': schema, '{folder}': String(folder) };
  const statement = Object.entries(names).reduce((text, [word, name]) => text.replaceAll(word, name), TAMPERING[hand] as string);
  await env.query(statement);
  const { differences } = await env.rustine.verify({ folders: [schema.toUpperCase()] });
  expect([hand, differences.some(({ severity }) => severity === 'warn')]).toEqual([hand, true]);
}

describe.each(oneServer())('$name', (server) => {
  const later = untilTheEnd();
  let beginning = '';

  beforeAll(async () => {
    const env = await openEnvironment(server, { later });
    await begin(env);
    await env.integrate(await env.patch('FIRST.dat', [any('ACT', 'FIRST', [{ tag: 'ACT', values: { ACTION: 'FIRST' } }])]));
    await env.rustine.close();
    beginning = env.database;
  });

  test('R34, R41: what a hand changes is found, whatever came before', async () => {
    const hand = fc.constantFrom(...(Object.keys(TAMPERING) as (keyof typeof TAMPERING)[]));
    await fc.assert(
      fc.asyncProperty(lives(4), fc.uniqueArray(hand, { minLength: 3, maxLength: 3 }), async (steps, hands) => {
        const mine: (() => Promise<void>)[] = [];
        try {
          const life = new Life(await cloneEnvironment(server, beginning, (work) => void mine.unshift(work)));
          for (const [at, { killed: _, ...step }] of steps.entries()) await life.take(step as Step, at);
          const { env } = life;
          expect(await verified(env)).toEqual([]);
          await env.rustine.close();
          // Each hand has a copy of its own: what one changed could hide what the next one does.
          for (const each of hands)
            await tamper(await cloneEnvironment(server, env.database, (work) => void mine.unshift(work)), each);
        } finally {
          for (const work of mine) await work();
        }
      }),
      { numRuns: RUNS, ...seed },
    );
  }, 600_000);
});
