// `rustine revert`: takes the last patch of folders back.
import type { RevertOptions } from '../../app/reverts.ts';
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import { durationOf, type Forced, forced, listOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly folder?: readonly string[];
  readonly rehearse?: true;
  readonly reason?: string;
  readonly force?: readonly Forced[];
  readonly wait?: number;
  readonly disconnect?: true;
  readonly jobs?: number;
}

export function defineRevert(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.revert;
  program
    .command('revert')
    .description(words.is)
    .argument('<file>', words.file)
    .option('--folder <folders|all>', words.folder, listOf('--folder'))
    .option('--rehearse', words.rehearse)
    .option('--reason <text>', words.reason)
    .option('--force <check=reason>', words.force, forced)
    .option('--wait <duration>', words.wait, durationOf('--wait'))
    .option('--disconnect', words.disconnect)
    .option('--jobs <number>', words.jobs, positiveNumber('--jobs'))
    .action((file: string, options: Options) => revert(cli, file, options));
}

async function revert(cli: Cli, file: string, options: Options): Promise<void> {
  const { folder } = options;
  // What is undone is named: no folder by default.
  if (folder === undefined) throw new Refusal('usage', { problem: 'revert-folder', command: 'rustine revert' });
  const [{ folderCode }, { answerRun }] = await Promise.all([import('../../base/ids.ts'), import('../run-answer.ts')]);
  const { reason, force, wait } = options;
  const request: RevertOptions = {
    file,
    ...(folder.includes('all') ? {} : { folders: folder.map(folderCode) }),
    ...(options.rehearse === true ? { rehearse: true } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(force === undefined ? {} : { force }),
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(options.disconnect === true ? { disconnect: true } : {}),
  };
  await answerRun(cli, options, (rustine, watching) => rustine.revert({ ...request, ...watching }));
}
