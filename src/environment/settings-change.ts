// Changes a folder's settings in one transaction: its row, its place in the tree, the rights that follow from it, its activity codes (R2).
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { id, sql } from '../database/sql.ts';
import { readFolders } from './catalog.ts';
import type { Folder } from './folder.ts';
import { ancestorsOf } from './folder.ts';
import { lockWithAncestors } from './folder-locks.ts';
import { notReady } from './folder-state.ts';
import { checkNoHistory, checkParent } from './place.ts';
import { moveRole } from './roles.ts';

/** What is absent stays as it is. */
export interface SettingsChange {
  readonly parent?: string;
  readonly languages?: readonly string[];
  readonly legislations?: readonly string[];
  /** null: all of them. */
  readonly modules?: readonly number[] | null;
  /** To `setFolder`, a code may come with its number of slots: `KIT:5`. */
  readonly activityCodes?: readonly string[];
  /** Together with `activityCodes`: the number of slots that the folder itself sets. */
  readonly activitySizes?: Readonly<Record<string, number>>;
  readonly test?: boolean;
  readonly specific?: boolean;
}

export type Setting = 'parent' | 'languages' | 'legislations' | 'modules' | 'activity-codes' | 'test' | 'specific';

/** Settings that say what the folder holds: it must be validated after a change of one. */
const VALIDATED: readonly Setting[] = ['parent', 'languages', 'legislations', 'modules', 'activity-codes'];

export interface SettingsChanged {
  /** Those that differ from what they were. */
  readonly changed: readonly Setting[];
  readonly findings: readonly Finding[];
}

/**
 * @param asked somebody asks for it; else it follows from the settings of another folder
 * @throws Refusal `history-folder-follows`, `folder-unknown`, `folder-not-ready`, `folder-is-supervisor`, `folder-parent-cycle`, `folder-parent-history`; nothing is changed then
 */
export async function changeSettings(
  session: Session,
  code: string,
  change: SettingsChange,
  operator: string,
  asked = true,
): Promise<SettingsChanged> {
  await lockTree(session, code, change.parent);
  const folders = await readFolders(session);
  const folder = known(folders, code);
  if (asked) {
    checkNoHistory(folder, 'settings');
    checkReady(folder);
  }
  const parent =
    change.parent === undefined || change.parent === folder.parent ? undefined : newParent(folders, folder, change.parent);
  const changed = settingsChanged(folder, change);
  const findings = change.activityCodes === undefined ? [] : await unknownCodes(session, folder, change.activityCodes);
  if (changed.length === 0) return { changed, findings };
  const due = asked ? changed.filter((setting) => VALIDATED.includes(setting)) : [];
  await writeRow(session, folder, { ...change, ...(parent === undefined ? {} : { parentId: parent.id }) }, due);
  if (parent !== undefined) await moveRoles(session, folders, folder, parent);
  if (change.activityCodes !== undefined) await switchCodes(session, folder, change, operator);
  return { changed, findings };
}

/** Integrations, creations below and other changes of the same folders wait. With another parent, rights on the schemas of both chains change. */
async function lockTree(session: Session, code: string, parent: string | undefined): Promise<void> {
  if (parent === undefined) await session.query(sql`select from rustine.folder where code = ${code} for no key update`);
  else await lockWithAncestors(session, [code, parent], [code]);
}

function known(folders: readonly Folder[], code: string): Folder {
  const folder = folders.find((each) => each.code === code);
  if (folder === undefined) throw new Refusal('folder-unknown', { folder: code, known: folders.map((each) => each.code) });
  return folder;
}

function checkReady({ code, state }: Folder): void {
  // A setting may be what its validation failed of.
  if (state !== 'ready' && state !== 'locked') throw notReady(code, state);
}

function newParent(folders: readonly Folder[], folder: Folder, code: string): Folder {
  if (folder.parent === null) throw new Refusal('folder-is-supervisor', { folder: folder.code });
  const parent = known(folders, code);
  checkReady(parent);
  const chain = [parent, ...ancestorsOf(parent.code, byCode(folders))];
  const at = chain.findIndex((each) => each.code === folder.code);
  if (at >= 0) {
    const cycle = [folder.code, ...chain.slice(0, at + 1).map((each) => each.code)];
    throw new Refusal('folder-parent-cycle', { folder: folder.code, parent: code, cycle });
  }
  checkParent(folder.code, chain);
  return parent;
}

const byCode = (folders: readonly Folder[]): ReadonlyMap<string, Folder> => new Map(folders.map((each) => [each.code, each]));

function settingsChanged(folder: Folder, change: SettingsChange): readonly Setting[] {
  // The first language gives the text where a column has one only, so their order counts; that of codes says nothing.
  const list = (values: readonly (string | number)[] | null | undefined): string => JSON.stringify(values ?? null);
  const set = (values: readonly (string | number)[] | null | undefined): string => list(values?.toSorted() ?? null);
  const sizes = (each: Readonly<Record<string, number>>): string => JSON.stringify(Object.entries(each).sort());
  const differs: Readonly<Record<Setting, boolean>> = {
    parent: change.parent !== undefined && change.parent !== folder.parent,
    languages: change.languages !== undefined && list(change.languages) !== list(folder.languages),
    legislations: change.legislations !== undefined && set(change.legislations) !== set(folder.legislations),
    modules: change.modules !== undefined && set(change.modules) !== set(folder.modules),
    'activity-codes':
      change.activityCodes !== undefined &&
      (set(change.activityCodes) !== set(folder.activityCodes) ||
        sizes(change.activitySizes ?? {}) !== sizes(folder.activitySizes)),
    test: change.test !== undefined && change.test !== folder.test,
    specific: change.specific !== undefined && change.specific !== folder.specific,
  };
  return (Object.keys(differs) as Setting[]).filter((setting) => differs[setting]);
}

