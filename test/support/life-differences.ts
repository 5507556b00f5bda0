// Compares the end of a life with that of its plain replay: what two ways to the same end must have in common, line by line.
import { ELEMENT_TYPES } from '../../src/dictionary/element-types.ts';
import type { Holding } from './folder-dump.ts';
import { difference } from './folder-dump.ts';
import type { Life } from './life.ts';
import { FOLDERS } from './life-steps.ts';

/** A folder without what two ways to the same end need not have in common: numbers, times, the order of columns, what was put aside on the way. */
function content(holding: Holding | undefined): Holding {
  return (holding ?? [])
    .filter((line) => !/^(integration|event|dictionary|kept|kept row) \|/.test(line))
    .map((line) => line.replace(/^(column \| \w+) \| \d+/, '$1').replaceAll(/"(updtick_0|updusr_0|creusr_0|num_0)": [^,}]+/g, ''))
    .toSorted();
}

/**
 * A validation brings the last of what was delivered, and nothing that came and went in between. What waits for a decision is compared where each patch came by
 * itself; elsewhere the typed views may lack what only a former version of a record had, and rows have come into their tables as these are now: where the
 * columns of a table came or went meanwhile, its rows are the same by their key. A line that was new there began with the set-up values of the parent.
 * @returns folder → lines that one of the two has and the other has not
 */
export async function differences(one: Life, other: Life): Promise<Readonly<Record<string, readonly string[]>>> {
  const [here, there, validated] = [await one.holdings(), await other.holdings(), await one.validated()];
  const found = FOLDERS.map((code) => {
    const [left = [], right = []] = [here, there].map((folders) => folders.get(code));
    if (!validated.has(code)) return [code, difference(content(left), content(right))] as const;
    const changed = new Set([...changedTables(left), ...changedTables(right)]);
    const [have, want] = [asValidated(content(left), changed), asValidated(content(right), changed)];
    return [code, difference(have, want).filter((line) => !ONLY_BEFORE.test(line))] as const;
  });
  return Object.fromEntries(found.filter(([, lines]) => lines.length > 0));
}

/** Columns of typed views that the replay has and the life has not. */
const ONLY_BEFORE = /^\+ (view column|other \| v) \|/;

/** Tables that had a column at some time for which they had rows at another. */
const changedTables = (holding: Holding): readonly string[] =>
  holding.flatMap((line) => /^(?:remainder \| [^|]* \||kept \| columns \|) (\w+)/.exec(line)?.[1] ?? []);

function asValidated(lines: Holding, changed: ReadonlySet<string>): Holding {
  return lines
    .filter((line) => !/^(offer|remainder) \|/.test(line))
    .map((line) => {
      const [, table = '', row = ''] = /^row \| (\w+) \| (.*)$/.exec(line) ?? [];
      return changed.has(table) ? `row | ${table} | ${/"key_0": "[^"]*"/.exec(row)?.[0]}` : line;
    })
    .map(withoutSetUp)
    .map((line) => line.replace(/^(view column \| \w+ \| \w+) \| .*/, '$1'));
}

/** Nor the digest, which is made of them too, and which of them count as changed by people. */
function withoutSetUp(line: string): string {
  const [kind, type = '', name, tag = '', key, position, activity, fields = '{}'] = line.split(' | ');
  const setUp = ELEMENT_TYPES.get(type)?.setUp[tag] ?? [];
  if (kind !== 'record' || setUp.length === 0) return line;
  const kept = Object.entries(JSON.parse(fields)).filter(([field]) => !setUp.includes(field));
  return [kind, type, name, tag, key, position, activity, JSON.stringify(Object.fromEntries(kept))].join(' | ');
}
