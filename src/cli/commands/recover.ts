// `rustine recover`: settles what programs that died left behind, and says what that was.
import type { Cli } from '../cli.ts';
import { findingDocument, findingText } from '../problem.ts';
import type { Program } from '../program.ts';

export function defineRecover(program: Program, cli: Cli): void {
  program
    .command('recover')
    .description(cli.messages.help.commands.recover.is)
    .action(() => recover(cli));
}

async function recover(cli: Cli): Promise<void> {
  const recovery = await cli.withRustine((rustine) => rustine.recover());
  const steps = Object.entries(recovery);
  if (steps.some(([, { left }]) => left.length > 0)) cli.exitCode = 1;
  const settled = Object.fromEntries(steps.map(([step, outcome]) => [step, outcome.settled]));
  const left = Object.fromEntries(
    steps.map(([step, outcome]) => [step, outcome.left.map((finding) => findingDocument(finding, cli.messages))]),
  );
  cli.result({ settled, left }, () => {
    const words = cli.messages.report.recovery;
    const lines = (Object.keys(recovery) as (keyof typeof recovery)[]).flatMap((step) => [
      ...(recovery[step].settled.length > 0 ? [words.settled[step](recovery[step].settled)] : []),
      ...recovery[step].left.map((finding) => findingText(finding, cli.messages)),
    ]);
    if (lines.length > 0) return lines.join('\n');
    return cli.options.quiet ? '' : words.nothing;
  });
}
