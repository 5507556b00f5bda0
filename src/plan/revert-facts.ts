// What there is to know before a patch is taken back from a folder: the integration itself, what came after it, who depends on it.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { PatchOutcome } from '../journal/outcome.ts';
import type { FolderSettings } from './plan.ts';

/** What was so in the folder's own row before the patch. */
export interface BeforePatch {
  readonly due: readonly string[];
  /** Reasons of being due that the patch gives. */
  readonly added: readonly string[];
  readonly activityCodes: readonly string[];
  /** Digest of what its people set. */
  readonly settings: string;
}

/** The last integration of a file in a folder that counts. */
export interface RevertTarget {
  readonly integration: string;
  readonly file: string;
  readonly digest: string;
  readonly on: string;
  /** null: nothing was remembered. */
  readonly before: BeforePatch | null;
  readonly notRevertible: readonly { readonly code: string; readonly facts: Readonly<Record<string, unknown>> }[] | null;
  readonly outcome: PatchOutcome | null;
  /** How it came into the folder. */
  readonly by: 'patch' | 'creation' | 'validation';
  /** Files that were integrated after it, in that order. */
  readonly later: readonly string[];
  /** Whether the folder still has the file when this integration of it is taken back. */
  readonly stays: boolean;
}

/** An element that the patch wrote and that somebody changed afterwards. */
export interface ChangedElement {
  readonly element: string;
  readonly operator: string;
  readonly on: string;
  /** What was done: a file, `(element set …)`, `(decision …)`. */
  readonly what: string;
}

export interface RevertFacts {
  readonly target: RevertTarget;
  readonly below: readonly string[];
  /** Of these, where a validation or the folder's creation brought it: nothing takes it away there. */
  readonly stuck: readonly string[];
  readonly changed: readonly ChangedElement[];
  /** Activity codes that came with the patch, and that the folder's settings name since. */
  readonly codes: readonly string[];
  /** Scripts that were listed to be run outside, and were run or begun. */
  readonly ran: readonly string[];
  /** Functions that are not as the patch left them. */
  readonly functions: readonly string[];
  /** Aggregates that were replaced or dropped: nothing says how they were made. */
  readonly aggregates: readonly string[];
  /** Reasons of being due that came with the patch and are settled since. */
  readonly settled: readonly string[];
  /** The validation since, where one wrote something down. */
  readonly validation: { readonly operator: string; readonly on: string } | null;
}

/** @returns undefined where the folder does not have the file */
export async function readRevertTarget(
  session: Pick<Session, 'query'>,
  folder: FolderSettings,
  file: string,
): Promise<RevertTarget | undefined> {
  const [target] = await session.query<RevertTarget>(sql`
    select i.id::text as integration, i.file, encode(i.digest, 'hex') as digest, to_char(i.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as on,
      i.before, i.not_revertible as "notRevertible", i.outcome,
      case when i.run is null then 'creation' when r.mode in ('validate', 'validate-rehearse') then 'validation' else 'patch' end as by,
      array(select l.file from rustine.integrated l where l.folder = i.folder and l.id > i.id order by l.id) as later,
      exists (select from rustine.integrated e where e.folder = i.folder and e.file = i.file and e.digest = i.digest and e.id < i.id) as stays
    from rustine.integrated has join rustine.integration i on i.id = has.id left join rustine.run r on r.id = i.run
    where i.folder = ${folder.id} and i.file = ${file} order by i.id desc limit 1`);
  return target;
}

