// `rustine kept …`: lists, shows, puts back and removes what was put aside.
import type { KeptOptions, PurgeOptions, RestoreOptions } from '../../app/kept.ts';
import { Refusal } from '../../base/errors.ts';
import type { Cli } from '../cli.ts';
import { dayOf, numberOf, positiveNumber } from '../option-values.ts';
import type { Program } from '../program.ts';

const DEFAULT_ROWS = 20;

export function defineKept(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const kept = program.command('kept').description(words.kept.is);
  kept
    .command('list', { isDefault: true })
    .description(words.keptList.is)
    .option('--folder <folder>', words.keptList.folder)
    .option('--table <table>', words.keptList.table)
    .action((options: KeptOptions) => list(cli, options));
  kept
    .command('show')
    .description(words.keptShow.is)
    .argument('<id>', words.keptShow.id, numberOf('<id>'))
    .option('--limit <number>', words.keptShow.limit, positiveNumber('--limit'))
    .action((id: number, options: { limit?: number }) => show(cli, id, options.limit ?? DEFAULT_ROWS));
  kept
    .command('restore')
    .description(words.keptRestore.is)
    .argument('<id...>', words.keptRestore.ids, numbers)
    .option('--overwrite', words.keptRestore.overwrite)
    .option('--rehearse', words.keptRestore.rehearse)
    .action((ids: readonly number[], options: RestoreOptions) => restore(cli, ids, options));
  kept
    .command('purge')
    .description(words.keptPurge.is)
    .argument('[id...]', words.keptPurge.ids, numbers)
    .option('--folder <folder>', words.keptPurge.folder)
    .option('--before <date>', words.keptPurge.before, dayOf('--before'))
    .option('--yes', words.keptPurge.yes)
    .action((ids: readonly number[], options: PurgeFlags) => purge(cli, ids, options));
}

/** Commander gives the values one by one; the first time without those before it. */
function numbers(value: string, before: unknown): readonly number[] {
  return [...new Set([...(Array.isArray(before) ? (before as number[]) : []), numberOf('<id>')(value)])];
}

async function list(cli: Cli, options: KeptOptions): Promise<void> {
  const { keptTable, rememberedTable } = await import('../kept-view.ts');
  const { kept, remembered } = await cli.withRustine(async (rustine) => ({
    kept: await rustine.kept(options),
    // It is a folder's, not a table's.
    remembered: options.table === undefined ? await rustine.rememberedPatches(options) : [],
  }));
  const { messages, terminal } = cli;
  cli.result({ kept, remembered }, () =>
    [keptTable(kept, messages, terminal.width), rememberedTable(remembered, messages, terminal.width)]
      .filter((part) => part !== '')
      .join('\n\n'),
  );
}

async function show(cli: Cli, id: number, limit: number): Promise<void> {
  const { keptText } = await import('../kept-view.ts');
  const kept = await cli.withRustine((rustine) => rustine.keptRows(id, limit));
  cli.result(kept, () => keptText(kept, cli.messages, cli.terminal.width));
}

async function restore(cli: Cli, ids: readonly number[], options: RestoreOptions): Promise<void> {
  const [{ restoredText }, { findingDocument }] = await Promise.all([import('../kept-view.ts'), import('../problem.ts')]);
  const outcome = await cli.withRustine((rustine) => rustine.restoreKept(ids, options));
  const { terminal, messages } = cli;
  if (outcome.state === 'refused') cli.exitCode = 2;
  const style = { width: terminal.width, colour: terminal.colour, quiet: cli.options.quiet === true };
  cli.result({ ...outcome, findings: outcome.findings.map((finding) => findingDocument(finding, messages)) }, () =>
    restoredText(outcome, messages, style),
  );
}

interface PurgeFlags {
  readonly folder?: string;
  readonly before?: string;
  readonly yes?: true;
}

async function purge(cli: Cli, ids: readonly number[], { folder, before, yes }: PurgeFlags): Promise<void> {
  const command = 'rustine kept purge';
  let what: PurgeOptions;
  if (ids.length > 0 && folder === undefined && before === undefined) what = { ids };
  else if (ids.length === 0 && folder !== undefined && before !== undefined) what = { folder, before };
  else throw new Refusal('usage', { problem: 'purge-what', command });
  if (yes !== true) throw new Refusal('usage', { problem: 'confirm-purge', command });
  const { purged, forgotten } = await cli.withRustine((rustine) => rustine.purgeKept(what));
  const { kept: said } = cli.messages.report;
  cli.result({ purged, forgotten }, () =>
    cli.options.quiet
      ? ''
      : [said.purged(purged.length), ...(forgotten.length === 0 ? [] : [said.forgotten(forgotten.length)])].join('\n'),
  );
}
