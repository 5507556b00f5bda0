// A proxy before the server that hides the number of the server process, as a connection pooler does.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Start of the server's message with the number of its process: type K, length 12. */
const KEY = Buffer.from([0x4b, 0, 0, 0, 12]);

export async function openPooler(database: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    let announced = false;
    server.on('data', (bytes: Buffer) => {
      const at = announced ? -1 : bytes.indexOf(KEY);
      if (at >= 0) {
        announced = true;
        bytes.writeInt32BE(42, at + KEY.length);
      }
      client.write(bytes);
    });
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
    close: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
