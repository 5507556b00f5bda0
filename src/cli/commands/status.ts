// `rustine status`: the folders, what is to be done about them, and the runs at work; `--run`: how far each folder of a run is; `--verify`: what differs.
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';
import { type ReportOptions, withReportOptions } from '../report-options.ts';

interface Options extends ReportOptions {
  readonly run?: string;
  readonly verify?: true;
}

export function defineStatus(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.status;
  const command = program
    .command('status')
    .description(words.is)
    .argument('[folder...]', words.folders)
    .option('--run <run>', words.run)
    .option('--verify', words.verify);
  withReportOptions(command as Program, cli.messages).action((codes: readonly string[], options: Options) => {
    if (options.verify === true && options.run !== undefined)
      throw new Refusal('usage', { problem: 'run-or-verify', command: 'rustine status' });
    if (options.verify === true) return verify(cli, codes, options);
    if (codes.length > 0) throw new Refusal('usage', { problem: 'folders-without-verify', command: 'rustine status' });
    return options.run === undefined ? status(cli, options) : oneRun(cli, options.run, options);
  });
}

async function verify(cli: Cli, codes: readonly string[], options: Options): Promise<void> {
  const [{ asked, withReport }, { isInLine, verifyAnswer }] = await Promise.all([
    import('../report-output.ts'),
    import('../verify-answer.ts'),
  ]);
  await withReport(cli, asked('rustine status', options), (give) =>
    cli.withRustine(async (rustine, settings) => {
      const verification = await rustine.verify(codes.length === 0 ? {} : { folders: codes });
      const wanted = codes.map((code) => code.trim().toUpperCase());
      const views = (await rustine.folders()).filter(({ code }) => codes.length === 0 || wanted.includes(code));
      const verified = { ...verification, views, missed: rustine.missed() };
      if (!isInLine(verified)) cli.exitCode = 1;
      await give(verifyAnswer(verified, cli), settings);
    }),
  );
}

async function status(cli: Cli, options: Options): Promise<void> {
  const { asked, withReport } = await import('../report-output.ts');
  await withReport(cli, asked('rustine status', options), (give) =>
    cli.withRustine(async (rustine, settings) => {
      const batch = await rustine.tasks.waiting();
      const runs = await rustine.runs.open();
      const folders = await rustine.folders();
      const missed = rustine.missed();
      const { statusAnswer } = await import('../status-answer.ts');
      await give(statusAnswer({ folders, runs, batch, missed }, cli), settings);
    }),
  );
}

async function oneRun(cli: Cli, start: string, options: Options): Promise<void> {
  const { asked, withReport } = await import('../report-output.ts');
  await withReport(cli, asked('rustine status', options), (give) =>
    cli.withRustine(async (rustine, settings) => {
      const { run, folders } = await rustine.runs.show(start);
      const { messages } = cli;
      const [{ runText }, { runFolderSheet }, { runPage }] = await Promise.all([
        import('../run-view.ts'),
        import('../report/run-sheet.ts'),
        import('../report/run-page.ts'),
      ]);
      await give(
        {
          json: () => ({ run, folders }),
          text: (width) => runText(run, folders, messages, width),
          sheet: () => runFolderSheet(run.run, folders),
          page: async (made) => {
            const trace = await rustine.trace(run.run, {});
            return runPage({ run: trace.run, entries: await rustine.log(run.run), folders }, made, messages);
          },
        },
        settings,
      );
    }),
  );
}
