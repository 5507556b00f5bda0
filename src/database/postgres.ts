// PostgreSQL behind the database ports: the only importer of pg.
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Bug, Failure, Refusal } from '../base/errors.ts';
import { APPLICATION } from './application-name.ts';
import type { Database, Ending, Session, StatementResult } from './database.ts';
import { readOwnSessions } from './own-sessions.ts';
import { BEGINNING, LASTING_AGAIN, lasting } from './session-settings.ts';
import { SILENCE, type SilenceLimits, type SilenceWatch, watchSilence } from './silence.ts';
import { quoteLiteral, type Sql, sql } from './sql.ts';
import { CONNECT_TIMEOUT_MS, unreachable } from './unreachable.ts';

const OLDEST_VERSION = 15;
/** How long a connection is idle before the system asks whether the other end is there, so that whatever is in between does not forget it. */
const KEEP_ALIVE_MS = 10_000;

/** A pool, and what is known of its connections. */
interface Connections {
  readonly pool: pg.Pool;
  readonly url: string;
  readonly silence: SilenceLimits;
  /** Those that are open, or are being opened. */
  readonly clients: ReadonlySet<pg.ClientBase>;
  /** Those that are ours alone for as long as they live. */
  readonly direct: WeakSet<pg.ClientBase>;
  /** Those that died, and of what. */
  readonly dead: WeakMap<pg.ClientBase, Error>;
  readonly watch: SilenceWatch;
}

/** bigint and numeric come as text: no digit is lost. Small counts are converted where they are read. @param connectMs within which a connection comes */
export async function openPostgres(
  url: string,
  connections: number,
  silence = SILENCE,
  connectMs = CONNECT_TIMEOUT_MS,
): Promise<Database> {
  const direct: Connections['direct'] = new WeakSet();
  const clients = new Set<pg.ClientBase>();
  class Client extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      clients.add(this);
      this.once('end', () => clients.delete(this));
    }
  }
  const pool = new pg.Pool({
    Client,
    connectionString: url,
    max: connections,
    application_name: APPLICATION,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    allowExitOnIdle: true,
    onConnect: async (client) => {
      if (await keepsSettings(client)) direct.add(client);
    },
  });
  // An idle connection that dies is replaced at the next use; the error of a busy one reaches its user. A new one that dies between
  // `onConnect` and its first use is handed out all the same: what killed it is told there.
  const dead: Connections['dead'] = new WeakMap();
  pool.on('error', (error, client) => dead.set(client, error));
  const watch = watchSilence((processes, ms) => readOwnSessions(url, processes, ms), silence);
  const all: Connections = { pool, url, silence, clients, direct, dead, watch };
  try {
    await checkVersion(all);
  } catch (error) {
    await closeAll(all);
    throw error;
  }
  return {
    url,
    transaction: (work, ending, aborted) =>
      withClient(all, (client) => abortable(all, client, aborted, () => runTransaction(all, client, work, ending ?? 'commit'))),
    prepare: (gid, work, aborted) =>
      withClient(all, (client) =>
        abortable(all, client, aborted, () => runTransaction(all, client, work, `prepare transaction ${quoteLiteral(gid)}`)),
      ),
    finishPrepared: (gid, ending) => withClient(all, (client) => finishPrepared(all, client, gid, ending)),
    query: (statement) =>
      withClient(all, (client) =>
        direct.has(client)
          ? sessionOf(all, client).query<never>(statement)
          : runTransaction(all, client, (session) => session.query<never>(statement), 'commit'),
      ),
    close: () => closeAll(all),
  };
}

/** Says goodbye to the server, but waits for no connection that is silent. */
async function closeAll({ pool, clients, silence, watch }: Connections): Promise<void> {
  const late = setTimeout(() => {
    for (const client of clients) wireOf(client).connection.stream.destroy();
  }, silence.goodbyeMs);
  try {
    await pool.end();
  } finally {
    clearTimeout(late);
    watch.close();
  }
}

async function checkVersion(all: Connections): Promise<void> {
  const [row] = await withClient(all, (client) =>
    sessionOf(all, client).query<{ v: string }>(sql`select current_setting('server_version_num') as v`),
  );
  const found = Math.floor(Number(row?.v) / 10_000);
  if (found < OLDEST_VERSION) {
    throw new Refusal('database-version', { found, needed: OLDEST_VERSION });
  }
}

