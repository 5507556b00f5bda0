// What our sessions are set to, and how that is made again: whatever runs inside of one may have reset all settings.
import { quoteLiteral } from './sql.ts';

/**
 * Names that a statement of ours leaves open are looked up among the server's own only. With the usual path (`"$user", public`) a function
 * that a script or a folder's login put there, with closer argument types, would run with our rights (R3).
 */
const OWN_NAMES: Settings = { search_path: 'pg_catalog, pg_temp' };
/**
 * What ends the session of a client that is gone without a word, with its locks, after a minute instead of two hours: the system's questions; where
 * something in between answers them, the limit for a transaction that is asked nothing, which is longer than planning ever takes.
 */
const CLIENT_GONE: Settings = {
  tcp_keepalives_idle: '30s',
  tcp_keepalives_interval: '10s',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '60s',
  idle_in_transaction_session_timeout: '10min',
};
/** Dates, spans of time and bytes as text are the same whatever the server is set to: values become text and JSON, and come back. */
const OWN_FORMS: Settings = { datestyle: 'ISO', intervalstyle: 'postgres', bytea_output: 'hex' };

/** Where policies keep rows from us, a statement fails: what it does not see it would neither keep aside nor put back (R27). */
const ALL_ROWS: Settings = { row_security: 'off' };

type Settings = Readonly<Record<string, string>>;

/** A list of names is no literal: one would be a single name. */
const statements = (how: 'set' | 'set local', settings: Settings): readonly string[] =>
  Object.entries(settings).map(([name, value]) => `${how} ${name} = ${name === 'search_path' ? value : quoteLiteral(value)}`);

/** Expressions that set what lasts as long as the session. */
export const lasting = (): string =>
  Object.entries({ ...OWN_NAMES, ...ALL_ROWS, ...CLIENT_GONE })
    .map(([name, value]) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`)
    .join(', ');

/** The same for a session that has them: the end of a transaction that reset all settings makes that last. */
export const LASTING_AGAIN = statements('set', { ...OWN_NAMES, ...ALL_ROWS, ...CLIENT_GONE }).join('; ');

/** How every transaction begins. */
export const BEGINNING = statements('set local', { ...OWN_NAMES, ...ALL_ROWS, ...OWN_FORMS }).join('; ');

/** A statement each: within a transaction, once something reset all settings: what it began with, and what ends a session that nobody asks any more. */
export const BEGUN_AGAIN = statements('set local', { ...OWN_NAMES, ...ALL_ROWS, ...OWN_FORMS, ...CLIENT_GONE });
