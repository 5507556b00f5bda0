// How a summary is to look: width, colour, how much of it.
import type { RunState } from '../journal/outcome.ts';
import type { Tone } from './layout.ts';

export interface SummaryStyle {
  readonly width: number | undefined;
  readonly colour: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** How long the run took, where known. */
  readonly ms: number | null;
}

/** A screen of 24 lines, with the command and the next prompt. */
export const SCREEN_LINES = 22;

const TONES: Readonly<Record<RunState, Tone>> = {
  done: 'green',
  partial: 'yellow',
  refused: 'red',
  failed: 'red',
  cancelled: 'yellow',
};

export function toneOfState(state: RunState): Tone {
  return TONES[state];
}
