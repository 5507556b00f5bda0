// One run of the command line: reads the arguments, runs the command, turns errors into messages and an exit code.
import { CommanderError } from 'commander';
import { type Cli, createCli, type GlobalOptions } from './cli.ts';
import { defineCancel } from './commands/cancel.ts';
import { defineCheck } from './commands/check.ts';
import { defineDb } from './commands/db.ts';
import { defineElement } from './commands/element.ts';
import { defineFolder } from './commands/folder.ts';
import { defineHistory } from './commands/history.ts';
import { defineInit } from './commands/init.ts';
import { defineIntegrate } from './commands/integrate.ts';
import { defineKept } from './commands/kept.ts';
import { defineKeptValues } from './commands/kept-values.ts';
import { defineLog } from './commands/log.ts';
import { definePatch } from './commands/patch.ts';
import { defineRecover } from './commands/recover.ts';
import { defineRevert } from './commands/revert.ts';
import { defineScript } from './commands/script.ts';
import { defineServer } from './commands/server.ts';
import { defineStatus } from './commands/status.ts';
import { defineTask } from './commands/task.ts';
import { defineValidate } from './commands/validate.ts';
import { defineWorker } from './commands/worker.ts';
import { languageOfArguments, languageOption, loadMessages } from './language.ts';
import { wrap } from './layout.ts';
import { helpWords, Program } from './program.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';

/** @returns the exit code */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const messages = await loadMessages(languageOfArguments(argv, terminal.env));
  const program = new Program('rustine');
  // Asked for before anything could go wrong: a usage error has to come as a document too.
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length).includes('--json');
  const cli = createCli(terminal, messages, () => ({ ...program.opts<GlobalOptions>(), ...(json ? { json } : {}) }));
  const asked: string[] = [];
  defineProgram(program, cli, (text) => void asked.push(text), json ? () => {} : terminal.err);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, cli);
    const text = asked.join('');
    cli.result(error.code === 'commander.version' ? { version: text.trim() } : { help: text }, () => text.trimEnd());
  }
  return cli.exitCode;
}

/** Every command and option, with help in the language of `cli`. */
export function defineProgram(program: Program, cli: Cli, out: (text: string) => void, err: (text: string) => void): void {
  const { help } = cli.messages;
  program
    .description(help.program)
    .configureOutput({
      writeOut: out,
      writeErr: err,
      getOutHelpWidth: () => cli.terminal.width ?? 100,
      getErrHelpWidth: () => cli.terminal.errWidth ?? 100,
    })
    .configureHelp(helpWords(cli.messages))
    .exitOverride()
    .helpOption('-h, --help', help.options.help)
    .helpCommand('help [command]', help.options.help)
    .version(version(), '-V, --version', help.options.version)
    .option('--home <dir>', help.options.home)
    .option('--database <url>', help.options.database)
    .option('--from <folder>', help.options.from)
    .option('--json', help.options.json)
    .option('--lang <lang>', help.options.lang, languageOption)
    .option('-q, --quiet', help.options.quiet)
    .option('-v, --verbose', help.options.verbose)
    .addHelpText('after', () => `\n${wrap(help.after, cli.terminal.width ?? 100)}`);
  for (const defineCommand of [
    defineInit,
    defineFolder,
    defineIntegrate,
    defineCheck,
    defineValidate,
    defineRevert,
    defineKeptValues,
    defineStatus,
    defineCancel,
    defineHistory,
    defineLog,
    defineRecover,
    defineKept,
    definePatch,
    defineElement,
    defineScript,
    defineTask,
    defineWorker,
    defineServer,
    defineDb,
  ]) {
    defineCommand(program, cli);
  }
}

async function fail(error: unknown, cli: Cli): Promise<number> {
  const { exitCodeOf, problemDocument, problemOf, problemText } = await import('./problem.ts');
  const { terminal, messages, options } = cli;
  const problem = problemOf(error);
  const code = exitCodeOf(problem);
  const text = wrap(`rustine: ${problemText(problem, messages)}`, terminal.errWidth, 2);
  terminal.err(`${text}\n`);
  if (options.verbose) terminal.err(`${describe(error)}\n`);
  if (options.json) terminal.out(`${JSON.stringify(problemDocument(problem, messages), null, 2)}\n`);
  return code;
}

/** The stack with those of its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? String(error);
  return error.cause === undefined ? stack : `${stack}\n← ${describe(error.cause)}`;
}
