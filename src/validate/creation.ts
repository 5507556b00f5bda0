// Creates a folder and fills it from its parent (or the kernel): schema, rights, dictionary, tables and level in one transaction.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { FolderCode } from '../base/ids.ts';
import type { Database, Session } from '../database/database.ts';
import { id, qualified, quoteIdentifier, sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { lockWithAncestors } from '../environment/folder-locks.ts';
import { notReady } from '../environment/folder-state.ts';
import { createRole, protectRecord, roleExists, roleName } from '../environment/roles.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import { enterFolders } from '../journal/folder-entry.ts';
import { ROW_SEQUENCE } from '../tables/model.ts';

export interface NewFolder {
  readonly code: FolderCode;
  readonly parent: Folder | null;
  /** The parent's ancestors, nearest first. */
  readonly ancestors: readonly Folder[];
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  readonly activitySizes: Readonly<Record<string, number>>;
  readonly legislations: readonly string[];
  readonly modules: readonly number[] | null;
  readonly test: boolean;
  readonly specific: boolean;
  readonly historyOf: Folder | null;
}

/** How a folder's first dictionary is integrated: everything is let in, no APATCH row, no run. */
function creationContext(operator: string, scriptTimeoutMs: number): RunContext {
  return {
    run: '',
    operator,
    ending: 'commit',
    authorized: 'everything',
    takeUnchanged: false,
    forced: {},
    records: false,
    lockTimeoutMs: 30_000,
    scriptTimeoutMs,
    nextEvent: () => 0,
    stopPoint: () => undefined,
  };
}

/**
 * What a folder starts from: its parent's dictionary, or the kernel for a supervisor folder, or the live folder's for a history folder. Asked
 * for while that folder is locked; `state` differs where it has changed since.
 */
export type FolderSource = (state: string) => Promise<StagedDelivery>;

/** @throws Refusal where one of the codes cannot be made: `folder-exists`, `folder-schema-exists`, `role-exists` */
export async function checkCreatable(reader: Reader, codes: readonly FolderCode[], roles: boolean): Promise<void> {
  for (const folder of codes) {
    const schema = folder.toLowerCase();
    const [there] = await reader.query<{ folder: boolean; schema: boolean }>(sql`
      select exists (select from rustine.folder where code = ${folder}) or exists (select from rustine.folder_elsewhere where code = ${folder}) as folder, to_regnamespace(quote_ident(${schema})) is not null as schema`);
    if (there?.folder === true) throw new Refusal('folder-exists', { folder });
    if (there?.schema === true) throw new Refusal('folder-schema-exists', { folder, schema });
    // Somebody else's login must not come into a folder's rights, nor be dropped with it.
    const role = roles ? await roleName(reader, folder) : null;
    if (role !== null && (await roleExists(reader, role))) throw new Refusal('role-exists', { folder, role });
  }
}

/** Gives a new folder what it has besides dictionary and tables: its level, and what was changed or waits. */
export type Fill = (session: Session, created: Folder, folder: NewFolder, operator: string) => Promise<void>;

async function fillFromParent(session: Session, created: Folder, { parent }: NewFolder, operator: string): Promise<void> {
  if (parent === null) return;
  await copyLevel(session, created, parent, operator);
  await copyKept(session, created, parent);
}

/** @throws Refusal as `checkCreatable`; `folder-not-ready`, `run-active`; the findings when the parent's dictionary cannot be generated */
export async function createFolder(
  database: Database,
  folder: NewFolder,
  source: FolderSource,
  roles: boolean,
  operator: string,
  scriptTimeoutMs: number,
  fill: Fill = fillFromParent,
): Promise<readonly Finding[]> {
  return database.transaction(async (session) => {
    const state = await lockParent(session, folder);
    const created = await insertFolder(session, folder, roles, operator);
    await session.script(`create schema ${quoteIdentifier(created.schema)}`);
    const ancestors = folder.parent === null ? [] : [folder.parent, ...folder.ancestors];
    if (created.role !== null)
      await createRole(
        session,
        created.role,
        created,
        ancestors.map((each) => each.schema),
      );
    // After the role: its rights cover what is made from then on.
    await session.script(`create sequence ${qualified(created.schema, ROW_SEQUENCE)}`);
    const { findings, outcome } = await integrateInto(
      session,
      database,
      settingsOf(created),
      await source(state),
      creationContext(operator, scriptTimeoutMs),
    );
    if (blocks(findings))
      throw new Refusal('folder-not-creatable', {
        folder: folder.code,
        reasons: findings.map((finding) => `${finding.subject ?? ''} ${finding.code}`),
        elements: outcome.elements.created,
      });
    if (created.role !== null) await protectRecord(session, created.role, created.schema);
    await fill(session, created, folder, operator);
    await session.query(sql`update rustine.folder set state = 'ready' where id = ${created.id}`);
    return findings;
  });
}

/**
 * Nothing is integrated into the parent and the live folder from here on, so dictionary and level are of one state. All ancestors are held
 * with it: the new folder's role gets rights on their schemas.
 * @returns what changes with everything that is integrated into the one whose dictionary it gets
 */
async function lockParent(session: Session, { parent, historyOf }: NewFolder): Promise<string> {
  if (parent === null) return '';
  const needed = historyOf === null ? [parent.code] : [parent.code, historyOf.code];
  await enterFolders(session, needed);
  const locked = await lockWithAncestors(session, needed);
  for (const code of needed) {
    const state = locked.find((folder) => folder.code === code)?.state ?? 'dropping';
    if (state !== 'ready') throw notReady(code, state);
  }
  const source = historyOf?.id ?? parent.id;
  const [last] = await session.query<{ state: string }>(sql`
    select concat_ws(' ', (select max(id) from rustine.integration where folder = ${source}),
      (select count(*) from rustine.element where folder = ${source})) as state`);
  return last?.state ?? '';
}

async function insertFolder(session: Session, folder: NewFolder, roles: boolean, operator: string): Promise<Folder> {
  const schema = folder.code.toLowerCase();
  await checkCreatable(session, [folder.code], roles);
  const role = roles ? await roleName(session, folder.code) : null;
  const [row] = await session.query<{ id: number }>(sql`
    insert into rustine.folder (code, parent, state, schema_name, role_name, languages, activity_codes, activity_sizes, legislations, modules, test, specific, history_of, created_by)
    values (${folder.code}, ${folder.parent?.id ?? null}, 'creating', ${schema}, ${role}, ${folder.languages}, ${folder.activityCodes}, ${JSON.stringify(folder.activitySizes)}::jsonb,
      ${folder.legislations}, ${folder.modules}, ${folder.test}, ${folder.specific}, ${folder.historyOf?.id ?? null}, ${operator})
    returning id`);
  const { code, languages, activityCodes, activitySizes, legislations, modules, test, specific } = folder;
  return {
    id: row?.id ?? 0,
    code,
    parent: folder.parent?.code ?? null,
    depth: (folder.parent?.depth ?? -1) + 1,
    state: 'creating',
    schema,
    role,
    languages,
    activityCodes,
    activitySizes,
    legislations,
    modules,
    test,
    specific,
    historyOf: folder.historyOf?.code ?? null,
    due: [],
    ancestors:
      folder.parent === null ? [] : [folder.parent, ...folder.ancestors].map(({ id, code, schema }) => ({ id, code, schema })),
  };
}

/**
 * The new folder has what the parent's patches brought to the dictionary, so it has these patches. Those that also carried data rows or
 * scripts to run stay open (no APATCH row): they show as lag, and integrating them brings just that, whatever came after them.
 */
async function copyLevel(session: Session, folder: Folder, parent: Folder, operator: string): Promise<void> {
  const concerned = await session.query<{ id: string; open: boolean }>(sql`
    with had as (
      select distinct on (file) * from rustine.integrated where folder = ${parent.id} and apatch_num is not null order by file, id desc)
    select id::text, rows > 0 or left_out <> '{}' or exists (select from rustine.integrated i where i.folder = had.folder and i.file = had.file and i.digest = had.digest
      -- Integrated again for more codes, a patch runs only what it did not run the first time.
      and (jsonb_array_length(coalesce(i.outcome -> 'pending', '[]')) > 0 or coalesce((i.outcome #>> '{scripts,run}')::integer, 0) > 0)) as open
    from had where patch_type <> '2' order by had.id`);
  const open = concerned.flatMap((each) => (each.open ? [each.id] : []));
  const whole = concerned.flatMap((each) => (each.open ? [] : [each.id]));
  // APATCH first: its row is in the chain of what was written to the folder.
  await session.query(sql`
    insert into ${id(folder.schema, 'apatch')} (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
    select num_0, fic_0, current_date, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, now(), creusr_0, now(), updusr_0, gen_random_uuid()
    from ${id(parent.schema, 'apatch')} where fic_0 in (select left(file, 255) from rustine.integration where id = any(${whole}::bigint[]))`);
  // In the order in which the dictionary came: rows alone may have come later.
  await session.query(sql`
    insert into rustine.integration (folder, file, digest, patch_type, series, number, version, apatch_num, operator, authorized, ignored, forced, rows, outcome)
    select ${folder.id}, file, digest, patch_type, series, number, version, case when id <> all(${open}::bigint[]) then apatch_num end, ${operator}, authorized, ignored, forced, rows, outcome
    from rustine.integration i where id = any(${[...open, ...whole]}::bigint[]) order by coalesce((
      select max(o.id) from rustine.integrated o where i.rows_only and not o.rows_only and o.folder = i.folder and o.file = i.file and o.digest = i.digest and o.id < i.id), i.id)`);
}

/**
 * What people changed in the parent they changed for the new folder too, and what waits for a decision there waits here: else their values would
 * count as changed by nobody. Only where the new folder has the same content: other languages make another one.
 */
async function copyKept(session: Session, folder: Folder, parent: Folder): Promise<void> {
  await session.query(sql`
    update rustine.record r set changed = p.changed from rustine.record p
    where p.folder = ${parent.id} and cardinality(p.changed) > 0 and r.folder = ${folder.id} and r.type = p.type and r.name = p.name and r.tag = p.tag
      and r.key = p.key and r.content = p.content`);
  await session.query(sql`
    insert into rustine.offer (folder, type, name, tag, key, scope, code, position, content, before, integration, since)
    select ${folder.id}, o.type, o.name, o.tag, o.key, o.scope, o.code, o.position, o.content, o.before, o.integration, o.since
    from rustine.offer o
    left join rustine.record p on p.folder = o.folder and p.type = o.type and p.name = o.name and p.tag = o.tag and p.key = o.key
    left join rustine.record r on r.folder = ${folder.id} and r.type = o.type and r.name = o.name and r.tag = o.tag and r.key = o.key
    where o.folder = ${parent.id} and (p.content = r.content or (o.scope = 'element' and p.content is not distinct from r.content))`);
}
