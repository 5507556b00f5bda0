// History folders: what was written to a live folder since its history folder was brought in line with it (R36).
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from './catalog.ts';

/** Of each history folder so many changes of the live one are named, the latest ones. */
const MOST_CHANGES = 3;

/** As `rustine.due_after_live` writes them: `live-folder:LIVE`, and `live-folder:LIVE:setting:languages`. */
const WRITTEN = /^live-folder:[^:]*$/;

export const isWritten = (reason: string): boolean => WRITTEN.test(reason);

/** @returns history folder → what was written to its live folder, as reasons of being due; none for those that are level with it */
export async function readLiveChanges(reader: Reader): Promise<ReadonlyMap<number, readonly string[]>> {
  const rows = await reader.query<{ folder: number; reasons: readonly string[] }>(sql`
    with history as materialized (
      select f.id, f.live_integration as since, live.id as live, live.code
      from rustine.folder f join rustine.folder live on live.id = f.history_of
      where f.live_integration is not null and live.chain is distinct from f.live_chain),
    written as (
      select h.id, h.code, i.kind, i.file, row_number() over (partition by h.id order by i.id desc) as n, count(*) over (partition by h.id) as all_of_it
      from history h join rustine.integration i on i.folder = h.live and i.id > h.since
      -- One bound for all of them: nobody looks through what was written long before.
      where i.id > (select min(since) from history))
    select id as folder, array_agg('live-folder:' || code || case kind when 'patch' then ':patch:' || file when 'revert' then ':revert:' || file
        -- A folder that is there gets no dictionary any more: what is written like one is a decision.
        when 'creation' then ':decision' else ':' || kind end order by n)
      filter (where n <= ${MOST_CHANGES}) || case when max(all_of_it) > ${MOST_CHANGES} then array['live-folder:' || min(code) || ':more:' || (max(all_of_it) - ${MOST_CHANGES})] else '{}' end as reasons
    from written group by id`);
  return new Map(rows.map(({ folder, reasons }) => [folder, [...new Set(reasons)]]));
}

/** Whoever calls it holds the live folder's row: what the history folder was brought in line with is what stands there now. */
export async function noteLive(session: Session, history: number): Promise<void> {
  await session.query(sql`
    update rustine.folder f set live_chain = live.chain,
      live_integration = coalesce((select max(i.id) from rustine.integration i where i.folder = live.id), 0)
    from rustine.folder live where f.id = ${history} and live.id = f.history_of`);
}
