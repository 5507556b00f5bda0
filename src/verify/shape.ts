// Judges what stands in a folder's schema: tables against the dictionary, and what hands made beside or of them. Pure.
import { quoteIdentifier } from '../database/sql.ts';
import type { ValidationPlan } from '../plan/validation-plan.ts';
import type { TableChange, TableStep } from '../tables/diff.ts';
import type { Column, Index, Table } from '../tables/model.ts';
import { emptyValue, ROW_COLUMN, ROW_SEQUENCE, TICK_COLUMN, typeName } from '../tables/model.ts';
import type { Difference, Mend } from './difference.ts';
import { ASIDE, ROLE, SCHEMA, warn } from './difference.ts';
import type { ColumnFact, FunctionFact, IndexFact, ObjectFact, Relation, ShapeFacts, StrangeFact } from './shape-facts.ts';

const VALIDATE: Mend = { by: 'validate' };
const inSchema = (name: string): string => `${SCHEMA}.${quoteIdentifier(name)}`;
const bySql = (statement: string): Mend => ({ by: 'sql', statement });

/**
 * @param views definition of each typed view as its columns make it, by name
 * @param scriptsOwnTables tables that scripts made are known by their owner; `supervisor`: the folder follows nobody, so validation brings it no script
 */
export function judgeShape(
  plan: Pick<ValidationPlan, 'tables' | 'definitions' | 'findings'>,
  facts: ShapeFacts,
  views: ReadonlyMap<string, { readonly definition: string; readonly sql: string }>,
  { scriptsOwnTables, supervisor }: { readonly scriptsOwnTables: boolean; readonly supervisor: boolean },
): readonly Difference[] {
  const tables = new Map(
    [...plan.definitions.values()].filter(({ generated }) => generated).map(({ table }) => [table.name, table]),
  );
  const renamed = renamedTables(tables, plan.tables, facts);
  const isRenamed = (name: string): boolean => renamed.has(name) || [...renamed.values()].includes(name);
  const given = [...tables.keys()].filter((name) => facts.ofLogin.has(name));
  const isExplained = (name: string): boolean => renamed.has(name) || given.includes(name);
  const columns = renamedColumns(tables, plan.tables, facts);
  const blocked = plan.findings
    .filter(({ severity, subject }) => severity === 'block' && !isExplained((subject ?? '').replace('ATB:', '').toLowerCase()))
    .map(({ code, subject, facts: said }) => warn(code, subject ?? '', said, VALIDATE));
  return [
    ...new Map(blocked.map((each) => [`${each.code} ${each.subject}`, each])).values(),
    ...[...renamed].map(([table, found]) => renamedDifference(table, found)),
    ...given.map(ownerDifference),
    ...columns.map(columnRenamed),
    ...plan.tables
      .filter((change) => change.change !== 'create' || !isExplained(change.table.name))
      .flatMap((change) => changeDifferences(change, facts.relations))
      .filter((difference) => !columns.some((each) => comesWithColumn(difference, each))),
    ...columnDifferences(
      tables,
      facts,
      new Set([...plan.tables.flatMap(goingColumns), ...columns.map((each) => `${each.table}.${each.found}`)]),
    ),
    ...tableDifferences(tables, plan, facts, scriptsOwnTables).filter(({ subject }) => !isRenamed(subject)),
    ...facts.objects
      .filter(({ table, on }) => (on === 'view' ? facts.views.some(({ name }) => name === table) : tables.has(table)))
      .map(objectDifference),
    ...viewDifferences(facts, views),
    ...facts.functions.map((each) => functionDifference(each, supervisor)),
    ...(scriptsOwnTables ? facts.strange.map(strangeDifference) : []),
  ];
}

/** The folder's login may do anything with a table of its own, and such a one counts as made by a script. */
function ownerDifference(table: string): Difference {
  const rights = table === 'apatch' ? 'select' : 'select, insert, update, delete';
  const statement = `alter table ${inSchema(table)} owner to current_user; grant ${rights} on ${inSchema(table)} to ${ROLE}`;
  return warn('table-owner-differs', table, { table }, bySql(statement));
}

