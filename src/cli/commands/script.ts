// `rustine script …`: which copy is used, what hides what, what is left to run, running it, showing and exporting.
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import { safe } from '../messages/said.ts';
import { listOf, oneOf } from '../option-values.ts';
import type { Program } from '../program.ts';

interface Where {
  readonly folder?: string;
  readonly kind?: 'TRT' | 'ADX';
}

export function defineScript(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const script = program.command('script').description(words.script.is);
  const kind = oneOf('--kind', ['TRT', 'ADX']);
  script
    .command('which')
    .description(words.scriptWhich.is)
    .argument('<name>', words.scriptWhich.name)
    .option('--folder <folder>', words.scriptWhich.folder)
    .option('--kind <kind>', words.scriptWhich.kind, kind)
    .action((name: string, options: Where) => which(cli, name, options));
  script
    .command('shadowed')
    .description(words.scriptShadowed.is)
    .option('--folder <folder>', words.scriptShadowed.folder)
    .action((options: Where) => shadowed(cli, options.folder));
  script
    .command('pending')
    .description(words.scriptPending.is)
    .option('--folder <folder>', words.scriptPending.folder)
    .action((options: Where) => pending(cli, options.folder));
  script
    .command('run')
    .description(words.scriptRun.is)
    .argument('[name]', words.scriptRun.name)
    .option('--folder <folder>', words.scriptRun.folder)
    .action((name: string | undefined, options: Where) => runLeft(cli, name, options.folder));
  script
    .command('show')
    .description(words.scriptShow.is)
    .argument('<name>', words.scriptWhich.name)
    .option('--folder <folder>', words.scriptWhich.folder)
    .option('--kind <kind>', words.scriptWhich.kind, kind)
    .action((name: string, options: Where) => show(cli, name, options));
  script
    .command('uses')
    .description(words.scriptUses.is)
    .argument('<name>', words.scriptWhich.name)
    .option('--folder <folder>', words.scriptWhich.folder)
    .action((name: string, options: Where) => uses(cli, name, options.folder));
  script
    .command('export')
    .description(words.scriptExport.is)
    .argument('<dir>', words.scriptExport.dir)
    .option('--folder <folders>', words.scriptExport.folders, listOf('--folder'))
    .action((directory: string, options: { folder?: readonly string[] }) => exportTo(cli, directory, options.folder));
}

async function which(cli: Cli, name: string, where: Where): Promise<void> {
  const { copiesTable } = await import('../script-view.ts');
  const found = await cli.withRustine((rustine) => rustine.scripts.which(name, where));
  if (found.copies.length === 0) throw new Refusal('script-unknown', { script: name, folder: found.folder });
  const used = found.copies.find((copy) => copy.used);
  cli.result({ script: name, folder: found.folder, used, copies: found.copies }, () =>
    copiesTable(found.copies, cli.messages, cli.terminal.width),
  );
}

async function shadowed(cli: Cli, folder: string | undefined): Promise<void> {
  const { shadowedTable } = await import('../script-view.ts');
  const list = await cli.withRustine((rustine) => rustine.scripts.shadowed(folder));
  cli.result({ shadowed: list }, () => shadowedTable(list, cli.messages, cli.terminal.width));
}

async function pending(cli: Cli, folder: string | undefined): Promise<void> {
  const { pendingTable } = await import('../script-view.ts');
  const list = await cli.withRustine((rustine) => rustine.scripts.pending(folder));
  cli.result({ pending: list }, () => pendingTable(list, cli.messages, cli.terminal.width));
}

async function runLeft(cli: Cli, name: string | undefined, folder: string | undefined): Promise<void> {
  const [{ runsDocument, runsText }, { findingsText }] = await Promise.all([
    import('../script-view.ts'),
    import('../findings.ts'),
  ]);
  const { terminal, options, messages } = cli;
  const wanted = { ...(name === undefined ? {} : { name }), ...(folder === undefined ? {} : { folder }) };
  const runs = await cli.withRustine((rustine) => rustine.scripts.run(wanted));
  if (runs.some(({ state }) => state !== 'done')) cli.exitCode = 1;
  const findings = runs.flatMap((run) => run.finding ?? []);
  const style = { width: terminal.width, colour: terminal.colour, all: options.verbose === true };
  cli.result(runsDocument(runs, messages), () =>
    [findingsText(findings, messages, style), runsText(runs, messages, terminal.width)].filter((part) => part !== '').join('\n'),
  );
}

async function show(cli: Cli, name: string, where: Where): Promise<void> {
  const { sourceText } = await import('../../dictionary/script-language.ts');
  const { body, ...copy } = await cli.withRustine((rustine) => rustine.scripts.show(name, where));
  const compiled = copy.kind === 'ADX';
  if (compiled && !cli.options.json) throw new Refusal('script-binary', { script: name });
  const content = compiled ? { base64: Buffer.from(body).toString('base64') } : { source: sourceText(body) };
  cli.result({ ...copy, ...content }, () => safe(sourceText(body)).trimEnd());
}

async function uses(cli: Cli, name: string, folder: string | undefined): Promise<void> {
  const { usageText } = await import('../script-uses-view.ts');
  const usage = await cli.withRustine((rustine) => rustine.scripts.uses(name, folder));
  cli.result(usage, () => usageText(usage, cli.messages, cli.terminal.width));
}

async function exportTo(cli: Cli, directory: string, folders: readonly string[] | undefined): Promise<void> {
  const [{ showCreated }, { resolve }] = await Promise.all([import('../created.ts'), import('node:path')]);
  const place = resolve(cli.terminal.cwd, directory);
  const { findings, ...done } = await cli.withRustine((rustine) => rustine.scripts.export(place, folders));
  const { report } = cli.messages;
  const sentence = done.unchanged
    ? report.exportedAlready(done.directory)
    : report.exported(done.scripts, done.folders.length, done.directory);
  showCreated(cli, done, findings, sentence);
}
