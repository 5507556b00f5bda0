// Reads what a script in the original product's language uses: the tables it declares, fields by class and abbreviation, scripts it calls. Pure.
import { statementsOf, type Token } from './l4g-tokens.ts';
import { type NamedTable, ReferenceCollector, type ScriptReferences } from './script-references.ts';

/** What stands in square brackets. */
export type BracketClass =
  /** `[F:ABR]`, `[F]` (no abbreviation: the default table) */
  | { readonly kind: 'file'; readonly abbreviation: string }
  | { readonly kind: 'mask' }
  /** Variables: local, global, system, constants. */
  | { readonly kind: 'variables' }
  | { readonly kind: 'date' }
  /** `[ABR]`: of a table, or of a mask where the script declares one so. */
  | { readonly kind: 'abbreviation'; readonly abbreviation: string }
  /** `[F:=…]`: known only when it runs. */
  | { readonly kind: 'dynamic' }
  | { readonly kind: 'unknown' };

const DATE = /^\d{1,2}\/\d{1,2}\/\d{1,4}$/;
const NAME = /^[A-Z_][A-Z0-9_]*$/;
const VARIABLES = new Set(['L', 'V', 'S', 'C']);

export function classOf(text: string): BracketClass {
  const trimmed = text.trim().toUpperCase();
  if (DATE.test(trimmed)) return { kind: 'date' };
  if (trimmed.startsWith('=') || trimmed.startsWith('F:=') || trimmed.startsWith('M:=')) return { kind: 'dynamic' };
  const colon = trimmed.indexOf(':');
  const letter = colon < 0 ? trimmed : trimmed.slice(0, colon).trim();
  const name = colon < 0 ? '' : trimmed.slice(colon + 1).trim();
  if (colon >= 0 && !NAME.test(name)) return { kind: 'unknown' };
  if (letter === 'F') return { kind: 'file', abbreviation: name };
  if (letter === 'M') return { kind: 'mask' };
  if (colon < 0 && VARIABLES.has(letter)) return { kind: 'variables' };
  if (colon < 0 && NAME.test(letter)) return { kind: 'abbreviation', abbreviation: letter };
  return { kind: 'unknown' };
}

/** Verbs whose first class is a table that they work on. Where a name follows the class, it is an index. */
const TABLE_VERBS = new Set(
  'read readlock look for filter columns link write writeb rewrite rewriteb rewritebykey delete deletebykey update trbegin lock unlock raz'.split(
    ' ',
  ),
);
/** Of these, those where a name that follows the class is an index and not a field. */
const BY_INDEX = new Set('read readlock look for link rewritebykey deletebykey'.split(' '));
/** After these words of a table's statement, names without a class are its fields or variables. */
const CONDITIONS = new Set(['where', 'with', 'order', 'by']);
const NO_FIELDS = new Set(
  'where with order by key asc desc and or as from to step first last next prev curr not extended'.split(' '),
);
const CALLS = new Set(['call', 'gosub', 'goto', 'onerrgo']);

const lower = (token: Token | undefined): string => (token?.kind === 'word' ? token.text.toLowerCase() : '');
const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === 'sign' && token.text === sign;

/** The largest scripts have a million characters; what is longer is none, and would take memory for each name in it. */
const LONGEST_L4G = 4 * 1024 * 1024;

export function readL4g(source: string): ScriptReferences {
  const found = new ReferenceCollector();
  if (source.length > LONGEST_L4G) {
    found.unread('size', String(source.length), 1);
    return found.references;
  }
  // Declarations hold for all of the script, wherever they stand: a subprogram uses what its caller opened.
  const names = readDeclarations(source, found);
  for (const statement of statementsOf(source)) new StatementReader(statement, names, found).read();
  return found.references;
}

/** What the abbreviations of a script stand for. */
interface Abbreviations {
  /** Dictionary names; several where parts of the script declare it differently. */
  readonly tables: Map<string, Set<string>>;
  /** Declared with a name that is computed. */
  readonly dynamic: Set<string>;
  readonly masks: Set<string>;
  /** Tables that were declared without an abbreviation: they have the dictionary's. */
  readonly usual: Set<string>;
  /** Abbreviation of a link → abbreviations that it joins. */
  readonly links: Map<string, Set<string>>;
  /** All tables that are declared by name: the default one is among them. */
  open: readonly NamedTable[];
}

function readDeclarations(source: string, found: ReferenceCollector): Abbreviations {
  const names: Abbreviations = {
    tables: new Map(),
    dynamic: new Set(),
    masks: new Set(),
    usual: new Set(),
    links: new Map(),
    open: [],
  };
  for (const statement of statementsOf(source)) {
    // A statement declares once: looking on from each such word would cost a pass for each of them.
    const find = (word: string, also = (_at: number) => true) =>
      statement.findIndex((token, at) => lower(token) === word && also(at));
    const file = find('file', (at) => declares(statement, at));
    const [mask, link] = [find('mask'), find('link')];
    if (file >= 0) readFiles(statement, file + 1, names, found);
    if (mask >= 0) readMasks(statement, mask + 1, names);
    if (link >= 0) readLink(statement, link + 1, names);
  }
  names.open = [...new Set([...[...names.tables.values()].flatMap((set) => [...set]), ...names.usual])].map(byName);
  return names;
}

