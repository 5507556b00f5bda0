// Every element type goes through its life on a real database: ignored, created, found identical, updated, thinned out, widened, reordered.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identify } from '../../src/dictionary/element.ts';
import { fieldsFromJson, fieldsOf, fieldValue, meaningDigest } from '../../src/dictionary/fields.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import type { PatchRecord } from '../../src/patch/format.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { openEnvironment } from '../support/environment.ts';
import type { Fixture } from '../support/fixtures.ts';
import {
  changed,
  fixtures,
  inDictionary,
  keyFields,
  lastLines,
  linesOf,
  ownLine,
  reordered,
  setUpFields,
  underCode,
  withOtherNoise,
  withOwnLine,
  without,
  withUnknown,
} from '../support/fixtures.ts';
import { oneServer } from '../support/servers.ts';

/** A specific activity code. */
const CODE = 'YABC';
const LANGUAGES = ['ENG', 'FRA'];

/** The deliveries of a life, in order: what each makes of a fixture, which it concerns, and codes of the patch header. */
const LIFE = {
  ignored: { of: (given) => underCode(given, CODE), only: (given) => (given.registered?.activity.length ?? 0) > 0, codes: [] },
  created: { of: (given) => given, codes: [] },
  again: { of: (given) => given, codes: [] },
  noise: { of: withOtherNoise, codes: [] },
  changed: { of: changed, codes: [] },
  own: { of: (given) => withOwnLine(changed(given), CODE), codes: [CODE] },
  thinned: { of: (given) => thinned(changed(given)), codes: [] },
  unknown: { of: (given) => withUnknown(changed(given)), codes: [] },
  reordered: { of: (given) => reordered(withUnknown(changed(given))), codes: [] },
} as const satisfies Readonly<
  Record<string, { of: (given: Fixture) => Fixture; only?: (given: Fixture) => boolean; codes: readonly string[] }>
>;
type Stage = keyof typeof LIFE;
const STAGES = Object.keys(LIFE) as readonly Stage[];

const thinned = (given: Fixture): Fixture => without(given, lastLines(given, []));

const delivered = (given: Fixture, stage: Stage): Fixture => LIFE[stage].of(given);

interface StoredRecord {
  readonly tag: string;
  readonly key: string;
  readonly position: number;
  readonly activity: string;
  readonly fields: string;
  readonly offered: string | null;
  readonly xmin: string;
}
interface StoredElement {
  readonly title: string;
  /** Files of the patches that created and last updated it. */
  readonly createdBy: string;
  readonly updatedBy: string;
  readonly records: readonly StoredRecord[];
}
/** By type. */
type Dictionary = ReadonlyMap<string, StoredElement>;

async function dictionaryOf(env: TestEnvironment, folder: string): Promise<Dictionary> {
  const heads = await env.query<Omit<StoredElement, 'records'> & { type: string; name: string }>(
    `select e.type, e.name, e.title, coalesce(c.file, '') as "createdBy", coalesce(u.file, '') as "updatedBy"
     from rustine.element e join rustine.folder f on f.id = e.folder
     left join rustine.integration c on c.id = e.created_by left join rustine.integration u on u.id = e.updated_by where f.code = $1`,
    [folder],
  );
  const records = await env.query<StoredRecord & { type: string; name: string }>(
    `select d.type, d.name, d.tag, d.key, d.position, d.activity, d.fields::text, d.delivered::text as offered, r.xmin::text
     from rustine.dictionary d join rustine.folder f on f.code = d.folder
     join rustine.record r on r.folder = f.id and r.type = d.type and r.name = d.name and r.tag = d.tag and r.key = d.key
     where d.folder = $1 order by d.position, d.tag collate "C", d.key collate "C"`,
    [folder],
  );
  const byElement = Map.groupBy(records, (record) => `${record.type}:${record.name}`);
  return new Map(
    heads.map(({ type, name, ...head }) => {
      const own = (byElement.get(`${type}:${name}`) ?? []).map(({ type: _type, name: _name, ...record }) => record);
      return [`${type}:${name}`, { ...head, records: own }];
    }),
  );
}

const stored = (dictionary: Dictionary | undefined, { type, name }: Fixture): StoredElement | undefined =>
  dictionary?.get(`${type}:${name}`);

/** Tag and key → lines of the record as a patch would carry them. */
const linesByPlace = (element: StoredElement | undefined): ReadonlyMap<string, unknown> =>
  new Map(element?.records.map((record) => [`${record.tag} ${record.key}`, linesOf(fieldsFromJson(record.fields))]));

