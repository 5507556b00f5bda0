// A proxy between the program and the server: what goes through can be looked at, changed, and cut.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What is done with the bytes of one connection. */
interface Relay {
  fromClient?(bytes: Buffer): void;
  /** What the client gets in their place. */
  fromServer?(bytes: Buffer): Buffer;
}

export interface ServerProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Cuts all connections; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export async function openProxy(database: string, relay: () => Relay = () => ({})): Promise<ServerProxy> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    const { fromClient, fromServer } = relay();
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    if (fromClient !== undefined) client.on('data', fromClient);
    client.pipe(server);
    server.on('data', (bytes: Buffer) => client.write(fromServer?.(bytes) ?? bytes));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    close: async () => {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
