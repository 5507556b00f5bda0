// Makes a history folder what its live folder is, but for its data: level, what people changed, states of activity codes (R36).
import type { Session } from '../database/database.ts';
import { id, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { noteLive } from '../environment/history.ts';
import type { Fill, NewFolder } from './creation.ts';

/**
 * What a history folder has besides dictionary and tables when it is made. No rows of patches: its data comes from the live folder. What waits
 * for a decision waits there, and comes from there once it is decided.
 */
export const fillFromLive: Fill = async (session: Session, created: Folder, { historyOf: live }: NewFolder): Promise<void> => {
  if (live === null) return;
  await copyLevel(session, created, live);
  await copyChanged(session, created, live);
  // Its scripts came whatever it is, as copies of the live one's.
  await session.query(sql`update rustine.folder set test = ${live.test} where id = ${created.id}`);
  if (await copyCodes(session, created, live))
    await session.query(sql`update rustine.folder set due = '{activity-codes}' where id = ${created.id}`);
  await noteLive(session, created.id);
};

/** The live one's patches that count, with their rows of APATCH. */
async function copyLevel(session: Session, history: Folder, live: Folder): Promise<void> {
  await session.query(sql`
    insert into ${id(history.schema, 'apatch')} (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
    select num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0
    from ${id(live.schema, 'apatch')} order by num_0`);
  await session.query(sql`
    insert into rustine.integration (folder, file, digest, patch_type, languages, series, number, version, apatch_num, at, operator, authorized, ignored, forced, rows, outcome)
    select ${history.id}, file, digest, patch_type, languages, series, number, version, apatch_num, at, operator, authorized, ignored, forced, 0, outcome
    from rustine.integrated i where folder = ${live.id} and apatch_num is not null
    -- In the order in which the dictionary came: rows alone may have come later.
    order by coalesce((
      select max(o.id) from rustine.integrated o where i.rows_only and not o.rows_only and o.folder = i.folder and o.file = i.file and o.digest = i.digest and o.id < i.id), i.id)`);
}

/** Which values people changed. */
async function copyChanged(session: Session, history: Folder, live: Folder): Promise<void> {
  await session.query(sql`
    update rustine.record r set changed = l.changed from rustine.record l
    where l.folder = ${live.id} and r.folder = ${history.id} and r.type = l.type and r.name = l.name and r.tag = l.tag and r.key = l.key
      and r.content = l.content and r.changed <> l.changed`);
}

/** ADOSACT: codes, their states and sizes, whoever switched them. @returns whether codes stand otherwise now, which tables have to follow */
export async function copyCodes(session: Session, history: Folder, live: Folder): Promise<boolean> {
  const rows = await session.query(sql`
    update ${id(history.schema, 'adosact')} h set flact_0 = l.flact_0, dime_0 = l.dime_0, updtick_0 = h.updtick_0 + 1, upddattim_0 = now(), updusr_0 = l.updusr_0
    from ${id(live.schema, 'adosact')} l
    where l.dossier_0 = ${live.code} and h.dossier_0 = ${history.code} and h.codact_0 = l.codact_0 and (h.flact_0 <> l.flact_0 or h.dime_0 <> l.dime_0)
    returning h.codact_0`);
  await session.query(sql`
    delete from ${id(history.schema, 'adosact')} h
    where h.dossier_0 = ${history.code} and not exists (select from ${id(live.schema, 'adosact')} l where l.dossier_0 = ${live.code} and l.codact_0 = h.codact_0)`);
  return rows.length > 0;
}
