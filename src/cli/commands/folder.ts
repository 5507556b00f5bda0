// `rustine folder …`: creates, lists, shows and drops folders.
import type { FolderOptions } from '../../app/rustine.ts';
import { Refusal } from '../../base/errors.ts';
import type { SettingsChange } from '../../environment/settings-change.ts';
import type { Cli } from '../cli.ts';
import { wrap } from '../layout.ts';
import { listOf, listOrNone, modules } from '../option-values.ts';
import type { Program } from '../program.ts';
import { type ReportOptions, withReportOptions } from '../report-options.ts';

export function defineFolder(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const folder = program.command('folder').description(words.folder.is);
  folder
    .command('create')
    .description(words.folderCreate.is)
    .argument('<code...>', words.folderCreate.codes)
    .option('--parent <folder>', words.folderCreate.parent)
    .option('--test', words.folderCreate.test)
    .option('--specific', words.folderCreate.specific)
    .option('--history-of <folder>', words.folderCreate.historyOf)
    .option('--server <name>', words.folderCreate.server)
    .option('--languages <codes>', words.folderCreate.languages, listOf('--languages'))
    .option('--activity-codes <codes>', words.folderCreate.activityCodes, listOf('--activity-codes'))
    .option('--legislations <codes>', words.folderCreate.legislations, listOf('--legislations'))
    .option('--modules <numbers|all>', words.folderCreate.modules, modules('--modules'))
    .action((codes: readonly string[], options: CreateOptions) => create(cli, codes, options));
  withReportOptions(folder.command('list').description(words.folderList.is) as Program, cli.messages).action(
    (options: ReportOptions) => list(cli, options),
  );
  folder
    .command('show')
    .description(words.folderShow.is)
    .argument('<code>', words.folderShow.code)
    .action((code: string) => show(cli, code));
  folder
    .command('set')
    .description(words.folderSet.is)
    .argument('<code>', words.folderSet.code)
    .option('--parent <folder>', words.folderSet.parent)
    .option('--languages <codes>', words.folderSet.languages, listOf('--languages'))
    .option('--legislations <codes>', words.folderSet.legislations, listOrNone('--legislations'))
    .option('--modules <numbers|all>', words.folderSet.modules, modules('--modules'))
    .option('--activity-codes <codes>', words.folderSet.activityCodes, listOrNone('--activity-codes'))
    .option('--test', words.folderSet.test)
    .option('--no-test', words.folderSet.noTest)
    .option('--specific', words.folderSet.specific)
    .option('--no-specific', words.folderSet.noSpecific)
    .option('--unlock <reason>', words.folderSet.unlock)
    .action((code: string, options: SetOptions) => set(cli, code, options));
  folder
    .command('drop')
    .description(words.folderDrop.is)
    .argument('<code>', words.folderDrop.code)
    .option('--yes', words.folderDrop.yes)
    .action((code: string, options: { yes?: true }) => drop(cli, code, options.yes === true));
}

type Modules = { readonly modules?: readonly number[] | 'all' };
type CreateOptions = Omit<FolderOptions, 'modules'> & Modules;
type SetOptions = Omit<SettingsChange, 'modules'> & Modules & { readonly unlock?: string };

async function create(cli: Cli, codes: readonly string[], { modules: some, ...options }: CreateOptions): Promise<void> {
  const [{ folderCode, languageCode, sizedActivityCodes, writtenCodes }, { showCreated }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../created.ts'),
  ]);
  const { folders, findings } = await cli.withRustine((rustine) =>
    rustine.createFolders(codes.map(folderCode), {
      ...options,
      ...(some === undefined || some === 'all' ? {} : { modules: some }),
      ...(options.parent === undefined ? {} : { parent: folderCode(options.parent) }),
      ...(options.historyOf === undefined ? {} : { historyOf: folderCode(options.historyOf) }),
      ...(options.languages === undefined ? {} : { languages: options.languages.map(languageCode) }),
      ...(options.activityCodes === undefined ? {} : { activityCodes: writtenCodes(sizedActivityCodes(options.activityCodes)) }),
    }),
  );
  showCreated(cli, { folders }, findings, cli.messages.report.foldersCreated(folders.map(({ code }) => code)));
}

