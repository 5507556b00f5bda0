// `rustine db …`: the database in use.
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineDb(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const db = program.command('db').description(words.db.is);
  db.command('url')
    .description(words.dbUrl.is)
    .option('--folder <folder>', words.dbUrl.folder)
    .option('--server <server>', words.dbUrl.server)
    .action((options: UrlOptions) => url(cli, options));
  db.command('stop')
    .description(words.dbStop.is)
    .action(() => stop(cli));
}

interface UrlOptions {
  readonly folder?: string;
  readonly server?: string;
}

async function url(cli: Cli, { folder, server }: UrlOptions): Promise<void> {
  if (folder !== undefined && server !== undefined)
    throw new Refusal('usage', { problem: 'folder-or-server', command: 'rustine db url' });
  const { folderCode } = await import('../../base/ids.ts');
  const code = folder === undefined ? undefined : folderCode(folder);
  const address = await cli.withRustine((rustine) =>
    server === undefined ? rustine.databaseUrl(code) : rustine.serverUrl(server),
  );
  cli.result({ url: address }, () => address);
}

async function stop(cli: Cli): Promise<void> {
  const state = await cli.terminal.stopDatabase(await cli.settings());
  cli.result({ state }, () => (cli.options.quiet ? '' : cli.messages.report.database[state]));
}
