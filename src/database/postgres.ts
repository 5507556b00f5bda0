// PostgreSQL behind the database ports: the only importer of pg.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Bug, Failure, Refusal } from '../base/errors.ts';
import type { Database, Ending, Session, StatementResult } from './database.ts';
import { quoteLiteral, type Sql } from './sql.ts';

const OLDEST_VERSION = 15;
/** Also of waiting for a free connection of the pool: an error is better than waiting for ever. */
const CONNECT_TIMEOUT_MS = 60_000;
/**
 * Names that a statement of ours leaves open are looked up among the server's own only. With the usual path (`"$user", public`) a function
 * that a script or a folder's login put there, with closer argument types, would run with our rights (R3).
 */
/** Dates, spans of time and bytes as text are the same whatever the server is set to: values become text and JSON, and come back. */
const OWN_FORMS = `set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; set local bytea_output = 'hex'`;
const OWN_NAMES = 'search_path = pg_catalog, pg_temp';

/** bigint and numeric come as text: no digit is lost. Small counts are converted where they are read. */
export async function openPostgres(url: string, connections: number): Promise<Database> {
  const direct: DirectClients = new WeakSet();
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'rustine',
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    allowExitOnIdle: true,
    onConnect: async (client) => {
      if (await keepsSettings(client)) direct.add(client);
    },
  });
  // An idle connection that dies is replaced at the next use; the error of a busy one reaches its user. A new one that dies between
  // `onConnect` and its first use is handed out all the same: what killed it is told there.
  const dead: DeadClients = new WeakMap();
  pool.on('error', (error, client) => dead.set(client, error));
  await checkVersion(pool, url, dead);
  return {
    url,
    transaction: (work, ending, aborted) =>
      withClient(pool, url, dead, (client) =>
        abortable(client, aborted, () => runTransaction(client, direct, work, ending ?? 'commit')),
      ),
    prepare: (gid, work, aborted) =>
      withClient(pool, url, dead, (client) =>
        abortable(client, aborted, () => runTransaction(client, direct, work, `prepare transaction ${quoteLiteral(gid)}`)),
      ),
    finishPrepared: (gid, ending) => withClient(pool, url, dead, (client) => finishPrepared(client, gid, ending)),
    query: (statement) =>
      withClient(pool, url, dead, (client) =>
        direct.has(client)
          ? querySession<never>(client, statement)
          : runTransaction(client, direct, (session) => session.query<never>(statement), 'commit'),
      ),
    close: () => pool.end(),
  };
}

async function checkVersion(pool: pg.Pool, url: string, dead: DeadClients): Promise<void> {
  const rows = await withClient(pool, url, dead, (client) =>
    client.query<{ v: string }>("select current_setting('server_version_num') as v"),
  );
  const found = Math.floor(Number(rows.rows[0]?.v) / 10_000);
  if (found < OLDEST_VERSION) {
    await pool.end();
    throw new Refusal('database-version', { found, needed: OLDEST_VERSION });
  }
}

/** Connections that died while nobody used them, and of what. */
type DeadClients = WeakMap<pg.ClientBase, Error>;

async function withClient<Result>(
  pool: pg.Pool,
  url: string,
  dead: DeadClients,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw unreachable(url, error);
  }
  let broken = dead.get(client);
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    const known = translated(error);
    const ours = known instanceof Failure || known instanceof Refusal || known instanceof Bug;
    throw broken === undefined || ours ? known : new Failure('database-lost', { reason: broken.message }, error);
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/** Whoever aborts does not wait for the statement that runs: the server notices that its client is gone. */
async function abortable<Result>(
  client: pg.PoolClient,
  aborted: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  if (aborted === undefined) return work();
  // Typed for clients outside of a pool only; of one that is busy it closes the socket.
  const leave = (): void => void (client as unknown as pg.Client).end().catch(() => undefined);
  if (aborted.aborted) leave();
  aborted.addEventListener('abort', leave);
  try {
    return await work();
  } finally {
    aborted.removeEventListener('abort', leave);
  }
}

/** Connections that are ours alone for as long as they live. */
type DirectClients = WeakSet<pg.ClientBase>;

/**
 * Sets the path where a setting lasts. A pooler in between may give each transaction another session: it is told by the number of the server
 * process, which is not the one that it announced. Nothing is set there, and each transaction sets the path for itself.
 */