function strangeDifference({ kind, name }: StrangeFact): Difference {
  switch (kind) {
    case 'routine':
      return warn('function-added', name, { function: name }, asideBy(`alter routine ${SCHEMA}.${name} set schema ${ASIDE}`));
    case 'extension':
      return warn('object-added', name, { kind, name }, asideBy(`alter extension ${name} set schema ${ASIDE}`));
    case 'sequence':
    case 'type':
    case 'domain': {
      const from = `revoke all on ${kind} ${SCHEMA}.${name} from ${ROLE}`;
      return warn('object-added', name, { kind, name }, asideBy(`${from}; alter ${kind} ${SCHEMA}.${name} set schema ${ASIDE}`));
    }
  }
}

/** Nothing that somebody made is lost by a command that is told (R27). */
function asideBy(statement: string): Mend {
  return bySql(`create schema if not exists ${ASIDE}; ${statement}`);
}

interface RenamedColumn {
  readonly table: string;
  readonly column: string;
  readonly found: string;
}

/** Of each type of which one column of a table is missing, and there is one too many. */
function renamedColumns(
  tables: ReadonlyMap<string, Table>,
  changes: readonly TableChange[],
  { columns, restored }: ShapeFacts,
): readonly RenamedColumn[] {
  return changes.flatMap((change): readonly RenamedColumn[] => {
    const wanted = change.change === 'alter' ? tables.get(change.table) : undefined;
    if (change.change !== 'alter' || wanted === undefined) return [];
    const names = new Set(wanted.columns.map(({ name }) => name));
    const going = new Set(goingColumns(change));
    const missing = Map.groupBy(
      change.steps.flatMap((step) => (step.step === 'add-column' ? [step.column] : [])),
      ({ type }) => typeName(type),
    );
    const strange = Map.groupBy(
      columns.filter(({ table, name }) => {
        const place = `${table}.${name}`;
        return table === change.table && !names.has(name) && !going.has(place) && !restored.has(place);
      }),
      ({ type }) => type.replace('character varying', 'varchar'),
    );
    return [...missing].flatMap(([type, fields]): readonly RenamedColumn[] => {
      const found = strange.get(type) ?? [];
      const [column, candidate] = [fields[0], found[0]];
      if (fields.length !== 1 || found.length !== 1 || column === undefined || candidate === undefined) return [];
      return [{ table: change.table, column: column.name, found: candidate.name }];
    });
  });
}

/** Its indexes follow the column: a validation before it has its name back would make an empty one. */
function comesWithColumn({ code, subject, facts }: Difference, { table, column, found }: RenamedColumn): boolean {
  if (code === 'column-missing') return subject === `${table}.${column}`;
  if (!code.startsWith('index-') || facts.table !== table || !Array.isArray(facts.columns)) return false;
  return facts.columns.some((each) => [column, found].some((name) => each === name || each === `${name} desc`));
}

function columnRenamed({ table, column, found }: RenamedColumn): Difference {
  const statement = `alter table ${inSchema(table)} rename column ${quoteIdentifier(found)} to ${quoteIdentifier(column)}`;
  return warn('column-renamed', `${table}.${column}`, { table, column, found }, bySql(statement));
}

/** Tables that are missing, and others that nobody made with their columns; indexes keep the names that they had, and by them one is known that got more columns. */
function renamedTables(
  tables: ReadonlyMap<string, Table>,
  changes: readonly TableChange[],
  { relations, columns }: ShapeFacts,
): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  const byTable = Map.groupBy(columns, ({ table }) => table);
  for (const change of changes) {
    if (change.change !== 'create') continue;
    const { name: wanted, columns: fields, indexes } = change.table;
    const same = relations.find(
      ({ name, kind, indexes: has }) =>
        kind === 'r' &&
        !tables.has(name) &&
        (indexes.length === 0
          ? byTable.get(name)?.length === fields.length
          : indexes.some((index) => has.some((each) => each.name === index.name))) &&
        fields.every((field) => byTable.get(name)?.some((each) => each.name === field.name)),
    );
    if (same !== undefined) renamed.set(wanted, same.name);
  }
  return renamed;
}

