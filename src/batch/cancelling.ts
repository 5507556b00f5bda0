// Whether a run is to stop: asked for here (Ctrl-C) or from anywhere (`rustine cancel`), softly or at once.

/** Ways to ask from the program itself. */
export interface CancelSignals {
  /** What is at work ends its patch; nothing else is begun. */
  readonly cancel?: AbortSignal;
  /** What is at work is rolled back. */
  readonly abort?: AbortSignal;
}

export interface Cancelling {
  /** Fires as soon as nothing more is to be begun. */
  readonly soft: AbortSignal;
  /** Fires when what is at work is to be rolled back. */
  readonly hard: AbortSignal;
  /** Whether the program itself asks, and so listens to the signals that it gets. */
  readonly handled: boolean;
  request(by: string, hard: boolean): void;
  /** The run was settled by somebody else, who took this program for dead: what is at work is rolled back, and nobody asked for it. */
  lose(): void;
  readonly lost: boolean;
  /** Is told each request that asks for more than the one before; also the one that was made already. */
  onRequest(told: (by: string, hard: boolean) => void): void;
  /** Listens no more to the program's own signals. */
  end(): void;
}

export function cancelling(operator: string, { cancel, abort }: CancelSignals): Cancelling {
  const soft = new AbortController();
  const hard = new AbortController();
  const made: { readonly by: string; readonly hard: boolean }[] = [];
  const listeners: ((by: string, hard: boolean) => void)[] = [];
  let lost = false;
  const request = (by: string, wanted: boolean): void => {
    if (hard.signal.aborted || (soft.signal.aborted && !wanted)) return;
    made.push({ by, hard: wanted });
    for (const told of listeners) told(by, wanted);
    soft.abort();
    if (wanted) hard.abort();
  };
  const onCancel = (): void => request(operator, false);
  const onAbort = (): void => request(operator, true);
  if (cancel?.aborted) onCancel();
  if (abort?.aborted) onAbort();
  cancel?.addEventListener('abort', onCancel);
  abort?.addEventListener('abort', onAbort);
  return {
    soft: soft.signal,
    hard: hard.signal,
    handled: abort !== undefined,
    request,
    lose: () => {
      lost = true;
      soft.abort();
      hard.abort();
    },
    get lost() {
      return lost;
    },
    onRequest: (told) => {
      for (const each of made) told(each.by, each.hard);
      listeners.push(told);
    },
    end: () => {
      cancel?.removeEventListener('abort', onCancel);
      abort?.removeEventListener('abort', onAbort);
    },
  };
}
