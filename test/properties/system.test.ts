// What holds for whole folders whatever patches come: nothing to do twice, no order, no detours, the folder's own stays.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { isSpecific } from '../../src/dictionary/activity-codes.ts';
import { ELEMENT_TYPES } from '../../src/dictionary/element-types.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Holding } from '../support/folder-dump.ts';
import { difference, holdings } from '../support/folder-dump.ts';
import type { RandomPatch } from '../support/patch-sequences.ts';
import { randomPatch } from '../support/patch-sequences.ts';
import { oneServer } from '../support/servers.ts';
import { untilTheEnd } from '../support/until.ts';

/** Standard, Specific, Vertical, Add-on: those that go to every folder. */
const TYPES = ['1', '3', '4', '5'];
const LANGUAGES = ['ENG', 'FRA'];

/** All of a folder but its own name and the record of what it has integrated. */
function lasting(holding: Holding | undefined, folder: string): Holding {
  return (holding ?? [])
    .filter((line) => !/^(folder|integration|event|remainder|row \| apatch) /.test(line))
    .map((line) => line.replaceAll(`${folder.toLowerCase()}.`, '').replaceAll(`"dossier_0": "${folder}"`, ''));
}

/** Dictionary, tables and views, without rows, scripts and what the folder was offered; nobody rebuilds a table for the order of its columns. */
const shape = (holding: Holding): Holding =>
  holding
    .filter((line) => /^(element|record|column|view column|index|other) /.test(line))
    .map((line) => line.replace(/^(column \| \w+) \| \d+/, '$1'));

