// A proxy before the server that hides the number of the server process, as a connection pooler does.
import { openProxy, type ServerProxy } from './proxy.ts';

/** Start of the server's message with the number of its process: type K, length 12. */
const KEY = Buffer.from([0x4b, 0, 0, 0, 12]);

export function openPooler(database: string): Promise<ServerProxy> {
  return openProxy(database, () => {
    let announced = false;
    return {
      fromServer: (bytes) => {
        const at = announced ? -1 : bytes.indexOf(KEY);
        if (at < 0) return bytes;
        announced = true;
        const changed = Buffer.from(bytes);
        changed.writeInt32BE(42, at + KEY.length);
        return changed;
      },
    };
  });
}