async function keepsSettings(client: pg.ClientBase): Promise<boolean> {
  const { processID } = client as pg.ClientBase & { readonly processID: number | null };
  const set = await client.query(
    `select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false) where pg_catalog.pg_backend_pid() = ${processID ?? 0}`,
  );
  return set.rows.length === 1;
}

async function runTransaction<Result>(
  client: pg.PoolClient,
  direct: DirectClients,
  work: (session: Session) => Promise<Result>,
  ending: string,
): Promise<Result> {
  await client.query(`begin; set local ${OWN_NAMES}; ${OWN_FORMS}`);
  try {
    const result = await work(sessionOf(client));
    // What ran inside may have reset all settings for good.
    const ended: unknown = await client.query(direct.has(client) ? `${ending}; set ${OWN_NAMES}` : ending);
    const { command } = (Array.isArray(ended) ? ended[0] : ended) as pg.QueryResult;
    // The end of a transaction in which a statement failed is its rollback, and no error.
    if (!ending.startsWith(command.toLowerCase())) throw new Bug('a failed transaction was to succeed', { ending, command });
    return result;
  } catch (error) {
    // The connection may be gone; then the server rolls back by itself.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

const UNDEFINED_OBJECT = '42704';

async function finishPrepared(client: pg.PoolClient, gid: string, ending: Ending): Promise<boolean> {
  try {
    await client.query(`${ending} prepared ${quoteLiteral(gid)}`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_OBJECT) return false;
    throw error;
  }
}

function sessionOf(client: pg.PoolClient): Session {
  return {
    query: (statement) => querySession<never>(client, statement).catch(rethrow),
    script: async (text, heard) => {
      const onNotice = ({ message }: { readonly message: string | undefined }): void => heard?.(message ?? '');
      client.on('notice', onNotice);
      const results: unknown = await client
        .query(text)
        .catch(rethrow)
        .finally(() => client.removeListener('notice', onNotice));
      return (Array.isArray(results) ? (results as pg.QueryResult[]) : [results as pg.QueryResult]).map(statementResult);
    },
    copyIn: async (statement, rows) => {
      const sink = client.query(copyFrom(statement));
      await pipeline(Readable.from(rows, { objectMode: true }), sink);
      return sink.rowCount;
    },
  };
}

async function querySession<Row extends object>(client: pg.PoolClient, statement: Sql): Promise<Row[]> {
  const result = await client.query<Row & pg.QueryResultRow>(statement.text, statement.values as unknown[]);
  return result.rows;
}

function statementResult(result: pg.QueryResult): StatementResult {
  return { command: result.command, count: result.rowCount ?? 0, rows: result.rows as Record<string, unknown>[] };
}

const INVALID_PASSWORD = '28P01';

/**
 * Whether the server refuses the password of the URL.
 * @returns undefined where it lets in
 * @throws Failure `database-unreachable` where that cannot be found out
 */
export async function passwordRefused(url: string): Promise<Failure | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'rustine',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    const failure = unreachable(url, error);
    if (error instanceof pg.DatabaseError && error.code === INVALID_PASSWORD) return failure;
    throw failure;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The URL without its password: safe to show. */
function shownUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    parsed.searchParams.delete('password');
    return parsed.toString();
  } catch {
    return '(not a URL)';
  }
}

function unreachable(url: string, error: unknown): Failure {
  if (
    error instanceof pg.DatabaseError &&
    error.code !== undefined &&
    !error.code.startsWith('57P') &&
    !error.code.startsWith('53')
  ) {
    return new Failure('database-unreachable', { url: shownUrl(url), reason: error.message }, error);
  }
  const reason =
    error instanceof AggregateError
      ? error.errors.map((each) => String((each as Error).message)).join('; ')
      : (error as Error).message;
  return new Failure('database-unreachable', { url: shownUrl(url), reason }, error);
}

/** Whoever goes on after an error (behind a savepoint) reads its SQLSTATE. */
function rethrow(error: unknown): never {
  throw translated(error);
}

/** Errors of the server become failures that keep the SQLSTATE; everything else stays what it is. */
function translated(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) {
    const code = (error as { code?: unknown } | null)?.code;
    const lost =
      code === 'ECONNRESET' ||
      code === 'EPIPE' ||
      code === 'ECONNREFUSED' ||
      (error as Error | null)?.message === 'Connection terminated unexpectedly';
    return lost ? new Failure('database-lost', { reason: (error as Error).message }, error) : error;
  }
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
