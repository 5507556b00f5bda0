// What a client and the keeper say to each other: one JSON object per line.
import type { Socket } from 'node:net';
import type { Facts } from '../base/errors.ts';

/** The first line of a client carries the token; without it the keeper hangs up. */
export type Request =
  | { readonly verb: 'join'; readonly token: string }
  /** Last to leave: answered `stopped` after the server has ended. */
  | { readonly verb: 'leave' }
  | { readonly verb: 'pin' }
  | { readonly verb: 'stop' };

export type Reply =
  /** The token was right; the server is on its way. */
  | { readonly state: 'welcome' }
  | { readonly state: 'ready'; readonly port: number }
  | { readonly state: 'failed'; readonly code: string; readonly facts: Facts }
  | { readonly state: 'pinned' }
  | { readonly state: 'left' }
  | { readonly state: 'in-use' }
  | { readonly state: 'stopped' };

/** Where a keeper listens, as published in its directory. */
export interface Card {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

export function send(socket: Socket, message: Request | Reply): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls back for every object received; anything else ends the connection. */
export function receive(socket: Socket, take: (message: Record<string, unknown>) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseObject(line);
      if (message === undefined) socket.destroy();
      else take(message);
    }
    // Nobody has that much to say.
    if (rest.length > 100_000) socket.destroy();
  });
}

export function parseCard(text: string): Card | undefined {
  const card = parseObject(text);
  if (typeof card?.pid !== 'number' || typeof card.port !== 'number' || typeof card.token !== 'string') return undefined;
  return { pid: card.pid, port: card.port, token: card.token };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
