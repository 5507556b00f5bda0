// What a plan depends on, taken from a folder of the catalog. Pure.
import type { Folder } from '../environment/folder.ts';
import type { FolderSettings } from '../plan/plan.ts';

export function settingsOf(folder: Folder): FolderSettings {
  const { id, code, schema, parent, test, specific, languages, activityCodes, activitySizes, modules, ancestors, role, mirror } =
    folder;
  return {
    id,
    code,
    schema,
    supervisor: parent === null,
    test,
    specific,
    languages,
    activityCodes,
    activitySizes,
    modules,
    ancestors,
    role,
    ...(mirror === true ? { mirror } : {}),
  };
}
