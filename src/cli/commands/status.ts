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
  const [{ foldersTable }, { dueLines }] = await Promise.all([import('../folder-view.ts'), import('../due.ts')]);
  const folders = await cli.withRustine((rustine) => rustine.folders());
  const { messages, terminal } = cli;
  cli.result({ folders }, () => {
    const due = dueLines(folders, messages, terminal.width);
    const advice = due.length === 0 ? messages.report.allInLine : due.join('\n');
    return `${foldersTable(folders, messages, terminal.width)}\n\n${advice}`;
  });
}
