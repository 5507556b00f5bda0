// What can happen to a small environment, drawn at random: patches, changes of its people, validation, taking back, and programs that are killed on the way.
import fc from 'fast-check';
import type { Stop } from './crash.ts';
import type { Numbered, RandomPatch } from './patch-sequences.ts';
import { randomPatch } from './patch-sequences.ts';
import { script } from './patches.ts';

/** LIVE gets scripts of its own, SHOP inherits from it, HIST follows it. */
export const FOLDERS = ['X3', 'LIVE', 'SHOP'] as const;
type FolderName = (typeof FOLDERS)[number];

/** What is standard, and what a folder has for itself: each has elements of its own names. */
export const STANDARD = 1;
export const OWN = 2;

export type Step = Deed & { readonly killed?: Kill };

/** The program is killed at a named point or after so many milliseconds; then it is run again, or not. */
export interface Kill {
  readonly stop: Stop;
  readonly again: boolean;
}

type Deed =
  /** A new patch to the supervisor folder and some of the others, or all or none of them. */
  | {
      readonly kind: 'patch';
      readonly patch: RandomPatch;
      readonly to: readonly FolderName[];
      readonly atomic: boolean;
      readonly take: boolean;
    }
  /** What a folder lacks. */
  | { readonly kind: 'catch-up'; readonly folder: FolderName }
  /** A specific patch of one folder, its codes authorised. */
  | { readonly kind: 'own'; readonly patch: RandomPatch; readonly folder: FolderName }
  | { readonly kind: 'set'; readonly folder: FolderName; readonly letter: string; readonly value: string }
  | { readonly kind: 'rows'; readonly folder: FolderName }
  | {
      readonly kind: 'settings';
      readonly folder: FolderName;
      readonly codes: readonly string[];
      readonly languages: readonly string[];
    }
  | { readonly kind: 'decide'; readonly pick: number; readonly choice: 'keep' | 'take' }
  | { readonly kind: 'validate' }
  /** The last patch of a folder is taken back. */
  | { readonly kind: 'revert'; readonly folder: FolderName }
  /** A file that the folder has comes again, after a later one perhaps. */
  | { readonly kind: 'again'; readonly folder: FolderName; readonly pick: number }
  /** Rows that a patch put aside are put back. */
  | { readonly kind: 'restore'; readonly pick: number };

const folder = fc.constantFrom(...FOLDERS);

/** A SQL script whose functions come and go with its versions. */
const functions: fc.Arbitrary<Numbered> = fc.tuple(fc.constantFrom('ONE', 'TWO'), fc.nat({ max: 3 })).map(
  ([name, version]): Numbered =>
    (run) =>
      script(
        `${name}F${run}`,
        `create or replace function ${name.toLowerCase()}${run}_${version % 2}() returns bigint language sql as 'select ${version}::bigint + count(*) from t${run}';`,
      ),
);

const patch = fc
  .tuple(randomPatch(['1', '3', '4', '5']), fc.option(functions, { nil: undefined }))
  .map(([drawn, made]): RandomPatch => (made === undefined ? drawn : { ...drawn, elements: [...drawn.elements, made] }));

const steps = {
  patch: fc.record({
    kind: fc.constant('patch' as const),
    patch,
    to: fc.subarray([...FOLDERS.slice(1)]),
    atomic: fc.boolean(),
    take: fc.boolean(),
  }),
  catchUp: fc.record({ kind: fc.constant('catch-up' as const), folder }),
  own: fc.record({ kind: fc.constant('own' as const), patch: randomPatch(['3']), folder }),
  set: fc.record({
    kind: fc.constant('set' as const),
    folder,
    letter: fc.constantFrom('A', 'B'),
    value: fc.constantFrom('own', 'mine'),
  }),
  rows: fc.record({ kind: fc.constant('rows' as const), folder }),
  settings: fc.record({
    kind: fc.constant('settings' as const),
    folder,
    codes: fc.subarray([`C${STANDARD}`]),
    languages: fc.shuffledSubarray(['ENG', 'FRA'], { minLength: 1 }),
  }),
  decide: fc.record({
    kind: fc.constant('decide' as const),
    pick: fc.nat({ max: 50 }),
    choice: fc.constantFrom('keep' as const, 'take' as const),
  }),
  validate: fc.record({ kind: fc.constant('validate' as const) }),
  revert: fc.record({ kind: fc.constant('revert' as const), folder }),
  again: fc.record({ kind: fc.constant('again' as const), folder, pick: fc.nat({ max: 50 }) }),
  restore: fc.record({ kind: fc.constant('restore' as const), pick: fc.nat({ max: 50 }) }),
} satisfies Record<string, fc.Arbitrary<Deed>>;

/**
 * Patches more often than all else; the first step brings something.
 * @param points where the program may be killed; none: it is not
 */
export function lives(most: number, points: readonly string[] = []): fc.Arbitrary<readonly Step[]> {
  const any: fc.Arbitrary<Deed> = fc.oneof(
    { arbitrary: steps.patch, weight: 6 },
    { arbitrary: steps.own, weight: 2 },
    { arbitrary: steps.set, weight: 3 },
    { arbitrary: steps.rows, weight: 2 },
    { arbitrary: steps.catchUp, weight: 2 },
    { arbitrary: steps.settings, weight: 1 },
    { arbitrary: steps.decide, weight: 2 },
    { arbitrary: steps.validate, weight: 2 },
    { arbitrary: steps.revert, weight: 3 },
    { arbitrary: steps.again, weight: 1 },
    { arbitrary: steps.restore, weight: 2 },
  );
  const stop: fc.Arbitrary<Stop> = fc.oneof(
    fc.record({ after: fc.integer({ min: 200, max: 1_500 }) }),
    fc
      .tuple(fc.constantFrom('', ...points), fc.integer({ min: 1, max: 3 }))
      .map(([point, times]) => ({ at: `${point}:${times}` })),
  );
  const killed: fc.Arbitrary<Kill | undefined> =
    points.length === 0
      ? fc.constant(undefined)
      : fc.option(fc.record({ stop, again: fc.boolean() }), { nil: undefined, freq: 2 });
  const step = fc
    .tuple(any, killed)
    .map(([deed, kill]): Step => (kill === undefined || !KILLED.has(deed.kind) ? deed : { ...deed, killed: kill }));
  return fc.tuple(steps.patch, fc.array(step, { minLength: 2, maxLength: most - 1 })).map(([first, more]) => [first, ...more]);
}

/** What a run does, in many transactions; all else is one. */
const KILLED: ReadonlySet<Deed['kind']> = new Set(['patch', 'own', 'validate', 'revert']);
