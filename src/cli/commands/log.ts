// `rustine log`: the latest runs, or the trace of one, on the screen or in a file.
import { Refusal } from '../../base/errors.ts';
import type { TraceOptions } from '../../journal/trace.ts';
import type { Cli } from '../cli.ts';
import { oneOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';
import { REPORT_FORMATS, type ReportFormat } from '../report-options.ts';

const FORMATS = [...REPORT_FORMATS, 'jsonl'] as const;

interface Options {
  readonly folder?: string;
  readonly follow?: true;
  readonly format?: (typeof FORMATS)[number];
  readonly output?: string;
  readonly limit?: number;
}

const DEFAULT_RUNS = 20;

export function defineLog(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.log;
  program
    .command('log')
    .description(words.is)
    .argument('[run]', words.run)
    .option('--folder <folder>', words.folder)
    .option('-f, --follow', words.follow)
    .option(`--format <${FORMATS.join('|')}>`, words.format, oneOf('--format', FORMATS))
    .option('--output <file>', words.output)
    .option('--limit <number>', words.limit, positiveNumber('--limit'))
    .action((run: string | undefined, options: Options) => log(cli, run, options));
}

async function log(cli: Cli, run: string | undefined, options: Options): Promise<void> {
  const { folder, follow, format, output, limit } = options;
  // Whoever says how to show a trace means one: the latest. A number of runs means the list of them.
  const one = folder !== undefined || follow === true || ((format !== undefined || output !== undefined) && limit === undefined);
  if (run === undefined && !one) return list(cli, options);
  if (follow === true && format === 'html') throw new Refusal('usage', { problem: 'follow-and-page', command: 'rustine log' });
  const wanted = { ...(folder === undefined ? {} : { folder }), ...(follow === undefined ? {} : { follow }) };
  await show(cli, run ?? 'last', wanted, options);
}

async function list(cli: Cli, { format, output, limit = DEFAULT_RUNS }: Options): Promise<void> {
  if (format === 'jsonl') throw new Refusal('usage', { problem: 'list-as-lines', command: 'rustine log' });
  const [{ withReport }, { runsAnswer }] = await Promise.all([import('../report-output.ts'), import('../run-answers.ts')]);
  await withReport<ReportFormat>(cli, { command: 'rustine log', format, output }, (give) =>
    cli.withRustine(async (rustine, settings) => give(runsAnswer(await rustine.latestRuns(limit), cli), settings)),
  );
}

async function show(cli: Cli, run: string, wanted: TraceOptions, { format, output }: Options): Promise<void> {
  const [{ withReport }, { traceAnswer }] = await Promise.all([import('../report-output.ts'), import('../run-answers.ts')]);
  const growing = wanted.follow === true;
  await withReport(cli, { command: 'rustine log', format, output, growing }, (give) =>
    cli.withRustine(async (rustine, settings) => {
      const trace = await rustine.trace(run, wanted);
      const folders = async () => {
        const { folders } = await rustine.runs.show(trace.run.run);
        return wanted.folder === undefined
          ? folders
          : folders.filter(({ folder }) => folder === wanted.folder?.trim().toUpperCase());
      };
      await give(traceAnswer(trace, folders, wanted.folder, cli), settings);
    }),
  );
}
