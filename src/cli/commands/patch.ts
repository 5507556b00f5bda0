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

async function show(cli: Cli, path: string): Promise<void> {
  const [{ basename, resolve }, { summarizePatch }, { patchDocument, patchText }] = await Promise.all([
    import('node:path'),
    import('../../patch/summary.ts'),
    import('../patch-view.ts'),
  ]);
  await cli.settings();
  const { terminal, messages, options } = cli;
  const summary = await summarizePatch(resolve(terminal.cwd, path));
  const style = { width: terminal.width, colour: terminal.colour, all: options.verbose === true };
  cli.result(patchDocument(basename(path), summary, messages), () => patchText(basename(path), summary, messages, style));
}
