// Finds the tables and columns in a tree of PostgreSQL's parser, with their scopes, and the function bodies that are to be parsed in turn. Pure.
import type { NamedTable, ReferenceCollector } from './script-references.ts';

export type Tree = Readonly<Record<string, unknown>>;

/** A body in quotes: of a function, a procedure, a `do`. */
export interface Body {
  readonly language: string;
  readonly text: string;
  /** Byte where the statement's `as` stands. */
  readonly location: number;
  readonly variables: Variables;
}

/** Variables and parameters with the columns of a table, by name; not sure where any type may stand. */
export type Variables = ReadonlyMap<string, NamedTable & { readonly sure: boolean }>;

export interface SqlFound {
  readonly references: ReferenceCollector;
  /** Physical names that the script makes itself: they are nobody's dictionary tables. */
  readonly made: Set<string>;
  readonly bodies: Body[];
}

interface Scope {
  /** Alias or name → table; null for what is no table: a subquery, a function. */
  readonly tables: Map<string, NamedTable | null>;
  readonly queries: Set<string>;
  readonly parent: Scope | undefined;
}

/** Physical columns: field and slot. */
const COLUMN = /^(.+)_\d+$/;
const STATEMENTS = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CreateTrigStmt', 'IndexStmt']);

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The texts of a list of `String` nodes: a name in parts. */
function partsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((part) =>
    isTree(part) && isTree(part.String) && typeof part.String.sval === 'string' ? [part.String.sval] : [],
  );
}

const tableNamed = (physical: string): NamedTable => ({ name: physical.toUpperCase(), by: 'name' });

/** A table in the folder's own lookup; undefined for one of PostgreSQL's or of a schema that is named. */
export function ownTable(parts: readonly string[]): NamedTable | undefined {
  const [name] = parts;
  return parts.length === 1 && name !== undefined && !name.startsWith('pg_') ? tableNamed(name) : undefined;
}

/**
 * Walks a tree.
 * @param lineOf the line of a byte in the text that was parsed
 */
export function walkSql(tree: unknown, found: SqlFound, lineOf: (location: number) => number, variables: Variables): void {
  new Walker(found, lineOf, variables).walk(tree, { tables: new Map(), queries: new Set(), parent: undefined });
}

class Walker {
  readonly #found: SqlFound;
  readonly #lineOf: (location: number) => number;
  readonly #variables: Variables;

  constructor(found: SqlFound, lineOf: (location: number) => number, variables: Variables) {
    this.#found = found;
    this.#lineOf = lineOf;
    this.#variables = variables;
  }

