// `rustine element …`: lists and shows elements of folders, compares them, changes their set-up fields.
import { Refusal } from '../../base/errors.ts';
import type { Assignment } from '../../integrate/set-fields.ts';
import type { Cli } from '../cli.ts';
import type { Program } from '../program.ts';

interface ShowOptions {
  readonly folder?: string;
  readonly against?: string;
}

interface SetOptions {
  readonly folder?: string;
  readonly record?: string;
}

export function defineElement(program: Program, cli: Cli): void {
  const words = cli.messages.help.commands;
  const element = program.command('element').description(words.element.is);
  element
    .command('list')
    .description(words.elementList.is)
    .argument('[type]', words.elementList.type)
    .option('--folder <folder>', words.elementList.folder)
    .action((type: string | undefined, options: ShowOptions) => list(cli, type, options));
  element
    .command('show')
    .description(words.elementShow.is)
    .argument('<element>', words.elementShow.element)
    .option('--folder <folder>', words.elementShow.folder)
    .option('--against <folder>', words.elementShow.against)
    .action((name: string, options: ShowOptions) =>
      options.against === undefined ? show(cli, name, options) : compare(cli, name, options.against, options),
    );
  element
    .command('set')
    .description(words.elementSet.is)
    .argument('<element>', words.elementSet.element)
    .argument('<assignment...>', words.elementSet.values)
    .option('--folder <folder>', words.elementSet.folder)
    .option('--record <line>', words.elementSet.record)
    .action((name: string, values: readonly string[], options: SetOptions) => set(cli, name, values, options));
}

async function list(cli: Cli, type: string | undefined, { folder }: ShowOptions): Promise<void> {
  const { elementsTable } = await import('../element-view.ts');
  const listed = await cli.withRustine((rustine) =>
    rustine.elements({ ...(type === undefined ? {} : { type }), ...(folder === undefined ? {} : { folder }) }),
  );
  cli.result(listed, () => elementsTable(listed.elements, cli.messages, cli.terminal.width));
}

async function show(cli: Cli, element: string, { folder }: ShowOptions): Promise<void> {
  const { elementDocument, elementText } = await import('../element-view.ts');
  const shown = await cli.withRustine((rustine) => rustine.element({ element, ...(folder === undefined ? {} : { folder }) }));
  cli.result(elementDocument(shown), () => elementText(shown, cli.messages, cli.options.verbose === true));
}

async function compare(cli: Cli, element: string, against: string, { folder }: ShowOptions): Promise<void> {
  const { comparisonText } = await import('../element-view.ts');
  const noise = cli.options.verbose === true;
  const compared = await cli.withRustine((rustine) =>
    rustine.compareElement({ element, against, noise, ...(folder === undefined ? {} : { folder }) }),
  );
  cli.result(compared, () => comparisonText(compared, cli.messages));
}

async function set(cli: Cli, element: string, values: readonly string[], { folder, record }: SetOptions): Promise<void> {
  const assignments = values.map(assignment);
  const done = await cli.withRustine((rustine) =>
    rustine.setElement({
      element,
      assignments,
      ...(folder === undefined ? {} : { folder }),
      ...(record === undefined ? {} : { record }),
    }),
  );
  const { report } = cli.messages;
  const place = `${done.tag} ${done.key}`;
  cli.result(done, () =>
    cli.options.quiet
      ? ''
      : done.changed.length === 0
        ? report.fieldsSame(done.element, done.folder)
        : report.fieldsSet(done.element, place, done.folder, done.changed),
  );
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[(\d{1,5})\])?=(.*)$/s;

function assignment(text: string): Assignment {
  const [, field, slot, value] = ASSIGNMENT.exec(text) ?? [];
  if (field === undefined || value === undefined)
    throw new Refusal('usage', { problem: 'assignment', command: 'rustine element set', value: text });
  return { field: field.toUpperCase(), value, ...(slot === undefined ? {} : { slot: Number(slot) }) };
}
