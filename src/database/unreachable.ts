// A server that lets nobody in: what is told of it, and whether it is the password.
import pg from 'pg';
import { Failure } from '../base/errors.ts';
import { APPLICATION } from './application-name.ts';

/** Also of waiting for a free connection of the pool: an error is better than waiting for ever. */
export const CONNECT_TIMEOUT_MS = 60_000;

const INVALID_PASSWORD = '28P01';

/**
 * Whether the server refuses the password of the URL.
 * @returns undefined where it lets in
 * @throws Failure `database-unreachable` where that cannot be found out
 */
export async function passwordRefused(url: string): Promise<Failure | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: APPLICATION,
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

export function unreachable(url: string, error: unknown): Failure {
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
