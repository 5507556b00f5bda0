// Creates a folder and fills it from its parent (or the kernel): schema, rights, dictionary, tables and level in one transaction.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { FolderCode } from '../base/ids.ts';
import type { Database, Session } from '../database/database.ts';
import { id, qualified, quoteIdentifier, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { createRole, protectRecord, roleName } from '../environment/roles.ts';
import type { RunContext, StagedDelivery } from '../integrate/integrator.ts';
import { integrateInto } from '../integrate/integrator.ts';
import { settingsOf } from '../integrate/settings.ts';
import { ROW_SEQUENCE } from '../tables/model.ts';

export interface NewFolder {
  readonly code: FolderCode;
  readonly parent: Folder | null;
  /** The parent's ancestors, nearest first. */
  readonly ancestors: readonly Folder[];
  readonly languages: readonly string[];
  readonly activityCodes: readonly string[];
  readonly test: boolean;
  readonly specific: boolean;
  readonly historyOf: Folder | null;
}

/** How a folder's first dictionary is integrated: everything is let in, no APATCH row, no run. */
function creationContext(operator: string): RunContext {
  return {
    run: '',
    operator,
    ending: 'commit',
    authorized: 'everything',
    forced: {},
    records: false,
    lockTimeoutMs: 30_000,
    nextEvent: () => 0,
    stopPoint: () => undefined,
  };
}

/**
 * @param source what the folder starts from: its parent's dictionary, or the kernel for a supervisor folder
 * @throws Refusal `folder-exists`, `folder-schema-exists`; the findings when the parent's dictionary cannot be generated
 */
export async function createFolder(
  database: Database,
  folder: NewFolder,
  source: StagedDelivery,
  roles: boolean,
  operator: string,
): Promise<readonly Finding[]> {
  return database.transaction(async (session) => {
    const created = await insertFolder(session, folder, roles, operator);
    await session.script(`create schema ${quoteIdentifier(created.schema)}`);
    const ancestors = folder.parent === null ? [] : [folder.parent, ...folder.ancestors];
    if (created.role !== null)
      await createRole(
        session,
        created.role,
        created.schema,
        ancestors.map((each) => each.schema),
      );
    // After the role: its rights cover what is made from then on.
    await session.script(`create sequence ${qualified(created.schema, ROW_SEQUENCE)}`);
    const { findings, outcome } = await integrateInto(session, database, settingsOf(created), source, creationContext(operator));
    if (blocks(findings))
      throw new Refusal('folder-not-creatable', {
        folder: folder.code,
        reasons: findings.map((finding) => `${finding.subject ?? ''} ${finding.code}`),
        elements: outcome.elements.created,
      });
    if (created.role !== null) await protectRecord(session, created.role, created.schema);
    if (folder.parent !== null) await copyLevel(session, created, folder.parent, operator);
    await session.query(sql`update rustine.folder set state = 'ready' where id = ${created.id}`);
    return findings;
  });
}

async function insertFolder(session: Session, folder: NewFolder, roles: boolean, operator: string): Promise<Folder> {
  const schema = folder.code.toLowerCase();
  // Rights on a schema are one row of the server's catalog: two folders that change their ancestors' at the same time would fail.
  await session.query(sql`select from rustine.folder where parent is null for no key update`);
  const [there] = await session.query<{ folder: boolean; schema: boolean }>(sql`
    select exists (select from rustine.folder where code = ${folder.code}) as folder, to_regnamespace(quote_ident(${schema})) is not null as schema`);
  if (there?.folder === true) throw new Refusal('folder-exists', { folder: folder.code });
  if (there?.schema === true) throw new Refusal('folder-schema-exists', { folder: folder.code, schema });
  const role = roles ? await roleName(session, folder.code) : null;
  const [row] = await session.query<{ id: number }>(sql`
    insert into rustine.folder (code, parent, state, schema_name, role_name, languages, activity_codes, test, specific, history_of, created_by)
    values (${folder.code}, ${folder.parent?.id ?? null}, 'creating', ${schema}, ${role}, ${folder.languages}, ${folder.activityCodes},
      ${folder.test}, ${folder.specific}, ${folder.historyOf?.id ?? null}, ${operator})
    returning id`);
  const { code, languages, activityCodes, test, specific } = folder;
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
    test,
    specific,
    historyOf: folder.historyOf?.code ?? null,
    due: [],
  };
}

/**
 * The new folder has what the parent's patches brought to the dictionary, so it has these patches, up to the first that also carried data
 * rows or scripts to run. That one stays open, and so does every later one: they show as lag, and integrating them brings the rows. Were a
 * later one not open, the earlier would put its old dictionary over it.
 */
async function copyLevel(session: Session, folder: Folder, parent: Folder, operator: string): Promise<void> {
  await session.query(sql`
    with had as (
      select distinct on (file) * from rustine.integration where folder = ${parent.id} and apatch_num is not null order by file, id desc),
    concerned as (
      select *, bool_or(rows > 0 or jsonb_array_length(coalesce(outcome -> 'pending', '[]')) > 0) over (order by id) as open
      from had where patch_type <> '2')
    insert into rustine.integration (folder, file, digest, patch_type, series, number, version, apatch_num, operator, authorized, ignored, forced, rows, outcome)
    select ${folder.id}, file, digest, patch_type, series, number, version, apatch_num, ${operator}, authorized, ignored, forced, rows, outcome
    from concerned where not open order by id`);
  await session.query(sql`
    insert into ${id(folder.schema, 'apatch')} (num_0, fic_0, dat_0, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, credattim_0, creusr_0, upddattim_0, updusr_0, auuid_0)
    select num_0, fic_0, current_date, usr_0, patnum_0, release_0, ficrelabr_0, typ_0, nump_0, comment_0, now(), creusr_0, now(), updusr_0, gen_random_uuid()
    from ${id(parent.schema, 'apatch')} a
    where exists (select from rustine.integration i where i.folder = ${folder.id} and left(i.file, 255) = a.fic_0)`);
}
