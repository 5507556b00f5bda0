// The reasons for which tests may be skipped, each with a name and a condition: nothing is skipped silently.

/** As root the server runs as another user, which cannot enter every directory; others have no such case. */
export const NEEDS_ROOT = { reason: 'only root runs the server as another user', skip: process.getuid?.() !== 0 } as const;

/** Where Debian and Ubuntu put PostgreSQL 15. */
export const POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** Said once per run when the tests on PostgreSQL 15 do not take place. */
export function withoutPostgres15(why: 'binaries' | 'RUSTINE_TEST_SERVERS'): string {
  return why === 'binaries'
    ? `PostgreSQL 15: binaries not found in ${POSTGRES_15}, skipped`
    : 'PostgreSQL 15: left out by RUSTINE_TEST_SERVERS, skipped';
}