/** An error of the connection is translated where it comes from; what the work throws on purpose stays what it is. */
async function withClient<Result>(all: Connections, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const { dead } = all;
  const client = await connected(all);
  let broken = dead.get(client);
  const onError = (error: Error): void => {
    broken = error;
    dead.set(client, error);
  };
  client.on('error', onError);
  try {
    return await work(client);
  } finally {
    client.removeListener('error', onError);
    client.release(broken ?? wireOf(client).connection.stream.destroyed);
  }
}

/** Where nothing answers, everybody who comes later would wait as long as the first one: an hour for a run. */
async function connected({ pool, url, silence, watch }: Connections): Promise<pg.PoolClient> {
  const connecting = pool.connect();
  const over = new AbortController();
  try {
    const late = (): Promise<never> =>
      pause(silence.awayMs, undefined, { signal: over.signal }).then(() => Promise.reject(new Error('the server is silent')));
    const client = await (watch.away ? Promise.race([connecting, late()]) : connecting);
    watch.away = false;
    return client;
  } catch (error) {
    // One that comes late all the same is there for the next.
    connecting.then((client) => client.release()).catch(() => undefined);
    // Where all are in use, that says nothing about the server.
    if (!(error instanceof pg.DatabaseError) && pool.totalCount < pool.options.max) watch.away = true;
    throw unreachable(url, error);
  } finally {
    over.abort();
  }
}

/** What pg keeps of a connection, beyond what it declares. */
interface Wire {
  readonly processID: number | null;
  readonly connection: { readonly stream: Socket };
}

const wireOf = (client: pg.ClientBase): Wire => client as pg.ClientBase & Wire;

/** Every answer of the server is waited for here: an error becomes a failure that says whether the connection is gone with it. */
async function answer<Result>(
  { direct, dead, watch }: Connections,
  client: pg.ClientBase,
  asked: () => Promise<Result>,
): Promise<Result> {
  try {
    // The number that a pooler announces is nobody's.
    if (!direct.has(client)) return await asked();
    const { processID, connection } = wireOf(client);
    const { stream } = connection;
    const silent = {
      process: processID ?? 0,
      traffic: () => stream.bytesRead + stream.bytesWritten,
      giveUp: (error: Error): void => void stream.destroy(error),
    };
    return await watch.answer(silent, asked);
  } catch (error) {
    throw translated(error, dead.has(client) || wireOf(client).connection.stream.destroyed);
  }
}

/** Whoever aborts does not wait for the statement that runs: the server notices that its client is gone. */
async function abortable<Result>(
  { dead }: Connections,
  client: pg.PoolClient,
  aborted: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  if (aborted === undefined) return work();
  // Typed for clients outside of a pool only; of one that is busy it closes the socket.
  const leave = (): void => {
    dead.set(client, new Error('the connection was given up'));
    void (client as unknown as pg.Client).end().catch(() => undefined);
  };
  if (aborted.aborted) leave();
  aborted.addEventListener('abort', leave);
  try {
    return await work();
  } finally {
    aborted.removeEventListener('abort', leave);
  }
}

/**
 * Sets the path where a setting lasts, and what ends the session when we are gone. A pooler in between may give each transaction another session: it is told by the number of the server
 * process, which is not the one that it announced. Nothing is set there, and each transaction sets the path for itself.
 */
async function keepsSettings(client: pg.ClientBase): Promise<boolean> {
  const { processID } = wireOf(client);
  const set = await client.query(`select ${lasting()} where pg_catalog.pg_backend_pid() = ${processID ?? 0}`);
  return set.rows.length === 1;
}

async function runTransaction<Result>(
  all: Connections,
  client: pg.PoolClient,
  work: (session: Session) => Promise<Result>,
  ending: string,
): Promise<Result> {
  await answer(all, client, () => client.query(`begin; ${BEGINNING}`));
  try {
    const result = await work(sessionOf(all, client));
    // What ran inside may have reset all settings for good.
    const last = all.direct.has(client) ? `${ending}; ${LASTING_AGAIN}` : ending;
    const ended: unknown = await answer(all, client, () => client.query(last));
    const { command } = (Array.isArray(ended) ? ended[0] : ended) as pg.QueryResult;
    // The end of a transaction in which a statement failed is its rollback, and no error.
    if (!ending.startsWith(command.toLowerCase())) throw new Bug('a failed transaction was to succeed', { ending, command });
    return result;
  } catch (error) {
    // The connection may be gone; then the server rolls back by itself.
    await answer(all, client, () => client.query('rollback')).catch(() => undefined);
    throw error;
  }
}

