// `rustine history`: who did what to which folders, and which version of an element they have (R41).
import type { Cli } from '../cli.ts';
import { dayOf, nonEmpty, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly folder?: string;
  readonly patch?: string;
  readonly element?: string;
  readonly since?: string;
  readonly until?: string;
  readonly operator?: string;
  readonly limit?: number;
}

export function defineHistory(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.history;
  program
    .command('history')
    .description(words.is)
    .option('--folder <folder>', words.folder, nonEmpty('--folder'))
    .option('--patch <file>', words.patch, nonEmpty('--patch'))
    .option('--element <element>', words.element, nonEmpty('--element'))
    .option('--since <date>', words.since, dayOf('--since'))
    .option('--until <date>', words.until, dayOf('--until'))
    .option('--operator <name>', words.operator, nonEmpty('--operator'))
    .option('--limit <number>', words.limit, positiveNumber('--limit'))
    .action((options: Options) => history(cli, options));
}

async function history(cli: Cli, options: Options): Promise<void> {
  const [{ historyText }, { findingDocument }] = await Promise.all([import('../history-view.ts'), import('../problem.ts')]);
  const { found, missed } = await cli.withRustine(async (rustine) => ({
    found: await rustine.history(options),
    missed: rustine.missed(),
  }));
  const { messages, terminal } = cli;
  const findings = missed.map((finding) => findingDocument(finding, messages));
  cli.result({ ...found, findings }, () => historyText(found, messages, terminal.width, cli.options.verbose === true));
}
