// A run that takes a patch back from folders (R38): checks of all of them first, then the deepest folders first, a transaction for each.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import type { Folder } from '../environment/folder.ts';
import { checkRevert } from '../integrate/revert.ts';
import { settingsOf } from '../integrate/settings.ts';
import type { RunEvent, RunListener } from '../journal/journal.ts';
import type { FolderOutcome, RunMode, RunOutcome } from '../journal/outcome.ts';
import { emptyOutcome } from '../journal/outcome.ts';
import type { Forced } from '../plan/checks.ts';
import { joinedBelow } from '../plan/revert-checks.ts';
import { inTurn } from './in-turn.ts';
import { type Reverting, revertWaves } from './revert-waves.ts';
import { stateOf } from './run.ts';
import { openJournal } from './run-journal.ts';
import { enterSingleUser, lookForSessions, type SessionOptions, type SingleUser } from './single-user.ts';
import type { StartedRun } from './started-run.ts';

export interface RevertedElsewhere {
  readonly folders: readonly FolderOutcome[];
  readonly failed: boolean;
  /** Folder here → those below it, there, that still have the patch. */
  readonly above: ReadonlyMap<string, readonly string[]>;
}

/** The part of the run that is on other servers. */
export interface RevertElsewhere {
  /** @returns what was found there once nobody else is in: it may block the whole run */
  ready(): Promise<readonly Finding[]>;
  /** Lets them begin: folders there are below those here. @returns when they have ended */
  revert(tell: (event: RunEvent) => void): Promise<RevertedElsewhere>;
  /** The run ended here: what has not begun there never does. @returns when what has begun has ended */
  abandon(): Promise<void>;
}

export interface RevertRequest {
  /** Its folders are taken. */
  readonly started: StartedRun;
  readonly mode: RunMode;
  readonly file: string;
  /** Folders given, as they are now. */
  readonly folders: readonly Folder[];
  readonly operator: string;
  readonly reason: string | undefined;
  readonly forced: Forced;
  readonly jobs: number;
  /** For one folder, all attempts together. */
  readonly lockTimeoutMs: number;
  /** Of the folders' states, found before. */
  readonly findings: readonly Finding[];
  readonly listener: RunListener;
  readonly stopPoint: (name: string) => void;
  readonly sessions: SessionOptions;
  readonly elsewhere?: RevertElsewhere;
  /** Of a part on another server: ready to begin, it waits to be let go. @returns what blocks it after all */
  readonly hold?: (findings: readonly Finding[]) => Promise<readonly Finding[]>;
}

export async function runRevert(database: Database, request: RevertRequest): Promise<RunOutcome> {
  const { started, mode, file, folders, forced, stopPoint, elsewhere } = request;
  const { id, cancelling } = started;
  const journal = await openJournal(database, {
    ...request,
    // What a folder gave back is written in its transaction; a rehearsal leaves nothing there.
    writtenThere: (event) => event.kind === 'patch-finished' && event.outcome.state === 'reverted' && mode === 'revert',
  });
  const { emit, found, findings } = journal;
  emit({
    kind: 'run-started',
    run: id,
    mode,
    files: [file],
    folders: [...folders.map(({ code }) => code), ...started.elsewhere],
  });
  found([...started.findings, ...request.findings]);
  const checked = blocks(findings) ? [] : await checkAll(database, request);
  let single: SingleUser | undefined;
  const refused = async (): Promise<RunOutcome> => {
    found((await single?.leave()) ?? []);
    const left = cancelling.soft.aborted ? ('cancelled' as const) : ('skipped' as const);
    return journal.finish(
      left === 'cancelled' ? left : 'refused',
      folders.map((folder) => leftOut(folder, file, left)),
    );
  };
  try {
    if (blocks([...findings, ...checked])) {
      // Who is there is told with everything else.
      const there = await lookForSessions(database, folders, forced.sessions !== undefined);
      // Where others have folders here, it must not keep them from those elsewhere.
      const far = blocks(started.findings) ? [] : ((await elsewhere?.ready()) ?? []);
      found(joinedBelow([...checked, ...there, ...far]));
      await request.hold?.(findings);
      return await refused();
    }
    found(checked);
    await journal.written();
    single = await enterSingleUser(database, {
      run: id,
      lease: started.lease.process,
      folders,
      forced: forced.sessions !== undefined,
      ...request.sessions,
      soft: cancelling.soft,
      emit,
      stopPoint,
    });
    found(single.findings);
    cancelling.onRequest((by, hard) => emit({ kind: 'run-cancelled', run: id, by, hard }));
    found((await elsewhere?.ready()) ?? []);
    found((await request.hold?.(findings)) ?? []);
    if (blocks(findings)) return await refused();
    stopPoint('revert-begun');
    const far = await elsewhere?.revert(journal.emitFar);
    const reverting: Reverting = {
      ...request,
      database,
      run: id,
      process: started.lease.process,
      journal,
      cancelling,
      through: single.through,
    };
    const outcomes = await revertWaves(reverting, far?.above ?? new Map());
    found(await single.leave());
    const here = folders.map((folder) => outcomes.get(folder.code) ?? leftOut(folder, file, 'skipped'));
    const all = [...here, ...(far?.folders ?? [])];
    const state = stateOf(all);
    return await journal.finish(far?.failed === true && state === 'done' ? 'partial' : state, all);
  } finally {
    await elsewhere?.abandon();
    // Where that fails, the next command lets them in.
    await single?.leave().catch(() => undefined);
  }
}

/** All of them, so that everything is told together. */
async function checkAll(database: Database, { folders, file, jobs, started }: RevertRequest): Promise<readonly Finding[]> {
  const taken = new Set([...folders.map(({ code }) => code), ...started.elsewhere]);
  const found = new Map<string, readonly Finding[]>();
  await inTurn(folders, {
    jobs,
    soft: started.cancelling.soft,
    broken: () => undefined,
    work: async (folder) => {
      if (!started.cancelling.soft.aborted) found.set(folder.code, await checkRevert(database, settingsOf(folder), file, taken));
      return [];
    },
  });
  return folders.flatMap(({ code }) => found.get(code) ?? []);
}

function leftOut(folder: Folder, file: string, state: 'skipped' | 'cancelled'): FolderOutcome {
  return { folder: folder.code, state, due: folder.due.length > 0, patches: [emptyOutcome(file, 'skipped', 0)] };
}
