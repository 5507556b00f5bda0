// `rustine kept-values` and `rustine decide`: values that folders keep against deliveries.
import type { Choice } from '../../dictionary/cases.ts';
import type { Cli } from '../cli.ts';
import { oneOf } from '../option-values.ts';
import type { Program } from '../program.ts';

export function defineKeptValues(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  program
    .command('kept-values')
    .description(words.keptValues.is)
    .option('--folder <folder>', words.keptValues.folder)
    .option('--all', words.keptValues.all)
    .action((options: { folder?: string; all?: true }) => list(cli, options));
  program
    .command('decide')
    .description(words.decide.is)
    .argument('<case>', words.decide.case)
    .argument('<choice>', words.decide.choice, oneOf('choice', ['keep', 'take', 'value']))
    .argument('[value]', words.decide.value)
    .option('--reason <reason>', words.decide.reason)
    .action((id: string, choice: Choice, value: string | undefined, options: { reason?: string }) =>
      decide(cli, id, choice, value, options.reason),
    );
}

async function list(cli: Cli, options: { folder?: string; all?: true }): Promise<void> {
  const { keptValuesText } = await import('../kept-values-view.ts');
  const values = await cli.withRustine((rustine) => rustine.keptValues(options));
  cli.result({ keptValues: values }, () => keptValuesText(values, cli.messages, cli.terminal.width, new Date()));
}

async function decide(
  cli: Cli,
  id: string,
  choice: Choice,
  value: string | undefined,
  reason: string | undefined,
): Promise<void> {
  const decided = await cli.withRustine((rustine) =>
    rustine.decide({
      case: id,
      choice,
      ...(value === undefined ? {} : { value }),
      ...(reason === undefined ? {} : { reason }),
    }),
  );
  cli.result(decided, () =>
    cli.options.quiet ? '' : cli.messages.report.decided(decided.case, decided.choice, decided.folders),
  );
}
