// `rustine patch …`: looks into patch files.
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

export function definePatch(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const patch = program.command('patch').description(words.patch.is);
  patch
    .command('show')
    .description(words.patchShow.is)
    .argument('<file>', words.patchShow.file)
    .action((file: string) => show(cli, file));
}

async function show(cli: Cli, file: string): Promise<void> {
  const [{ resolve }, { surveyPatch, surveyText }] = await Promise.all([import('node:path'), import('../patch-survey.ts')]);
  await cli.settings();
  const survey = await surveyPatch(resolve(cli.terminal.cwd, file));
  cli.result(survey, () => surveyText(survey, cli.messages, cli.terminal.width));
}
