// Gives up connections from which no answer comes although the server has given it, or knows them no more; a long statement is left alone.

/** What the server says of a connection, asked over another one. */
export interface Seen {
  /** As `pg_stat_activity` has it; empty where the server does not tell. */
  readonly state: string;
  /** How long it has been so. */
  readonly forMs: number;
  /** The server waits for what we send. */
  readonly reads: boolean;
}

/** A connection that is waited for. */
export interface Silent {
  /** Number of its server process. */
  readonly process: number;
  /** Bytes that went either way: as long as it grows, nothing is silent. */
  traffic(): number;
  giveUp(error: Error): void;
}

/** @param ms limit of everything: what it goes over may be silent as well @returns those that the server knows */
export type Look = (processes: readonly number[], ms: number) => Promise<ReadonlyMap<number, Seen>>;

export interface SilenceLimits {
  /** After so long without a byte the server is asked, and then again each time it is over. */
  readonly askAfterMs: number;
  /** Limit of a look. */
  readonly lookMs: number;
  /** So long the server may have answered without the answer being here. */
  readonly answeredForMs: number;
  /** So long a connection may be silent while the server waits for what we send: it did not get it. */
  readonly unsentMs: number;
  /** So long a connection may be silent while the server cannot be asked either. */
  readonly unreachableMs: number;
  /** So long a connection is tried to be had while the server is away. */
  readonly awayMs: number;
  /** So long is waited for connections to close. */
  readonly goodbyeMs: number;
}

export const SILENCE: SilenceLimits = {
  askAfterMs: 15_000,
  lookMs: 10_000,
  answeredForMs: 5_000,
  unsentMs: 120_000,
  unreachableMs: 30_000,
  awayMs: 5_000,
  goodbyeMs: 3_000,
};

/** As the network says it, where it says anything. */
class SilentConnection extends Error {
  override readonly name = 'SilentConnection';
  readonly code = 'ETIMEDOUT';
}

/** What the server says of a connection that has been silent for some time. */
export function isLost(seen: Seen | undefined, silentMs: number, { answeredForMs, unsentMs }: SilenceLimits = SILENCE): boolean {
  if (seen === undefined) return true;
  if (seen.state === '' || seen.state === 'disabled') return false;
  if (seen.state === 'active' || seen.state === 'fastpath function call') return seen.reads && silentMs >= unsentMs;
  return seen.forMs >= answeredForMs;
}

export interface SilenceWatch {
  /** Waits for an answer; it fails when the connection is given up. */
  answer<Result>(connection: Silent, asked: () => Promise<Result>): Promise<Result>;
  /** Whether the server could not be reached the last time that somebody tried: nobody tries for long then. */
  away: boolean;
  close(): void;
}

interface Awaited {
  readonly connection: Silent;
  traffic: number;
  /** Of the last byte. */
  heardAt: number;
  /** When the server is asked next. */
  askAt: number;
}

/** Watches over the connections of one pool. A network that forgets a connection tells neither end: without this its answer is waited for without end. */
export function watchSilence(look: Look, limits: SilenceLimits): SilenceWatch {
  const waiting = new Set<Awaited>();
  let away = false;
  let looking = false;
  const ask = async (silent: readonly Awaited[]): Promise<void> => {
    const seen = await look(
      silent.map(({ connection }) => connection.process),
      limits.lookMs,
    ).catch(() => undefined);
    if (seen !== undefined) away = false;
    for (const each of silent) {
      // Whatever came meanwhile, it is not silent.
      if (!waiting.has(each) || each.connection.traffic() !== each.traffic) continue;
      const silentMs = performance.now() - each.heardAt;
      const lost =
        seen === undefined ? silentMs >= limits.unreachableMs : isLost(seen.get(each.connection.process), silentMs, limits);
      if (lost && seen === undefined) away = true;
      if (lost) each.connection.giveUp(new SilentConnection('the connection is silent'));
    }
  };
  const tick = (): void => {
    const now = performance.now();
    for (const each of waiting) {
      const traffic = each.connection.traffic();
      if (traffic === each.traffic) continue;
      each.traffic = traffic;
      each.heardAt = now;
      each.askAt = now + limits.askAfterMs;
    }
    const silent = [...waiting].filter(({ askAt }) => askAt <= now);
    if (looking || silent.length === 0) return;
    looking = true;
    for (const each of silent) each.askAt = now + limits.askAfterMs;
    void ask(silent).finally(() => {
      looking = false;
    });
  };
  const timer = setInterval(tick, limits.askAfterMs / 3);
  timer.unref();
  return {
    answer: async (connection, asked) => {
      const now = performance.now();
      const each = { connection, traffic: connection.traffic(), heardAt: now, askAt: now + limits.askAfterMs };
      waiting.add(each);
      try {
        return await asked();
      } finally {
        waiting.delete(each);
      }
    },
    get away() {
      return away;
    },
    set away(is) {
      away = is;
    },
    close: () => clearInterval(timer),
  };
}
