// Ends the leases of the programs at work in a database, as if they had slept, and settles what they left: called as a program of its own.

import { recover } from '../../src/batch/recovery.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { sql } from '../../src/database/sql.ts';

const database = await openPostgres(process.argv[2] ?? '', 2);
await database.query(sql`update rustine.process set alive_until = clock_timestamp() - interval '1 minute'`);
await recover(database);
await database.close();
