// What patches remember so that they can be taken back (R38): how much of it each folder has and since when, and forgetting it for good.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

/** Of one folder. */
export interface RememberedPatches {
  readonly folder: string;
  /** Patches of which something is remembered. */
  readonly patches: number;
  /** When the first and the last of them were integrated, ISO 8601. */
  readonly oldest: string;
  readonly latest: string;
  /** What is stored for it, about. */
  readonly bytes: number;
}

/** A patch that cannot be taken back any more. */
export interface ForgottenPatch {
  readonly folder: string;
  readonly file: string;
  /** When it was integrated, ISO 8601. */
  readonly at: string;
}

/** Where a patch has stored what it remembers, by `integration`, and the columns that make up nearly all of it. */
const REMEMBERING: Readonly<Record<string, readonly string[]>> = {
  before_image: ['value'],
  former_row: ['value'],
  former_value: ['value'],
  written_rows: ['row_numbers', 'digests'],
  row_order: ['row_numbers'],
  table_before: ['before', 'after'],
  remembered: [],
};

const TIME = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;
/** Patches that count, and of which something was remembered; what a validation brought is not taken back. */
const REVERTIBLE = `i.kind = 'patch' and i.reverted_by is null and i.before is not null
  and not exists (select from rustine.run r where r.id = i.run and r.mode = 'validate')`;

export async function readRememberedPatches(reader: Reader, folder?: string): Promise<readonly RememberedPatches[]> {
  const held = Object.entries(REMEMBERING).map(
    ([table, columns]) =>
      `select integration, ${['24', ...columns.map((column) => `coalesce(pg_column_size(${column}), 0)`)].join(' + ')} as bytes from rustine.${table}`,
  );
  return reader.query<RememberedPatches>({
    text: `with held as (select integration, sum(bytes) as bytes from (${held.join(' union all ')}) h group by integration)
      select f.code as folder, count(*)::integer as patches, to_char(min(i.at) at time zone 'UTC', ${TIME}) as oldest,
        to_char(max(i.at) at time zone 'UTC', ${TIME}) as latest, coalesce(sum(h.bytes), 0)::float8 as bytes
      from rustine.integration i join rustine.folder f on f.id = i.folder left join held h on h.integration = i.id
      where ${REVERTIBLE} and ($1::text is null or f.code = $1) group by f.code order by f.code`,
    values: [folder ?? null],
  });
}

/**
 * What was remembered of patches that came into the folder before that day (UTC) goes; they say so from then on. The folder's row is locked.
 * @param operator who wants it
 */
export async function forgetPatches(
  session: Session,
  folder: string,
  before: string,
  operator: string,
): Promise<readonly ForgottenPatch[]> {
  const due = `select i.id from rustine.integration i join rustine.folder f on f.id = i.folder
    where f.code = $1 and i.at < $2::date::timestamp at time zone 'UTC'`;
  for (const table of Object.keys(REMEMBERING))
    await session.query({ text: `delete from rustine.${table} where integration in (${due})`, values: [folder, before] });
  const forgotten = await session.query<ForgottenPatch>({
    text: `update rustine.integration i set before = null,
        not_revertible = coalesce(i.not_revertible, '[]') || jsonb_build_object('code', 'revert-purged', 'facts', jsonb_build_object('by', $3::text, 'at', to_char(now() at time zone 'UTC', ${TIME})))
      where i.id in (${due}) and ${REVERTIBLE}
      returning $1 as folder, i.file, to_char(i.at at time zone 'UTC', ${TIME}) as at, i.id`,
    values: [folder, before, operator],
  });
  return forgotten
    .toSorted((a, b) => a.at.localeCompare(b.at) || a.file.localeCompare(b.file))
    .map(({ folder: code, file, at }) => ({ folder: code, file, at }));
}

/** @returns the folder's state, or undefined where there is none of the code */
export async function lockForPurge(session: Session, folder: string): Promise<string | undefined> {
  const [row] = await session.query<{ state: string }>(
    sql`select state from rustine.folder where code = ${folder} for no key update`,
  );
  return row?.state;
}
