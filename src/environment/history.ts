// History folders: what was written to a live folder since its history folder was brought in line with it (R36).
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

/** Of each history folder so many changes of the live one are named, the latest ones. */
const MOST_CHANGES = 3;

/** Stands where others have the file: what was written to a folder is that a person has unlocked it, and the folder has what it had. */
export const UNLOCKED = '(folder set --unlock)';

/** As `rustine.due_after_live` writes them: `live-folder:LIVE`, and `live-folder:LIVE:setting:languages`. */
const WRITTEN = /^live-folder:[^:]*$/;

export const isWritten = (reason: string): boolean => WRITTEN.test(reason);

/** @returns history folder → what was written to its live folder, as reasons of being due; none for those that are level with it */
export async function readLiveChanges(reader: Reader): Promise<ReadonlyMap<number, readonly string[]>> {
  const rows = await reader.query<{ folder: number; reasons: readonly string[] }>(sql`
    select f.id as folder, array_agg('live-folder:' || live.code || case when i.n > ${MOST_CHANGES} then ':more' else case i.kind
        when 'patch' then ':patch:' || i.file when 'revert' then ':revert:' || i.file
        when 'set' then case when i.file like '(decision %' then ':decision' else ':set' end else ':' || i.kind end end order by i.n) as reasons
    from rustine.folder f join rustine.folder live on live.id = f.history_of
    cross join lateral (
      select kind, file, row_number() over (order by id desc) as n from rustine.integration
      where folder = live.id and id > f.live_integration and file <> ${UNLOCKED} order by id desc limit ${MOST_CHANGES + 1}) i
    where live.chain is distinct from f.live_chain group by f.id`);
  return new Map(rows.map(({ folder, reasons }) => [folder, [...new Set(reasons)]]));
}

/** Whoever calls it holds the live folder's row: what the history folder was brought in line with is what stands there now. */
export async function noteLive(session: Session, history: number): Promise<void> {
  await session.query(sql`
    update rustine.folder f set live_chain = live.chain,
      live_integration = coalesce((select max(i.id) from rustine.integration i where i.folder = live.id), 0)
    from rustine.folder live where f.id = ${history} and live.id = f.history_of`);
}

/** A history folder that was level with its live folder is so still: in that one nothing has changed. @param before chain of it before that was noted */
export async function noteUnlocked(session: Session, live: number, before: Buffer | null): Promise<void> {
  await session.query(sql`
    update rustine.folder f set live_chain = live.chain, live_integration = (select max(i.id) from rustine.integration i where i.folder = live.id)
    from rustine.folder live where f.history_of = live.id and live.id = ${live} and f.live_integration is not null and f.live_chain is not distinct from ${before}`);
}
