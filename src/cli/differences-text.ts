// What a validation changed or would change, one by one; folders with the same differences are told once.
import type { RunValidation, ValidationOutcome } from '../app/validations.ts';
import { canonical, digestOf } from '../base/canonical.ts';
import { counts } from './counts.ts';
import { oneLine } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';
import { tableCostsText } from './table-costs.ts';

/** So many folders are named in the heading of what they have in common. */
const MOST_NAMED = 12;

interface Group {
  readonly folders: readonly string[];
  readonly first: RunValidation;
}

/** Folders in which something changes, those with the same differences together. */
function groupsOf({ folders }: ValidationOutcome): readonly Group[] {
  const changed = folders.filter((folder) => folder.state === 'validated' && hasDifferences(folder));
  // Folders that share a plan share the list of elements: what it is like is worked out once, and not kept as text for each.
  const digests = new Map<unknown, string>();
  const digestOfShared = (list: unknown): string => {
    const digest = digests.get(list) ?? digestOf(canonical(list));
    digests.set(list, digest);
    return digest;
  };
  const alike = Map.groupBy(changed, (folder) =>
    digestOf(canonical({ ...differencesOf(folder), elements: digestOfShared(folder.differences?.elements) })),
  );
  return [...alike.values()].flatMap((group) =>
    group.slice(0, 1).map((first) => ({ first, folders: group.map(({ folder }) => folder) })),
  );
}

/** Where only settings came, or what is noted of patches, there is nothing to list. */
function hasDifferences({ differences, tables, patches, texts, ran, rows }: RunValidation): boolean {
  if (differences === undefined) return false;
  const { created, altered, removed } = tables;
  const lists = [differences.elements, differences.scripts, ran, patches, created, altered, removed];
  return texts > 0 || Object.values(rows).some((count) => count > 0) || lists.some((list) => list.length > 0);
}

function differencesOf({ differences, tables, patches, texts, ran, rows }: RunValidation): object {
  return { ...differences, ran, tables, rows, patches, texts };
}

/** @param named so many folders are named; absent: a few, and the others counted */
export function differencesText(
  outcome: ValidationOutcome,
  messages: Messages,
  width: number | undefined,
  named = MOST_NAMED,
): string {
  return groupsOf(outcome)
    .map((group) => groupText(group, messages, width, named))
    .join('\n');
}

/** As a document: the folders of each group, and what they have in common. */
export function differencesDocument(outcome: ValidationOutcome): object {
  return {
    run: outcome.run,
    mode: outcome.mode,
    differences: groupsOf(outcome).map(({ folders, first }) => ({ folders, ...differencesOf(first) })),
  };
}

function groupText({ folders, first }: Group, messages: Messages, width: number | undefined, most: number): string {
  const { validation, columns } = messages.report;
  const { elements = [], scripts = [] } = first.differences ?? {};
  const { tables, patches, texts, ran } = first;
  const { report } = messages;
  const rows = counts(report.rows, { ...first.rows });
  const named = (title: string, names: readonly string[], how = ''): readonly string[] =>
    names.map((name) => `  ${messages.summary.part(title, safe(name))}${how}`);
  const lines = [
    validation.differencesOf(some(folders, most), folders.length),
    ...elements.flatMap(({ type, name, change, records }) => [
      `  ${safe(`${type}:${name}`)}  ${validation.changes[change]}`,
      ...records.flatMap(({ tag, key, change: how, fields }) => [
        `    ${safe(key === '' ? tag : `${tag} ${key}`)}  ${validation.changes[how]}`,
        ...fields.map(
          ({ field, before, after }) =>
            `      ${messages.summary.part(safe(field), `${valueText(before)} → ${valueText(after)}`)}`,
        ),
      ]),
    ]),
    ...named(columns.tables, tables.created, `  ${report.tables.created(1)}`),
    ...named(columns.scripts, scripts),
    ...named(columns.scripts, ran, `  ${report.scripts.run(1)}`),
    ...(rows === '-' ? [] : [`  ${messages.summary.part(columns.rows, rows)}`]),
    ...(texts === 0 ? [] : [`  ${messages.summary.part(validation.steps.texts, String(texts))}`]),
    ...named(columns.patches, patches),
    tableCostsText([{ folders, changes: first.tables.changes }], messages, width, most),
  ];
  return lines.filter((line) => line !== '').join('\n');
}

const valueText = (value: string | null): string => (value === null ? '∅' : `"${oneLine(safe(value))}"`);