async function list(cli: Cli, options: ReportOptions): Promise<void> {
  const { asked, withReport } = await import('../report-output.ts');
  await withReport(cli, asked('rustine folder list', options), (give) =>
    cli.withRustine(async (rustine, settings) => {
      const folders = await rustine.folders();
      const { folderListAnswer } = await import('../status-answer.ts');
      await give(folderListAnswer(folders, rustine.missed(), cli), settings);
    }),
  );
}

async function show(cli: Cli, code: string): Promise<void> {
  const [{ folderCode }, { folderText }, { dueLines }, { lostSchema }, { findingDocument, findingText }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../folder-view.ts'),
    import('../due.ts'),
    import('../../plan/folder-checks.ts'),
    import('../problem.ts'),
  ]);
  const { lostSchema: lost, ...folder } = await cli.withRustine((rustine) => rustine.folder(folderCode(code)));
  const findings = lost === undefined ? [] : [lostSchema(lost, folder.code)];
  const { messages, terminal } = cli;
  const told = findings.map((finding) => findingDocument(finding, messages));
  cli.result(told.length === 0 ? folder : { ...folder, findings: told }, () =>
    [
      folderText(folder, messages),
      ...findings.map((finding) => wrap(findingText(finding, messages), terminal.width, 2)),
      ...dueLines([folder], messages, terminal.width),
    ].join('\n'),
  );
}

async function set(cli: Cli, code: string, { modules: some, unlock, ...options }: SetOptions): Promise<void> {
  const [{ folderCode }, { showChanged }, { dueLines }] = await Promise.all([
    import('../../base/ids.ts'),
    import('../created.ts'),
    import('../due.ts'),
  ]);
  const wanted = folderCode(code);
  if (unlock !== undefined && unlock.trim() === '')
    throw new Refusal('usage', { problem: 'unlock-reason', command: 'rustine folder set', folder: wanted });
  const change: SettingsChange = { ...options, ...(some === undefined ? {} : { modules: some === 'all' ? null : some }) };
  const nothing = Object.keys(change).length === 0;
  if (nothing && unlock === undefined)
    throw new Refusal('usage', { problem: 'nothing-to-set', command: 'rustine folder set', folder: wanted });
  const { folder, changed, findings } = await cli.withRustine(async (rustine) => {
    const set = nothing ? undefined : await rustine.setFolder(wanted, change);
    const unlocked = unlock === undefined ? undefined : await rustine.unlockFolder(wanted, unlock);
    return {
      folder: unlocked ?? set?.folder ?? (await rustine.folder(wanted)),
      changed: set?.changed ?? [],
      findings: set?.findings ?? [],
    };
  });
  const { report } = cli.messages;
  const sentences = [
    ...(unlock === undefined ? [] : [report.validation.unlocked(folder.code)]),
    nothing ? '' : changed.length === 0 ? report.folderSame(folder.code) : report.folderSet(folder.code, changed),
    ...dueLines([folder], cli.messages, cli.terminal.width),
  ].filter((sentence) => sentence !== '');
  showChanged(cli, { ...folder, changed }, findings, sentences);
}

async function drop(cli: Cli, code: string, confirmed: boolean): Promise<void> {
  const { folderCode } = await import('../../base/ids.ts');
  const folder = folderCode(code);
  if (!confirmed) throw new Refusal('usage', { problem: 'confirm-drop', command: 'rustine folder drop', folder });
  await cli.withRustine((rustine) => rustine.dropFolder(folder));
  cli.result({ dropped: folder }, () => (cli.options.quiet ? '' : cli.messages.report.folderDropped(folder)));
}