const known = await fixtures();
const table = known.filter(inDictionary);
const tableWith = (stage: Stage, condition: (given: Fixture) => boolean): readonly Fixture[] =>
  table.filter((given) => condition(delivered(given, stage)));

describe.each(oneServer())('element types on $name', (server) => {
  const cleanUp: (() => Promise<void>)[] = [];
  const outcomes = new Map<Stage, RunOutcome>();
  const after = new Map<Stage, Dictionary>();
  let env: TestEnvironment;
  let before: Dictionary;
  let later: Dictionary;

  beforeAll(async () => {
    env = await openEnvironment(server, { init: { languages: LANGUAGES }, later: (work) => void cleanUp.unshift(work) });
    await env.folders(['SEED'], { languages: LANGUAGES });
    before = await dictionaryOf(env, 'SEED');
    for (const stage of STAGES) {
      const { of, codes, ...rest } = LIFE[stage];
      const concerned = 'only' in rest ? table.filter(rest.only) : table;
      const elements = concerned.map((given) => of(given).element);
      outcomes.set(stage, await env.integrate(await env.patch(`${stage}.dat`, elements, { activityCodes: codes })));
      after.set(stage, await dictionaryOf(env, 'SEED'));
    }
    await env.folders(['LATER'], { languages: LANGUAGES });
    later = await dictionaryOf(env, 'LATER');
  }, 120_000);
  afterAll(async () => {
    for (const work of cleanUp) await work();
  });

  const at = (stage: Stage, given: Fixture): StoredElement | undefined => stored(after.get(stage), given);
  const recordAt = (stage: Stage, given: Fixture, tag: string, key: string): StoredRecord | undefined =>
    at(stage, given)?.records.find((record) => record.tag === tag && record.key === key);
  /** How many elements came to which end, in each folder. */
  const counts = (stage: Stage): readonly unknown[] =>
    (outcomes.get(stage)?.folders ?? []).map((folder) => folder.patches[0]?.elements);

  test('R20: all are created, found identical, updated, as many as were delivered', () => {
    const none = { created: 0, updated: 0, identical: 0, kept: 0, ignored: 0 };
    const all = table.length;
    const both = <Each>(each: Each): readonly Each[] => [each, each];
    const ignored = table.filter(LIFE.ignored.only).length;
    expect(counts('ignored')).toEqual(both({ ...none, ignored }));
    expect(counts('created')).toEqual(both({ ...none, created: all }));
    expect(counts('again')).toEqual(both({ ...none, identical: all }));
    expect(counts('noise')).toEqual(both({ ...none, identical: all }));
    expect(counts('changed')).toEqual(both({ ...none, updated: all }));
  });

  test('no fixture has a line whose key does not tell it apart', () => {
    const codes = STAGES.flatMap((stage) => outcomes.get(stage)?.findings.map((finding) => finding.code) ?? []);
    expect(codes.filter((code) => code === 'element-key-incomplete')).toEqual([]);
  });

  test.each(table.filter(LIFE.ignored.only))('R19: $file under a code that is not authorised is ignored', (given) => {
    expect(at('ignored', given)).toEqual(stored(before, given));
    const { type, name } = given;
    expect(outcomes.get('ignored')?.findings).toContainEqual(
      expect.objectContaining({ code: 'element-ignored', folder: 'SEED', subject: `${type}:${name}` }),
    );
  });

  test.each(table)(
    'R20: $file is created with all its fields, in the order of the patch, and comes out as it came in',
    (given) => {
      const element = at('created', given);
      expect(element).toMatchObject({ title: given.title, createdBy: 'created.dat', updatedBy: 'created.dat' });
      expect(element?.records.map((record) => [record.tag, linesOf(fieldsFromJson(record.fields))])).toEqual(
        given.records.map((record) => [record.tag, record.lines]),
      );
      const keyed = given.records.filter((record) => keyFields(given, record.tag).length > 0);
      for (const record of keyed) {
        const fields = fieldsOf(record.lines);
        const key = keyFields(given, record.tag)
          .map((field) => fieldValue(fields, field) ?? '')
          .join('~');
        expect(element?.records.map((each) => `${each.tag} ${each.key}`)).toContain(`${record.tag} ${key}`);
      }
    },
  );

  test.each(table)('R20: $file delivered again, or with other noise, is identical: no row is written', (given) => {
    expect(at('again', given)).toEqual(at('created', given));
    expect(at('noise', given)).toEqual(at('created', given));
  });

  test.each(table)('R20: $file is updated but for its set-up fields; who created it stays', (given) => {
    const element = at('changed', given);
    expect(element).toMatchObject({ createdBy: 'created.dat', updatedBy: 'changed.dat' });
    const { records } = identify(given, delivered(given, 'changed').records, []);
    expect(element?.records).toHaveLength(records.length);
    for (const { tag, key, fields } of records) {
      const own = fieldsFromJson(recordAt('noise', given, tag, key)?.fields ?? '{}');
      const mine = Object.entries(own.slots).filter(([field]) =>
        setUpFields(given, { tag, lines: linesOf(own) }).includes(field),
      );
      const expected = { ...fields, slots: { ...fields.slots, ...Object.fromEntries(mine) } };
      const record = recordAt('changed', given, tag, key);
      const kept = meaningDigest(expected) === meaningDigest(own) ? own : expected;
      expect(linesOf(fieldsFromJson(record?.fields ?? '{}'))).toEqual(linesOf(kept));
      // What was delivered and not taken stands beside (R37).
      expect(record?.offered === null).toBe(mine.length === 0);
    }
  });

  test.each(tableWith('own', (given) => ownLine(given, CODE) !== undefined))(
    'R19: a line of $file with a specific code comes in where it is authorised, and stays when a later patch lacks it',
    (given) => {
      const own = ownLine(changed(given), CODE);
      const isOwn = (record: StoredRecord): boolean => record.activity === CODE;
      const there = at('own', given)?.records.filter(isOwn) ?? [];
      expect(there.map((record) => [record.tag, linesOf(fieldsFromJson(record.fields))])).toEqual([[own?.tag, own?.lines]]);
      const content = ({ tag, key, fields }: StoredRecord) => ({ tag, key, fields });
      for (const stage of ['thinned', 'unknown', 'reordered'] as const)
        expect(at(stage, given)?.records.filter(isOwn).map(content)).toEqual(there.map(content));
    },
  );

  const removable = table.filter((given) => delivered(given, 'thinned').records.length < given.records.length);
  test.each(removable)('R21: lines of $file that a patch lacks go, but those that are the folder’s', (given) => {
    const whole = identify(given, changed(given).records, []).records;
    const gone = lastLines(given, given.registered?.keptLines ?? []);
    const rest = identify(given, without(given, gone).records, []).records;
    const places = (records: readonly { tag: string; key: string }[]): readonly string[] =>
      records.map((record) => `${record.tag} ${record.key}`).sort();
    const standard = at('thinned', given)?.records.filter((record) => record.activity !== CODE) ?? [];
    expect(places(standard)).toEqual(places(rest));
    expect(rest.length).toBe(whole.length - gone.length);
  });

  test.each(table)('fields, tags and kinds of lines that nobody knows are carried with $file as they came', (given) => {
    const lines = linesByPlace(at('unknown', given));
    const [header, stranger] = [delivered(given, 'unknown').records[0], delivered(given, 'unknown').records.at(-1)];
    const known = (record: PatchRecord | undefined): unknown =>
      record?.lines.filter((line) => line.kind === 'unknown' || !setUpFields(given, record).includes(line.field));
    const own = at('unknown', given)?.records.find((record) => record.tag === given.type);
    expect(known({ tag: given.type, key: '', lines: linesOf(fieldsFromJson(own?.fields ?? '{}')) })).toEqual(known(header));
    expect(lines.get('QZX #.0')).toEqual(stranger?.lines);
  });

  test.each(table)('lines of $file keep their identity in another order', (given) => {
    const [one, other] = [linesByPlace(at('unknown', given)), linesByPlace(at('reordered', given))];
    expect([...other.keys()].sort()).toEqual([...one.keys()].sort());
    for (const [place, lines] of one) expect(other.get(place)).toEqual(lines);
    const keys = (stage: Stage): readonly string[] =>
      (at(stage, given)?.records ?? [])
        .filter((record) => record.activity !== CODE && keyFields(given, record.tag).length > 0)
        .map((record) => `${record.tag} ${record.key}`);
    expect(keys('reordered')).toEqual(keys('unknown').toReversed());
  });

  test.each(table)('a folder that is created afterwards has the same $file', (given) => {
    const content = (element: StoredElement | undefined): unknown =>
      element?.records.map(({ xmin: _, offered: __, ...record }) => record);
    expect(content(stored(later, given))).toEqual(content(at('reordered', given)));
  });
});
