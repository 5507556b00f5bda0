// Reads what an SQL script uses, function bodies included, with PostgreSQL's own parser (libpg-query); nothing is asked of a database.
import { type NamedTable, ReferenceCollector, type ScriptReferences } from './script-references.ts';
import { type Body, isTree, listOf, ownTable, type SqlFound, type Tree, type Variables, walkSql } from './sql-tree.ts';

/** The parser needs some 400 times the length of a script for its tree; a function is a few thousand characters, only bulk inserts are longer. */
export const LONGEST_SQL = 256 * 1024;

type Parser = typeof import('libpg-query');

let loading: Promise<Parser> | undefined;

/** Compiling the parser takes some 60 ms: only who reads SQL pays for it, once. */
async function parser(): Promise<Parser> {
  loading ??= import('libpg-query').then(async (module) => {
    await module.loadModule();
    return module;
  });
  return loading;
}

export async function readSql(source: string): Promise<ScriptReferences> {
  const { parseSync, parsePlPgSQLSync } = await parser();
  const found: SqlFound = { references: new ReferenceCollector(), made: new Set(), bodies: [] };
  if (source.length > LONGEST_SQL) {
    found.references.unread('size', String(source.length), 1);
    return found.references.references;
  }
  const reading: Reading = { found, parse: parseSync, parseBody: parsePlPgSQLSync };
  readText(source, 1, new Map(), reading);
  const { tables, fields, ...rest } = found.references.references;
  const isOwn = (table: NamedTable): boolean => !found.made.has(table.name);
  return {
    ...rest,
    tables: tables.filter(isOwn),
    fields: fields.flatMap((use) => {
      const among = use.tables.filter(isOwn);
      return among.length === 0 ? [] : [{ ...use, tables: among }];
    }),
  };
}

interface Reading {
  readonly found: SqlFound;
  readonly parse: (text: string) => unknown;
  readonly parseBody: (text: string) => unknown;
}

/** @param firstLine the line of the script in which the text begins */
function readText(text: string, firstLine: number, variables: Variables, reading: Reading): void {
  const { found, parse } = reading;
  const bytes = Buffer.from(text);
  const lineOf = lines(bytes, firstLine);
  const parsed = attempt(() => parse(text));
  if ('error' in parsed) {
    found.references.unread('syntax', parsed.error, lineOf(Buffer.byteLength(text.slice(0, parsed.at))));
    return;
  }
  for (const each of listOf(isTree(parsed.tree) ? parsed.tree.stmts : undefined)) {
    const { stmt, stmt_location: from = 0, stmt_len: length } = each as Tree;
    const before = found.bodies.length;
    const walked = attempt(() => walkSql(stmt, found, lineOf, variables));
    if ('error' in walked) found.references.unread('syntax', walked.error, lineOf(Number(from)));
    for (const body of found.bodies.splice(before)) {
      const start = Number(from);
      const statement = (): string => bytes.subarray(start, length === undefined ? undefined : start + Number(length)).toString();
      readBody(body, lineOfBody(bytes, body, lineOf), statement, reading);
    }
  }
}

type Parsed = { readonly tree: unknown } | { readonly error: string; readonly at: number };

/** What the parser does not take is the script's: its errors are of several classes, a tree that is too deep is a RangeError. */
function attempt(parse: () => unknown): Parsed {
  try {
    return { tree: parse() };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    const { sqlDetails } = error as { readonly sqlDetails?: { readonly cursorPosition?: number } };
    return { error: error.message, at: Math.max(0, sqlDetails?.cursorPosition ?? 0) };
  }
}

function readBody(body: Body, line: number, statement: () => string, reading: Reading): void {
  const language = body.language.toLowerCase();
  if (language === 'sql') readText(body.text, line, body.variables, reading);
  else if (language === 'plpgsql') readPlpgsql(statement(), line, body, reading);
  else reading.found.references.unread('language', body.language, line);
}

/** A body in PL/pgSQL is a tree of statements whose expressions are SQL, as text. */
function readPlpgsql(statement: string, firstLine: number, body: Body, reading: Reading): void {
  const { found, parseBody } = reading;
  const variables = new Map(body.variables);
  // Without a database the parser takes a variable of a row type for a single value, and refuses its fields.
  const text = statement.replace(ROW_VARIABLE, (_, name: string, constant: string | undefined, table: string) => {
    const named = ownTable([table.toLowerCase()]);
    if (named !== undefined) {
      found.references.table(named, firstLine);
      variables.set(name.toLowerCase(), { ...named, sure: true });
    }
    return `${name} ${constant ?? ''}record`;
  });
  const parsed = attempt(() => parseBody(text));
  if ('error' in parsed) {
    found.references.unread('syntax', parsed.error, firstLine);
    return;
  }
  // What the parser takes may still be too deep for us.
  const walked = attempt(() => {
    walkDatums(parsed.tree, firstLine, variables, found.references);
    walkBody(parsed.tree, firstLine, (expression, line) => readExpression(expression, line, variables, reading));
  });
  if ('error' in walked) found.references.unread('syntax', walked.error, firstLine);
}

