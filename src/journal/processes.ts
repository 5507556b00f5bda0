// Programs at work: each has a lease that it renews; who lost its lease, or is gone from this machine, is dead (decision 011).
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Reader } from '../environment/catalog.ts';

export type ProcessKind = 'command' | 'worker';

/** Often enough that who is asked to stop does so within two seconds. */
const BEAT_MS = 1_000;
/** Long enough for a slow server or a busy program; from another machine a killed one is known as dead after it. */
const LEASE_SECONDS = 30;
/** A renewal without an answer is one of a connection that is gone: the next one goes over another. */
const ANSWER_MS = 5_000;

/** What was found at a renewal. */
export interface Renewal {
  /** Whether the lease is still one's own: somebody else may have settled what a sleeper left. */
  readonly alive: boolean;
  /** Runs of this lease that somebody asked to be cancelled, and who. */
  readonly cancelled: readonly { readonly run: string; readonly by: string }[];
}

export interface Lease {
  readonly process: string;
  /** Is told each renewal from now on; must not throw. */
  onRenewal(told: (renewal: Renewal) => void): void;
  /** Gives it up: the row goes, unless a run could not be ended. That one has to be settled by somebody else. */
  release(): Promise<void>;
}

/** Leases of this process: it may live on after one of them was lost, or have the number of one that is gone. */
const held = new Set<string>();

/** Registers a program at work and keeps its lease until it is released. */
export async function takeLease(database: Database, kind: ProcessKind, operator: string, answerMs = ANSWER_MS): Promise<Lease> {
  const id = randomUUID();
  held.add(id);
  const machine = thisMachine();
  await database
    .query(sql`
    insert into rustine.process (id, kind, host, boot, pid, pid_started, operator, alive_until)
    values (${id}, ${kind}, ${hostname()}, ${machine.boot}, ${process.pid}, ${machine.started}, ${operator}, clock_timestamp() + ${LEASE_SECONDS} * interval '1 second')`)
    .catch((error: unknown) => {
      held.delete(id);
      throw error;
    });
  const listeners: ((renewal: Renewal) => void)[] = [];
  let renewing: Promise<void> | undefined;
  const beat = async (): Promise<void> => {
    // A server that cannot be reached now may be back for the next one.
    const renewal = await within(answerMs, renew(database, id));
    if (renewal !== undefined) for (const told of listeners) told(renewal);
    renewing = undefined;
  };
  const timer = setInterval(() => (renewing ??= beat()), BEAT_MS);
  timer.unref();
  return {
    process: id,
    onRenewal: (told) => void listeners.push(told),
    release: async () => {
      clearInterval(timer);
      await renewing;
      held.delete(id);
      // Where the database is lost, the lease ends by itself.
      await within(
        answerMs,
        database.query(
          sql`delete from rustine.process where id = ${id} and not exists (select from rustine.run where process = ${id} and state in ('running', 'waiting'))`,
        ),
      );
    },
  };
}

/** @returns undefined where it failed, or no answer came in that time */
async function within<Result>(ms: number, answer: Promise<Result>): Promise<Result | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([
      answer.catch(() => undefined),
      pause(ms, undefined, { signal: over.signal }).catch(() => undefined),
    ]);
  } finally {
    over.abort();
  }
}

/** For work that needs no more than being known as alive. */
export async function withLease<Result>(
  database: Database,
  operator: string,
  work: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const lease = await takeLease(database, 'command', operator);
  try {
    return await work(lease);
  } finally {
    await lease.release();
  }
}

async function renew(database: Database, id: string): Promise<Renewal> {
  const [row] = await database.query<{ alive: boolean; cancelled: Renewal['cancelled'] }>(sql`
    with renewed as (
      update rustine.process set alive_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second' where id = ${id} returning id)
    select exists (select from renewed) as alive,
      (select coalesce(json_agg(json_build_object('run', r.id, 'by', r.cancel_requested_by)), '[]') from rustine.run r
        where r.process = ${id} and r.state in ('running', 'waiting') and r.cancel_requested_at is not null) as cancelled`);
  return row ?? { alive: false, cancelled: [] };
}

/** Whether somebody has ended the lease; where the database does not say, it is not known to be. */
export async function isLeaseGone(database: Database, lease: string): Promise<boolean> {
  try {
    return (await database.query(sql`select from rustine.process where id = ${lease}`)).length === 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return false;
  }
}

interface ProcessRow {
  readonly id: string;
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly started: string;
  readonly expired: boolean;
}

export interface DeadProcess {
  readonly id: string;
  /** Proven to be gone; else only its lease has ended, and it may renew it before somebody settles it. */
  readonly gone: boolean;
}

/** One cheap query: there are no more rows than programs at work. */
export async function deadProcesses(reader: Reader): Promise<readonly DeadProcess[]> {
  const rows = await reader.query<ProcessRow>(sql`
    select id, host, boot, pid, pid_started as started, alive_until < clock_timestamp() as expired from rustine.process`);
  return rows.flatMap((row) => {
    const gone = isGone(row);
    return gone || row.expired ? [{ id: row.id, gone }] : [];
  });
}

/** Whether a process is of this machine, and not there any more. */
function isGone(row: ProcessRow): boolean {
  const { boot, started } = thisMachine();
  // Another machine of this name, another boot, or another container on it: numbers say nothing there, the lease has to end.
  if (row.host !== hostname() || row.boot !== boot) return false;
  if (row.pid === process.pid && row.started === started) return !held.has(row.id);
  return !isRunning(row.pid, row.started);
}

function isRunning(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return now === '' || started === '' || now === started;
}

interface Machine {
  /** Boot of the machine and space of process numbers; empty where the system does not tell. */
  readonly boot: string;
  /** When this process was started. */
  readonly started: string;
}

let machine: Machine | undefined;

function thisMachine(): Machine {
  machine ??= { boot: readBoot(), started: startOf(process.pid) };
  return machine;
}

function readBoot(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** Field 22 of the process's state: clock ticks since the boot. The second field may hold anything, in brackets. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

export interface Worker {
  readonly id: string;
  readonly host: string;
  /** Folders of queued runs that it takes at the same time; 0: it takes none. */
  readonly patchJobs: number;
}

/** Who queues a run wants to know how many folders will be at work at once. */
export async function tellPatchJobs(reader: Reader, worker: string, jobs: number): Promise<void> {
  await reader.query(sql`update rustine.process set patch_jobs = ${jobs} where id = ${worker}`);
}

/** Workers that are not dead. */
export async function readWorkers(reader: Reader): Promise<readonly Worker[]> {
  const dead = new Set((await deadProcesses(reader)).map(({ id }) => id));
  const rows = await reader.query<Worker>(sql`
    select id, host, patch_jobs as "patchJobs" from rustine.process where kind = 'worker' order by started_at`);
  return rows.filter(({ id }) => !dead.has(id));
}