  walk(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const each of value) this.walk(each, scope);
      return;
    }
    if (!isTree(value)) return;
    if (typeof value.relname === 'string') this.#table(value, scope);
    for (const [key, child] of Object.entries(value)) {
      if (!isTree(child)) this.walk(child, scope);
      else if (STATEMENTS.has(key) || ('limitOption' in child && 'op' in child)) this.#statement(key, child, scope);
      else if (key === 'ColumnRef') this.#column(child, scope);
      else this.#node(key, child, scope);
    }
  }

  #node(key: string, node: Tree, scope: Scope): void {
    if (key === 'CreateFunctionStmt' || key === 'DoStmt') this.#body(node);
    else if (key === 'CreateStmt') this.#make(node.relation);
    else if (key === 'ViewStmt') this.#make(node.view);
    else if (key === 'IntoClause' || key === 'into') this.#make(node.rel);
    else if (key === 'TypeName' || key === 'argType' || key === 'returnType' || key === 'typeName') this.#type(node);
    else if (key === 'TypeCast') this.#regclass(node);
    this.walk(node, scope);
  }

  #statement(key: string, node: Tree, outer: Scope): void {
    const scope: Scope = { tables: new Map(), queries: new Set(), parent: outer };
    for (const query of listOf(isTree(node.withClause) ? node.withClause.ctes : undefined)) {
      const name = isTree(query) && isTree(query.CommonTableExpr) ? query.CommonTableExpr.ctename : undefined;
      if (typeof name === 'string') scope.queries.add(name);
    }
    const target = isTree(node.relation) ? this.#declare(node.relation, scope) : undefined;
    for (const source of [node.fromClause, node.usingClause, node.sourceRelation]) this.#sources(source, scope);
    if (target !== undefined) {
      if (key === 'InsertStmt') scope.tables.set('excluded', target);
      this.#columnsOf(target, node);
    }
    this.walk(node, scope);
  }

  /** What a statement reads from, without going into subqueries: they have their own scope. */
  #sources(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const each of value) this.#sources(each, scope);
    } else if (isTree(value)) {
      for (const [key, node] of Object.entries(value)) {
        if (!isTree(node)) continue;
        if (key === 'RangeVar') this.#declare(node, scope);
        else if (key === 'JoinExpr') this.#sources([node.larg, node.rarg], scope);
        else if (isTree(node.alias) && typeof node.alias.aliasname === 'string') scope.tables.set(node.alias.aliasname, null);
      }
    }
  }

  #declare(range: Tree, scope: Scope): NamedTable | undefined {
    const table = this.#named(range, scope);
    const alias = isTree(range.alias) ? range.alias.aliasname : range.relname;
    if (typeof alias === 'string') scope.tables.set(alias, table ?? null);
    return table;
  }

  #named(range: Tree, scope: Scope): NamedTable | undefined {
    const { relname, schemaname } = range;
    if (typeof relname !== 'string' || typeof schemaname === 'string') return undefined;
    for (let each: Scope | undefined = scope; each !== undefined; each = each.parent)
      if (each.queries.has(relname)) return undefined;
    return ownTable([relname]);
  }

  #table(range: Tree, scope: Scope): void {
    const table = this.#named(range, scope);
    if (table !== undefined) this.#found.references.table(table, this.#at(range));
  }

  /** Columns that a statement writes: `insert into t (a)`, `update t set a`, and those of its conflict. */
  #columnsOf(table: NamedTable, node: Tree): void {
    const conflict = isTree(node.onConflictClause) ? node.onConflictClause : {};
    const clauses = listOf(node.mergeWhenClauses).flatMap((each) =>
      isTree(each) && isTree(each.MergeWhenClause) ? listOf(each.MergeWhenClause.targetList) : [],
    );
    const infer = isTree(conflict.infer) ? listOf(conflict.infer.indexElems) : [];
    const writes = [node.cols, node.targetList, conflict.targetList];
    for (const each of [...writes.flatMap(listOf), ...clauses, ...infer, ...listOf(node.indexParams)]) {
      const target = isTree(each) ? (each.ResTarget ?? each.IndexElem) : undefined;
      if (isTree(target) && typeof target.name === 'string') this.#field([table], target.name, this.#at(target, node), true);
    }
  }

  #column(node: Tree, scope: Scope): void {
    const parts = partsOf(node.fields);
    const column = parts.at(-1);
    if (column === undefined || parts.length > 2) return;
    if (parts.length < listOf(node.fields).length) return;
    const line = this.#at(node);
    const [qualifier] = parts;
    if (parts.length === 2 && qualifier !== undefined) {
      const table = this.#lookUp(qualifier, scope);
      const variable = table === undefined ? this.#variables.get(qualifier) : undefined;
      if (table !== undefined && table !== null) this.#field([table], column, line, true);
      else if (variable !== undefined) this.#field([{ name: variable.name, by: 'name' }], column, line, variable.sure);
      return;
    }
    const tables: NamedTable[] = [];
    for (let each: Scope | undefined = scope; each !== undefined; each = each.parent)
      tables.push(...[...each.tables.values()].filter((table) => table !== null));
    this.#field(tables, column, line, false);
  }

  #lookUp(name: string, scope: Scope): NamedTable | null | undefined {
    for (let each: Scope | undefined = scope; each !== undefined; each = each.parent) {
      const table = each.tables.get(name);
      if (table !== undefined) return table;
    }
    return undefined;
  }

  #field(tables: readonly NamedTable[], column: string, line: number, sure: boolean): void {
    const field = COLUMN.exec(column)?.[1];
    if (field !== undefined) this.#found.references.field(tables, field.toUpperCase(), line, sure);
  }

  /** A table is a type too; `t.c%type` names a column. */
  #type(node: Tree): void {
    const parts = partsOf(node.names);
    const isColumn = node.pct_type === true;
    const table = ownTable(isColumn ? parts.slice(0, -1) : parts);
    if (table === undefined) return;
    this.#found.references.table(table, this.#at(node), isColumn);
    if (isColumn) this.#field([table], parts.at(-1) ?? '', this.#at(node), true);
  }

  #regclass({ arg, typeName }: Tree): void {
    const constant = isTree(arg) && isTree(arg.A_Const) && isTree(arg.A_Const.sval) ? arg.A_Const : undefined;
    if (constant === undefined || !isTree(typeName) || partsOf(typeName.names).at(-1) !== 'regclass') return;
    const text = isTree(constant.sval) ? String(constant.sval.sval) : '';
    const table = /^[a-z_]\w*$/.test(text) ? ownTable([text]) : undefined;
    if (table !== undefined) this.#found.references.table(table, this.#at(constant));
  }

  #make(range: unknown): void {
    if (isTree(range) && typeof range.relname === 'string') this.#found.made.add(range.relname.toUpperCase());
  }

  #body(node: Tree): void {
    // A `do` without a language is in PL/pgSQL; a function needs one.
    let language = node.funcname === undefined ? 'plpgsql' : 'sql';
    let text: string | undefined;
    let location = 0;
    for (const option of [...listOf(node.options), ...listOf(node.args)]) {
      const element = isTree(option) ? option.DefElem : undefined;
      if (!isTree(element)) continue;
      const { arg } = element;
      if (element.defname === 'language' && isTree(arg) && isTree(arg.String)) language = String(arg.String.sval);
      if (element.defname !== 'as' || !isTree(arg)) continue;
      text = isTree(arg.List) ? partsOf(arg.List.items)[0] : isTree(arg.String) ? String(arg.String.sval) : undefined;
      location = Number(element.location ?? 0);
    }
    if (text !== undefined) this.#found.bodies.push({ language, text, location, variables: this.#parameters(node) });
  }

  #parameters(node: Tree): Variables {
    const variables = new Map<string, NamedTable & { sure: boolean }>();
    for (const each of listOf(node.parameters)) {
      const parameter = isTree(each) ? each.FunctionParameter : undefined;
      if (!isTree(parameter) || typeof parameter.name !== 'string' || !isTree(parameter.argType)) continue;
      const table = parameter.argType.pct_type === true ? undefined : ownTable(partsOf(parameter.argType.names));
      if (table !== undefined) variables.set(parameter.name, { ...table, sure: false });
    }
    return variables;
  }

  #at(node: Tree, otherwise: Tree = {}): number {
    const location = node.location ?? otherwise.location;
    return this.#lineOf(typeof location === 'number' ? location : 0);
  }
}