/** `v zclienth%rowtype` */
const ROW_VARIABLE = /\b(\w+)[ \t]+(constant[ \t]+)?"?(\w+)"?%rowtype\b/gi;

interface Expression {
  readonly query: string;
  /** 0: a statement · 2: an expression · 3 and above: an assignment, its target in front. */
  readonly mode: number;
  /** What it gives is run as SQL. */
  readonly dynamic: boolean;
}

function readExpression({ query, mode, dynamic }: Expression, line: number, variables: Variables, reading: Reading): void {
  const text = mode === 0 ? query : `SELECT ${mode === 2 ? query : assigned(query)}`;
  // The target of an assignment may be a field of a row.
  if (mode > 2)
    readText(`SELECT ${query.slice(0, query.length - assigned(query).length).replace(/:?=$/, '')}`, line, variables, reading);
  if (!dynamic) {
    readText(text, line, variables, reading);
    return;
  }
  const constant = constantOf(text, reading);
  if (constant !== undefined) readText(constant, line, new Map(), reading);
  else {
    reading.found.references.unread('dynamic', `execute ${query}`.slice(0, 100), line);
    readText(text, line, variables, reading);
  }
}

const assigned = (query: string): string => {
  const colon = query.indexOf(':=');
  return colon >= 0 ? query.slice(colon + 2) : query.slice(query.indexOf('=') + 1);
};

/** The text that a `select` gives whose only column is a constant. */
function constantOf(text: string, { parse }: Reading): string | undefined {
  const parsed = attempt(() => parse(text));
  if ('error' in parsed) return undefined;
  const path = ['stmts', 0, 'stmt', 'SelectStmt', 'targetList', 0, 'ResTarget', 'val', 'A_Const', 'sval', 'sval'];
  const value = path.reduce<unknown>(
    (node, key) => (typeof key === 'number' ? listOf(node)[key] : isTree(node) ? node[key] : undefined),
    parsed.tree,
  );
  return typeof value === 'string' ? value : undefined;
}

const COLUMN_TYPE = /^"?(\w+)"?\."?(\w+)_\d+"?%type$/i;

/** Variables with the type of a table or of a column. */
function walkDatums(
  tree: unknown,
  line: number,
  variables: Map<string, NamedTable & { sure: boolean }>,
  references: ReferenceCollector,
): void {
  for (const node of nodesOf(tree)) {
    const { refname, datatype } = node;
    const type = isTree(datatype) && isTree(datatype.PLpgSQL_type) ? datatype.PLpgSQL_type.typname : undefined;
    if (typeof refname !== 'string' || typeof type !== 'string') continue;
    const at = line + Math.max(0, Number(node.lineno ?? 1) - 1);
    const column = COLUMN_TYPE.exec(type);
    const table = ownTable([(column?.[1] ?? type).toLowerCase()]);
    if (table === undefined) continue;
    references.table(table, at, column !== null);
    if (column?.[2] !== undefined) references.field([table], column[2].toUpperCase(), at, true);
    else if (!variables.has(refname)) variables.set(refname, { ...table, sure: false });
  }
}

function* nodesOf(tree: unknown): Generator<Tree> {
  if (Array.isArray(tree)) for (const each of tree) yield* nodesOf(each);
  else if (isTree(tree)) {
    yield tree;
    for (const child of Object.values(tree)) yield* nodesOf(child);
  }
}

/** Hands over the expressions, with the line of the statement that they stand in. */
function walkBody(tree: unknown, firstLine: number, take: (expression: Expression, line: number) => void): void {
  const walk = (value: unknown, line: number, dynamic: boolean): void => {
    if (Array.isArray(value)) for (const each of value) walk(each, line, dynamic);
    else if (isTree(value)) {
      const own = typeof value.lineno === 'number' ? firstLine + value.lineno - 1 : line;
      for (const [key, child] of Object.entries(value)) {
        if (key === 'PLpgSQL_expr' && isTree(child))
          take({ query: String(child.query ?? ''), mode: Number(child.parseMode ?? 0), dynamic }, own);
        else if (key === 'PLpgSQL_stmt_dynexecute' || key === 'PLpgSQL_stmt_dynfors') walkDynamic(child, own);
        else walk(child, own, dynamic || key === 'dynquery');
      }
    }
  };
  // Only the query itself is run as SQL; what is handed to it, and the loop's body, are not.
  const walkDynamic = (node: unknown, line: number): void => {
    if (!isTree(node)) return;
    const { query, ...rest } = node;
    const own = typeof node.lineno === 'number' ? firstLine + node.lineno - 1 : line;
    walk({ query }, own, true);
    walk(rest, own, false);
  };
  walk(tree, firstLine, false);
}

/** Line of a byte, for texts of any script: the parser counts bytes. */
function lines(bytes: Buffer, first: number): (byte: number) => number {
  const starts: number[] = [];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at);
  return (byte) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return first + low;
  };
}

/** A body stands in the text as it is, unless quotes in it are doubled: then the line of its `as` is near enough. */
function lineOfBody(bytes: Buffer, { text: body, location }: Body, lineOf: (byte: number) => number): number {
  const at = bytes.indexOf(Buffer.from(body), location);
  return lineOf(at < 0 ? location : at);
}
