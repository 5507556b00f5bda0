// Folders that a failed validation has locked: how that is written, and how somebody who knows why takes it away (R35).
import type { Facts } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';
import { noteUnlocked, UNLOCKED } from './history.ts';

/** Why a folder is locked. */
export interface FolderLock {
  readonly run: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** As of an error or a finding. */
  readonly code: string;
  readonly facts: Facts;
}

/** What locks a folder. @param process lease of the run: one that was taken for dead locks nothing any more */
export interface LockRequest extends Omit<FolderLock, 'at'> {
  readonly folder: number;
  readonly process: string;
}

/** @returns false where the run is another program's by now, or the folder is none that can be validated */
export async function lockFolder(reader: Reader, { folder, process, run, by, code, facts }: LockRequest): Promise<boolean> {
  const rows = await reader.query(sql`
    update rustine.folder set state = 'locked',
      locked = jsonb_build_object('run', ${run}::text, 'by', ${by}::text, 'code', ${code}::text, 'facts', ${JSON.stringify(facts)}::jsonb,
        'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    where id = ${folder} and state in ('ready', 'locked')
      and exists (select from rustine.run r where r.id = ${run} and r.state = 'running' and r.process = ${process})
    returning id`);
  return rows.length > 0;
}

/**
 * Without a validation: somebody has mended the folder, or wants it used as it is. It stays due. Who did it and why stays with what was
 * written to the folder.
 * @returns why it was locked; undefined: it is not
 */
export async function unlockFolder(
  session: Session,
  folder: string,
  reason: string,
  operator: string,
): Promise<FolderLock | undefined> {
  const [row] = await session.query<{ id: number; locked: FolderLock; before: Buffer | null }>(sql`
    with was as (select id, locked, chain as before from rustine.folder where code = ${folder} and state = 'locked' for update),
    noted as (
      insert into rustine.integration (folder, kind, run, file, digest, patch_type, operator, forced)
      select was.id, 'set', was.locked ->> 'run', ${UNLOCKED}, ''::bytea, '', ${operator}, jsonb_build_object('folder-locked', ${reason}::text)
      from was returning folder)
    update rustine.folder f set state = 'ready', locked = null from was where f.id = was.id returning was.id, was.locked, was.before`);
  if (row !== undefined) await noteUnlocked(session, row.id, row.before);
  return row?.locked;
}
