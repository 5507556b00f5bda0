// `rustine check`: the checks that come before integrating, alone.
import type { Cli } from '../cli.ts';
import { type Forced, forced, listOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly folders?: readonly string[];
  readonly authorize?: readonly string[];
  readonly force?: readonly Forced[];
  readonly jobs?: number;
}

export function defineCheck(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.check;
  program
    .command('check')
    .description(words.is)
    .argument('<path...>', words.paths)
    .option('--folders <folders>', words.folders, listOf('--folders'))
    .option('--authorize <codes>', words.authorize, listOf('--authorize'))
    .option('--force <check=reason>', words.force, forced)
    .option('--jobs <number>', words.jobs, positiveNumber('--jobs'))
    .action((paths: readonly string[], options: Options) => check(cli, paths, options));
}

async function check(cli: Cli, paths: readonly string[], options: Options): Promise<void> {
  const [{ activityCode, folderCode }, { checkDocument, checkText }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../check-view.ts'),
  ]);
  const { folders, authorize, force } = options;
  const some = folders === undefined || folders.includes('all') ? undefined : folders.map(folderCode);
  const outcome = await cli.withRustine((rustine, settings) => {
    const jobs = options.jobs ?? settings.jobs;
    return rustine.check({
      paths,
      ...(some === undefined ? {} : { folders: some }),
      ...(authorize === undefined ? {} : { authorize: authorize.map(activityCode) }),
      ...(force === undefined ? {} : { force }),
      ...(jobs === undefined ? {} : { jobs }),
    });
  });
  const { terminal, messages } = cli;
  const { quiet, verbose } = cli.options;
  if (outcome.state === 'blocked') cli.exitCode = 1;
  const style = { width: terminal.width, colour: terminal.colour, verbose: verbose === true, quiet: quiet === true };
  cli.result(checkDocument(outcome, messages), () => checkText(outcome, messages, style));
}