interface StoredRecord {
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly activity: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

describe.each(oneServer())('$name', (server) => {
  const later = untilTheEnd();
  let env: TestEnvironment;
  let number = 0;

  beforeAll(async () => {
    env = await openEnvironment(server, { init: { languages: LANGUAGES }, later });
    await env.folders(['ONE', 'TWO'], { languages: LANGUAGES });
  });

  /** Writes a patch of the case; the same name in another directory is another file with the same name. */
  const write = (patch: RandomPatch, run: number, file: string, elements = patch.elements): Promise<string> =>
    env.patch(
      file,
      elements.map((element) => element(run)),
      patch.options,
    );

  /** Differences that an earlier case left behind: while a failure is made smaller, they say nothing about the smaller one. */
  const told = new Set<string>();
  function newDifferences(one: Holding = [], other: Holding = []): readonly string[] {
    const lines = difference(one, other).filter((line) => !told.has(line));
    for (const line of lines) told.add(line);
    return lines;
  }

  async function dump(...folders: readonly string[]): Promise<readonly Holding[]> {
    const all = await holdings(env.url);
    return folders.map((folder) => lasting(all.folders.get(folder), folder));
  }

  test('planning after applying is empty: the same content under another name changes nothing', async () => {
    const patches = fc.array(randomPatch(TYPES), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(patches, async (sequence) => {
        const run = ++number;
        for (const [at, patch] of sequence.entries()) await env.integrate(await write(patch, run, `E${run}X${at}.dat`));
        const before = await dump('X3', 'ONE', 'TWO');
        const last = sequence.at(-1);
        const again = await env.integrate(await write(last as RandomPatch, run, `E${run}AGAIN.dat`));
        for (const { patches: done } of again.folders) {
          expect(done[0]).toMatchObject({
            state: 'integrated',
            elements: { created: 0, updated: 0 },
            tables: { created: [], altered: [] },
            scripts: { installed: 0 },
            rows: { inserted: 0, updated: 0, deleted: 0 },
          });
        }
        const after = await dump('X3', 'ONE', 'TWO');
        expect(after.map((each, at) => newDifferences(before[at], each))).toEqual([[], [], []]);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  test('the order of elements in a patch makes no difference', async () => {
    const shuffled = fc
      .array(randomPatch(TYPES), { minLength: 1, maxLength: 2 })
      .chain((sequence) =>
        fc.tuple(
          ...sequence.map((patch) =>
            fc
              .shuffledSubarray([...patch.elements], { minLength: patch.elements.length })
              .map((elements) => ({ patch, elements })),
          ),
        ),
      );
    await fc.assert(
      fc.asyncProperty(shuffled, async (sequence) => {
        const run = ++number;
        for (const [at, { patch, elements }] of sequence.entries()) {
          await env.integrate(await write(patch, run, `O${run}X${at}.dat`), { folders: ['ONE'] });
          await env.integrate(await write(patch, run, `O${run}X${at}B.dat`, elements), { folders: ['TWO'] });
        }
        const [one, two] = await dump('ONE', 'TWO');
        expect(newDifferences(one, two)).toEqual([]);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  test('patches one by one, in one run, or inherited by a folder that is created afterwards: the folders are equal', async () => {
    const patches = fc.array(randomPatch(TYPES), { minLength: 2, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(patches, async (sequence) => {
        const run = ++number;
        const files: string[] = [];
        for (const [at, patch] of sequence.entries()) files.push(await write(patch, run, `S${run}X${at}.dat`));
        for (const file of files) await env.integrate(file, { folders: ['X3', 'ONE'] });
        await env.integrate(files, { folders: ['TWO'] });
        const [one, two] = await dump('ONE', 'TWO');
        expect(newDifferences(one, two)).toEqual([]);
        const later = `N${run}`;
        await env.folders([later], { languages: LANGUAGES });
        const [supervisor = [], created = []] = await dump('X3', later);
        await env.rustine.dropFolder(later);
        expect(newDifferences(shape(supervisor), shape(created))).toEqual([]);
      }),
      { numRuns: 4 },
    );
  }, 60_000);

  test('R19, R20: what is protected and what is set-up never changes, whatever patches come', async () => {
    const sequence = fc.tuple(
      randomPatch(TYPES, true, 4),
      fc.array(randomPatch(['1', '5'], false, 4), { minLength: 1, maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(sequence, async ([first, patches]) => {
        const run = ++number;
        // All that the first patch has comes in, protected lines too.
        await env.integrate(await write(first, run, `P${run}.dat`), { folders: ['ONE'], authorize: ['ZALI', 'YOWN'] });
        let before = await records(run);
        for (const [at, patch] of patches.entries()) {
          await env.integrate(await write(patch, run, `P${run}X${at}.dat`), { folders: ['ONE'] });
          const after = await records(run);
          expect(changesOfOwn(before, after)).toEqual([]);
          before = after;
        }
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  const place = ({ type, name, tag, key }: StoredRecord): string => `${type}:${name} ${tag} ${key}`;

  async function records(run: number): Promise<ReadonlyMap<string, StoredRecord>> {
    const rows = await env.query<StoredRecord>(
      `select type, name, tag, key, activity, fields from rustine.dictionary where folder = 'ONE' and name in ($1, $2, $3)`,
      [`${run}A`, `${run}B`, `T${run}`],
    );
    return new Map(rows.map((row) => [place(row), row]));
  }
});

type Change = readonly [place: string, before: unknown, after: unknown];

/** Own things that are no longer as they were: none, if the rules hold. */
function changesOfOwn(before: ReadonlyMap<string, StoredRecord>, after: ReadonlyMap<string, StoredRecord>): readonly Change[] {
  const header = ({ type, name }: StoredRecord): StoredRecord | undefined => before.get(`${type}:${name} ${type} ${name}`);
  return [...before].flatMap(([at, was]): readonly Change[] => {
    const is = after.get(at);
    const whole = isSpecific(header(was)?.activity ?? '');
    if (whole || isSpecific(was.activity) || isOwnAction(was)) {
      return same(withoutBlock(was), is === undefined ? undefined : withoutBlock(is)) ? [] : [[at, was.fields, is?.fields]];
    }
    const type = ELEMENT_TYPES.get(was.type);
    const setUp = (type?.setUp[was.tag] ?? []).filter((field) => type?.personal.includes(field) !== true);
    if (is === undefined) return [];
    return setUp
      .filter((field) => field in was.fields && !sameSetUp(was, is, field))
      .map((field) => [`${at} ${field}`, was.fields[field], is.fields[field]]);
  });
}

/** A set-up value is the record's, or that of each block: a specific block may have gone to another place, the others stay where they are. */
function sameSetUp(was: StoredRecord, is: StoredRecord, field: string): boolean {
  const blocks = ELEMENT_TYPES.get(was.type)?.blocks;
  const [before, after] = [was.fields[field], is.fields[field]];
  if (blocks?.fields.test(field) !== true || !Array.isArray(before) || !Array.isArray(after)) return same(before, after);
  const codes = (record: StoredRecord): readonly unknown[] => record.fields[blocks.activity] as readonly unknown[];
  return before.every((value, at) => {
    const code = codes(was)[at];
    if (!isSpecific(String(code))) return same(value, after[at]);
    return codes(is).some((each, to) => each === code && same(value, after[to]));
  });
}

/** Patches that are neither Specific nor Vertical leave such actions alone (R8, R9). */
const isOwnAction = ({ tag, fields }: StoredRecord): boolean => tag === 'AMA' && ['SPE', 'SPV'].includes(String(fields.ACTION));

/** A line goes with its block to another place, where a delivered block takes the one that it had. */
const withoutBlock = ({ fields: { NUMBLOC: _, ...fields } }: StoredRecord): unknown => fields;

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
