// Folders as the verbs give them, for tests of what is shown of them.
import type { FolderView } from '../../src/app/rustine.ts';

/** A folder below X3 that is in line, but for what is given. */
export function folderView(more: Partial<FolderView> & Pick<FolderView, 'code'>): FolderView {
  return {
    parent: 'X3',
    state: 'ready',
    level: { P_140: 2 },
    lag: [],
    due: false,
    languages: ['FRA', 'ENG'],
    legislations: [],
    modules: null,
    reasons: [],
    activityCodes: [],
    activitySizes: {},
    test: false,
    specific: false,
    historyOf: null,
    schema: more.code.toLowerCase(),
    role: null,
    tables: 3,
    patches: 2,
    server: null,
    ...more,
  };
}