/** `Default File` and `Close Local File` name what is open already; a variable may have any name. */
function declares(statement: readonly Token[], at: number): boolean {
  const before = lower(statement[at - 1]) === 'local' ? lower(statement[at - 2]) : lower(statement[at - 1]);
  if (['default', 'close', 'logicclose'].includes(before)) return false;
  const after = statement[at + 1];
  return after?.kind === 'word' || after?.kind === 'string' || isSign(after, '=') || isSign(after, '(');
}

/** `TABLE [ABR], TABLE`, up to a condition; the name may be computed (`=EXPRESSION [ABR]`). */
function readFiles(statement: readonly Token[], from: number, names: Abbreviations, found: ReferenceCollector): void {
  for (const item of itemsOf(statement, from)) {
    const [first, second] = item;
    if (first === undefined) continue;
    const bracket = item.findLast((token) => token.kind === 'class');
    const abbreviation = bracket === undefined ? '' : abbreviationOf(bracket);
    const name = first.text.toUpperCase();
    const plain =
      (first.kind === 'word' || first.kind === 'string') && NAME.test(name) && (second === undefined || second === bracket);
    if (!plain) {
      found.unread(
        'dynamic',
        item
          .map((token) => token.text)
          .join(' ')
          .slice(0, 100),
        first.line,
      );
      if (abbreviation !== '') names.dynamic.add(abbreviation);
      continue;
    }
    found.table({ name, by: 'name' }, first.line);
    if (abbreviation === '') names.usual.add(name);
    else addTo(names.tables, abbreviation, name);
  }
}

function readMasks(statement: readonly Token[], from: number, names: Abbreviations): void {
  for (const item of itemsOf(statement, from)) {
    const bracket = item.findLast((token) => token.kind === 'class');
    const [first] = item;
    const abbreviation = bracket === undefined ? (first?.text.toUpperCase() ?? '') : abbreviationOf(bracket);
    if (abbreviation !== '') names.masks.add(abbreviation);
  }
}

/** `Link [MAIN] With [ABR]INDEX=…, [ABR]INDEX=… As [LINK]` */
function readLink(statement: readonly Token[], from: number, names: Abbreviations): void {
  const as = statement.findIndex((token, at) => at > from && lower(token) === 'as' && statement[at + 1]?.kind === 'class');
  if (as < 0) return;
  const link = abbreviationOf(statement[as + 1] as Token);
  for (const token of statement.slice(from, as)) {
    const bracket = token.kind === 'class' ? classOf(token.text) : undefined;
    const abbreviation = bracket?.kind === 'file' || bracket?.kind === 'abbreviation' ? bracket.abbreviation : '';
    if (abbreviation !== '' && abbreviation !== link) addTo(names.links, link, abbreviation);
  }
}

/** Where an abbreviation must stand, `[S]` is one too and not the system's variables. */
function abbreviationOf(token: Token): string {
  const bracket = classOf(token.text);
  if (bracket.kind === 'file' && bracket.abbreviation !== '') return bracket.abbreviation;
  const name = token.text.trim().toUpperCase();
  return NAME.test(name) ? name : '';
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key) ?? new Set();
  map.set(key, set.add(value));
}

/** Items between commas that stand in no parentheses, up to a condition. */
function itemsOf(statement: readonly Token[], from: number): readonly (readonly Token[])[] {
  const items: Token[][] = [[]];
  let depth = 0;
  for (const token of statement.slice(from)) {
    if (CONDITIONS.has(lower(token))) break;
    if (isSign(token, '(')) depth += 1;
    if (isSign(token, ')')) depth -= 1;
    if (depth === 0 && isSign(token, ',')) items.push([]);
    else items.at(-1)?.push(token);
  }
  return items;
}

class StatementReader {
  readonly #tokens: readonly Token[];
  readonly #names: Abbreviations;
  readonly #found: ReferenceCollector;
  /** The verb that works on a table, and its tables once they are known. */
  #verb = '';
  #subject: readonly NamedTable[] | undefined;
  #condition = false;
  #call = false;
  #depth = 0;

  constructor(tokens: readonly Token[], names: Abbreviations, found: ReferenceCollector) {
    this.#tokens = tokens;
    this.#names = names;
    this.#found = found;
  }

