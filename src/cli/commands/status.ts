// `rustine status`: the folders, what is to be done about them, and the runs at work; `--run`: how far each folder of a run is.
import type { Cli } from '../cli.ts';
import { findingDocument } from '../problem.ts';
import type { Program } from '../program.ts';

export function defineStatus(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.status;
  program
    .command('status')
    .description(words.is)
    .option('--run <run>', words.run)
    .action(({ run }: { run?: string }) => (run === undefined ? status(cli) : oneRun(cli, run)));
}

async function status(cli: Cli): Promise<void> {
  const [{ foldersTable }, { dueLines }, { runLine }] = await Promise.all([
    import('../folder-view.ts'),
    import('../due.ts'),
    import('../run-view.ts'),
  ]);
  const { folders, runs, batch, missed } = await cli.withRustine(async (rustine) => ({
    batch: await rustine.tasks.waiting(),
    runs: await rustine.runs.open(),
    folders: await rustine.folders(),
    missed: rustine.missed(),
  }));
  const { messages, terminal } = cli;
  const findings = missed.map((finding) => findingDocument(finding, messages));
  cli.result({ folders, runs, batch, findings }, () => {
    const due = dueLines(folders, messages, terminal.width);
    const advice = due.length === 0 ? messages.report.allInLine : due.join('\n');
    const open = runs.map((each) => `\n${runLine(each, messages)}`).join('');
    const waits =
      batch.runs + batch.tasks === 0
        ? ''
        : `\n${messages.report.batch.waitingWork(batch.runs, batch.tasks, batch.workers, batch.shut)}`;
    return `${foldersTable(folders, messages, terminal.width)}\n\n${advice}${open}${waits}`;
  });
}

async function oneRun(cli: Cli, start: string): Promise<void> {
  const { runText } = await import('../run-view.ts');
  const { run, folders } = await cli.withRustine((rustine) => rustine.runs.show(start));
  const { messages, terminal } = cli;
  cli.result({ run, folders }, () => runText(run, folders, messages, terminal.width));
}