const UNDEFINED_OBJECT = '42704';

async function finishPrepared(all: Connections, client: pg.PoolClient, gid: string, ending: Ending): Promise<boolean> {
  try {
    await answer(all, client, () => client.query(`${ending} prepared ${quoteLiteral(gid)}`));
    return true;
  } catch (error) {
    if (sqlState(error) === UNDEFINED_OBJECT) return false;
    throw error;
  }
}

/** Whoever goes on after an error (behind a savepoint) reads its SQLSTATE. */
function sessionOf(all: Connections, client: pg.PoolClient): Session {
  return {
    query: <Row extends object>(statement: Sql) =>
      answer(all, client, async () => {
        const result = await client.query<Row & pg.QueryResultRow>(statement.text, statement.values as unknown[]);
        return result.rows as Row[];
      }),
    script: async (text, heard) => {
      const onNotice = ({ message }: { readonly message: string | undefined }): void => heard?.(message ?? '');
      client.on('notice', onNotice);
      const results: unknown = await answer(all, client, () => client.query(text)).finally(() =>
        client.removeListener('notice', onNotice),
      );
      return (Array.isArray(results) ? (results as pg.QueryResult[]) : [results as pg.QueryResult]).map(statementResult);
    },
    copyIn: (statement, rows) =>
      answer(all, client, async () => {
        const sink = client.query(copyFrom(statement));
        await pipeline(Readable.from(rows, { objectMode: true }), sink);
        return sink.rowCount;
      }),
  };
}

function statementResult(result: pg.QueryResult): StatementResult {
  return { command: result.command, count: result.rowCount ?? 0, rows: result.rows as Record<string, unknown>[] };
}

/** The server takes leave: it ends the session, shuts down, starts up, or has lost whom it speaks to. */
const TAKES_LEAVE = /^(08|57P|25P0[34])/;
/** A script may raise such an error itself, and so does a function that connects to elsewhere: the session goes on then. */
const GOES_ON = 'ERROR';

/** Errors of the server become failures that keep the SQLSTATE, those of the connection `database-lost`; everything else stays what it is. */
function translated(error: unknown, gone: boolean): unknown {
  if (error instanceof pg.DatabaseError) {
    if (TAKES_LEAVE.test(error.code ?? '') && error.severity !== GOES_ON) return lost(error);
    return new Failure(
      'database-error',
      {
        sqlstate: error.code ?? '',
        reason: error.message,
        detail: error.detail ?? '',
        hint: error.hint ?? '',
        where: [error.schema, error.table, error.column, error.constraint].filter((part) => part !== undefined).join('.'),
      },
      error,
    );
  }
  const ours = error instanceof Failure || error instanceof Refusal || error instanceof Bug;
  return gone && !ours ? lost(error as Error) : error;
}

const lost = (error: Error): Failure => new Failure('database-lost', { reason: error.message }, error);

/** SQLSTATE of a change that the server does not take: it is a standby, or its transactions are read-only. */
export const READ_ONLY_TRANSACTION = '25006';

/** SQLSTATE of a failure made here, else undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Failure && error.code === 'database-error' ? String(error.facts.sqlstate) : undefined;
}

/** What the server said about an error, as it comes inside a transaction or as the failure that it becomes outside; else undefined. */
export interface ServerError {
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string;
  readonly hint: string;
  readonly table: string | undefined;
  /** Text of the statement inside a function that is wrong, and the character in it, from 1. */
  readonly query: string | undefined;
  readonly position: number | undefined;
  /** The calls that led there, innermost first. */
  readonly context: readonly string[];
}

export function serverError(error: unknown): ServerError | undefined {
  const found = error instanceof Failure ? error.cause : error;
  if (!(found instanceof pg.DatabaseError)) return undefined;
  return {
    sqlstate: found.code ?? '',
    message: found.message,
    detail: found.detail ?? '',
    hint: found.hint ?? '',
    table: found.table,
    query: found.internalQuery,
    position: found.internalPosition === undefined ? undefined : Number(found.internalPosition),
    context: (found.where ?? '').split('\n'),
  };
}
