// A proxy between the program and the server that counts round trips: simple queries and Sync messages of the frontend protocol.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface WireCount {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Round trips since the last call. */
  take(): number;
  close(): Promise<void>;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const START_UP_HEAD = 4;
const HEAD = 5;

export async function countRoundTrips(database: string): Promise<WireCount> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  let trips = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    const messages = frontendMessages((type) => {
      if (type === QUERY || type === SYNC) trips += 1;
    });
    client.on('data', messages);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      from.pipe(to);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    take: () => {
      const taken = trips;
      trips = 0;
      return taken;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

/** Tells each message's type, however the bytes are cut. The first message has no type: the connection's start. */
function frontendMessages(tell: (type: number) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  let skip = 0;
  let started = false;
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      const skipped = Math.min(skip, held.length);
      held = held.subarray(skipped);
      skip -= skipped;
      if (skip > 0 || held.length < (started ? HEAD : START_UP_HEAD)) return;
      if (started) tell(held[0] ?? 0);
      skip = started ? 1 + held.readUInt32BE(1) : held.readUInt32BE(0);
      started = true;
    }
  };
}
