// The server goes away between two statements: that is the world's failure, and is told as one.
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPostgres } from '../../src/database/postgres.ts';
import { sql } from '../../src/database/sql.ts';
import { openProxy } from '../support/proxy.ts';
import { createDatabase, oneServer } from '../support/servers.ts';

/** The server's message that ends an answer: it waits for the next statement. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** The server's message with which it takes leave of its clients when one of its processes has crashed. */
function leave(): Buffer {
  const fields = ['SFATAL', 'VFATAL', 'C57P02', 'Mthe server crashed'].map((field) => `${field}\0`).join('');
  const head = Buffer.from('E\0\0\0\0');
  head.writeUInt32BE(4 + fields.length + 1, 1);
  return Buffer.concat([head, Buffer.from(`${fields}\0`)]);
}

describe.each(oneServer())('$name', (server) => {
  test.each([1, 2, 3, 4])('R30: the server takes leave together with its answer number %i', async (last) => {
    const database = await createDatabase(server);
    onTestFinished(() => database.drop());
    const proxy = await openProxy(database.url, () => {
      let answers = 0;
      return {
        fromServer: (bytes) => {
          if (bytes.indexOf(READY) >= 0) answers += 1;
          return answers === last && bytes.indexOf(READY) >= 0 ? Buffer.concat([bytes, leave()]) : bytes;
        },
      };
    });
    onTestFinished(() => proxy.close());
    const work = async (): Promise<void> => {
      const opened = await openPostgres(proxy.url, 1);
      try {
        await opened.transaction((session) => session.query(sql`select 1`));
        await opened.transaction((session) => session.query(sql`select 1`));
      } finally {
        await opened.close();
      }
    };
    const outcome = await work().then(
      () => 'through',
      (error: { readonly code?: string }) => error.code,
    );
    expect(['through', 'database-lost', 'database-unreachable']).toContain(outcome);
    if (last === 2) expect(outcome).toBe('database-lost');
  });
});
