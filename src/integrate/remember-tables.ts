// Statements that remember the tables that a plan makes, changes or removes, and where the numbers of rows stood, so that it can be taken back (R38).
import { qualified, quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import { conversionOf } from '../tables/conversion.ts';
import type { TableChange, TableStep } from '../tables/diff.ts';
import { emptyValue, ROW_COLUMN, ROW_SEQUENCE, typeName } from '../tables/model.ts';
import { backValue } from '../tables/shape.ts';

/** Where the numbers of a folder's rows stand. */
export interface Numbers {
  readonly last: string;
  readonly called: boolean;
}

/** One row: `last`, `called`. */
export const numbersSql = (schema: string): string =>
  `select last_value::text as last, is_called as called from ${qualified(schema, ROW_SEQUENCE)}`;

/** Before and after the statements that change the tables. */
export function rememberTables(
  { tables }: Pick<Plan, 'tables'>,
  folder: FolderSettings,
  integration: string,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const names = (change: 'create' | 'alter' | 'remove'): readonly string[] =>
    tables.flatMap((each) => (each.change !== change ? [] : [each.change === 'create' ? each.table.name : each.table]));
  const [created, altered, removed] = [names('create'), names('alter'), names('remove')];
  const list = (all: readonly string[]): string => `unnest(array[${all.map(quoteLiteral).join(', ')}]::text[]) as c (name)`;
  const shape = (name: string): string =>
    `rustine.table_shape(format('%I.%I', ${quoteLiteral(folder.schema)}::text, ${name})::regclass)`;
  const insert = (before: string, after: string, of: readonly string[]): readonly string[] =>
    of.length === 0
      ? []
      : [
          `insert into rustine.table_before (integration, folder, table_name, before, after)
            select ${integration}, ${folder.id}, c.name, ${before}, ${after} from ${list(of)}`,
        ];
  return {
    // What a table that it makes looks like is in nobody's way when it goes again; one that goes is moved as it is.
    before: [
      ...insert('null', `'{}'`, created),
      ...insert(`'{}'`, 'null', removed),
      ...insert(shape('c.name'), `'{}'`, altered),
      ...tables.flatMap((change) => formerValues(change, folder, integration)),
    ],
    after:
      altered.length === 0
        ? []
        : [
            `update rustine.table_before b set after = ${shape('b.table_name')} from ${list(altered)} where b.integration = ${integration} and b.table_name = c.name`,
          ],
  };
}

/** Values that come back neither from what is put aside nor from what they become; a statement where a column may have such. */
function formerValues(change: TableChange, folder: FolderSettings, integration: string): readonly string[] {
  if (change.change !== 'alter') return [];
  const lost = change.steps.flatMap((step) => {
    if (step.step !== 'drop-column' && !('from' in step)) return [];
    const condition = lostValue(step, `t.${quoteIdentifier(step.column)}`);
    return condition === '' ? [] : [{ column: step.column, condition }];
  });
  if (lost.length === 0) return [];
  const values = lost.map(
    ({ column, condition }) =>
      `case when ${condition} then jsonb_build_object(${quoteLiteral(column)}, to_jsonb(t.${quoteIdentifier(column)})) else '{}' end`,
  );
  return [
    `insert into rustine.former_value (integration, folder, table_name, row_number, value)
      select ${integration}, ${folder.id}, ${quoteLiteral(change.table)}, t.${ROW_COLUMN}, ${values.join(' || ')}
      from ${qualified(folder.schema, change.table)} t where ${lost.map(({ condition }) => condition).join(' or ')}`,
  ];
}

/** What is empty counts as nothing, and is not put aside: a column that comes back holds the usual empty value. Without its type: never lost. */
function lostValue(step: Extract<TableStep, { step: 'drop-column' } | { from: unknown }>, column: string): string {
  if (step.step === 'drop-column') {
    if (step.type.kind === 'other') return '';
    if (step.type.kind === 'text') return `coalesce(${column} = '', false)`;
    if (step.type.kind === 'bytea') return `coalesce(octet_length(${column}) = 0, false)`;
    return emptyValue(step.type) === undefined ? '' : `${column} is null`;
  }
  if (step.from.kind === step.to.kind) return '';
  const become = `(${conversionOf(step.from, step.to).using?.(column) ?? column})::${typeName(step.to)}`;
  return `((${column})::text is distinct from (${backValue(step.from, step.to, become)})::text)`;
}

/** The last thing that an integration remembers. */
export function rememberNumbers({ id, schema }: FolderSettings, integration: string, { last, called }: Numbers): string {
  return `insert into rustine.remembered (integration, folder, last_value, is_called, last_after, kept)
    select ${integration}, ${id}, ${last}, ${called}, s.last_value, coalesce((select array_agg(k.id order by k.id) from rustine.kept k where k.folder = ${id} and k.integration = ${integration}), '{}')
    from ${qualified(schema, ROW_SEQUENCE)} s`;
}
