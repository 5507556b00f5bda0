// The test servers themselves: databases of one's own, on every server of the run.
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { createDatabase, everyServer } from '../support/servers.ts';

describe.each(everyServer())('$name', (server) => {
  test('gives databases that leave nothing behind, neither roles nor prepared transactions', async () => {
    const database = await createDatabase(server);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    client.on('error', () => undefined);
    await client.query(`CREATE ROLE ${database.name}_reader`);
    await client.query(`CREATE TABLE t (id int); GRANT SELECT ON t TO ${database.name}_reader`);
    await client.query('BEGIN');
    await client.query(`PREPARE TRANSACTION '${database.name}'`);

    await database.drop();

    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    const left = await admin.query(
      'SELECT datname AS name FROM pg_database WHERE datname = $1 UNION SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)',
      [database.name],
    );
    await admin.end();
    expect(left.rows).toEqual([]);
  });

  test('has the settings that Rustine relies on', async () => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('max_prepared_transactions') AS prepared, current_setting('server_encoding') AS encoding, current_setting('timezone') AS zone",
    );
    await client.end();
    expect(rows).toEqual([{ prepared: expect.stringMatching(/^\d00$/), encoding: 'UTF8', zone: 'UTC' }]);
  });
});
