// A run that was queued, as a worker takes it up: its request from its row, its patch files from the catalog, its checks as things are now.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Database } from '../database/database.ts';
import { readWorkers } from '../journal/processes.ts';
import type { RunFile } from '../journal/run-files.ts';
import { readRunFile, readRunFiles } from '../journal/run-files.ts';
import type { SharedRunRow } from '../journal/shared-runs.ts';
import { formFindings } from '../patch/form-findings.ts';
import type { Delivery } from '../plan/delivery.ts';
import { openDelivery } from '../plan/patch-delivery.ts';
import { checkRequest, type ReadRequest } from './checks.ts';
import { existingFolders } from './known-folders.ts';
import type { Opened } from './rustine.ts';

/** What of the request is not in columns of its own. */
export interface StoredRequest {
  readonly first: readonly string[];
  readonly takeUnchanged: boolean;
  readonly onError: 'continue' | 'stop';
  readonly lockTimeoutMs: number;
  /** How long tasks are waited for, and then sessions; null: tasks until they have ended, sessions not at all, since nobody would end them. */
  readonly waitMs: number | null;
  readonly disconnect: boolean;
  readonly atomic: boolean;
  /** Folders at the same time, of a run that one worker carries out whole; null: as many as that one does. */
  readonly jobs: number | null;
}

export interface StoredRun {
  readonly row: SharedRunRow;
  readonly request: StoredRequest;
  readonly asked: ReadRequest;
  readonly tasks: ReadonlyMap<string, ReadonlyMap<string, 'integrate' | 'already' | 'not-concerned'>>;
  readonly findings: readonly Finding[];
}

/** @throws Failure `run-lost` where it has ended and its files are gone, `patch-changed` */
export async function openStoredRun(opened: Opened, row: SharedRunRow): Promise<StoredRun> {
  const { database } = opened;
  // First: they may be large, and the folders are to be those of the moment of the checks.
  const deliveries = await openStoredFiles(database, row.id);
  const all = await existingFolders(database);
  const folders = all.filter(({ code }) => row.folders.includes(code));
  const asked: ReadRequest = {
    supervisor: all.find(({ parent }) => parent === null)?.code ?? '',
    from: row.from,
    all,
    folders,
    authorized: row.authorized,
    forced: row.forced,
    deliveries,
    unread: [],
    findings: [],
  };
  const scope = row.mode === 'rehearse' ? 'folder' : 'patch';
  const { tasks, findings } = await checkRequest(opened, asked, { jobs: await jobsOfWorkers(opened), scope, attended: false });
  return { row, request: row.request as unknown as StoredRequest, asked, tasks, findings };
}

/** @throws Failure `run-lost` where it has ended and its files are gone, `patch-changed` */
export async function openStoredFiles(database: Database, run: string): Promise<readonly Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const file of await readRunFiles(database, run)) deliveries.push(await openStored(database, run, file));
  return deliveries;
}

/** Folders that are worked on at the same time: by all workers together, or by one like this where there is none yet. */
export async function jobsOfWorkers({ database, jobs }: Pick<Opened, 'database' | 'jobs'>): Promise<number> {
  const workers = await readWorkers(database);
  return workers.reduce((sum, { patchJobs }) => sum + patchJobs, 0) || jobs;
}

async function openStored(database: Database, run: string, stored: RunFile): Promise<Delivery> {
  const { file, digest } = stored;
  const delivery = await openDelivery(
    file,
    () => readRunFile(database, run, stored),
    (end) => formFindings(end.form, file),
  );
  if (delivery.digest !== digest) throw new Failure('patch-changed', { file });
  return delivery;
}
