// The folder's record of a patch in APATCH: one row a file, written as the patch is recorded.
import { qualified, quoteLiteral } from '../database/sql.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from '../plan/delivery.ts';
import type { FolderSettings } from '../plan/plan.ts';
import type { RunContext } from './integrator.ts';
import { rememberFormer, rememberOrder, rememberWritten, returningWritten } from './remember-rows.ts';

const APATCH = 'apatch';
const LONGEST_FILE = 255;
/** How APATCH has the name of a file. */
export const apatchFile = (file: string): string => file.slice(0, LONGEST_FILE);

/** One row a file (R29): integrated again, the row keeps its number and says when. */
export function apatchSql(folder: FolderSettings, delivery: Delivery, integration: string, context: RunContext): string {
  const q = quoteLiteral;
  const name = parsePatchName(delivery.file);
  const table = qualified(folder.schema, APATCH);
  const user = q(context.operator.slice(0, 30));
  const file = q(apatchFile(delivery.file));
  const of = { folder: folder.id, integration, schema: folder.schema, table: APATCH };
  const written = `select case when exists (select from old) then 'updated' else 'inserted' end as what, w.* from w`;
  return `with old as materialized (select a.rowid as row_number, to_jsonb(a) as value from ${table} a where a.fic_0 = ${file} for update),
    ${rememberFormer(of)}, ${rememberOrder(of)},
    w as (insert into ${table} as a (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
      select (select coalesce(max(num_0), 0) + 1 from ${table}), ${file}, current_date, ${user},
        ${q(delivery.file.replace(/\.[^.]*$/, '').slice(0, 80))}, ${q((name?.version ?? '').slice(0, 20))}, '', ${q(name?.series ?? '')}, ${name?.number ?? 0},
        ${q(delivery.comment.slice(0, 250))}, now(), ${user}, now(), ${user}, gen_random_uuid() where (select count(*) from old) >= 0
      on conflict (fic_0) do update set dat_0 = excluded.dat_0, upddattim_0 = now(), updusr_0 = excluded.updusr_0, updtick_0 = a.updtick_0 + 1
      ${returningWritten('a', true)}),
    ${rememberWritten(of, written)}
    select from w`;
}
