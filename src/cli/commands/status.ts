// `rustine status`: the folders, and what is to be done about them.
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineStatus(program: Program, cli: Cli): void {
  program
    .command('status')
    .description(cli.messages.help.commands.status.is)
    .action(() => status(cli));
}

async function status(cli: Cli): Promise<void> {
  const { advice, foldersTable } = await import('../folder-view.ts');
  const folders = await cli.withRustine((rustine) => rustine.folders());
  cli.result({ folders }, () => `${foldersTable(folders, cli.messages, cli.terminal.width)}\n\n${advice(folders, cli.messages)}`);
}
