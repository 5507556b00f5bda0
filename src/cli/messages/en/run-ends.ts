// English sentences for how a run ended, by what it was to do.
import type { RunMode, RunState } from '../../../journal/outcome.ts';

export const runEnds: Record<RunMode, Record<RunState, string>> = {
  integrate: {
    done: 'Done.',
    partial: 'Done for some folders only.',
    refused: 'Refused: nothing was changed.',
    failed: 'Failed.',
    cancelled: 'Cancelled: every folder is whole, and running it again continues.',
  },
  rehearse: {
    done: 'Rehearsed, and rolled back: all of it would work.',
    partial: 'Rehearsed, and rolled back: it would fail in some folders.',
    refused: 'Refused: it would not be carried out as things are. Nothing was changed.',
    failed: 'Rehearsed, and rolled back: it would fail.',
    cancelled: 'Cancelled, and rolled back.',
  },
  validate: {
    done: 'Validated.',
    partial: 'Validated in some folders only.',
    refused: 'Refused: nothing was changed.',
    failed: 'The validation failed.',
    cancelled: 'Cancelled: every folder is whole, and validating again continues.',
  },
  'validate-rehearse': {
    done: 'A preview, rolled back: all of it would work.',
    partial: 'A preview, rolled back: it would fail in some folders.',
    refused: 'Refused: it would not be carried out as things are. Nothing was changed.',
    failed: 'A preview, rolled back: it would fail.',
    cancelled: 'Cancelled, and rolled back.',
  },
  revert: {
    done: 'Taken back.',
    partial: 'Taken back in some folders only.',
    refused: 'Refused: nothing was changed.',
    failed: 'Taking it back failed; what was there stands.',
    cancelled: 'Cancelled: every folder is whole, and running it again continues.',
  },
  'revert-rehearse': {
    done: 'Rehearsed, and rolled back: it can be taken back.',
    partial: 'Rehearsed, and rolled back: it cannot be taken back in some folders.',
    refused: 'Refused: it would not be taken back as things are. Nothing was changed.',
    failed: 'Rehearsed, and rolled back: it cannot be taken back.',
    cancelled: 'Cancelled, and rolled back.',
  },
};
