// `rustine log`: the trace of a run.
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineLog(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.log;
  program
    .command('log')
    .description(words.is)
    .argument('<run>', words.run)
    .action((run: string) => log(cli, run));
}

async function log(cli: Cli, run: string): Promise<void> {
  const { traceText, entryDocument } = await import('../trace.ts');
  const entries = await cli.withRustine((rustine) => rustine.log(run));
  const { messages } = cli;
  cli.result({ run, entries: entries.map((entry) => entryDocument(entry, messages)) }, () =>
    entries.map((entry) => traceText(entry, messages)).join('\n'),
  );
}
