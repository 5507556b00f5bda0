// How a run over folders that this program carries out is told once it has ended: summary or document, exit code.
import type { Rustine } from '../app/rustine.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import type { Cli } from './cli.ts';
import { runDocument, runExitCode, runSummary } from './summary.ts';
import { type Watching, watched } from './watched-run.ts';

export async function answerRun(
  cli: Cli,
  asked: { readonly jobs?: number; readonly rehearse?: true },
  run: (rustine: Rustine, watching: Watching) => Promise<RunOutcome>,
): Promise<void> {
  const { terminal, messages } = cli;
  const { json, quiet, verbose } = cli.options;
  const started = performance.now();
  const { outcome, due } = await watched(cli, asked, messages.report.openRuns.interrupting, async (rustine, watching) => {
    const outcome = await run(rustine, watching);
    // What came of the run is known: it is told even where its consequences cannot be read any more.
    const told = quiet || json || asked.rehearse || outcome.state === 'refused';
    return { outcome, due: told ? [] : await rustine.folders().catch(() => []) };
  });
  const style = {
    width: terminal.width,
    colour: terminal.colour,
    verbose: verbose === true,
    quiet: quiet === true,
    ms: performance.now() - started,
  };
  cli.exitCode = runExitCode(outcome);
  cli.result(runDocument(outcome, messages), () => runSummary(outcome, due, messages, style));
}
