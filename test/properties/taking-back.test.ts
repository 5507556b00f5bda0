// Random patches on random tables, taken back one by one: each time the schema is byte by byte what it was before (R38).
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import { difference } from '../support/folder-dump.ts';
import type { Element, Field, Values } from '../support/patches.ts';
import { activityCode, content, exe, rows, script, table } from '../support/patches.ts';
import { schemaDump } from '../support/schema-dump.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

type Numbered = (number: number) => Element;

const TEXTS = ['', '0', '7', '007', 'x', 'long enough'] as const;
const NUMBERS = [0, 7, 42] as const;
const TYPES = { 'A:3': TEXTS.slice(0, 5), 'A:12': TEXTS, 'A:20': TEXTS, C: NUMBERS, L: NUMBERS, 'DCB:9.2': NUMBERS } as const;
const NAMES = ['F1', 'F2', 'F3', 'F4'] as const;

/** Fields in an order of their own, some of them with an activity code. */
const shape = fc.shuffledSubarray([...NAMES]).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc
        .record({
          type: fc.constantFrom(...(Object.keys(TYPES) as (keyof typeof TYPES)[])),
          coded: fc.boolean(),
          slots: fc.constantFrom(1, 1, 2),
        })
        .map((field) => ({ name, ...field })),
    ),
  ),
);

const indexes = fc.subarray(['F1', 'F2', '-F3'] as const);

/** One table, its rows as data or as its whole content, and a script that writes to it. */
const patch = fc
  .record({
    fields: shape,
    indexes,
    active: fc.boolean(),
    other: fc.boolean(),
    how: fc.constantFrom('DIV', 'DIV', 'TAB', 'none'),
    keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
    seed: fc.nat({ max: 1_000 }),
    script: fc.constantFrom(
      '',
      '',
      `delete from # where key_0 = 'b'`,
      `update # set key_0 = key_0 || '1' where key_0 < 'c'`,
      `insert into # (key_0) values ('s') on conflict (key_0) do update set updtick_0 = 9`,
    ),
  })
  .map(({ fields, indexes: chosen, active, other, how, keys, seed, script: source }): readonly Numbered[] => {
    const there = new Set<string>(fields.map(({ name }) => name));
    const definition = (run: number): Readonly<Record<string, Field>> => ({
      KEY: 'A:5',
      ...Object.fromEntries(
        fields.map(({ name, type, coded, slots }) => [name, { type, slots, activity: coded ? `C${run}` : '' }]),
      ),
    });
    const all = keys.map(
      (key, at): Values => ({
        KEY: key,
        ...Object.fromEntries(
          fields
            .filter((_, nth) => (seed + nth + at) % 3 > 0)
            .map(({ name, type }, nth) => [name, TYPES[type][(seed + at * 7 + nth * 3) % TYPES[type].length] ?? 0]),
        ),
      }),
    );
    return [
      (run) => activityCode(`C${run}`, { active }),
      (run) =>
        table(`T${run}`, `T${run}`, definition(run), {
          I0: 'KEY',
          ...Object.fromEntries(chosen.filter((key) => there.has(key.replace('-', ''))).map((key, at) => [`I${at + 1}`, key])),
        }),
      ...(other ? [(run: number) => table(`O${run}`, `O${run}`, { KEY: 'A:5' }, { J0: 'KEY' }, { activity: `C${run}` })] : []),
      ...(how === 'none' ? [] : [(run: number) => (how === 'DIV' ? rows(`T${run}`, 'ALL', all) : content(`T${run}`, all))]),
      ...(source === ''
        ? []
        : [
            (run: number) => script(`S${run}`, `-- language: sql\n${source.replace('#', `t${run}`)}`),
            (run: number) => exe(`S${run}`),
          ]),
    ];
  });

const later = untilTheEnd();
let env: Promise<TestEnvironment> | undefined;
const environment = (): Promise<TestEnvironment> => (env ??= openEnvironment(oneServer()[0], { later }));

/** Cases; the usual suite has its ten minutes. */
const RUNS = Number(process.env.RUSTINE_TAKING_BACK_RUNS ?? 3);

test('R38: what patches did to tables, rows and numbers goes back, one after the other', {
  timeout: 120_000 + RUNS * 10_000,
}, async () => {
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { minLength: 2, maxLength: 4 }), async (patches) => {
      const { url, rustine, patch: write } = await environment();
      const run = ++cases;
      const noted: { readonly file: string; readonly before: readonly string[] }[] = [];
      for (const [at, elements] of patches.entries()) {
        const file = `R${run}_${at}.dat`;
        const before = await schemaDump(url, 'x3');
        const path = await write(
          file,
          elements.map((element) => element(run)),
        );
        // What does not fit blocks, and changes nothing.
        const outcome = await rustine.integrate({ paths: [path], mode: 'integrate' });
        if (outcome.state === 'done') noted.push({ file, before });
        else expect(outcome.findings.filter(({ severity }) => severity === 'block')).not.toEqual([]);
      }
      for (const { file, before } of noted.toReversed()) {
        const outcome = await rustine.revert({ file });
        expect([file, outcome.findings, outcome.state]).toEqual([file, [], 'done']);
        const after = await schemaDump(url, 'x3');
        expect([file, difference(before, after)]).toEqual([file, []]);
        expect(after).toEqual(before);
      }
    }),
    { numRuns: RUNS },
  );
});
