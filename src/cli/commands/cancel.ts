// `rustine cancel`: stops a run; every folder stays whole.
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function defineCancel(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.cancel;
  program
    .command('cancel')
    .description(words.is)
    .argument('[run]', words.run)
    .option('--reason <text>', words.reason)
    .action((run: string | undefined, { reason }: { readonly reason?: string }) => cancel(cli, run, reason));
}

async function cancel(cli: Cli, run: string | undefined, reason: string | undefined): Promise<void> {
  const cancelled = await cli.withRustine((rustine) => rustine.runs.cancel(run, reason));
  cli.result({ run: cancelled }, () =>
    cli.options.quiet ? '' : cli.messages.report.openRuns.asked(cancelled.run, cancelled.state),
  );
}
