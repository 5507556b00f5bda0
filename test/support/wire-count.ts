// A proxy between the program and the server that counts round trips: simple queries and Sync messages of the frontend protocol.
import { openProxy, type ServerProxy } from './proxy.ts';

export interface WireCount extends ServerProxy {
  /** Round trips since the last call. */
  take(): number;
}

const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const START_UP_HEAD = 4;
const HEAD = 5;

/** Renewals of leases and letting logins in come by the clock, and connections are opened as they happen to be busy: these are not counted. */
const BY_CHANCE = ['update rustine.process', 'rustine.let_in(', 'select pg_catalog.set_config'] as const;
/** So much of a statement's text is looked at. */
const LOOKED_AT = 400;

export async function countRoundTrips(database: string): Promise<WireCount> {
  let trips = 0;
  const proxy = await openProxy(database, () => {
    let uncounted = false;
    return {
      fromClient: frontendMessages((type, text) => {
        if (type === PARSE || type === QUERY) uncounted = BY_CHANCE.some((each) => text.includes(each));
        if ((type === QUERY || type === SYNC) && !uncounted) trips += 1;
      }),
    };
  });
  return {
    ...proxy,
    take: () => {
      const taken = trips;
      trips = 0;
      return taken;
    },
  };
}

/** Tells each message's type and the beginning of its content, however the bytes are cut. The first message has no type: the connection's start. */
function frontendMessages(tell: (type: number, text: string) => void): (chunk: Buffer) => void {
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
      const length = started ? 1 + held.readUInt32BE(1) : held.readUInt32BE(0);
      if (held.length < Math.min(length, LOOKED_AT)) return;
      if (started) tell(held[0] ?? 0, held.toString('latin1', HEAD, Math.min(length, LOOKED_AT)));
      skip = length;
      started = true;
    }
  };
}
