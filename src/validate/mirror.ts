// Mirrors: on a further server, the ancestors of the folders that live there, with their dictionary, scripts, empty tables and level.
import { folderCode } from '../base/ids.ts';
import type { Database, Session } from '../database/database.ts';
import { id, sql } from '../database/sql.ts';
import { readFolders } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { ancestorsOf } from '../environment/folder.ts';
import { lockWithAncestors } from '../environment/folder-locks.ts';
import { notReady } from '../environment/folder-state.ts';
import { dictionaryDelivery } from '../plan/dictionary-delivery.ts';
import type { FolderSource } from './creation.ts';
import { createFolder } from './creation.ts';
import { copyFilesOf } from './mirror-files.ts';

const BLOBS_AT_ONCE = 200;
const BYTES_AT_ONCE = 8 * 1024 * 1024;

/** Stages a delivery in the member's database and gives it to the work. */
export type Staging = <Result>(
  deliver: () => ReturnType<typeof dictionaryDelivery>,
  work: (source: FolderSource) => Promise<Result>,
) => Promise<Result>;

/**
 * Makes a mirror whose parent is there already. Nothing is integrated into the original meanwhile.
 * @throws Refusal as `createFolder`; `folder-not-ready` where the original is half created or half dropped
 */
export async function createMirror(
  home: Database,
  member: Database,
  original: Folder,
  staging: Staging,
  roles: boolean,
  operator: string,
  scriptTimeoutMs: number,
): Promise<void> {
  await home.transaction(async (session) => {
    const [locked] = (await lockWithAncestors(session, [original.code])).filter(({ code }) => code === original.code);
    if (locked?.state !== 'ready') throw notReady(original.code, locked?.state);
    // Two commands may need the same one: the second one waits for the lock and finds it.
    const folders = await readFolders(member);
    if (folders.some(({ code, mirror }) => code === original.code && mirror === true)) return;
    const level = await readLevel(session, original);
    await copyBlobs(session, member, original);
    await copyFilesOf(home, member, original.id);
    const parent = folders.find(({ code }) => code === original.parent) ?? null;
    const mirror = {
      ...original,
      code: folderCode(original.code),
      parent,
      ancestors: parent === null ? [] : ancestorsOf(parent.code, new Map(folders.map((each) => [each.code, each]))),
      // Its own scripts come whatever it is: the original has them.
      test: true,
      historyOf: null,
    };
    const own = { ...original, ancestors: [] };
    await staging(
      () => dictionaryDelivery(home, own, { scripts: true }),
      (source) =>
        createFolder(member, mirror, source, roles, operator, scriptTimeoutMs, (at, folder) => fill(at, folder, original, level)),
    );
  });
}

/** Rows as JSON: the catalogs of both servers are of the same version. */
interface Level {
  readonly integrations: string;
  readonly apatch: string;
  readonly decisions: string;
  readonly offers: string;
  readonly changed: string;
}

async function readLevel(session: Session, { id: folder, schema }: Folder): Promise<Level> {
  const [row] = await session.query<Level>(sql`
    select
      (select coalesce(jsonb_agg(to_jsonb(i) order by i.id), '[]')::text from rustine.integration i where i.folder = ${folder}
        -- Also the kernel that it was created from.
        and (i.kind = 'patch' and i.reverted_by is null and i.apatch_num is not null or i.kind = 'creation' and i.digest <> decode(repeat('00', 32), 'hex'))) as integrations,
      (select coalesce(jsonb_agg(to_jsonb(a) order by a.num_0), '[]')::text from ${id(schema, 'apatch')} a) as apatch,
      (select coalesce(jsonb_agg(to_jsonb(d) order by d.id), '[]')::text from rustine.decision d) as decisions,
      (select coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('digest', c.digest)), '[]')::text from rustine.record r join rustine.content c on c.id = r.content
        where r.folder = ${folder} and cardinality(r.changed) > 0) as changed,
      (select coalesce(jsonb_agg(to_jsonb(o) || jsonb_build_object('now', to_jsonb(n) - 'id', 'was', to_jsonb(b) - 'id')), '[]')::text
        from rustine.offer o join rustine.content n on n.id = o.content left join rustine.content b on b.id = o.before where o.folder = ${folder}) as offers`);
  return row ?? { integrations: '[]', apatch: '[]', decisions: '[]', offers: '[]', changed: '[]' };
}

export interface BlobSize {
  readonly digest: string;
  readonly bytes: number;
}

