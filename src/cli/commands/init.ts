// `rustine init`: creates the environment.
import type { Cli } from '../cli.ts';
import { listOf } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly supervisor?: string;
  readonly languages?: readonly string[];
}

export function defineInit(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.init;
  program
    .command('init')
    .description(words.is)
    .option('--supervisor <code>', words.supervisor)
    .option('--languages <codes>', words.languages, listOf('--languages'))
    .action((options: Options) => init(cli, options));
}

async function init(cli: Cli, options: Options): Promise<void> {
  const [{ folderCode, languageCode }, { showCreated }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../created.ts'),
  ]);
  const { supervisor, findings } = await cli.withRustine((rustine) =>
    rustine.init({
      ...(options.supervisor === undefined ? {} : { supervisor: folderCode(options.supervisor) }),
      ...(options.languages === undefined ? {} : { languages: options.languages.map(languageCode) }),
    }),
  );
  showCreated(cli, { supervisor }, findings, cli.messages.report.initialized(supervisor.code));
}
