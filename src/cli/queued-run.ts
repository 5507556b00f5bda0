// `integrate --batch`: says that the run is queued, or shows how it goes until its end or until it is left.
import type { IntegrateOptions, Rustine } from '../app/rustine.ts';
import type { Finding } from '../base/finding.ts';
import type { RunOutcome } from '../journal/outcome.ts';
import type { Cli } from './cli.ts';
import type { DueFolder } from './due.ts';
import { findingsText } from './findings.ts';
import { createProgress, silentProgress } from './progress.ts';
import { runDocument, runExitCode, runSummary } from './summary.ts';

export async function queueRun(cli: Cli, request: IntegrateOptions, follow: boolean): Promise<void> {
  const started = performance.now();
  const { terminal, messages } = cli;
  const { batch } = messages.report;
  const quiet = cli.options.quiet === true;
  await cli.withRustine(async (rustine) => {
    const queued = await rustine.queue(request);
    const { run, mode, findings } = queued;
    if (queued.state === 'refused') return tell(cli, { run, mode, state: 'refused', findings, folders: [] }, started);
    const text = [
      batch.queued(run, queued.files.length, queued.concerned.length),
      ...(queued.workers === 0 ? [batch.noWorker] : []),
    ];
    const { files, concerned, workers } = queued;
    if (!follow) {
      const document = {
        ...runDocument({ run, mode, state: 'done', findings, folders: [] }, messages),
        state: 'queued',
        files,
        workers,
      };
      return cli.result({ ...document, folders: concerned.map((folder) => ({ folder, state: 'waiting' })) }, () =>
        quiet ? run : [...checkedText(cli, findings), ...text].join('\n'),
      );
    }
    if (!quiet) terminal.err(`${text.join('\n')}\n`);
    const outcome = await followed(cli, rustine, run);
    if (outcome === undefined)
      return cli.result({ run, mode, state: 'queued', files, workers }, () => (quiet ? run : batch.left(run)));
    return tell(cli, outcome, started, await dueFolders(cli, rustine, outcome));
  });
}

/** What the checks found that does not keep the run from the queue; who follows it is told at its end. */
function checkedText({ terminal: { width, colour }, messages, options }: Cli, findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return [];
  return [findingsText(findings, messages, { width, colour, all: options.verbose === true })];
}

async function followed(cli: Cli, rustine: Rustine, run: string): Promise<RunOutcome | undefined> {
  const { quiet, json } = cli.options;
  const progress = quiet || json ? silentProgress(cli.terminal) : createProgress(cli.terminal, cli.messages);
  const stop = new AbortController();
  const listening = cli.terminal.onInterrupt(() => stop.abort());
  try {
    const idle = () => progress.say(cli.messages.report.batch.idle(run));
    return await rustine.follow(run, progress.listener, stop.signal, quiet || json ? undefined : idle);
  } finally {
    listening();
    progress.end();
  }
}

/** What came of the run is known: it is told even where its consequences cannot be read any more. */
async function dueFolders(cli: Cli, rustine: Rustine, { mode, state }: RunOutcome): Promise<readonly DueFolder[]> {
  const { quiet, json } = cli.options;
  return quiet || json || mode === 'rehearse' || state === 'refused' ? [] : rustine.folders().catch(() => []);
}

function tell(cli: Cli, outcome: RunOutcome, started: number, due: readonly DueFolder[] = []): void {
  const { terminal, messages } = cli;
  const { quiet, verbose } = cli.options;
  const style = { width: terminal.width, colour: terminal.colour, verbose: verbose === true, quiet: quiet === true };
  cli.exitCode = runExitCode(outcome);
  cli.result(runDocument(outcome, messages), () =>
    runSummary(outcome, due, messages, { ...style, ms: performance.now() - started }),
  );
}
