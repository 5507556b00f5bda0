// Statements around a SQL script that write down what it does to the folder's rows, or that it did what nobody wrote down (R38).
import { quoteLiteral } from '../database/sql.ts';
import type { FolderSettings, SqlRun } from '../plan/plan.ts';
import { MOST_ORDERED_BYTES } from './remember-rows.ts';

/** Before it: triggers on the tables that it can mean, and what the server has counted so far. */
export function watchScript({ name, digest }: SqlRun, { id, schema, ancestors }: FolderSettings, integration: string): string {
  const lookup = [schema, ...ancestors.map((each) => each.schema)].map(quoteLiteral).join(', ');
  return `select rustine.watch_script(${integration}, ${id}, ${quoteLiteral(schema)}, array[${lookup}]::text[], ${quoteLiteral(name)}, '\\x${digest}', ${MOST_ORDERED_BYTES}, '${WROTE}')`;
}

/** After it, and after its settings are gone. */
export function noteScript({ name }: SqlRun, { schema }: FolderSettings, integration: string): string {
  return `select rustine.note_script(${integration}, ${quoteLiteral(schema)}, ${quoteLiteral(name)}, '${WROTE}', '${MADE}')`;
}

/** It wrote rows in other ways than the triggers saw. */
const WROTE = 'revert-script-wrote';
/** It made, changed or dropped objects of the database. */
const MADE = 'revert-script-made';

/** Once the integration has its row: it says itself what was not written down. */
export function noteUncaptured(integration: string): string {
  return `with gone as (delete from rustine.not_captured where integration = ${integration} returning ordinal, reason)
    update rustine.integration i set not_revertible = coalesce(i.not_revertible, '[]') || g.reasons
    from (select jsonb_agg(reason order by ordinal) as reasons from gone) g where i.id = ${integration} and g.reasons is not null`;
}