/** The folder's row is locked. */
export async function readRevertFacts(
  session: Pick<Session, 'query'>,
  folder: FolderSettings,
  target: RevertTarget,
): Promise<RevertFacts> {
  const { integration, before } = target;
  const [facts] = await session.query<Omit<RevertFacts, 'target' | 'changed'>>(sql`
    with recursive down as (
      select id from rustine.folder where parent = ${folder.id}
      union select f.id from rustine.folder f join down on f.parent = down.id),
    left_functions as (
      select value ->> 'signature' as signature, value ->> 'digest' as digest from rustine.before_image
      where integration = ${integration}::bigint and relation = 'function after'),
    holders as materialized (
      select f.code, i.run is null or r.mode in ('validate', 'validate-rehearse') as stuck
      from down join rustine.folder f on f.id = down.id
      cross join lateral (
        select i.run from rustine.integrated i where i.folder = f.id and i.file = ${target.file} and encode(i.digest, 'hex') = ${target.digest}
        order by i.id desc limit 1) i
      left join rustine.run r on r.id = i.run
      where f.history_of is null and not ${target.stays}),
    own as (select due, activity_codes from rustine.folder where id = ${folder.id})
    select
      array(select code from holders order by 1) as below,
      array(select code from holders where stuck order by 1) as stuck,
      array(select c from own, unnest(own.activity_codes) c
        where c <> all (${before?.activityCodes ?? []}::text[]) and exists (
          select from rustine.element e where e.folder = ${folder.id} and e.type = 'ACV' and e.name = c and e.created_by = ${integration}::bigint) order by 1) as codes,
      array(select n from unnest(${target.outcome?.pending ?? []}::text[]) n where not exists (
        select from rustine.pending_script p where p.folder = ${folder.id} and p.script = n and p.integration = ${integration}::bigint
          and p.attempts = 0 and p.claimed_until is null) order by 1) as ran,
      array(select l.signature from left_functions l left join pg_proc p on p.oid = to_regprocedure(l.signature)
        where l.digest is distinct from rustine.function_digest(p.oid) order by 1) as functions,
      array(select value ->> 'signature' from rustine.before_image
        where integration = ${integration}::bigint and relation = 'function' and value ->> 'text' is null order by 1) as aggregates,
      array(select a from own, unnest(${before?.added ?? []}::text[]) a
        where a <> all (own.due) and a <> all (${before?.due ?? []}::text[]) order by 1) as settled,
      (select json_build_object('operator', v.operator, 'on', to_char(v.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')) from rustine.integration v
        where v.folder = ${folder.id} and v.kind = 'validation' and v.id > ${integration}::bigint order by v.id desc limit 1) as validation`);
  const none = { below: [], stuck: [], codes: [], ran: [], functions: [], aggregates: [], settled: [], validation: null };
  return { target, ...(facts ?? none), changed: await readChangedElements(session, folder, integration) };
}

/** Who writes says so in the row; who removes one leaves an image of it. */
async function readChangedElements(
  session: Pick<Session, 'query'>,
  folder: FolderSettings,
  integration: string,
): Promise<readonly ChangedElement[]> {
  return session.query<ChangedElement>(sql`
    with later as materialized (
      select id from rustine.integration where folder = ${folder.id} and id > ${integration}::bigint and kind <> 'revert' and reverted_by is null),
    images as materialized (
      select b.integration as by, b.relation, b.value from rustine.before_image b
      where b.integration = ${integration}::bigint or b.integration in (select id from later)),
    written as (
      select type, name, created_by as by from rustine.record where folder = ${folder.id}
      union all select type, name, updated_by from rustine.record where folder = ${folder.id}
      union all select type, name, created_by from rustine.element where folder = ${folder.id}
      union all select type, name, integration from rustine.offer where folder = ${folder.id}
      union all select value ->> 'type', value ->> 'name', by from images where relation in ('element', 'record', 'offer')
      union all select kind, name, created_by from rustine.script where folder = ${folder.id}
      union all select kind, name, updated_by from rustine.script where folder = ${folder.id}
      union all select value ->> 'kind', value ->> 'name', by from images where relation = 'script'),
    touched as (select distinct type, name from written where by = ${integration}::bigint),
    since as (select type, name, max(by) as by from written where by in (select id from later) group by type, name)
    select t.type || ':' || t.name as element, i.operator, to_char(i.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as on, i.file as what
    from touched t join since s on s.type = t.type and s.name = t.name join rustine.integration i on i.id = s.by
    order by i.id desc, 1`);
}

/** Codes of other folders with functions that use something in the folder's schema, or in that of such a folder. */
export async function readUsingFolders(session: Pick<Session, 'query'>, folder: FolderSettings): Promise<readonly string[]> {
  const rows = await session.query<{ code: string }>(sql`
    with recursive used as (
      select ${folder.schema}::text as schema_name
      union select f.schema_name from used u
        join pg_depend o on o.refclassid = 'pg_namespace'::regclass and o.refobjid = to_regnamespace(quote_ident(u.schema_name))
        left join pg_class c on o.classid = 'pg_class'::regclass and c.oid = o.objid
        join pg_depend d on (d.refclassid = o.classid and d.refobjid = o.objid or d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype)
          and d.classid = 'pg_proc'::regclass and d.deptype = 'n'
        join pg_proc p on p.oid = d.objid join pg_namespace n on n.oid = p.pronamespace join rustine.folder f on f.schema_name = n.nspname)
    select f.code from rustine.folder f join used u using (schema_name) where f.id <> ${folder.id}`);
  return rows.map(({ code }) => code);
}
