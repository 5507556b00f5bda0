// The verbs that make folders: the environment with its supervisor folder, and folders below it.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { FolderCode } from '../base/ids.ts';
import { folderCode, languageCode, legislationCode, sizedActivityCodes } from '../base/ids.ts';
import { unstage } from '../batch/run.ts';
import type { Database } from '../database/database.ts';
import { readEnvironment, readFolders } from '../environment/catalog.ts';
import { createEnvironment } from '../environment/environment.ts';
import type { Folder } from '../environment/folder.ts';
import { ancestorsOf } from '../environment/folder.ts';
import { checkHistory, checkParent } from '../environment/place.ts';
import type { StagedDelivery } from '../integrate/integrator.ts';
import { withLease } from '../journal/processes.ts';
import { settleRuns } from '../journal/settling.ts';
import type { Delivery } from '../plan/delivery.ts';
import { dictionaryDelivery } from '../plan/dictionary-delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import { kernelDelivery } from '../plan/kernel.ts';
import { sweepStaging } from '../plan/staging.ts';
import type { FolderSource, NewFolder } from '../validate/creation.ts';
import { checkCreatable, createFolder } from '../validate/creation.ts';
import { fillFromLive } from '../validate/history.ts';
import { folderViews } from './folder-views.ts';
import { checkHistorySettings, settingsOfLive } from './history-options.ts';
import { openSettled } from './opened-environment.ts';
import type { FolderOptions, FolderView, InitOptions, Opened } from './rustine.ts';
import { SCRIPT_TIMEOUT_MS } from './script-limit.ts';

const DEFAULT_SUPERVISOR = 'X3';
const DEFAULT_LANGUAGES: readonly string[] = ['ENG', 'FRA'];

/** Creates catalog and supervisor folder; after a crash between the two it goes on with the second. */
export async function initialize(
  opened: Opened,
  options: InitOptions,
): Promise<{ readonly supervisor: FolderView; readonly findings: readonly Finding[] }> {
  const { database, operator } = opened;
  const limit = opened.settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS;
  const code = folderCode(options.supervisor ?? DEFAULT_SUPERVISOR);
  const languages = languagesOf(options.languages) ?? DEFAULT_LANGUAGES;
  const { roles, findings } = await makeCatalog(database, code);
  const folder: NewFolder = {
    code,
    parent: null,
    ancestors: [],
    languages,
    activityCodes: [],
    activitySizes: {},
    legislations: [],
    modules: null,
    test: false,
    specific: false,
    historyOf: null,
  };
  const more = await withSource(opened, kernelDelivery, (source) =>
    createFolder(database, folder, source, roles, operator, limit),
  );
  return { supervisor: await viewOf(database, code), findings: [...findings, ...more] };
}

async function makeCatalog(
  database: Database,
  code: FolderCode,
): Promise<{ readonly roles: boolean; readonly findings: readonly Finding[] }> {
  const there = await readEnvironment(database);
  if (there !== undefined && there.supervisor === code && (await readFolders(database)).length === 0)
    return { roles: there.roles, findings: [] };
  const { roles, user } = await database.transaction((session) => createEnvironment(session, code));
  return { roles, findings: roles ? [] : [{ code: 'roles-unavailable', severity: 'warn', facts: { user } }] };
}

/**
 * Creates folders one after the other, each in a transaction of its own; those with the same settings share a plan.
 * @throws Refusal before anything changes when a code or parent is wrong
 */
