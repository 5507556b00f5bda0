// The verb that changes a folder's settings: from what was asked to what changed, and what is due now.
import { Failure, Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode, languageCode, legislationCode, sizedActivityCodes } from '../base/ids.ts';
import { unlockFolder as unlock } from '../environment/folder-lock.ts';
import { letIn } from '../environment/logins.ts';
import type { Setting, SettingsChange } from '../environment/settings-change.ts';
import { changeSettings } from '../environment/settings-change.ts';
import { changeInFolder } from './folder-transaction.ts';
import { folderViews, oneView } from './folder-views.ts';
import { existingFolders, known } from './known-folders.ts';
import { openSettled } from './opened-environment.ts';
import type { FolderView, Opened } from './rustine.ts';

export interface ChangedFolder {
  readonly folder: FolderView;
  /** Settings that differ from what they were. */
  readonly changed: readonly Setting[];
  readonly findings: readonly Finding[];
}

/** @throws Refusal as `changeSettings`, and `run-active`; Failure `lock-timeout` where somebody else holds the folder */
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
    ...(activityCodes === undefined ? {} : sizedActivityCodes(activityCodes)),
  };
  await openSettled(database);
  // With another parent, the lookup of all that descend from it changes.
  const moved = change.parent === undefined ? {} : { also: [change.parent], below: [code] };
  const { changed, findings } = await changeInFolder(
    database,
    code,
    (session) => changeSettings(session, code, change, operator),
    moved,
  );
  const [folder] = (await folderViews(database)).filter((view) => view.code === code);
  if (folder === undefined) throw new Failure('folder-unknown', { folder: code, known: [] });
  return { folder, changed, findings };
}

/** @throws Refusal `folder-not-locked`, `run-active` */
export async function unlockFolder({ database, operator }: Opened, text: string, reason: string): Promise<FolderView> {
  const { code } = known(await existingFolders(database), text);
  const was = await changeInFolder(database, code, (session) => unlock(session, code, reason, operator));
  if (was === undefined) throw new Refusal('folder-not-locked', { folder: code });
  // Where that fails, the next command lets them in.
  await letIn(database, 'over').catch(() => undefined);
  return oneView(database, code);
}
