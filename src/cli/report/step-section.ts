// The steps of a validation on the page of its run: each over all folders, then folder by folder.
import type { StepOutcome } from '../../journal/validation-steps.ts';
import type { Messages } from '../messages/en.ts';
import { countsText } from '../step-text.ts';
import type { PageSection, PageTable, Tone } from './report.ts';
import { readable } from './rows.ts';
import type { FolderAccount } from './run-account.ts';

const TONES: Readonly<Record<StepOutcome['state'], Tone>> = { done: 'good', unchanged: 'plain', failed: 'bad' };
/** Beyond that only the sums. */
const MOST_DETAILED = 200;

export function stepSections(folders: readonly FolderAccount[], messages: Messages): readonly PageSection[] {
  const { report, reports } = messages;
  const { run: words } = reports;
  const { steps: names, stepStates } = report.validation;
  const all = folders.flatMap(({ steps }) => steps);
  if (all.length === 0) return [];
  const { columns } = words;
  const table = (caption: string, stateTitle: string, groups: PageTable['groups']): PageTable => ({
    kind: 'table',
    caption,
    columns: [{ title: columns.step }, { title: stateTitle }, { title: columns.did }, { title: columns.took, right: true }],
    groups,
  });
  const sums = table(words.stepSumsCaption, columns.states, [
    {
      rows: [...Map.groupBy(all, ({ step }) => step)].map(([step, group]) => [
        names[step],
        {
          lines: [...Map.groupBy(group, ({ state }) => state)].map(([state, of]) =>
            words.stateCount(stepStates[state], of.length),
          ),
        },
        countsText(step, summed(group), messages),
        reports.duration(Math.max(...group.map(({ ms }) => ms))),
      ]),
    },
  ]);
  const each = table(
    words.stepCaption,
    columns.state,
    folders
      .filter(({ steps }) => steps.length > 0)
      .map(({ folder, steps }) => ({
        title: folder,
        rows: steps.map(({ step, state, counts, ms }) => [
          names[step],
          { text: stepStates[state], tone: TONES[state] },
          countsText(step, counts, messages),
          reports.duration(ms),
        ]),
      })),
  );
  const detailed = all.length <= MOST_DETAILED ? readable(each, messages) : [];
  return [{ title: words.validationSteps, blocks: [...readable(sums, messages), ...detailed] }];
}

function summed(steps: readonly StepOutcome[]): Readonly<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const { counts } of steps) for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  return total;
}
