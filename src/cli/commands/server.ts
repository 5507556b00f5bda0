// `rustine server …`: adds, lists, shows and drops further database servers.
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineServer(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const server = program.command('server').description(words.server.is);
  server
    .command('add')
    .description(words.serverAdd.is)
    .argument('<name>', words.serverAdd.name)
    .argument('<url>', words.serverAdd.url)
    .action((name: string, url: string) => add(cli, name, url));
  server
    .command('list', { isDefault: true })
    .description(words.serverList.is)
    .action(() => list(cli));
  server
    .command('show')
    .description(words.serverShow.is)
    .argument('<name>', words.serverShow.name)
    .action((name: string) => show(cli, name));
  server
    .command('drop')
    .description(words.serverDrop.is)
    .argument('<name>', words.serverDrop.name)
    .option('--yes', words.serverDrop.yes)
    .action((name: string, options: { yes?: true }) => drop(cli, name, options.yes === true));
}

async function add(cli: Cli, name: string, url: string): Promise<void> {
  const { showCreated } = await import('../created.ts');
  const { server, findings } = await cli.withRustine((rustine) => rustine.addServer(name, url));
  showCreated(cli, { server }, findings, cli.messages.report.servers.added(server.name));
}

async function list(cli: Cli): Promise<void> {
  const { serversTable } = await import('../server-view.ts');
  const servers = await cli.withRustine((rustine) => rustine.servers());
  cli.result({ servers }, () => serversTable(servers, cli.messages, cli.terminal.width));
}

async function show(cli: Cli, name: string): Promise<void> {
  const { serverText } = await import('../server-view.ts');
  const server = await cli.withRustine((rustine) => rustine.server(name));
  cli.result(server, () => serverText(server, cli.messages));
}

async function drop(cli: Cli, name: string, confirmed: boolean): Promise<void> {
  const { serverName } = await import('../../base/ids.ts');
  const server = serverName(name);
  if (!confirmed) throw new Refusal('usage', { problem: 'confirm-server-drop', command: 'rustine server drop', server });
  const dropped = await cli.withRustine((rustine) => rustine.dropServer(server));
  const { servers } = cli.messages.report;
  cli.result({ dropped: dropped.name }, () => (cli.options.quiet ? '' : servers.dropped(dropped.name, dropped.url)));
}
