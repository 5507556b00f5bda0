// Which delivery brought each element of a folder last, and these deliveries as few as possible: what the folder's dictionary is compared with.
import { canonical, digestOf } from '../base/canonical.ts';
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { type ElementName, elementKey } from '../dictionary/element.ts';
import type { FollowedDelivery } from '../journal/followed-deliveries.ts';
import { readFollowed } from '../journal/followed-deliveries.ts';
import type { Delivery } from '../plan/delivery.ts';
import { FROM_DICTIONARY } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import { keptDelivery } from '../plan/kept-delivery.ts';
import { kernelDelivery, partOfKernel, readFromKernel } from '../plan/kernel.ts';
import { clearStaging } from '../plan/staging.ts';
import type { Difference } from './difference.ts';

/** Elements that came in patches of one kind, with the same codes authorised: planned at once. */
export interface Expected {
  readonly delivery: Delivery;
  readonly stagedAs: string;
  readonly authorized: readonly string[];
  /** Element → file that brought it last; what is not in it came with the kernel. */
  readonly files: ReadonlyMap<string, string>;
  /** What was found already, by what the folder has. */
  readonly known: Map<string, Promise<readonly Difference[]>>;
}

export interface Expectation {
  readonly expected: readonly Expected[];
  /** Files that are not kept: what they brought last cannot be compared. */
  readonly notKept: readonly string[];
  /** Kept files that are no longer what they were. */
  readonly damaged: readonly string[];
}

/** Folders that had the same patches, in the same order and with the same codes, have the same expectation. @returns by number of the folder */
export async function expectations(
  database: Database,
  lease: string,
  folders: readonly number[],
): Promise<{ readonly of: ReadonlyMap<number, Expectation>; release(): Promise<void> }> {
  const followed = new Map<number, FollowedDelivery[]>();
  for (const each of await readFollowed(database, folders, null))
    followed
      .set(each.folder, followed.get(each.folder) ?? [])
      .get(each.folder)
      ?.push(each);
  const kernel = await kernelDelivery();
  const fromKernel = await readFromKernel(database, kernel, folders);
  const marks = folders.map((folder) => markOf(followed.get(folder) ?? [], fromKernel.get(folder) ?? []));
  const rows = await database.query<{ folders: readonly number[] }>(sql`
    select array_agg(m.of order by m.of) as folders from unnest(${folders}::integer[], ${marks}::text[]) as m (of, mark)
    left join (
      select folder, string_agg(md5(concat_ws(' ', file, encode(digest, 'hex'), authorized::text, rows_only)), '' order by id) as had
      from rustine.integrated where folder = any(${folders}::integer[]) group by folder) f on f.folder = m.of
    group by md5(had), mark order by 1`);
  const of = new Map<number, Expectation>();
  const staged: string[] = [];
  for (const { folders: alike } of rows) {
    const [first] = alike;
    if (first === undefined) continue;
    const base = partOfKernel(kernel, fromKernel.get(first) ?? []);
    const made = await expectation(database, lease, first, followed.get(first) ?? [], base);
    staged.push(...made.expected.map(({ stagedAs }) => stagedAs));
    for (const folder of alike) of.set(folder, made);
  }
  return {
    of,
    release: async () => {
      if (staged.length > 0) await database.transaction((session) => clearStaging(session, staged)).catch(() => undefined);
    },
  };
}

const markOf = (followed: readonly FollowedDelivery[], fromKernel: readonly ElementName[]): string =>
  digestOf(
    canonical([
      ...followed.map(({ type, name, file, digest, authorized }) => [type, name, file, digest, authorized]),
      ...fromKernel.map(({ type, name }) => [type, name]),
    ]),
  );

interface Brought {
  readonly digest: string;
  readonly file: string;
  readonly authorized: readonly string[];
  readonly kept: boolean;
  readonly types: readonly string[];
  readonly names: readonly string[];
}

/** What an integration of which no elements are known wrote last is left out: nobody knows what else it brought. */
async function readBrought(database: Database, folder: number): Promise<readonly Brought[]> {
  return database.query<Brought>(sql`
    with last as (
      select distinct on (e.type, e.name) e.type, e.name, e.ordinal, i.id, i.digest, i.file, i.authorized, p.kept
      from rustine.integrated i join rustine.patch p on p.digest = i.digest join rustine.patch_element e on e.digest = i.digest
      where i.folder = ${folder} and not i.rows_only order by e.type, e.name, i.id desc),
    unknown as (
      select id from rustine.integrated i where folder = ${folder} and not exists (select from rustine.patch p where p.digest = i.digest))
    select encode(digest, 'hex') as digest, file, authorized, kept, array_agg(type order by ordinal) as types, array_agg(name order by ordinal) as names
    from last l
    where not exists (select from rustine.element e join unknown u on u.id = e.updated_by where e.folder = ${folder} and e.type = l.type and e.name = l.name and u.id > l.id)
    group by id, digest, file, authorized, kept order by id`);
}

