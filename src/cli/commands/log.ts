// `rustine log`: the latest runs, or the trace of one, on the screen or in a file.
import type { Trace } from '../../app/traces.ts';
import { Refusal } from '../../base/errors.ts';
import type { JournalEntry } from '../../journal/journal.ts';
import type { TraceOptions } from '../../journal/trace.ts';
import type { Cli } from '../cli.ts';
import { oneOf, positiveNumber } from '../option-values.ts';
import type { Output } from '../output-file.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly folder?: string;
  readonly follow?: true;
  readonly format?: 'text' | 'jsonl';
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
    .option('--format <text|jsonl>', words.format, oneOf('--format', ['text', 'jsonl']))
    .option('--output <file>', words.output)
    .option('--limit <number>', words.limit, positiveNumber('--limit'))
    .action((run: string | undefined, options: Options) => log(cli, run, options));
}

async function log(cli: Cli, run: string | undefined, options: Options): Promise<void> {
  const { folder, follow, format, output } = options;
  if (cli.options.json && format !== undefined)
    throw new Refusal('usage', { problem: 'json-and-format', command: 'rustine log' });
  // Whoever says how to show a trace means one: the latest.
  const one = folder !== undefined || follow === true || format !== undefined || output !== undefined;
  if (run === undefined && !one) return list(cli, options.limit ?? DEFAULT_RUNS);
  const wanted = { ...(folder === undefined ? {} : { folder }), ...(follow === undefined ? {} : { follow }) };
  await show(cli, run ?? 'last', wanted, format ?? 'text', output);
}

async function list(cli: Cli, limit: number): Promise<void> {
  const { runsTable } = await import('../runs-view.ts');
  const runs = await cli.withRustine((rustine) => rustine.latestRuns(limit));
  cli.result({ runs }, () => runsTable(runs, cli.messages, cli.terminal.width));
}

async function show(
  cli: Cli,
  run: string,
  wanted: TraceOptions,
  format: 'text' | 'jsonl',
  path: string | undefined,
): Promise<void> {
  await cli.withRustine(async (rustine) => {
    const trace = await rustine.trace(run, wanted);
    if (path === undefined) return void (await write(cli, trace, format, { write: async (text) => cli.terminal.out(text) }));
    const [{ openOutput }, { resolve }] = await Promise.all([import('../output-file.ts'), import('node:path')]);
    const place = resolve(cli.terminal.cwd, path);
    const output = await openOutput(place);
    const entries = await write(cli, trace, format, output).finally(() => output.close());
    const quiet = cli.options.quiet === true;
    cli.result({ run: trace.run.run, path: place, entries }, () => (quiet ? '' : cli.messages.log.written(entries, place)));
  });
}

/** @returns number of entries */
async function write(cli: Cli, trace: Trace, format: 'text' | 'jsonl', output: Pick<Output, 'write'>): Promise<number> {
  const { traceText, runHead, entryDocument } = await import('../trace.ts');
  const { messages } = cli;
  if (cli.options.json) {
    const entries: JournalEntry[] = [];
    for await (const page of trace.pages) entries.push(...page);
    const document = { ...trace.run, entries: entries.map((entry) => entryDocument(entry, messages)) };
    await output.write(`${JSON.stringify(document, null, 2)}\n`);
    return entries.length;
  }
  const line = (entry: JournalEntry): string =>
    `${format === 'jsonl' ? JSON.stringify(entryDocument(entry, messages)) : traceText(entry, messages)}\n`;
  await output.write(
    format === 'jsonl' ? `${JSON.stringify({ kind: 'run', ...trace.run })}\n` : `${runHead(trace.run, messages)}\n\n`,
  );
  let entries = 0;
  for await (const page of trace.pages) {
    await output.write(page.map(line).join(''));
    entries += page.length;
  }
  return entries;
}
