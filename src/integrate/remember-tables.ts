// Statements that remember the tables that a plan makes, changes or removes, and where the numbers of rows stood, so that it can be taken back (R38).
import { qualified, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, Plan } from '../plan/plan.ts';
import { ROW_SEQUENCE } from '../tables/model.ts';

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
    before: [...insert('null', `'{}'`, created), ...insert(`'{}'`, 'null', removed), ...insert(shape('c.name'), `'{}'`, altered)],
    after:
      altered.length === 0
        ? []
        : [
            `update rustine.table_before b set after = ${shape('b.table_name')} from ${list(altered)} where b.integration = ${integration} and b.table_name = c.name`,
          ],
  };
}

/** The last thing that an integration remembers. */
export function rememberNumbers({ id, schema }: FolderSettings, integration: string, { last, called }: Numbers): string {
  return `insert into rustine.remembered (integration, folder, last_value, is_called, last_after, kept)
    select ${integration}, ${id}, ${last}, ${called}, s.last_value, coalesce((select array_agg(k.id order by k.id) from rustine.kept k where k.folder = ${id} and k.integration = ${integration}), '{}')
    from ${qualified(schema, ROW_SEQUENCE)} s`;
}
