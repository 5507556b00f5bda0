// The queue of pg-boss in a schema of its own: the only importer of pg-boss.
import type { Db, PgBoss } from 'pg-boss';
import { Bug, Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { TASK_KINDS, type TaskKind } from '../journal/tasks.ts';

const SCHEMA = 'rustine_batch';
/** A job is given back whenever its worker is lost; which tasks are, is decided where tasks are settled. */
const MOST_ATTEMPTS = 1_000;

/** One queue per kind of task; everything happens in somebody's transaction, so that the queue and the table of tasks agree. */
export interface Queue {
  put(session: Session, kind: TaskKind, job: string, folder: string | undefined): Promise<void>;
  /** The next job that is in none of these folders, now active. */
  take(session: Session, kind: TaskKind, held: readonly string[]): Promise<string | undefined>;
  giveBack(session: Session, kind: TaskKind, job: string): Promise<void>;
  /** What is over is in the table of tasks; the queue forgets it. */
  remove(session: Session, kind: TaskKind, job: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes the schema and the queues at the first use. */
export async function openQueue(database: Database): Promise<Queue> {
  // Loaded only where it is used: it takes longer than a whole `rustine --help`.
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({ db: through(database), schema: SCHEMA, supervise: false, schedule: false });
  let trouble: unknown;
  boss.on('error', (error) => (trouble = error));
  try {
    await boss.start();
    const known = new Set((await boss.getQueues()).map(({ name }) => name));
    for (const kind of TASK_KINDS) if (!known.has(kind)) await boss.createQueue(kind, { retryLimit: MOST_ATTEMPTS });
  } catch (error) {
    await boss.stop({ graceful: false, close: false }).catch(() => undefined);
    throw knownError(error ?? trouble);
  }
  return queueOf(boss);
}

function queueOf(boss: PgBoss): Queue {
  return {
    put: async (session, kind, job, folder) => {
      const group = folder === undefined ? {} : { group: { id: folder } };
      const sent = await boss.send(kind, {}, { id: job, ...group, db: inside(session) });
      if (sent !== job) throw new Bug('the queue did not take a job', { kind, job });
    },
    take: async (session, kind, held) => {
      const [job] = await boss.fetch(kind, { batchSize: 1, ignoreGroups: [...held], db: inside(session) });
      return job?.id;
    },
    giveBack: async (session, kind, job) => {
      await boss.fail(kind, job, null, { db: inside(session) });
    },
    remove: async (session, kind, job) => {
      await boss.deleteJob(kind, job, { db: inside(session) });
    },
    close: () => boss.stop({ graceful: false, close: false }),
  };
}

/** Statements with parameters stand alone; without, they may be several with their own `begin`, and leave nothing half-done in a transaction. */
function through(database: Database): Db {
  return {
    executeSql: async (text, values = []) => {
      if (values.length > 0) return { rows: await database.query({ text, values }) };
      const results = await database.transaction((session) => session.script(text));
      return { rows: [...(results.at(-1)?.rows ?? [])] };
    },
  };
}

function inside(session: Session): Db {
  return { executeSql: async (text, values = []) => ({ rows: await session.query({ text, values }) }) };
}

/** pg-boss hands errors of the database on as they are, some of them inside its own. */
function knownError(error: unknown): unknown {
  for (let each: unknown = error; each instanceof Error; each = each.cause) if (each instanceof Failure) return each;
  return error;
}
