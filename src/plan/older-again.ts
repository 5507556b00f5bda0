// A patch that comes again to folders where later ones brought the same elements: these go back to what it says (R15, R21).
import type { Finding } from '../base/finding.ts';
import { quoteLiteral, sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { found } from './checks.ts';
import type { Delivery } from './delivery.ts';
import type { Authorized } from './draft.ts';
import type { FolderSettings } from './plan.ts';
import type { Tasks } from './preflight.ts';

/** What a folder got of later patches, and an older one would bring again. */
export interface OlderAgain {
  readonly folder: number;
  readonly file: string;
  /** Patches that came later, and are not given. */
  readonly later: readonly string[];
  readonly count: number;
  /** The first of them, `TYPE:NAME`. */
  readonly elements: readonly string[];
}

const MOST_NAMED = 20;

/** Whether what folders have already comes again: because it is forced, or for codes that were not authorised then. */
export function mayComeAgain(forced: { readonly already?: string }, authorized: Authorized): boolean {
  return forced.already !== undefined || (typeof authorized !== 'string' && authorized.length > 0);
}

/** Patches that are given too come again after it, in their order. */
export async function readOlderAgain(
  reader: Reader,
  folders: readonly number[],
  deliveries: readonly Pick<Delivery, 'file' | 'digest'>[],
): Promise<readonly OlderAgain[]> {
  const files = deliveries.map(({ file }) => file);
  return reader.query<OlderAgain>(sql`
    with given as (select file, decode(digest, 'hex') as digest from unnest(${files}::text[], ${deliveries.map(({ digest }) => digest)}::text[]) as d (file, digest)),
    had as materialized (
      select i.folder, i.file, i.digest, max(i.id) as id from rustine.integrated i join given using (file, digest)
      where i.folder = any(${folders}::integer[]) and not i.rows_only group by i.folder, i.file, i.digest),
    again as (
      select h.folder, h.file, l.file as later, e.type || ':' || e.name as element
      from had h join rustine.integrated l on l.folder = h.folder and l.id > h.id and not l.rows_only and l.file <> all(${files}::text[])
      join rustine.patch_element e on e.digest = h.digest join rustine.patch_element o on o.digest = l.digest and o.type = e.type and o.name = e.name)
    select folder, file, array_agg(distinct later) as later, count(distinct element)::integer as count,
      (array_agg(distinct element))[1:${MOST_NAMED}] as elements
    from again group by folder, file order by file, folder`);
}

/** Folders where the same goes back are told together. Pure. */
export function olderAgainFindings(again: readonly OlderAgain[], folders: readonly Folder[], tasks: Tasks): readonly Finding[] {
  const codes = new Map(folders.map(({ id, code }) => [id, code]));
  const coming = again.flatMap(({ folder, ...what }) => {
    const code = codes.get(folder);
    return code !== undefined && tasks.get(code)?.get(what.file) === 'integrate' ? [{ code, what }] : [];
  });
  return [...Map.groupBy(coming, ({ what }) => JSON.stringify(what)).values()].flatMap((alike) =>
    alike.slice(0, 1).map(({ what }) => {
      const facts = { ...what, folders: alike.map(({ code }) => code) };
      return found('older-again', { patch: what.file, subject: what.file }, facts);
    }),
  );
}

/** Why a folder is due that was taken back so, and whose parent was not. */
const REASON = 'older-patch:';

/** What else comes in the same run. */
export interface ComesWith {
  readonly files: readonly string[];
  /** Folders whose transactions nobody else sees yet: they go back with those below them. */
  readonly folders: readonly string[];
}

/**
 * Within the folder's transaction: makes it due where the patch came before and one that it has its dictionary from has the same elements
 * from a later one, which does not come again with it. Rows are not looked at: a validation does not bring them again.
 */
export function olderAgainDue(
  { id, ancestors }: Pick<FolderSettings, 'id' | 'ancestors'>,
  integration: string,
  { file, digest }: Pick<Delivery, 'file' | 'digest'>,
  comes: ComesWith = { files: [], folders: [] },
): string {
  const above = ancestors.filter(({ code }) => !comes.folders.includes(code)).map((each) => each.id);
  const bytes = `'\\x${digest}'::bytea`;
  return `update rustine.folder f set due = array(select distinct unnest(due || ${quoteLiteral(REASON + file)}::text) order by 1)
    where f.id = ${id} and f.history_of is null
      and exists (select from rustine.integrated o where o.folder = f.id and o.digest = ${bytes} and not o.rows_only and o.id < ${integration})
      and exists (
        select from rustine.integrated l join rustine.patch_element n on n.digest = l.digest
        join rustine.patch_element e on e.digest = ${bytes} and e.type = n.type and e.name = n.name
        join rustine.element d on d.folder = l.folder and d.type = e.type and d.name = e.name
        where l.folder = any('{${above.join(',')}}'::integer[]) and l.file <> all(array[${comes.files.map(quoteLiteral).join(', ')}]::text[])
          and not l.rows_only and l.digest <> ${bytes} and l.id > (
          select max(s.id) from rustine.integrated s where s.folder = l.folder and s.digest = ${bytes} and not s.rows_only))
    returning true as older_again`;
}
