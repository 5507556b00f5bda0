// One connection for one piece of work.
import { Client } from 'pg';

export async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** One statement on a connection of its own. */
export async function queryAt<Row extends object>(url: string, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  return connected(url, async (client) => (await client.query<Row & Record<string, unknown>>(text, [...values])).rows);
}
