// What a run says when it begins, by what it is to do.
import type { RunMode } from '../journal/outcome.ts';
import type { Messages } from './messages/en.ts';

export interface BeginningRun {
  readonly mode: RunMode;
  readonly files: number;
  readonly folders: number;
}

export function startedText({ mode, files, folders }: BeginningRun, { report }: Messages): string {
  if (mode === 'validate' || mode === 'validate-rehearse')
    return report.validation.started(folders, mode === 'validate-rehearse');
  if (mode === 'revert' || mode === 'revert-rehearse') return report.revertStarted(folders, mode === 'revert-rehearse');
  return report.progress.started(files, folders, mode === 'rehearse');
}