/** What a validation wrote counts as delivered by what the followed folder has. */
function withFollowed(brought: readonly Brought[], followed: readonly FollowedDelivery[]): readonly Brought[] {
  const instead = new Set(followed.map(({ type, name }) => elementKey(type, name)));
  const own = brought.map((each) => {
    const at = each.types.flatMap((type, index) => (instead.has(elementKey(type, each.names[index] ?? '')) ? [] : [index]));
    return { ...each, types: at.map((index) => each.types[index] ?? ''), names: at.map((index) => each.names[index] ?? '') };
  });
  const theirs = new Map<string, Brought>();
  for (const { type, name, ...delivery } of followed) {
    const key = JSON.stringify([delivery.file, delivery.digest, delivery.authorized]);
    const { types, names } = theirs.get(key) ?? { types: [], names: [] };
    theirs.set(key, { ...delivery, types: [...types, type], names: [...names, name] });
  }
  return [...own, ...theirs.values()].filter(({ types }) => types.length > 0);
}

async function expectation(
  database: Database,
  lease: string,
  folder: number,
  followed: readonly FollowedDelivery[],
  kernel: Delivery,
): Promise<Expectation> {
  const brought = withFollowed(await readBrought(database, folder), followed);
  const unknown = await database.query<{ file: string }>(sql`
    select distinct file from rustine.integrated i where folder = ${folder} and not exists (select from rustine.patch p where p.digest = i.digest) order by 1`);
  const notKept = [...unknown.map(({ file }) => file), ...brought.filter(({ kept }) => !kept).map(({ file }) => file)];
  const damaged: string[] = [];
  const groups = new Map<string, { of: Part[]; authorized: readonly string[] }>();
  for (const each of brought.filter(({ kept }) => kept)) {
    const delivery = await keptDelivery(database, each.digest, each.file).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'kept-file-damaged') throw error;
      damaged.push(each.file);
    });
    if (delivery === undefined) continue;
    const { patchType, languages, activityCodes } = delivery;
    const key = JSON.stringify([patchType, languages, [...activityCodes].sort(), [...each.authorized].sort()]);
    const group = groups.get(key) ?? { of: [], authorized: each.authorized };
    groups.set(key, group);
    group.of.push({ delivery, wanted: new Set(each.types.map((type, at) => elementKey(type, each.names[at] ?? ''))) });
  }
  const expected: Expected[] = [];
  for (const { of, authorized } of groups.values()) {
    const delivery = together(of);
    const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
    const files = new Map(of.flatMap((part) => [...part.wanted].map((key) => [key, part.delivery.file] as const)));
    expected.push({ delivery, stagedAs, authorized, files, known: new Map() });
  }
  if (kernel.elements.length > 0) {
    const stagedAs = await database.transaction((session) => stageDelivery(session, lease, kernel));
    expected.push({ delivery: kernel, stagedAs, authorized: [], files: new Map(), known: new Map() });
  }
  return { expected, notKept: [...new Set(notKept)].sort(), damaged };
}

interface Part {
  readonly delivery: Delivery;
  /** `type\0name` of the elements that no later patch brought. */
  readonly wanted: ReadonlySet<string>;
}

/** Elements and scripts of several deliveries as one: no rows, nothing to run. */
function together(parts: readonly Part[]): Delivery {
  const [first] = parts.map(({ delivery }) => delivery);
  return {
    ...FROM_DICTIONARY,
    file: '(delivered last)',
    patchType: first?.patchType ?? '1',
    languages: first?.languages ?? [],
    activityCodes: first?.activityCodes ?? [],
    elements: parts.flatMap(({ delivery, wanted }) =>
      delivery.elements.filter(({ type, name }) => type !== 'EXE' && wanted.has(elementKey(type, name))),
    ),
    parts: async function* (findings) {
      for (const { delivery, wanted } of parts) {
        for await (const part of delivery.parts(findings)) {
          if (part.part === 'dictionary' && wanted.has(elementKey(part.element.type, part.element.name))) yield part;
          if (part.part === 'script' && wanted.has(elementKey(part.kind, part.name))) yield part;
        }
      }
    },
  };
}
