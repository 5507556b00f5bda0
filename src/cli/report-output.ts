// An answer in the form that was asked for, on standard output or in a new file.
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Settings } from '../app/config.ts';
import { Refusal } from '../base/errors.ts';
import type { Cli } from './cli.ts';
import { openOutput } from './output-file.ts';
import { BYTE_ORDER_MARK, csvText } from './report/csv.ts';
import { databaseName, type Made } from './report/made.ts';
import { pageText } from './report/page.ts';
import type { Page, Sheet } from './report/report.ts';
import type { ReportFormat, ReportOptions } from './report-options.ts';
import { version } from './version.ts';

export type Pieces = string | Iterable<string> | AsyncIterable<string>;

/** Made where it is asked for; what is long comes piece by piece. */
export interface Answer<Format extends string = ReportFormat> {
  /** Those that not every command has. */
  readonly forms?: Readonly<Partial<Record<Exclude<Format, ReportFormat>, () => Pieces>>>;
  json(): unknown;
  /** @param width of the terminal; undefined: nothing is cut or broken */
  text(width: number | undefined): Pieces;
  sheet(): Sheet;
  page(made: Made): Page | Promise<Page>;
  /** What is said of a file that was written; absent: where it is. */
  written?(path: string): { readonly document: object; readonly text: string };
}

export interface Asked<Format extends string> {
  readonly command: string;
  readonly format?: Format | undefined;
  readonly output?: string | undefined;
  /** It is read while it is written. */
  readonly growing?: boolean;
}

export function asked(command: string, { format, output }: ReportOptions): Asked<ReportFormat> {
  return { command, format, output };
}

/**
 * The place is tried before the work begins. @param work gives its answer, once
 * @throws Refusal `usage`, `output-exists`, `output-directory`; Failure `output-unwritable`
 */
export async function withReport<Format extends string>(
  cli: Cli,
  wanted: Asked<Format>,
  work: (give: (answer: Answer<Format>, settings: Settings) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { command, format, output, growing = false } = wanted;
  if (cli.options.json && format !== undefined && format !== 'json')
    throw new Refusal('usage', { problem: 'json-and-format', command });
  const chosen = format ?? (cli.options.json ? 'json' : 'text');
  if (output === undefined) {
    const { out, width } = cli.terminal;
    return work((answer, settings) => write(answer, { format: chosen, settings, width }, async (text) => out(text)));
  }
  const path = resolve(cli.terminal.cwd, output);
  const file = await openOutput(path, growing);
  try {
    await work(async (answer, settings) => {
      if (chosen === 'csv') await file.write(BYTE_ORDER_MARK);
      await write(answer, { format: chosen, settings, width: undefined }, file.write);
      await file.keep();
      const { document, text } = answer.written?.(path) ?? { document: { path }, text: cli.messages.reports.written(path) };
      cli.result(document, () => (cli.options.quiet ? '' : text));
    });
  } finally {
    await file.discard();
  }
}

interface Form {
  readonly format: string;
  readonly settings: Settings;
  readonly width: number | undefined;
}

async function write<Format extends string>(
  answer: Answer<Format>,
  form: Form,
  out: (text: string) => Promise<void>,
): Promise<void> {
  for await (const piece of await piecesOf(answer, form)) if (piece !== '') await out(piece);
}

async function piecesOf<Format extends string>(
  answer: Answer<Format>,
  { format, settings, width }: Form,
): Promise<Iterable<string> | AsyncIterable<string>> {
  if (format === 'json') return [`${JSON.stringify(await answer.json(), null, 2)}\n`];
  if (format === 'csv') return csvText(answer.sheet());
  if (format === 'html') return pageText(await answer.page(madeNow(settings)));
  const forms: Readonly<Record<string, (() => Pieces) | undefined>> = answer.forms ?? {};
  const pieces = forms[format]?.() ?? answer.text(width);
  if (typeof pieces !== 'string') return pieces;
  return [pieces === '' ? '' : `${pieces}\n`];
}

function madeNow({ database, home }: Settings): Made {
  return {
    at: new Date().toISOString(),
    user: userInfo().username,
    host: hostname(),
    version: version(),
    database: database === undefined ? null : databaseName(database),
    home,
  };
}
