// How our sessions show themselves to the server: by a name, in a transaction that works under a lease with that lease.
import { quoteLiteral } from './sql.ts';

/** `application_name` of every session of ours. */
export const APPLICATION = 'rustine';

/** What a session is called while it works under a lease. */
export const applicationOf = (lease: string): string => `${APPLICATION} ${lease}`;

/** For the statements that set up a transaction: until its end it is known as that lease's, also behind a pooler, which gives each transaction another session. */
export const workUnder = (lease: string): string => `set local application_name = ${quoteLiteral(applicationOf(lease))}`;
