// Help and pages: every command and every option that exists is named by both, in both languages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createCli } from '../../src/cli/cli.ts';
import type { Messages } from '../../src/cli/messages/en.ts';
import { messages as english } from '../../src/cli/messages/en.ts';
import { messages as french } from '../../src/cli/messages/fr.ts';
import { Program } from '../../src/cli/program.ts';
import { defineProgram } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** Commands that share the page of another one. */
const ON_PAGE: Readonly<Record<string, string>> = { decide: 'kept-values' };
const PAGES = join(import.meta.dirname, '../../docs/commands');

function programIn(messages: Messages): Program {
  const program = new Program('rustine');
  const terminal = { width: 120, errWidth: 120 } as Terminal;
  defineProgram(
    program,
    createCli(terminal, messages, () => ({})),
    () => undefined,
    () => undefined,
  );
  return program;
}

const all = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(all)];
const pathOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

describe.each([
  ['en', english],
  ['fr', french],
] as const)('%s', (_language, messages) => {
  const program = programIn(messages);

  it('names every command', () => {
    for (const command of all(program)) {
      const help = command.helpInformation();
      for (const sub of command.commands) expect([pathOf(sub), help]).toEqual([pathOf(sub), expect.stringContaining(sub.name())]);
    }
  });

  it('has words for every command, argument and option', () => {
    for (const command of all(program)) {
      const path = pathOf(command).join(' ');
      const help = command.helpInformation();
      expect([path, command.description()]).toEqual([path, expect.stringMatching(/\p{L}{3}/u)]);
      for (const option of [...command.options, ...program.options]) {
        expect([path, option.long, help]).toEqual([path, option.long, expect.stringContaining(option.long ?? '?')]);
        expect([path, option.long, option.description]).toEqual([path, option.long, expect.stringMatching(/\p{L}{2}/u)]);
      }
      for (const argument of command.registeredArguments)
        expect([path, argument.name(), argument.description]).toEqual([
          path,
          argument.name(),
          expect.stringMatching(/\p{L}{2}/u),
        ]);
    }
  });
});

it('translates what stands for a value, and no value', () => {
  const terms = (messages: Messages) =>
    all(programIn(messages)).flatMap((command) => command.helpInformation().match(/<[^>]+>|\[[^\]]+\]/g) ?? []);
  expect(terms(french)).toEqual(
    expect.arrayContaining(['<contrôle=raison>', '<text|json|csv|html|jsonl>', '<continue|stop>', '<texte>', '<dossier>']),
  );
  expect(terms(french).some((term) => /reason|folder/.test(term))).toBe(false);
});

it('every command and option has its place on the page of its command', () => {
  const missing: string[] = [];
  for (const command of all(programIn(english))) {
    const [first] = pathOf(command);
    if (first === undefined || first === 'help') continue;
    const page = readFileSync(join(PAGES, `${ON_PAGE[first] ?? first}.md`), 'utf8');
    for (const word of [command.name(), ...command.options.map(({ long }) => long ?? '')])
      if (!page.includes(word)) missing.push(`${pathOf(command).join(' ')}: ${word}`);
  }
  expect(missing).toEqual([]);
});
