// A step of a folder's validation in one line: what it did, and how long it took.
import type { RunEvent } from '../journal/journal.ts';
import type { StepCounts, ValidationStep } from '../journal/validation-steps.ts';
import type { Messages } from './messages/en.ts';
import { problemText } from './problem.ts';

export type ValidationEvent = Extract<
  RunEvent,
  { readonly kind: 'step-started' | 'step-finished' | 'folder-locked' | 'folder-unlocked' }
>;

export function validationStepText(event: ValidationEvent, messages: Messages): string {
  const { validation } = messages.report;
  const { folder } = event;
  switch (event.kind) {
    case 'step-started':
      return `${folder} ${validation.steps[event.step]} …`;
    case 'step-finished': {
      const { step, state, counts, ms } = event.outcome;
      return validation.step(
        folder,
        validation.steps[step],
        validation.stepStates[state],
        countsText(step, counts, messages),
        ms,
      );
    }
    case 'folder-locked':
      return validation.locked(folder, problemText(event.reason, messages), `rustine validate ${folder}`);
    case 'folder-unlocked':
      return validation.unlocked(folder);
  }
}

export function countsText(step: ValidationStep, counts: StepCounts, { report }: Messages): string {
  const words: Readonly<Record<string, (count: number) => string>> =
    step === 'tables' ? report.tables : step === 'dictionary' ? report.elements : report.scripts;
  return Object.entries(counts)
    .flatMap(([name, count]) =>
      count === 0 ? [] : [words[name] === undefined ? String(count) : `${count} ${words[name](count)}`],
    )
    .join(', ');
}
