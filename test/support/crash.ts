// Stops the real command line where a crash would, waits for the server to notice, and lists what is left over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected } from './environment.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/rustine.js');

export interface Stopped {
  /** null: killed. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

export interface Stop {
  /** A named point, `planned` or `planned:3`. */
  readonly at?: string;
  /** Milliseconds after the start. */
  readonly after?: number;
}

/** Runs the program as a person would; killed without warning where `stop` says so. */
export async function rustine(argv: readonly string[], stop: Stop = {}): Promise<Stopped> {
  const started = performance.now();
  const env = { ...process.env, ...(stop.at === undefined ? {} : { RUSTINE_STOP_AT: stop.at }) };
  const child = spawn(process.execPath, [PROGRAM, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const timer = stop.after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), stop.after);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString(), ms: performance.now() - started };
}

/** Waits until the server has noticed that its clients are gone: until then a last statement may still run. */
export async function abandoned(url: string): Promise<void> {
  await connected(url, async (client) => {
    for (;;) {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      );
      if (rows.length === 0) return;
      await sleep(5);
    }
  });
}

/** What is left of runs and their staging: nothing may be left after a run that ended. */
export async function leftovers(url: string): Promise<readonly string[]> {
  return connected(url, async (client) => {
    const { rows } = await client.query<{ line: string }>(`
      select concat_ws(' ', 'run', id, state) as line from rustine.run where state in ('running', 'waiting')
      union all select concat_ws(' ', 'process', id, pid) from rustine.process
      union all select concat_ws(' ', 'run_folder', run, folder, state) from rustine.run_folder where state in ('waiting', 'running', 'postponed')
      union all select concat_ws(' ', 'work', id, pid) from rustine.work
      union all select distinct concat_ws(' ', 'plan_item', plan) from rustine.plan_item
      union all select distinct concat_ws(' ', 'plan_write', plan) from rustine.plan_write
      union all select distinct concat_ws(' ', 'delivery_element', delivery) from rustine.delivery_element
      union all select concat_ws(' ', 'shut login', role_name, run) from rustine.shut_login
      union all select concat_ws(' ', 'prepared', gid) from pg_prepared_xacts where database = current_database()`);
    return rows.map(({ line }) => line);
  });
}

/** Pseudo-random numbers from 0 to 1: the same for the same seed, so a failure can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