export async function createFolders(
  opened: Opened,
  codes: readonly string[],
  options: FolderOptions,
): Promise<{ readonly folders: readonly FolderView[]; readonly findings: readonly Finding[] }> {
  const { database, operator } = opened;
  const limit = opened.settings.scriptTimeoutMs ?? SCRIPT_TIMEOUT_MS;
  const environment = await openSettled(database);
  const existing = await readFolders(database);
  const live = options.historyOf === undefined ? null : findFolder(existing, folderCode(options.historyOf), 'folder-unknown');
  const parent = findFolder(
    existing,
    folderCode(options.parent ?? live?.parent ?? environment.supervisor),
    'folder-parent-unknown',
  );
  const ancestors = ancestorsOf(parent.code, new Map(existing.map((folder) => [folder.code, folder])));
  const wanted = codes.map((text) => newFolder(folderCode(text), [parent, ...ancestors], live, options));
  for (const [at, { code }] of wanted.entries()) {
    if (live !== null) checkHistory(code, live);
    if (wanted.findIndex((folder) => folder.code === code) < at) throw new Refusal('folder-named-twice', { folder: code });
    checkParent(code, [parent, ...ancestors]);
    if (live !== null) checkHistorySettings(code, live, options);
  }
  await checkCreatable(
    database,
    wanted.map(({ code }) => code),
    environment.roles,
  );
  const findings: Finding[] = [];
  const created: string[] = [];
  await withSource(
    opened,
    () =>
      live === null
        ? dictionaryDelivery(database, parent, { scripts: options.test === true || options.specific === true })
        : dictionaryDelivery(database, { ...live, ancestors: [] }, { scripts: true }),
    async (source) => {
      for (const folder of wanted) {
        const making =
          live === null
            ? createFolder(database, folder, source, environment.roles, operator, limit)
            : createFolder(database, folder, source, environment.roles, operator, limit, fillFromLive);
        const found = await making.catch((error: unknown) => {
          throw created.length === 0 ? error : partly(created, folder.code, error);
        });
        findings.push(...found);
        created.push(folder.code);
      }
    },
  );
  const views = await folderViews(database);
  return { folders: wanted.flatMap(({ code }) => views.filter((view) => view.code === code)), findings };
}

function newFolder(
  code: FolderCode,
  [parent, ...ancestors]: readonly [Folder, ...Folder[]],
  live: Folder | null,
  options: FolderOptions,
): NewFolder {
  const place = { code, parent, ancestors, historyOf: live };
  // Copies of the live folder's scripts come whatever it is.
  if (live !== null) return { ...place, ...settingsOfLive(live), test: true };
  return {
    ...place,
    languages: languagesOf(options.languages) ?? parent.languages,
    ...sizedActivityCodes(options.activityCodes ?? []),
    legislations: [...new Set((options.legislations ?? []).map(legislationCode))],
    modules: options.modules ?? null,
    test: options.test ?? false,
    specific: options.specific ?? false,
  };
}

/** No longer a refusal, which says that nothing changed. Bugs stay bugs. */
function partly(created: readonly string[], folder: FolderCode, error: unknown): unknown {
  if (!(error instanceof Refusal) && !(error instanceof Failure)) return error;
  return new Failure('folder-create-partial', { ...error.facts, created, folder, cause: error.code }, error);
}

function findFolder(folders: readonly Folder[], code: FolderCode, refusal: 'folder-unknown' | 'folder-parent-unknown'): Folder {
  const folder = folders.find((each) => each.code === code);
  if (folder === undefined) throw new Refusal(refusal, { folder: code, parent: code, known: folders.map((each) => each.code) });
  return folder;
}

function languagesOf(codes: readonly string[] | undefined): readonly string[] | undefined {
  return codes === undefined || codes.length === 0 ? undefined : [...new Set(codes.map(languageCode))];
}

async function viewOf(database: Database, code: FolderCode): Promise<FolderView> {
  const view = (await folderViews(database)).find((each) => each.code === code);
  if (view === undefined) throw new Refusal('folder-unknown', { folder: code, known: [] });
  return view;
}

/** Stages what the folders start from, once for each state of the parent: it is asked for while the parent is locked. */
export async function withSource<Result>(
  { database, operator }: Opened,
  deliver: () => Promise<Delivery>,
  work: (source: FolderSource) => Promise<Result>,
): Promise<Result> {
  await settleRuns(database);
  await sweepStaging(database);
  return withLease(database, operator, async ({ process: lease }) => {
    const byState = new Map<string, StagedDelivery>();
    const source: FolderSource = async (state) => {
      const known = byState.get(state);
      if (known !== undefined) return known;
      const delivery = await deliver();
      const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
      const staged: StagedDelivery = { delivery, stagedAs, lease, plans: new Map() };
      byState.set(state, staged);
      return staged;
    };
    try {
      return await work(source);
    } finally {
      await unstage(database, [...byState.values()]);
    }
  });
}
