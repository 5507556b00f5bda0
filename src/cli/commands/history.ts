// `rustine history`: who did what to which folders, and which version of an element they have (R41).
import type { HistoryOptions } from '../../app/history.ts';
import type { Cli } from '../cli.ts';
import { dayOf, nonEmpty, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';
import { type ReportFormat, type ReportOptions, withReportOptions } from '../report-options.ts';

interface Options extends ReportOptions, HistoryOptions {}

export function defineHistory(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.history;
  const command = program
    .command('history')
    .description(words.is)
    .option('--folder <folder>', words.folder, nonEmpty('--folder'))
    .option('--patch <file>', words.patch, nonEmpty('--patch'))
    .option('--element <element>', words.element, nonEmpty('--element'))
    .option('--since <date>', words.since, dayOf('--since'))
    .option('--until <date>', words.until, dayOf('--until'))
    .option('--operator <name>', words.operator, nonEmpty('--operator'))
    .option('--limit <number>', words.limit, positiveNumber('--limit'));
  withReportOptions(command as Program, cli.messages).action((options: Options) => history(cli, options));
}

async function history(cli: Cli, { format, output, ...options }: Options): Promise<void> {
  const { withReport } = await import('../report-output.ts');
  await withReport<ReportFormat>(cli, { command: 'rustine history', format, output }, (give) =>
    cli.withRustine(async (rustine, settings) => {
      const found = await rustine.history(options);
      const { historyAnswer } = await import('../history-answer.ts');
      await give(historyAnswer(found, rustine.missed(), wordsOf(options), cli), settings);
      // The text says it itself; a sheet must not look like all there is.
      const { more } = cli.messages.history;
      if (format === 'csv' && found.total > found.entries.length)
        cli.terminal.err(`${more(found.entries.length, found.total, found.total)}\n`);
    }),
  );
}

/** As it was typed. */
function wordsOf(options: object): string {
  return Object.entries(options)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ');
}
