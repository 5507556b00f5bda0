// `rustine db …`: the database in use.
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineDb(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const db = program.command('db').description(words.db.is);
  db.command('url')
    .description(words.dbUrl.is)
    .option('--folder <folder>', words.dbUrl.folder)
    .action((options: { folder?: string }) => url(cli, options.folder));
  db.command('stop')
    .description(words.dbStop.is)
    .action(() => stop(cli));
}

async function url(cli: Cli, folder: string | undefined): Promise<void> {
  const { folderCode } = await import('../../base/ids.ts');
  const code = folder === undefined ? undefined : folderCode(folder);
  const address = await cli.withRustine((rustine) => rustine.databaseUrl(code));
  cli.result({ url: address }, () => address);
}

async function stop(cli: Cli): Promise<void> {
  const state = await cli.terminal.stopDatabase(await cli.settings());
  cli.result({ state }, () => (cli.options.quiet ? '' : cli.messages.report.database[state]));
}