function renamedDifference(table: string, found: string): Difference {
  const statement = `alter table ${inSchema(found)} rename to ${quoteIdentifier(table)}`;
  return warn('table-renamed', table, { table, found }, bySql(statement));
}

function changeDifferences(change: TableChange, relations: readonly Relation[]): readonly Difference[] {
  switch (change.change) {
    case 'create':
      return [warn('table-missing', change.table.name, { table: change.table.name }, VALIDATE)];
    case 'remove':
      return [warn('table-left', change.table, { table: change.table }, VALIDATE)];
    case 'alter': {
      const made = new Set(change.steps.flatMap((step) => (step.step === 'create-index' ? [step.index.name] : [])));
      const renamed = renamedIndexes(change, relations.find(({ name }) => name === change.table)?.indexes ?? []);
      return change.steps.flatMap((step) => {
        const found = step.step === 'create-index' ? renamed.get(step.index.name) : undefined;
        if (found !== undefined && step.step === 'create-index') return indexRenamed(change.table, step.index.name, found);
        return stepDifference(change.table, step, made, change.steps) ?? [];
      });
    }
  }
}

type Altered = Extract<TableChange, { readonly change: 'alter' }>;

/** Those that are missing and of which the table has one under another name: a validation would build it a second time. */
function renamedIndexes({ steps }: Altered, there: readonly IndexFact[]): ReadonlyMap<string, string> {
  const dropped = new Set(steps.flatMap((step) => (step.step === 'drop-index' ? [step.index] : [])));
  const missing = steps.flatMap((step) => (step.step === 'create-index' && !dropped.has(step.index.name) ? [step.index] : []));
  const named = new Set(missing.map(({ name }) => name));
  const renamed = new Map<string, string>();
  for (const index of missing) {
    const columns = columnsOf(index).join();
    const [found] = there.filter(
      ({ name, unique, columns: has }) =>
        unique === index.unique && has?.join() === columns && !named.has(name) && ![...renamed.values()].includes(name),
    );
    if (found !== undefined) renamed.set(index.name, found.name);
  }
  return renamed;
}

const columnsOf = ({ keys }: Index): readonly string[] =>
  keys.map(({ column, descending }) => (descending ? `${column} desc` : column));

function indexRenamed(table: string, index: string, found: string): Difference {
  const statement = `alter index ${inSchema(found)} rename to ${quoteIdentifier(index)}`;
  return warn('index-renamed', `${table}.${index}`, { table, index, found }, bySql(statement));
}

function stepDifference(
  table: string,
  step: TableStep,
  made: ReadonlySet<string>,
  steps: readonly TableStep[],
): Difference | undefined {
  switch (step.step) {
    case 'add-column':
      return warn(
        'column-missing',
        `${table}.${step.column.name}`,
        { table, column: step.column.name, type: typeName(step.column.type) },
        VALIDATE,
      );
    case 'drop-column':
      return warn('column-left', `${table}.${step.column}`, { table, column: step.column }, VALIDATE);
    case 'widen-column':
    case 'narrow-column':
    case 'retype-column': {
      const facts = { table, column: step.column, expected: typeName(step.to), found: typeName(step.from) };
      return warn('column-type-differs', `${table}.${step.column}`, facts, VALIDATE);
    }
    case 'create-index': {
      const { name, unique } = step.index;
      const facts = { table, index: name, unique, columns: columnsOf(step.index) };
      const replaced = steps.some((each) => each.step === 'drop-index' && each.index === name);
      return replaced
        ? warn('index-differs', `${table}.${name}`, facts, VALIDATE)
        : warn('index-missing', `${table}.${name}`, facts, VALIDATE);
    }
    case 'drop-index':
      // One that goes with a column is told with it.
      if (made.has(step.index) || steps.some((each) => each.step === 'drop-column')) return undefined;
      return warn('index-left', `${table}.${step.index}`, { table, index: step.index }, VALIDATE);
  }
}

