// `rustine integrate`: integrates patches into the folders.
import type { IntegrateOptions } from '../../app/rustine.ts';
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import { durationOf, type Forced, forced, listOf, oneOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Options {
  readonly folders?: readonly string[];
  readonly rehearse?: true;
  readonly authorize?: readonly string[];
  readonly takeUnchanged?: true;
  readonly atomic?: true;
  readonly onError?: 'continue' | 'stop';
  readonly force?: readonly Forced[];
  readonly first?: readonly string[];
  readonly wait?: number;
  readonly disconnect?: true;
  readonly jobs?: number;
  readonly batch?: true;
  readonly follow?: true;
}

export function defineIntegrate(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands.integrate;
  program
    .command('integrate')
    .description(words.is)
    .argument('<path...>', words.paths)
    .option('--folders <folders>', words.folders, listOf('--folders'))
    .option('--rehearse', words.rehearse)
    .option('--authorize <codes>', words.authorize, listOf('--authorize'))
    .option('--take-unchanged', words.takeUnchanged)
    .option('--atomic', words.atomic)
    .option('--on-error <continue|stop>', words.onError, oneOf('--on-error', ['continue', 'stop']))
    .option('--force <check=reason>', words.force, forced)
    .option('--first <folders>', words.first, listOf('--first'))
    .option('--wait <duration>', words.wait, durationOf('--wait'))
    .option('--disconnect', words.disconnect)
    .option('--jobs <number>', words.jobs, positiveNumber('--jobs'))
    .option('--batch', words.batch)
    .option('--follow', words.follow)
    .action((paths: readonly string[], options: Options) => integrate(cli, paths, options));
}

async function integrate(cli: Cli, paths: readonly string[], options: Options): Promise<void> {
  const [{ activityCode, folderCode }, { answerRun }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../run-answer.ts'),
  ]);
  const { folders, authorize, onError, force, first, wait } = options;
  const some = folders === undefined || folders.includes('all') ? undefined : folders.map(folderCode);
  const request: IntegrateOptions = {
    paths,
    mode: options.rehearse ? 'rehearse' : 'integrate',
    ...(some === undefined ? {} : { folders: some }),
    ...(authorize === undefined ? {} : { authorize: authorize.map(activityCode) }),
    ...(options.takeUnchanged === true ? { takeUnchanged: true } : {}),
    ...(options.atomic === true ? { atomic: true } : {}),
    ...(onError === undefined ? {} : { onError }),
    ...(force === undefined ? {} : { force }),
    ...(first === undefined ? {} : { first }),
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(options.disconnect === true ? { disconnect: true } : {}),
  };
  if (options.follow === true && options.batch !== true)
    throw new Refusal('usage', { problem: 'follow-batch', command: 'rustine integrate' });
  if (options.batch === true) {
    const queued = options.jobs === undefined ? request : { ...request, jobs: options.jobs };
    return (await import('../queued-run.ts')).queueRun(cli, queued, options.follow === true);
  }
  await answerRun(cli, options, (rustine, watching) => rustine.integrate({ ...request, ...watching }));
}
