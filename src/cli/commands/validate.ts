// `rustine validate`: brings folders in line with their settings and their dictionary.
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineValidate(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.validate;
  program
    .command('validate')
    .description(words.is)
    .argument('[folder...]', words.folders)
    .option('--due', words.due)
    .action((folders: readonly string[], options: { readonly due?: true }) => validate(cli, folders, options.due === true));
}

async function validate(cli: Cli, codes: readonly string[], due: boolean): Promise<void> {
  if ((codes.length === 0) !== due) {
    const problem = due ? 'folders-and-due' : 'folders-or-due';
    throw new Refusal('usage', { problem, command: 'rustine validate' });
  }
  const [{ folderCode }, { validationDocument, validationSummary }, { runExitCode }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../validation-view.ts'),
    import('../summary.ts'),
  ]);
  const folders = codes.map(folderCode);
  const outcome = await cli.withRustine((rustine) => rustine.validate(due ? {} : { folders }));
  const { terminal, options } = cli;
  const style = {
    width: terminal.width,
    colour: terminal.colour,
    verbose: options.verbose === true,
    quiet: options.quiet === true,
  };
  cli.exitCode = runExitCode({ state: outcome.state, folders: [] });
  cli.result(validationDocument(outcome, cli.messages), () => validationSummary(outcome, cli.messages, style));
}
