// Ctrl-C while a run is at work: once ends it after the patches at work, twice rolls these back, a third time is the system's.
import type { Terminal } from './terminal.ts';

export interface Interruption {
  readonly cancel: AbortSignal;
  readonly abort: AbortSignal;
  /** From here on the system does what it usually does. */
  end(): void;
}

/** @param told says what the next one does */
export function interruption(terminal: Terminal, told: (hard: boolean) => void): Interruption {
  const [cancel, abort] = [new AbortController(), new AbortController()];
  const end = terminal.onInterrupt(() => {
    const hard = cancel.signal.aborted;
    told(hard);
    (hard ? abort : cancel).abort();
    if (hard) end();
  });
  return { cancel: cancel.signal, abort: abort.signal, end };
}
