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
  /** From now on the connections that are open swallow what they get, both ways, and are not closed; new ones are as ever, or silent as well. */
  silence(newToo?: boolean): void;
  /** Silences a single connection, by the port that the database server sees its client at. @returns whether it is there */
  silenceOne(port: number): boolean;
  close(): Promise<void>;
}

export async function openProxy(database: string, relay: () => Relay = () => ({})): Promise<ServerProxy> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  /** Those to the server, by connection. */
  const mute = new Map<Socket, { silent: boolean }>();
  let muteNew = false;
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect(Number(target.port), target.hostname);
    const { fromClient, fromServer } = relay();
    const each = { silent: muteNew };
    mute.set(server, each);
    server.on('close', () => mute.delete(server));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        // Who is silent does not say either that the other end is gone.
        if (!each.silent) to.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (each.silent) return;
      fromClient?.(bytes);
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (!each.silent) client.write(fromServer?.(bytes) ?? bytes);
    });
    client.on('end', () => !each.silent && server.end());
    server.on('end', () => !each.silent && client.end());
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
    silence: (newToo = false) => {
      for (const each of mute.values()) each.silent = true;
      muteNew = newToo;
    },
    silenceOne: (port) => {
      const found = [...mute].find(([server]) => server.localPort === port);
      if (found !== undefined) found[1].silent = true;
      return found !== undefined;
    },
    close: async () => {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