function goingColumns(change: TableChange): readonly string[] {
  if (change.change !== 'alter') return [];
  return change.steps.flatMap((step) => {
    if (step.step === 'drop-column' || step.step === 'retype-column') return [`${change.table}.${step.column}`];
    return step.step === 'add-column' ? [`${change.table}.${step.column.name}`] : [];
  });
}

/** @param told columns of which something else is said already */
function columnDifferences(
  tables: ReadonlyMap<string, Table>,
  { columns, restored }: ShapeFacts,
  told: ReadonlySet<string>,
): readonly Difference[] {
  return columns.flatMap((found): readonly Difference[] => {
    const table = tables.get(found.table);
    const subject = `${found.table}.${found.name}`;
    if (table === undefined || told.has(subject)) return [];
    const wanted = table.columns.find(({ name }) => name === found.name);
    if (wanted === undefined) return restored.has(subject) ? [] : [columnAdded(found)];
    return [...nullDifference(wanted, found), ...defaultDifference(wanted, found), ...collationDifference(found)];
  });
}

function columnAdded({ table, name, type }: ColumnFact): Difference {
  const column = quoteIdentifier(name);
  const copy = `${ASIDE}.${quoteIdentifier(`${table}_${name}`)}`;
  const aside = asideBy(
    `create table ${copy} as select ${ROW_COLUMN}, ${column} from ${inSchema(table)}; alter table ${inSchema(table)} drop column ${column}`,
  );
  return warn('column-added', `${table}.${name}`, { table, column: name, type }, aside);
}

const isOurs = ({ name }: Column): boolean => name === ROW_COLUMN || name === TICK_COLUMN;

function nullDifference(wanted: Column, found: ColumnFact): readonly Difference[] {
  const notNull = isOurs(wanted) || emptyValue(wanted.type) !== undefined;
  if (found.notNull === notNull) return [];
  const facts = { table: found.table, column: found.name, notNull };
  const statement = `alter table ${inSchema(found.table)} alter column ${quoteIdentifier(found.name)} ${notNull ? 'set' : 'drop'} not null`;
  return [warn('column-null-differs', `${found.table}.${found.name}`, facts, bySql(statement))];
}

function defaultDifference(wanted: Column, found: ColumnFact): readonly Difference[] {
  const expected = defaultOf(wanted);
  if (plainDefault(found.default) === expected) return [];
  const facts = { table: found.table, column: found.name, expected: expected ?? '', found: found.default ?? '' };
  const column = `alter table ${inSchema(found.table)} alter column ${quoteIdentifier(found.name)}`;
  const value = wanted.name === ROW_COLUMN ? `nextval('${inSchema(ROW_SEQUENCE)}'::regclass)` : expected;
  const mend = bySql(expected === null ? `${column} drop default` : `${column} set default ${value}`);
  return [warn('column-default-differs', `${found.table}.${found.name}`, facts, mend)];
}

/** In another order indexes and searches find other rows than programs expect. */
function collationDifference({ table, name, type, collation }: ColumnFact): readonly Difference[] {
  if (collation === null) return [];
  const statement = `alter table ${inSchema(table)} alter column ${quoteIdentifier(name)} type ${type} collate pg_catalog."default"`;
  return [warn('column-collation-differs', `${table}.${name}`, { table, column: name, found: collation }, bySql(statement))];
}

function defaultOf(column: Column): string | null {
  if (column.name === ROW_COLUMN) return `nextval('${ROW_SEQUENCE}')`;
  if (column.name === TICK_COLUMN) return '1';
  return emptyValue(column.type) ?? null;
}

/** Without the casts that the server adds, and a number as a number. */
function plainDefault(text: string | null): string | null {
  if (text === null) return null;
  const bare = text.replace(/::(?:character varying|numeric|smallint|integer|bigint|text|regclass)(?:\([\d,]+\))?/g, '');
  const inner = /^\((.*)\)$/.exec(bare)?.[1] ?? bare;
  return /^'-?\d+'$/.test(inner) ? inner.slice(1, -1) : inner;
}

