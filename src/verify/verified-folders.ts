// Verifies folders, several at once: each in a snapshot that is rolled back, what they share looked at once. Nothing is locked or changed.
import type { Database, Session } from '../database/database.ts';
import { quoteIdentifier, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { verifyContent } from './content.ts';
import { verifyDictionary } from './dictionary.ts';
import type { Difference, Mend } from './difference.ts';
import { ASIDE, FOLDER, ROLE, SCHEMA } from './difference.ts';
import type { Expectation } from './expected-elements.ts';
import { expectations } from './expected-elements.ts';
import { verifyHistory } from './history.ts';
import { verifyRights } from './rights.ts';
import type { KnownShapes } from './tables.ts';
import { verifyTables } from './tables.ts';

export interface VerifiedFolder {
  readonly folder: string;
  /** Hash of what was written to it last, hexadecimal: kept elsewhere, it shows later whether the whole chain was made anew. */
  readonly chain: string | null;
  /** Since when its chain counts: what is older was chained then. */
  readonly chainedSince: string | null;
  readonly differences: readonly Difference[];
  /** Files that it has and of which the content is not kept: what they brought cannot be compared. */
  readonly notCompared: readonly string[];
}

/** A folder to which somebody writes meanwhile is looked at again, so often. */
const TRIES = 3;

/** What is looked at once for several folders. */
interface Shared {
  /** Of each folder, before all else was looked at. */
  readonly chains: ReadonlyMap<number, string | null>;
  readonly expected: ReadonlyMap<number, Expectation>;
  readonly content: ReadonlyMap<number, readonly Difference[]>;
  readonly rights: ReadonlyMap<number, readonly Difference[]>;
  readonly shapes: KnownShapes;
}

/** @param told each folder as it is done, in whatever order; @param lease of who stages what is expected */
export async function verifyFolders(
  database: Database,
  lease: string,
  folders: readonly Folder[],
  jobs: number,
  told: (verified: VerifiedFolder) => void,
): Promise<void> {
  await withShared(database, lease, folders, async (shared) => {
    const waiting = [...folders];
    const work = async (): Promise<void> => {
      for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift())
        told(await verifyOne(database, lease, folder, shared));
    };
    await Promise.all(Array.from({ length: Math.max(1, Math.min(jobs, folders.length)) }, work));
  });
}

async function withShared<Result>(
  database: Database,
  lease: string,
  folders: readonly Folder[],
  work: (shared: Shared) => Promise<Result>,
): Promise<Result> {
  const numbers = folders.map(({ id }) => id);
  const chains = await readChains(database, numbers);
  const { of: expected, release } = await expectations(database, lease, numbers);
  try {
    const [content, rights] = [await verifyContent(database, numbers), await verifyRights(database, folders)];
    return await work({ chains, expected, content, rights, shapes: new Map() });
  } finally {
    await release();
  }
}

/** Patches may go on: what was written to a folder since something of it was looked at would look like a difference. */
async function verifyOne(database: Database, lease: string, folder: Folder, shared: Shared): Promise<VerifiedFolder> {
  let [before, last] = [shared.chains.get(folder.id), await inSnapshot(database, folder, shared)];
  for (let tries = 1; tries < TRIES; tries++) {
    const found = last.differences.some(({ severity }) => severity === 'warn');
    const after = (await readChains(database, [folder.id])).get(folder.id);
    if (!found || after === before) return last;
    [before, last] = await withShared(database, lease, [folder], async (own) => [
      own.chains.get(folder.id),
      await inSnapshot(database, folder, own),
    ]);
  }
  return last;
}

async function readChains(database: Database, folders: readonly number[]): Promise<ReadonlyMap<number, string | null>> {
  const rows = await database.query<{ id: number; chain: string | null }>(sql`
    select id, encode(chain, 'hex') as chain from rustine.folder where id = any(${folders}::integer[])`);
  return new Map(rows.map(({ id, chain }) => [id, chain]));
}

async function inSnapshot(database: Database, folder: Folder, shared: Shared): Promise<VerifiedFolder> {
  const expectation = shared.expected.get(folder.id);
  return database.transaction(async (session) => {
    await session.script(
      `set transaction isolation level repeatable read; set local timezone = 'UTC'; set local lock_timeout = '5s'`,
    );
    const { chain, since } = await chainOf(session, folder);
    const tables = await verifyTables(session, folder, shared.shapes);
    // Rights on what a schema holds that is not there by its name are no difference of their own.
    const schemaGone = tables.some(({ code }) => code.startsWith('schema-'));
    const rights = (shared.rights.get(folder.id) ?? []).filter(({ code }) => !schemaGone || code.startsWith('login-'));
    const dictionary = await verifyDictionary(session, folder, expectation);
    const differences = [
      // First what the other commands would make things with.
      ...rights.filter(isDefault),
      ...(await verifyHistory(session, folder)),
      ...dictionary,
      ...tables.filter((difference) => !isOfDefinition(difference, dictionary)),
      ...(shared.content.get(folder.id) ?? []),
      ...rights.filter((each) => !isDefault(each)),
      ...(expectation?.damaged ?? []).map(damagedFile),
    ];
    return {
      folder: folder.code,
      chain,
      chainedSince: since,
      differences: differences.map((difference) => inFolder(difference, folder)),
      notCompared: expectation?.notKept ?? [],
    };
  }, 'rollback');
}

const isDefault = ({ code }: Difference): boolean => code.startsWith('default-');

/** What the dictionary lacks only because its own definition of the table was changed belongs there again when that is mended: nobody takes it away. */
function isOfDefinition({ code, subject }: Difference, dictionary: readonly Difference[]): boolean {
  if (!['column-added', 'table-added', 'system-field'].includes(code)) return false;
  const [table = ''] = subject.replace(/^ATB:/, '').split('.');
  return dictionary.some(
    (each) => /^element-(missing|differs)$/.test(each.code) && each.subject.toLowerCase() === `atb:${table.toLowerCase()}`,
  );
}

function damagedFile(file: string): Difference {
  return { code: 'kept-file-altered', severity: 'warn', subject: file, patch: file, facts: { file }, mend: { by: 'backup' } };
}

async function chainOf(
  session: Session,
  { id }: Folder,
): Promise<{ readonly chain: string | null; readonly since: string | null }> {
  const [row] = await session.query<{ chain: string | null; since: string }>(sql`
    select encode(chain, 'hex') as chain, to_char(chained_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since from rustine.folder where id = ${id}`);
  return row ?? { chain: null, since: null };
}

/** Statements get the names of the folder; what has none stays the one object that folders which look the same share. */
function inFolder(difference: Difference, { id, schema, role }: Folder): Difference {
  if (difference.mend.by !== 'sql' && difference.subject !== ROLE && difference.subject !== SCHEMA) return difference;
  const names = {
    [SCHEMA]: quoteIdentifier(schema),
    [ROLE]: role === null ? '' : quoteIdentifier(role),
    [FOLDER]: String(id),
    [ASIDE]: quoteIdentifier(`found_by_verify_${schema}`),
  };
  const named = (text: string): string => Object.entries(names).reduce((all, [word, name]) => all.replaceAll(word, name), text);
  const mend: Mend = difference.mend.by === 'sql' ? { by: 'sql', statement: named(difference.mend.statement) } : difference.mend;
  const subjects: Readonly<Record<string, string>> = { [ROLE]: role ?? '', [SCHEMA]: schema };
  return { ...difference, mend, subject: subjects[difference.subject] ?? difference.subject };
}
