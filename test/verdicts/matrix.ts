// The verdict matrix, found by live runs: each cell prepares a folder's element, delivers another and looks at what became of it.
import type { IntegrateOptions, Rustine } from '../../src/app/rustine.ts';
import type { PatchOutcome } from '../../src/journal/outcome.ts';
import type { Element, PatchOptions, RecordOf, Values } from '../support/patches.ts';
import { any, script, writePatchFile } from '../support/patches.ts';

export interface Matrix {
  readonly title: string;
  /** What the rows are. */
  readonly corner: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** A Rustine with folders SEED, TEST (flagged test) and SPEC (flagged specific) below X3, and a directory for patches. */
export interface Laboratory {
  readonly rustine: Rustine;
  readonly directory: string;
  /** Rows of a statement, as the superuser. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

const FOLDER = 'SEED';
const SPECIFIC = 'YABC';

type Counts = Readonly<Record<string, number>>;

/** Gives numbers to elements and files: every cell has its own. */
function counter(): () => string {
  let last = 0;
  return () => String(++last).padStart(3, '0');
}

class Cells {
  private readonly next = counter();
  private readonly laboratory: Laboratory;

  constructor(laboratory: Laboratory) {
    this.laboratory = laboratory;
  }

  name(): string {
    return `CELL${this.next()}`;
  }

  async deliver(
    elements: readonly Element[],
    options: Partial<IntegrateOptions> = {},
    patch: PatchOptions = {},
  ): Promise<PatchOutcome> {
    const path = await writePatchFile(this.laboratory.directory, `MATRIX${this.next()}.dat`, elements, patch);
    const outcome = await this.laboratory.rustine.integrate({ paths: [path], folders: [FOLDER], mode: 'integrate', ...options });
    const folder = outcome.folders.at(-1)?.patches[0];
    if (outcome.state !== 'done' || folder === undefined) throw new Error(`the run ended ${JSON.stringify(outcome.findings)}`);
    return folder;
  }

  get rustine(): Rustine {
    return this.laboratory.rustine;
  }

  /** Fields of an element's record, as the catalog's JSON has them. */
  async fields(type: string, name: string, folder = FOLDER): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const rows = await this.laboratory.query<{ fields: Readonly<Record<string, unknown>> }>(
      'select fields from rustine.dictionary where folder = $1 and type = $2 and name = $3 order by position',
      [folder, type, name],
    );
    return rows.map((row) => row.fields);
  }

