// A proxy between the program and the server that counts round trips: simple queries and Sync messages of the frontend protocol.
import { openProxy, type ServerProxy } from './proxy.ts';

export interface WireCount extends ServerProxy {
  /** Round trips since the last call. */
  take(): number;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const START_UP_HEAD = 4;
const HEAD = 5;

export async function countRoundTrips(database: string): Promise<WireCount> {
  let trips = 0;
  const proxy = await openProxy(database, () => ({
    fromClient: frontendMessages((type) => {
      if (type === QUERY || type === SYNC) trips += 1;
    }),
  }));
  return {
    ...proxy,
    take: () => {
      const taken = trips;
      trips = 0;
      return taken;
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
