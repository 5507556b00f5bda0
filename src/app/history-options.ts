// Options of a history folder's creation: its settings are its live folder's, whatever else is asked for is refused. Pure.
import { Refusal } from '../base/errors.ts';
import { folderCode, languageCode, legislationCode, sizedActivityCodes } from '../base/ids.ts';
import type { Folder } from '../environment/folder.ts';
import type { NewFolder } from '../validate/creation.ts';
import type { FolderOptions } from './rustine.ts';

export function settingsOfLive(live: Folder): Omit<NewFolder, 'code' | 'parent' | 'ancestors' | 'historyOf'> {
  const { languages, activityCodes, activitySizes, legislations, modules, test, specific } = live;
  return { languages, activityCodes, activitySizes, legislations, modules, test, specific };
}

/** Asked for with the same value, a setting changes nothing. @throws Refusal `folder-history-settings` */
export function checkHistorySettings(folder: string, live: Folder, options: FolderOptions): void {
  const { parent, languages = [], legislations, modules, activityCodes, test, specific } = options;
  const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
  const set = <Value extends string | number>(values: readonly Value[]): readonly Value[] => [...new Set(values)].toSorted();
  const sizes = (each: Readonly<Record<string, number>>): unknown => Object.entries(each).toSorted();
  const codes = activityCodes === undefined ? undefined : sizedActivityCodes(activityCodes);
  const differs: Readonly<Record<string, boolean>> = {
    '--parent': parent !== undefined && folderCode(parent) !== live.parent,
    '--languages': languages.length > 0 && !same([...new Set(languages.map(languageCode))], live.languages),
    '--legislations': legislations !== undefined && !same(set(legislations.map(legislationCode)), set(live.legislations)),
    '--modules': modules !== undefined && (live.modules === null || !same(set(modules), set(live.modules))),
    '--activity-codes':
      codes !== undefined &&
      !(same(set(codes.activityCodes), set(live.activityCodes)) && same(sizes(codes.activitySizes), sizes(live.activitySizes))),
    '--test': test !== undefined && test !== live.test,
    '--specific': specific !== undefined && specific !== live.specific,
  };
  const wrong = Object.keys(differs).filter((option) => differs[option]);
  if (wrong.length > 0) throw new Refusal('folder-history-settings', { folder, of: live.code, options: wrong });
}