  /** A copy of a script, as somebody left it in the folder. */
  async copyScript(name: string): Promise<void> {
    await this.laboratory.query(
      `with body as (insert into rustine.blob (digest, bytes) values (sha256(convert_to($1, 'UTF8')), convert_to($1, 'UTF8')) returning digest)
       insert into rustine.script (folder, kind, name, title, digest, created_by, updated_by)
       select f.id, 'TRT', $1, '', body.digest, 0, 0 from rustine.folder f, body where f.code = $2`,
      [name, FOLDER],
    );
  }
}

/** The one verdict that was counted. */
function counted(counts: object, before: Counts = {}): string {
  const verdicts = Object.entries(counts as Counts).filter(([name, count]) => count > (before[name] ?? 0));
  return verdicts.map(([name]) => name).join('+') || 'untouched';
}

const OWN = ['absent', 'the same', 'standard, other', 'specific'] as const;
const DELIVERED = ['standard', 'specific, authorised', 'specific, not authorised'] as const;

const authorize = (delivered: string): Partial<IntegrateOptions> =>
  delivered === 'specific, authorised' ? { authorize: [SPECIFIC] } : {};
const codeOf = (delivered: string): string => (delivered === 'standard' ? '' : SPECIFIC);
const everything = { authorize: [SPECIFIC] };

/** Code and text of what the folder has before; undefined: nothing. */
function ownState(own: (typeof OWN)[number], delivered: string): readonly [code: string, text: string] | undefined {
  const states = {
    absent: undefined,
    'the same': [codeOf(delivered), 'new'],
    'standard, other': ['', 'old'],
    specific: [SPECIFIC, 'own'],
  } as const;
  return states[own];
}

/** Constants (AGB) have no set-up fields: only the header decides. */
async function elements(cells: Cells): Promise<Matrix> {
  const element = (name: string, code: string, text: string): Element =>
    any('AGB', name, [{ tag: 'AGB', values: { CODVAR: name, CODACT: code, INTIT: text } }]);
  const rows = DELIVERED.map((delivered) =>
    OWN.map((own) => async () => {
      const name = cells.name();
      const there = ownState(own, delivered);
      if (there !== undefined) await cells.deliver([element(name, ...there)], everything);
      return counted((await cells.deliver([element(name, codeOf(delivered), 'new')], authorize(delivered))).elements);
    }),
  );
  return matrix('Elements, by their header', 'delivered \\ the folder has', DELIVERED, OWN, rows);
}

async function lines(cells: Cells): Promise<Matrix> {
  const element = (name: string, code: string | undefined, text: string): Element =>
    any('ACT', name, [
      { tag: 'ACT', values: { ACTION: name, CODACT: '' } },
      ...(code === undefined ? [] : [{ tag: 'ATR', values: { CODPAR: 'P1', CODACT: code, VAL: text } }]),
    ]);
  const rows = [...DELIVERED, 'not in the patch'].map((delivered) =>
    OWN.map((own) => async () => {
      if (delivered === 'not in the patch' && own === 'the same') return '–';
      const name = cells.name();
      const there = ownState(own, delivered);
      await cells.deliver([element(name, there?.[0], there?.[1] ?? '')], everything);
      const code = delivered === 'not in the patch' ? undefined : codeOf(delivered);
      const outcome = await cells.deliver([element(name, code, 'new')], authorize(delivered));
      // The header is one of the lines; what is left alone is not counted.
      const verdict = counted(outcome.lines, { identical: 1 });
      return verdict === 'untouched' && own === 'specific' ? 'kept' : verdict;
    }),
  );
  return matrix('Lines of an element', 'delivered \\ the folder has', [...DELIVERED, 'not in the patch'], OWN, rows);
}

async function blocks(cells: Cells): Promise<Matrix> {
  const screen = (name: string, second: readonly [string, string] | undefined): Element =>
    any('AMK', name, [
      {
        tag: 'AMK',
        values: {
          CODMSK: name,
          CODACT: '',
          NBBLOC: second === undefined ? 1 : 2,
          ACTBLOC: ['', second?.[0] ?? '', ''],
          TITBLOC: ['first', second?.[1] ?? '', ''],
        },
      },
    ]);
  const rows = [...DELIVERED, 'not in the patch'].map((delivered) =>
    OWN.map((own) => async () => {
      if (delivered === 'not in the patch' && own === 'the same') return '–';
      const name = cells.name();
      const there = ownState(own, delivered);
      await cells.deliver([screen(name, there)], everything);
      const second = delivered === 'not in the patch' ? undefined : ([codeOf(delivered), 'new'] as const);
      const outcome = await cells.deliver([screen(name, second)], authorize(delivered));
      const titles = await blockTitles(cells, name);
      return blockVerdict(there?.[1], second?.[1], titles, outcome, delivered);
    }),
  );
  return matrix('Blocks of a screen', 'delivered \\ the folder has', [...DELIVERED, 'not in the patch'], OWN, rows);
}

/** Titles of the blocks after the first one. */
async function blockTitles(cells: Cells, name: string): Promise<readonly string[]> {
  const [header] = await cells.fields('AMK', name);
  const titles = (header?.TITBLOC ?? []) as readonly string[];
  return titles.slice(1).filter((title) => title !== '');
}

function blockVerdict(
  own: string | undefined,
  delivered: string | undefined,
  after: readonly string[],
  outcome: PatchOutcome,
  how: string,
): string {
  const stays = own !== undefined && after.includes(own);
  const comes = delivered !== undefined && after.includes(delivered);
  if (how === 'specific, not authorised' && !(own === delivered))
    return stays || own === undefined ? 'ignored' : 'ignored, own removed';
  if (own === undefined && delivered === undefined) return 'untouched';
  if (own === delivered)
    return outcome.elements.identical === 1 ? (how === 'specific, not authorised' ? 'ignored' : 'identical') : 'updated';
  if (own === undefined) return comes ? 'created' : 'untouched';
  if (delivered === undefined) return stays ? 'kept' : 'removed';
  if (comes && stays) return 'kept, the delivered one beside it';
  return comes ? 'updated' : 'kept';
}

const REASONS = ['none', '--take-unchanged', 'decided keep', 'decided take', 'decided value'] as const;
const STATES = ['is the same', 'changed by nobody', 'changed by the folder'] as const;

async function setUp(cells: Cells): Promise<Matrix> {
  const element = (name: string, value: string): Element =>
    any('ADP', name, [{ tag: 'ADP', values: { PARAM: name, CODACT: '', ACS: value } }]);
  const rows = REASONS.map((reason) =>
    STATES.map((state) => async () => {
      const name = cells.name();
      const options = { takeUnchanged: reason === '--take-unchanged' };
      await cells.deliver([element(name, 'ONE')]);
      if (state === 'changed by the folder') {
        await cells.deliver([element(name, 'OTHER')]);
        await decideAll(cells, name, 'value', 'MINE');
      }
      const delivered = state === 'is the same' ? 'ONE' : 'TWO';
      await cells.deliver([element(name, delivered)], options);
      if (reason.startsWith('decided')) {
        const choice = reason.split(' ')[1] as 'keep' | 'take' | 'value';
        await decideAll(cells, name, choice, choice === 'value' ? 'NEW' : undefined);
        await cells.deliver([element(name, delivered)], options);
      }
      const [header] = await cells.fields('ADP', name);
      const now = String(header?.ACS);
      return state === 'is the same' ? (now === 'ONE' ? 'identical' : now) : ({ TWO: 'taken', NEW: 'valued' }[now] ?? 'kept');
    }),
  );
  return matrix('Set-up fields of a record that the folder has', 'why it might follow \\ the value', REASONS, STATES, rows);
}

async function decideAll(cells: Cells, name: string, choice: 'keep' | 'take' | 'value', value?: string): Promise<void> {
  const open = (await cells.rustine.keptValues({ folder: FOLDER })).filter((each) => each.element === `ADP:${name}`);
  for (const each of open) await cells.rustine.decide({ case: each.case, choice, ...(value === undefined ? {} : { value }) });
}

const PATCH_TYPES = ['standard', 'supervisor', 'specific', 'vertical', 'add-on'] as const;

/** In the supervisor folder, where patches of every type go. */
async function byPatchType(cells: Cells): Promise<Matrix> {
  const screen = (name: string, header: Values, actions: readonly Values[]): Element =>
    any('AMK', name, [
      { tag: 'AMK', values: { CODMSK: name, CODACT: '', ...header } },
      ...actions.map((values): RecordOf => ({ tag: 'AMA', values: { CODZON: 'FLD', ...values } })),
    ]);
  const parts: readonly (readonly [string, (delivered: boolean) => readonly [Values, readonly Values[]]])[] = [
    ['script name TRTSPE', (delivered) => [{ TRTSPE: delivered ? 'NEW' : 'OWN' }, []]],
    ['script name TRTSPV', (delivered) => [{ TRTSPV: delivered ? 'NEW' : 'OWN' }, []]],
    ['action SPE, delivered otherwise', (delivered) => [{}, [{ NOACT: 1, ACTION: 'SPE', INTITACT: delivered ? 'NEW' : 'OWN' }]]],
    ['action SPV, delivered otherwise', (delivered) => [{}, [{ NOACT: 1, ACTION: 'SPV', INTITACT: delivered ? 'NEW' : 'OWN' }]]],
    ['action STD, delivered otherwise', (delivered) => [{}, [{ NOACT: 1, ACTION: 'STD', INTITACT: delivered ? 'NEW' : 'OWN' }]]],
    ['action SPE, not in the patch', (delivered) => [{}, delivered ? [] : [{ NOACT: 1, ACTION: 'SPE', INTITACT: 'OWN' }]]],
    ['action SPV, not in the patch', (delivered) => [{}, delivered ? [] : [{ NOACT: 1, ACTION: 'SPV', INTITACT: 'OWN' }]]],
    ['action STD, not in the patch', (delivered) => [{}, delivered ? [] : [{ NOACT: 1, ACTION: 'STD', INTITACT: 'OWN' }]]],
  ];
  const rows = parts.map(([, build]) =>
    PATCH_TYPES.map((_type, at) => async () => {
      const name = cells.name();
      const folders = ['X3'];
      await cells.deliver([screen(name, ...build(false))], { folders });
      await cells.deliver([screen(name, ...build(true))], { folders }, { type: String(at + 1) });
      const text = JSON.stringify(await cells.fields('AMK', name, 'X3'));
      return text.includes('"OWN"') ? 'kept' : text.includes('"NEW"') ? 'updated' : 'removed';
    }),
  );
  return matrix(
    'Specific and vertical parts of a screen, by type of patch',
    'the folder’s \\ patch',
    parts.map(([name]) => name),
    PATCH_TYPES,
    rows,
  );
}

const RECEIVERS = ['supervisor folder', 'test folder', 'specific folder', 'other folder', 'other folder with a copy'] as const;
const SCRIPT_KINDS = ['standard', 'specific, authorised', 'specific, not authorised'] as const;

async function scripts(cells: Cells): Promise<Matrix> {
  const rows = SCRIPT_KINDS.map((kind) =>
    RECEIVERS.map((receiver, at) => async () => {
      const name = `${kind === 'standard' ? 'S' : 'Y'}${cells.name()}`;
      const folder = ['X3', 'TEST', 'SPEC', FOLDER, FOLDER][at] ?? FOLDER;
      if (receiver === 'other folder with a copy') await cells.copyScript(name);
      const outcome = await cells.deliver([script(name, '# new')], { folders: [folder], ...authorize(kind) });
      return outcome.scripts.installed === 1 ? 'installed' : counted(outcome.elements) === 'ignored' ? 'ignored' : 'inherited';
    }),
  );
  return matrix('Scripts', 'delivered \\ receiver', SCRIPT_KINDS, RECEIVERS, rows);
}

async function matrix(
  title: string,
  corner: string,
  rowNames: readonly string[],
  columns: readonly string[],
  rows: readonly (readonly (() => Promise<string>)[])[],
): Promise<Matrix> {
  const found: { name: string; cells: string[] }[] = [];
  for (const [at, name] of rowNames.entries()) {
    const cells: string[] = [];
    for (const cell of rows[at] ?? []) cells.push(await cell());
    found.push({ name, cells });
  }
  return { title, corner, columns, rows: found };
}

/** Runs every cell. */
export async function liveMatrices(laboratory: Laboratory): Promise<readonly Matrix[]> {
  const cells = new Cells(laboratory);
  return [
    await elements(cells),
    await lines(cells),
    await blocks(cells),
    await setUp(cells),
    await byPatchType(cells),
    await scripts(cells),
  ];
}
