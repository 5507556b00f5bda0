// What a script uses, for people: its tables with their fields, the scripts that it calls, what could not be read.
import type { ScriptUsage } from '../app/script-uses.ts';
import { table, wrap } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';

export function usageText(usage: ScriptUsage, { report }: Messages, width: number | undefined): string {
  const words = report.scriptUses;
  const { columns } = words;
  const named = (name: string, known: boolean): string => (known ? name : `${name} ${words.missing}`);
  const parts = [words.of(safe(usage.script), usage.from, usage.language)];
  if (usage.tables.length > 0)
    parts.push(
      table(
        [{ title: columns.table }, { title: columns.line, right: true }, { title: columns.fields }],
        usage.tables.map(({ table: name, known, line, fields }) => [
          named(name, known),
          String(line),
          // Fields of a table that is missing are missing too.
          fields.map((use) => named(use.field, use.known || !known)).join(', '),
        ]),
        width,
      ),
    );
  if (usage.scripts.length > 0)
    parts.push(
      table(
        [{ title: columns.script }, { title: columns.line, right: true }, { title: columns.found }],
        usage.scripts.map(({ script, found, line }) => [script, String(line), found ?? words.nobody]),
        width,
      ),
    );
  if (parts.length === 1) parts.push(words.nothing);
  const left = [
    ...usage.unknown.map(({ abbreviation, line }) => words.unknown(safe(abbreviation), line)),
    ...usage.unread.map(({ kind, text, line }) => words.unread[kind](safe(text), line)),
  ];
  if (left.length > 0) parts.push(left.map((sentence) => wrap(sentence, width, 2)).join('\n'));
  return parts.join('\n\n');
}
