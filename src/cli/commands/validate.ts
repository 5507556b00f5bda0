// `rustine validate`: brings folders in line with their parents and their own settings.
import type { Settings } from '../../app/config.ts';
import type { Rustine } from '../../app/rustine.ts';
import type { ValidateOptions, ValidationOutcome } from '../../app/validations.ts';
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import { durationOf, type Forced, forced, listOf, oneOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';
import type { RunReport } from '../report/run-page.ts';
import { type ReportOptions, withReportOptions } from '../report-options.ts';
import type { Answer } from '../report-output.ts';
import { watched } from '../watched-run.ts';

interface Options extends ReportOptions {
  readonly due?: true;
  readonly preview?: true;
  readonly rehearse?: true;
  readonly differences?: string;
  readonly first?: readonly string[];
  readonly onError?: 'continue' | 'stop';
  readonly force?: readonly Forced[];
  readonly wait?: number;
  readonly disconnect?: true;
  readonly jobs?: number;
}

export function defineValidate(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.validate;
  const command = program
    .command('validate')
    .description(words.is)
    .argument('[folder...]', words.folders)
    .option('--due', words.due)
    .option('--preview', words.preview)
    .option('--rehearse', words.rehearse)
    .option('--differences <file>', words.differences)
    .option('--first <folders>', words.first, listOf('--first'))
    .option('--on-error <continue|stop>', words.onError, oneOf('--on-error', ['continue', 'stop']))
    .option('--force <check=reason>', words.force, forced)
    .option('--wait <duration>', words.wait, durationOf('--wait'))
    .option('--disconnect', words.disconnect)
    .option('--jobs <number>', words.jobs, positiveNumber('--jobs'));
  withReportOptions(command as Program, cli.messages).action((folders: readonly string[], options: Options) =>
    validate(cli, folders, options),
  );
}

async function validate(cli: Cli, codes: readonly string[], options: Options): Promise<void> {
  if ((codes.length === 0) !== (options.due === true)) {
    const problem = options.due === true ? 'folders-and-due' : 'folders-or-due';
    throw new Refusal('usage', { problem, command: 'rustine validate' });
  }
  const { asked, withReport } = await import('../report-output.ts');
  await withReport(cli, asked('rustine validate', options), (give) => carryOut(cli, codes, options, give));
}

async function carryOut(
  cli: Cli,
  codes: readonly string[],
  options: Options,
  give: (answer: Answer, settings: Settings) => Promise<void>,
): Promise<void> {
  const [{ folderCode }, { validationDocument, validationExitCode, validationSummary }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../validation-view.ts'),
  ]);
  const { terminal, messages } = cli;
  const { quiet, verbose } = cli.options;
  const { first, onError, force, wait, differences } = options;
  const request: ValidateOptions = {
    ...(options.due === true ? {} : { folders: codes.map(folderCode) }),
    ...(options.preview === true || options.rehearse === true ? { preview: true } : {}),
    ...(differences !== undefined || verbose === true || wantsChanges(options) ? { differences: true } : {}),
    ...(first === undefined ? {} : { first }),
    ...(onError === undefined ? {} : { onError }),
    ...(force === undefined ? {} : { force }),
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(options.disconnect === true ? { disconnect: true } : {}),
  };
  // What cannot be written is known before anything is done.
  const file = differences === undefined ? undefined : await openDifferences(cli, differences);
  const started = performance.now();
  const { interrupting } = messages.report.validation;
  const validated = watched(cli, options, interrupting, async (rustine, watching, settings) => {
    const outcome = await rustine.validate({ ...request, ...watching });
    const traced = options.format === 'html' && outcome.run !== '';
    return { outcome, settings, report: traced ? await runReport(rustine, outcome.run) : undefined };
  });
  const { outcome, settings, report } = await validated.catch(async (error: unknown) => {
    await file?.leave();
    throw error;
  });
  await file?.write(outcome);
  const style = {
    colour: terminal.colour && options.output === undefined,
    verbose: verbose === true,
    quiet: quiet === true,
    ms: performance.now() - started,
  };
  cli.exitCode = validationExitCode(outcome);
  const [{ validationSheet }, { validationPage }] = await Promise.all([
    import('../report/validation-sheet.ts'),
    import('../report/validation-page.ts'),
  ]);
  const answer: Answer = {
    json: () => validationDocument(outcome, messages),
    text: (width) => validationSummary(outcome, messages, { ...style, width }),
    sheet: () => validationSheet(outcome),
    page: (made) => validationPage(outcome, report, made, messages),
  };
  await give(answer, settings);
}

/** Text tells them where it is asked to tell more. */
const wantsChanges = ({ format }: Options): boolean => format === 'csv' || format === 'html';

async function runReport(rustine: Rustine, id: string): Promise<RunReport> {
  const { run } = await rustine.trace(id, {});
  return { run, entries: await rustine.log(id), folders: (await rustine.runs.show(id)).folders };
}

interface DifferencesFile {
  write(outcome: ValidationOutcome): Promise<void>;
  /** There is nothing to write. */
  leave(): Promise<void>;
}

/** A document where the file is called so, else text with all folders by name. @throws Refusal `output-exists` */
async function openDifferences({ terminal, messages }: Cli, path: string): Promise<DifferencesFile> {
  const [{ openOutput }, { differencesText, differencesDocument }, { resolve }] = await Promise.all([
    import('../output-file.ts'),
    import('../differences-text.ts'),
    import('node:path'),
  ]);
  const place = resolve(terminal.cwd, path);
  const output = await openOutput(place);
  const text = (outcome: ValidationOutcome): string =>
    place.endsWith('.json')
      ? JSON.stringify(differencesDocument(outcome), null, 2)
      : differencesText(outcome, messages, undefined, Number.POSITIVE_INFINITY);
  return {
    write: async (outcome) => {
      await output.write(`${text(outcome)}\n`);
      await output.keep();
    },
    leave: () => output.discard(),
  };
}
