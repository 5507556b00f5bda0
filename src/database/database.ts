// The database as the rest of the program sees it: two ports, a session (somebody's transaction) and the database itself.
import type { Sql } from './sql.ts';

/** Result of one statement of a script. */
export interface StatementResult {
  readonly command: string;
  readonly count: number;
  readonly rows: readonly Record<string, unknown>[];
}

/** A connection inside a transaction. Whoever takes one is inside somebody's transaction and neither commits nor rolls back. */
export interface Session {
  query<Row extends object>(statement: Sql): Promise<Row[]>;
  /**
   * Several statements without parameters in one round trip; results in order.
   * @param heard gets what the server says meanwhile (`raise info`, warnings)
   */
  script(text: string, heard?: (message: string) => void): Promise<readonly StatementResult[]>;
  /** COPY … FROM STDIN in text format; yields are whole or partial rows. @returns rows copied */
  copyIn(statement: string, rows: AsyncIterable<string>): Promise<number>;
}

/** How a transaction ends when its work succeeded: a rehearsal rolls back (R32). */
export type Ending = 'commit' | 'rollback';

/** Whoever takes the database opens its own transactions. */
export interface Database {
  readonly url: string;
  /** @param aborted gives the connection up, whatever runs on it: the server rolls back */
  transaction<Result>(work: (session: Session) => Promise<Result>, ending?: Ending, aborted?: AbortSignal): Promise<Result>;
  /**
   * A transaction whose work is done and waits under a name for its end: neither the end of the session nor a crash of the server undoes it,
   * and its locks stay. Whoever prepares one writes its name down before.
   * @throws Failure `database-error` with SQLSTATE 0A000 where the work touched temporary objects; it is rolled back then
   */
  prepare<Result>(gid: string, work: (session: Session) => Promise<Result>, aborted?: AbortSignal): Promise<Result>;
  /** Ends what was prepared under the name, from any connection to this database. @returns whether it was still there: false is no error */
  finishPrepared(gid: string, ending: Ending): Promise<boolean>;
  /** A single statement in its own transaction. */
  query<Row extends object>(statement: Sql): Promise<Row[]>;
  close(): Promise<void>;
}