  read(): void {
    this.#tokens.forEach((token, at) => {
      if (token.kind === 'word') this.#word(token, at);
      else if (token.kind === 'class') this.#class(token, at);
      else if (isSign(token, '(')) this.#depth += 1;
      else if (isSign(token, ')')) this.#depth -= 1;
      else if (isSign(token, '[')) this.#found.unread('dynamic', '[', token.line);
    });
  }

  #word(token: Token, at: number): void {
    const before = this.#tokens[at - 1];
    // What stands right at a class was read with it; what follows a point is a member.
    if ((before?.kind === 'class' && before.end === token.at) || isSign(before, '.')) return;
    const word = token.text.toLowerCase();
    const after = this.#tokens[at + 1];
    if (TABLE_VERBS.has(word) && after?.kind === 'class') this.#begin(word);
    else if (word === 'file' && declares(this.#tokens, at)) this.#begin(word);
    else if (CALLS.has(word) && after?.kind === 'word') this.#call = true;
    else if (word === 'from' && this.#call && this.#depth === 0) this.#script(after, token.line);
    else if (word === 'func' && after?.kind === 'word' && isSign(this.#tokens[at + 2], '.'))
      this.#found.script(after.text.toUpperCase(), token.line);
    else if (this.#subject !== undefined) this.#bare(word, token);
  }

  #begin(verb: string): void {
    this.#verb = verb;
    this.#subject = undefined;
    this.#condition = verb === 'columns';
  }

  #script(name: Token | undefined, line: number): void {
    this.#call = false;
    if (name?.kind === 'word' || (name?.kind === 'string' && NAME.test(name.text.toUpperCase())))
      this.#found.script(name.text.toUpperCase(), line);
    else this.#found.unread('dynamic', `From ${name?.text ?? ''}`, line);
  }

  #bare(word: string, token: Token): void {
    if (CONDITIONS.has(word)) this.#condition = true;
    else if (this.#condition && !NO_FIELDS.has(word) && !word.endsWith('$'))
      this.#found.field(this.#subject ?? [], token.text.toUpperCase(), token.line, false);
  }

  #class(token: Token, at: number): void {
    const bracket = classOf(token.text);
    if (bracket.kind === 'unknown') this.#found.unread('class', `[${token.text}]`, token.line);
    else if (bracket.kind === 'dynamic') this.#found.unread('dynamic', `[${token.text}]`, token.line);
    if (bracket.kind !== 'file' && bracket.kind !== 'abbreviation') {
      // `For [L]I = …` counts, it does not read a table.
      if (this.#subject === undefined) this.#verb = '';
      return;
    }
    if (bracket.kind === 'abbreviation' && this.#isOther(bracket.abbreviation, at)) return;
    const tables = this.#tablesOf(bracket.abbreviation);
    const declared = this.#verb === 'file' && !this.#condition;
    const isSubject = this.#verb !== '' && (this.#subject === undefined || declared);
    if (isSubject) this.#subject = tables;
    if (tables.length === 1 && tables[0] !== undefined) this.#found.table(tables[0], token.line);
    const next = this.#tokens[at + 1];
    // A field stands right at its class; `[F:ABR] = …` and `Write [ABR]` mean the whole.
    if (next?.kind !== 'word' || next.at !== token.end || this.#isIndex(at, isSubject)) return;
    this.#found.field(tables, next.text.toUpperCase(), next.line, tables.length === 1);
  }

  /** A channel of a sequential file (`Using [ABR]`), or a mask. */
  #isOther(abbreviation: string, at: number): boolean {
    if (lower(this.#tokens[at - 1]) === 'using') return true;
    return this.#names.masks.has(abbreviation) && !this.#names.tables.has(abbreviation);
  }

  #isIndex(at: number, isSubject: boolean): boolean {
    if (!BY_INDEX.has(this.#verb)) return false;
    if (isSubject) return true;
    const before = this.#tokens[at - 1];
    return this.#verb === 'link' && this.#depth === 0 && (isSign(before, ',') || lower(before) === 'with');
  }

  #tablesOf(abbreviation: string): readonly NamedTable[] {
    // The default table is one of those that are open.
    if (abbreviation === '') return this.#names.open;
    const joined = this.#joinedIn(abbreviation, new Set());
    return joined.flatMap((each) => {
      const declared = this.#names.tables.get(each);
      if (declared !== undefined) return [...declared].map(byName);
      return this.#names.dynamic.has(each) ? [] : [{ name: each, by: 'abbreviation' as const }];
    });
  }

  /** The abbreviations that a link stands for, links of links too; any other stands for itself. */
  #joinedIn(abbreviation: string, seen: Set<string>): readonly string[] {
    const { tables, dynamic, links } = this.#names;
    const joined = tables.has(abbreviation) || dynamic.has(abbreviation) ? undefined : links.get(abbreviation);
    if (joined === undefined) return [abbreviation];
    if (seen.has(abbreviation)) return [];
    seen.add(abbreviation);
    return [...joined].flatMap((each) => this.#joinedIn(each, seen));
  }
}

const byName = (name: string): NamedTable => ({ name, by: 'name' });
