// Controls of a validation: each folder's state, and that what it is to be in line with is itself as it should be (R35). Pure.
import type { Finding } from '../base/finding.ts';
import { ancestorsOf, type Folder } from '../environment/folder.ts';
import { found } from './checks.ts';
import { lostSchema } from './folder-checks.ts';
import { serverFindings } from './server-checks.ts';
import type { ValidationFacts } from './validation-facts.ts';

export interface ValidationControls {
  /** Folders of the run. */
  readonly folders: readonly Folder[];
  /** All folders of the server. */
  readonly all: readonly Folder[];
  readonly facts: ValidationFacts;
  /** Folders worked on at the same time. */
  readonly jobs: number;
  /** On a further server: what mirrors lack of their originals and do not get now. */
  readonly behind?: MirrorsBehind;
}

export interface MirrorsBehind {
  readonly server: string;
  /** Mirror → files. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** The folder that another one is in line with: its parent; of a history folder, the one that it belongs to. */
export function leaderOf({ parent, historyOf }: Pick<Folder, 'parent' | 'historyOf'>): string | null {
  return historyOf ?? parent;
}

/** Those outside of the run that folders of it follow. */
export function leadersOutside(folders: readonly Folder[], all: readonly Folder[]): readonly Folder[] {
  const codes = new Set(folders.map(({ code }) => code));
  const leaders = new Set(folders.flatMap((folder) => leaderOf(folder) ?? []).filter((code) => !codes.has(code)));
  return all.filter(({ code }) => leaders.has(code));
}

/** Those of a folder keep that one, and no other. */
export function validationFindings(controls: ValidationControls): readonly Finding[] {
  const { shares, server } = controls.facts;
  const ofServer = serverFindings(server, { shares, scope: 'folder', jobs: controls.jobs });
  return [...ofServer, ...folderFindings(controls), ...mirrorFindings(controls)];
}

/** In line with a mirror that is behind, a folder would be called in line with what its ancestor had. */
function mirrorFindings({ folders, all, behind }: ValidationControls): readonly Finding[] {
  if (behind === undefined || behind.files.size === 0) return [];
  const byCode = new Map<string, Folder>(all.map((folder) => [folder.code, folder]));
  const parts = folders.flatMap((folder) => {
    const parents = ancestorsOf(folder.code, byCode).flatMap(({ code }) => (behind.files.has(code) ? [String(code)] : []));
    const files = [...new Set(parents.flatMap((code) => behind.files.get(code) ?? []))];
    return files.length === 0 || folder.mirror === true ? [] : [{ folder, parents, files }];
  });
  return parts.map(({ folder: { code }, parents, files }) => {
    const alike = parts.filter((part) => part.files.join() === files.join()).map(({ folder }) => folder.historyOf ?? folder.code);
    // One command for all of them.
    const command = `rustine integrate ${files.join(' ')} --folders ${[...new Set(alike)].join(',')}`;
    return found('mirror-lags', { folder: code }, { folder: code, parents, server: behind.server, files, command });
  });
}

function folderFindings({ folders, all, facts: { lag, lost } }: ValidationControls): readonly Finding[] {
  const without = new Map(lost.map((each) => [each.folder, each]));
  const outside = new Map(leadersOutside(folders, all).map((folder) => [folder.code, folder]));
  return folders.flatMap((folder): readonly Finding[] => {
    const { code, state } = folder;
    const place = { folder: code };
    const mine = without.get(code);
    const own = [
      ...(state === 'creating' || state === 'dropping' ? [found('folder-not-ready', place, { folder: code, state })] : []),
      // A folder that is just made has none yet.
      ...(mine !== undefined && state !== 'creating' && state !== 'dropping' ? [lostSchema(mine, code)] : []),
    ];
    const leader = outside.get(leaderOf(folder) ?? '');
    if (leader === undefined) return own;
    const facts = { folder: code, parent: leader.code, command: `rustine validate ${leader.code} ${code}` };
    if (leader.state !== 'ready') return [...own, found('parent-not-ready', place, { ...facts, state: leader.state })];
    const theirs = without.get(leader.code);
    if (theirs !== undefined) return [...own, lostSchema(theirs, code)];
    const files = lag.get(leader.code) ?? [];
    return files.length === 0 ? own : [...own, found('parent-lags', place, { ...facts, files })];
  });
}