/** So many at a time, and not more bytes than that, unless one alone has more: a compiled script may be large. */
export function pagesOf(blobs: readonly BlobSize[]): readonly (readonly string[])[] {
  const pages: string[][] = [];
  let left = 0;
  for (const { digest, bytes } of blobs) {
    const page = pages.at(-1);
    if (page === undefined || page.length === BLOBS_AT_ONCE || bytes > left) {
      pages.push([digest]);
      left = BYTES_AT_ONCE - bytes;
    } else {
      page.push(digest);
      left -= bytes;
    }
  }
  return pages;
}

/** Bodies of scripts are looked up by their digest where they are installed. */
async function copyBlobs(session: Session, member: Database, { id: folder }: Folder): Promise<void> {
  const sizes = await session.query<BlobSize>(sql`
    select encode(b.digest, 'hex') as digest, octet_length(b.bytes) as bytes
    from rustine.blob b where b.digest in (select digest from rustine.script where folder = ${folder})`);
  for (const page of pagesOf(sizes)) {
    const blobs = await session.query<{ digest: string; bytes: string }>(sql`
      select encode(digest, 'hex') as digest, encode(bytes, 'base64') as bytes from rustine.blob
      where digest in (select decode(x, 'hex') from unnest(${page}::text[]) x)`);
    await member.query(sql`
      insert into rustine.blob (digest, bytes)
      select decode(digest, 'hex'), decode(bytes, 'base64')
      from unnest(${blobs.map(({ digest }) => digest)}::text[], ${blobs.map(({ bytes }) => bytes)}::text[]) as b (digest, bytes)
      on conflict (digest) do nothing`);
  }
}

/** The original's flags, patches, values that its people changed, and what waits for a decision there. */
async function fill(session: Session, mirror: Folder, original: Folder, level: Level): Promise<void> {
  await session.query(sql`update rustine.folder set mirror = true, test = ${original.test} where id = ${mirror.id}`);
  // Before the integrations, whose chain it is in: the mirror's own.
  await session.query(sql`
    insert into ${id(mirror.schema, 'apatch')} (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
    select num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0
    from jsonb_populate_recordset(null::${id(mirror.schema, 'apatch')}, ${level.apatch}::jsonb)`);
  // Numbers of integrations are given anew: those of the original may be another folder's here.
  await session.query(sql`
    insert into rustine.integration (folder, kind, file, digest, patch_type, series, number, version, apatch_num, at, operator, authorized, ignored, forced, rows, outcome, languages, left_out, reopened, rows_only)
    select ${mirror.id}, r.kind, r.file, r.digest, r.patch_type, r.series, r.number, r.version, r.apatch_num, r.at, r.operator, r.authorized, r.ignored, r.forced, r.rows, r.outcome,
      r.languages, r.left_out, r.reopened, coalesce(r.rows_only, false)
    from jsonb_array_elements(${level.integrations}::jsonb) with ordinality as e (value, n), jsonb_populate_record(null::rustine.integration, e.value) r order by e.n`);
  await session.query(sql`
    insert into rustine.decision (case_id, type, name, tag, key, field, before, now, own, choice, value, reason, decided_by, decided_at)
    select case_id, type, name, tag, key, field, before, now, own, choice, value, reason, decided_by, decided_at
    from jsonb_populate_recordset(null::rustine.decision, ${level.decisions}::jsonb) on conflict (case_id) do nothing`);
  await fillKept(session, mirror, level);
}

async function fillKept(session: Session, mirror: Folder, level: Level): Promise<void> {
  await session.query(sql`
    update rustine.record r set changed = o.changed
    from jsonb_array_elements(${level.changed}::jsonb) e, jsonb_populate_record(null::rustine.record, e.value) o, rustine.content c
    where r.folder = ${mirror.id} and r.type = o.type and r.name = o.name and r.tag = o.tag and r.key = o.key and c.id = r.content
      and c.digest = (e.value ->> 'digest')::bytea`);
  await session.query(sql`
    insert into rustine.content (digest, meaning, activity, fields)
    select distinct on (c.digest) c.digest, c.meaning, c.activity, c.fields
    from jsonb_array_elements(${level.offers}::jsonb) e, lateral (values (e.value -> 'now'), (e.value -> 'was')) v (each), jsonb_populate_record(null::rustine.content, v.each) c
    where jsonb_typeof(v.each) = 'object' order by c.digest on conflict (digest) do nothing`);
  await session.query(sql`
    insert into rustine.offer (folder, type, name, tag, key, scope, code, position, content, before, integration, since)
    select ${mirror.id}, o.type, o.name, o.tag, o.key, o.scope, o.code, o.position, n.id, b.id, 0, o.since
    from jsonb_array_elements(${level.offers}::jsonb) e cross join jsonb_populate_record(null::rustine.offer, e.value) o
    join rustine.content n on n.digest = (e.value #>> '{now,digest}')::bytea left join rustine.content b on b.digest = (e.value #>> '{was,digest}')::bytea`);
}