function tableDifferences(
  tables: ReadonlyMap<string, Table>,
  plan: Pick<ValidationPlan, 'tables'>,
  { relations, restored, views }: ShapeFacts,
  scriptsOwnTables: boolean,
): readonly Difference[] {
  const left = new Set(plan.tables.flatMap((change) => (change.change === 'remove' ? [change.table] : [])));
  const typed = new Set(views.map(({ name }) => name));
  return relations.flatMap(({ name, kind, unlogged, rowSecurity }): readonly Difference[] => {
    if (tables.has(name)) {
      return [
        ...(unlogged ? [warn('table-unlogged', name, { table: name }, bySql(`alter table ${inSchema(name)} set logged`))] : []),
        ...(rowSecurity
          ? [warn('table-row-security', name, { table: name }, bySql(`alter table ${inSchema(name)} disable row level security`))]
          : []),
      ];
    }
    if (left.has(name) || restored.has(name) || typed.has(name) || !scriptsOwnTables) return [];
    const what = ({ v: 'view', m: 'materialized view', f: 'foreign table' } as Readonly<Record<string, string>>)[kind] ?? 'table';
    const aside = asideBy(`revoke all on ${inSchema(name)} from ${ROLE}; alter ${what} ${inSchema(name)} set schema ${ASIDE}`);
    return [warn('table-added', name, { table: name, kind: what }, aside)];
  });
}

function objectDifference({ object, on, table, name, definition }: ObjectFact): Difference {
  const facts = { kind: on, table, name, definition };
  const subject = `${table}.${name}`;
  const quoted = quoteIdentifier(name);
  switch (object) {
    case 'constraint':
      return warn('constraint-added', subject, facts, bySql(`alter table ${inSchema(table)} drop constraint ${quoted}`));
    case 'trigger':
      return warn('trigger-added', subject, facts, bySql(`drop trigger ${quoted} on ${inSchema(table)}`));
    case 'rule':
      return warn('rule-added', subject, facts, bySql(`drop rule ${quoted} on ${inSchema(table)}`));
    case 'index':
      return warn('index-invalid', subject, facts, bySql(`reindex index ${inSchema(name)}`));
  }
}

function viewDifferences(
  facts: ShapeFacts,
  expected: ReadonlyMap<string, { readonly definition: string; readonly sql: string }>,
): readonly Difference[] {
  return facts.views.flatMap(({ name, definition }): readonly Difference[] => {
    const wanted = expected.get(name);
    if (wanted === undefined || wanted.definition === definition) return [];
    if (definition === null) return [warn('view-missing', name, { view: name }, bySql(wanted.sql))];
    return [warn('view-differs', name, { view: name }, bySql(`drop view ${inSchema(name)}; ${wanted.sql}`))];
  });
}

function functionDifference(fact: FunctionFact, supervisor: boolean): Difference {
  const { script, kind, function: name, file, state } = fact;
  const facts = { script, function: name };
  const mend: Mend = supervisor && file !== null ? { by: 'integrate', file } : VALIDATE;
  const subject = `${kind}:${script}`;
  switch (state) {
    case 'gone':
      return warn('function-missing', subject, facts, mend, file ?? undefined);
    case 'changed':
      return warn('function-differs', subject, facts, mend, file ?? undefined);
    case 'rights':
      return runnersDifference(fact, subject);
  }
}

/** Scripts of the folders below find their supervisor's functions by search_path, and may run those (R4). */
function runnersDifference({ script, function: name, lost, won }: FunctionFact, subject: string): Difference {
  const right = `execute on routine ${SCHEMA}.${name}`;
  const statements = [
    ...(lost.length === 0 ? [] : [`grant ${right} to ${lost.join(', ')}`]),
    ...(won.length === 0 ? [] : [`revoke ${right} from ${won.join(', ')} cascade`]),
  ];
  return warn('function-rights-differ', subject, { script, function: name, lost, won }, bySql(statements.join('; ')));
}