async function writeRow(
  session: Session,
  folder: Folder,
  change: SettingsChange & { readonly parentId?: number },
  due: readonly Setting[],
): Promise<void> {
  const { languages = folder.languages, legislations = folder.legislations, activityCodes = folder.activityCodes } = change;
  const { test = folder.test, specific = folder.specific } = change;
  const activitySizes = change.activityCodes === undefined ? folder.activitySizes : (change.activitySizes ?? {});
  const modules = change.modules === undefined ? folder.modules : change.modules;
  await session.query(sql`
    update rustine.folder set parent = coalesce(${change.parentId ?? null}, parent), languages = ${languages}, legislations = ${legislations},
      modules = ${modules}, activity_codes = ${activityCodes}, activity_sizes = ${JSON.stringify(activitySizes)}::jsonb, test = ${test}, specific = ${specific},
      due = array(select distinct unnest(due || ${due}::text[]) order by 1)
    where id = ${folder.id}`);
}

/** The folder's role and those of all that descend from it: lookup and rights follow the tree (R3, R4). */
async function moveRoles(session: Session, folders: readonly Folder[], folder: Folder, parent: Folder): Promise<void> {
  const [before, after] = [
    byCode(folders),
    byCode(folders.map((each) => (each.code === folder.code ? { ...each, parent: parent.code } : each))),
  ];
  const schemas = (code: string, tree: ReadonlyMap<string, Folder>): readonly string[] =>
    ancestorsOf(code, tree).map((each) => each.schema);
  for (const each of folders) {
    const own = each.code === folder.code || ancestorsOf(each.code, before).some((ancestor) => ancestor.code === folder.code);
    if (!own) continue;
    // What a half-dropped folder may still do is taken back from its present ancestors.
    if (each.code !== folder.code) checkReady(each);
    if (each.role !== null) await moveRole(session, each.role, each, schemas(each.code, before), schemas(each.code, after));
  }
}

/** Codes that the folder's dictionary does not know: they switch nothing on yet. */
async function unknownCodes(session: Session, folder: Folder, codes: readonly string[]): Promise<readonly Finding[]> {
  const rows = await session.query<{ code: string }>(sql`
    select code from unnest(${codes}::text[]) as c (code)
    where not exists (select from rustine.element e where e.folder = ${folder.id} and e.type = 'ACV' and e.name = c.code) order by 1`);
  return rows.map(({ code }) => ({
    code: 'activity-code-unknown',
    severity: 'warn',
    folder: folder.code,
    subject: `ACV:${code}`,
    facts: { folder: folder.code, code },
  }));
}

/** ADOSACT: codes that come to the list are active; those that go, and sizes that go, are again as they were last delivered. */
async function switchCodes(session: Session, folder: Folder, change: SettingsChange, operator: string): Promise<void> {
  const { activityCodes: codes = [], activitySizes: sizes = {} } = change;
  const come = codes.filter((code) => !folder.activityCodes.includes(code));
  const gone = folder.activityCodes.filter((code) => !codes.includes(code));
  const unsized = Object.keys(folder.activitySizes).filter((code) => !Object.hasOwn(sizes, code));
  await session.query(sql`
    with delivered as (
      select r.name as code, coalesce(d.fields, c.fields) as fields
      from rustine.record r join rustine.content c on c.id = r.content
      left join rustine.offer o on o.folder = r.folder and o.type = r.type and o.name = r.name and o.tag = r.tag and o.key = r.key
      left join rustine.content d on d.id = o.content
      where r.folder = ${folder.id} and r.type = 'ACV' and r.tag = 'ACV' and r.name = any(${[...gone, ...unsized]}::text[])),
    wanted as (
      select code, max(state) as state, max(size) as size from (
        select code, 2::smallint as state, null::integer as size from unnest(${come}::text[]) as c (code)
        union all
        select code, case when code = any(${gone}::text[]) and jsonb_typeof(fields -> 'FLACT') = 'number' then (fields ->> 'FLACT')::numeric::smallint end,
          case when code = any(${unsized}::text[]) and jsonb_typeof(fields -> 'DIME') = 'number' then (fields ->> 'DIME')::numeric::integer end
        from delivered
        union all
        select key, null, value::integer from jsonb_each_text(${JSON.stringify(sizes)}::jsonb)) each_one
      group by code)
    update ${id(folder.schema, 'adosact')} a
    set flact_0 = coalesce(w.state, a.flact_0), dime_0 = coalesce(w.size, a.dime_0), updtick_0 = a.updtick_0 + 1, upddattim_0 = now(), updusr_0 = ${operator.slice(0, 30)}
    from wanted w where a.codact_0 = w.code and a.dossier_0 = ${folder.code} and (a.flact_0 <> w.state or a.dime_0 <> w.size)`);
}
