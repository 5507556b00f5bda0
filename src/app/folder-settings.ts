// The verb that changes a folder's settings: from what was asked to what changed, and what is due now.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { activityCode, folderCode, languageCode, legislationCode } from '../base/ids.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { openEnvironment } from '../environment/environment.ts';
import { readBlockers } from '../environment/sessions.ts';
import type { Setting, SettingsChange } from '../environment/settings-change.ts';
import { changeSettings } from '../environment/settings-change.ts';
import { folderViews } from './folder-views.ts';
import type { FolderView, Opened } from './rustine.ts';

export interface ChangedFolder {
  readonly folder: FolderView;
  /** Settings that differ from what they were. */
  readonly changed: readonly Setting[];
  readonly findings: readonly Finding[];
}

const LOCK_NOT_AVAILABLE = '55P03';
const LOCK_TIMEOUT = '15s';

/** @throws Refusal as `changeSettings`; Failure `lock-timeout` while a patch is being integrated into the folder */
export async function changeFolder(opened: Opened, text: string, options: SettingsChange): Promise<ChangedFolder> {
  const { database, operator } = opened;
  const code = folderCode(text);
  const { parent, languages, legislations, activityCodes } = options;
  const unique = (codes: readonly string[], of: (code: string) => string): readonly string[] => [...new Set(codes.map(of))];
  const change: SettingsChange = {
    ...options,
    ...(parent === undefined ? {} : { parent: folderCode(parent) }),
    ...(languages === undefined ? {} : { languages: unique(languages, languageCode) }),
    ...(legislations === undefined ? {} : { legislations: unique(legislations, legislationCode) }),
    ...(activityCodes === undefined ? {} : { activityCodes: unique(activityCodes, activityCode) }),
  };
  await openEnvironment(database);
  const { changed, findings } = await database
    .transaction(async (session) => {
      await session.query(sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`);
      return changeSettings(session, code, change, operator);
    })
    .catch(async (error: unknown) => {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      const blockers = await readBlockers(database, code.toLowerCase()).catch(() => []);
      const facts = { folder: code, blocker: blockers.map(({ who }) => who).join('; '), table: blockers[0]?.table ?? '' };
      throw new Failure('lock-timeout', facts, error);
    });
  const [folder] = (await folderViews(database)).filter((view) => view.code === code);
  if (folder === undefined) throw new Failure('folder-unknown', { folder: code, known: [] });
  return { folder, changed, findings };
}
