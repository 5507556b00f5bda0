// Puts the tables of a folder back as they were before an integration (R38): rows, shape, values, order, numbers. `checkRows` found nothing against it.
import { Bug, Refusal } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { serverError } from '../database/postgres.ts';
import { qualified, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import { KEPT_SCHEMA, readStored } from '../environment/kept.ts';
import type { PatchOutcome, TableOutcome } from '../journal/outcome.ts';
import { NO_TABLES } from '../journal/outcome.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { lockTables } from '../tables/locks.ts';
import { ROW_SEQUENCE, SYSTEM_TABLES } from '../tables/model.ts';
import { checkRows } from './check-rows.ts';
import { MOST_ORDERED_BYTES } from './remember-rows.ts';
import type { Remembered, RememberedTable } from './remembered.ts';
import { readRemembered } from './remembered.ts';
import { restoreShape, rewriteRows } from './restore-shape.ts';
import { misplacedSql, noteOrder, undoRows } from './undo-rows.ts';

/** What became of the folder's tables and rows. */
export interface RevertedTables {
  /** `created`: came back · `removed`: those that the patch had created. */
  readonly tables: TableOutcome;
  /** `inserted`: rows that came back · `updated`: set back · `deleted`: those that the patch had brought. */
  readonly rows: PatchOutcome['rows'];
}

/**
 * In the transaction that takes the patch back, after the functions and views that the patch made are gone and before those of before are made
 * again. APATCH and ADOSACT are tables like the others. What the patch put aside is back, so its entries go; nothing remembered is left.
 * @throws Refusal `revert-meanwhile` where something changed since `checkRows`, `revert-refused` where the database refuses: somebody's view, a foreign key, a key that another row has by now
 */
export async function restoreTables(session: Session, folder: FolderSettings, integration: string): Promise<RevertedTables> {
  const remembered = await readRemembered(session, folder, integration);
  if (remembered === undefined) throw new Bug('integration remembers no tables', { folder: folder.code, integration });
  try {
    return await restore(session, folder, integration, remembered);
  } catch (error) {
    const said = serverError(error);
    if (said === undefined || !IN_THE_WAY.test(said.sqlstate)) throw error;
    const table = (said.table ?? '').toUpperCase();
    throw new Refusal('revert-refused', { folder: folder.code, table, reason: said.message, detail: said.detail }, error);
  }
}

/** Something else needs what goes · a constraint that somebody made · a value that does not fit any more. */
const IN_THE_WAY = /^(2BP01|0A000|22...|23...|42P07|42710|54...)$/;

async function restore(
  session: Session,
  folder: FolderSettings,
  integration: string,
  remembered: Remembered,
): Promise<RevertedTables> {
  const there = remembered.tables.filter(({ change }) => change !== 'removed');
  const locks = lockTables(
    there.map(({ name }) => ({ change: 'remove', table: name, columns: {}, why: 'dropped' })),
    folder.schema,
  );
  if (locks.length > 0) await session.script(locks.join(';\n'));
  // They are locked out from here on: what people changed since it was looked at is seen.
  const meanwhile = await checkRows(session, folder, integration);
  if (meanwhile.length > 0) {
    const tables = [...new Set(meanwhile.map(({ facts }) => String(facts.table ?? '')))];
    throw new Refusal('revert-meanwhile', { folder: folder.code, tables });
  }
  const tables = ((await readRemembered(session, folder, integration)) ?? remembered).tables;
  const stay = tables.filter(({ change }) => change === 'rows' || change === 'altered');
  const created = tables.filter(({ change }) => change === 'created');
  const removed = tables.filter(({ change }) => change === 'removed');
  const triggers = (enable: boolean): readonly string[] => stay.flatMap((table) => triggerStatements(folder, table, enable));
  const before = [...triggers(false), ...stay.flatMap((table) => noteOrder(folder, integration, table)), ...NO_SHARED_SCANS];
  const undone = [...stay, ...created].map((table) => undoRows(folder, integration, table));
  const counts = (await session.script([...before, ...undone, CHECKED].join(';\n')))
    .slice(before.length, -1)
    // Nobody counted the patch's own row when it came.
    .filter((_, at) => !SYSTEM_TABLES.has([...stay, ...created][at]?.name ?? ''));
  if (created.length > 0)
    await session.script(`drop table ${created.map(({ name }) => qualified(folder.schema, name)).join(', ')}`);
  for (const table of stay) {
    if (table.change === 'altered') await restoreShape(session, folder, integration, table);
  }
  for (const table of removed) await moveBack(session, folder, integration, table.name);
  await restoreOrder(session, folder, integration, stay);
  const last = [...triggers(true), ...forgetStatements(folder, integration), numbersBack(folder, remembered)];
  await session.script(last.join(';\n'));
  const sum = (name: keyof RevertedTables['rows']): number =>
    counts.reduce((all, each) => all + Number(each.rows[0]?.[name] ?? 0), 0);
  const names = (all: readonly RememberedTable[]): readonly string[] => all.map(({ name }) => name);
  return {
    tables: {
      ...NO_TABLES,
      created: names(removed),
      altered: names(stay.filter(({ change }) => change === 'altered')),
      removed: names(created),
    },
    rows: { inserted: sum('inserted'), updated: sum('updated'), deleted: sum('deleted') },
  };
}

/** A scan that begins in the middle of a large table would bring its rows in another order. */
const NO_SHARED_SCANS = ['set local synchronize_seqscans = off'];

/** What is put off to the end of the transaction would keep tables from being changed. */
const CHECKED = 'set constraints all immediate';

function triggerStatements({ schema }: FolderSettings, { name, triggers }: RememberedTable, enable: boolean): readonly string[] {
  return triggers.map(
    (trigger) =>
      `alter table ${qualified(schema, name)} ${enable ? trigger.enable : 'disable'} trigger ${quoteIdentifier(trigger.name)}`,
  );
}

/** Only where a row stands elsewhere than it did, and nobody points to the table: it is emptied for that. */
async function restoreOrder(
  session: Session,
  folder: FolderSettings,
  integration: string,
  tables: readonly RememberedTable[],
): Promise<void> {
  const small = tables.filter(({ bytes, referenced }) => bytes <= MOST_ORDERED_BYTES && !referenced);
  if (small.length === 0) return;
  const answers = await session.script(small.map(({ name }) => misplacedSql(folder, integration, name)).join(';\n'));
  for (const [at, table] of small.entries()) {
    if (Number(answers[at]?.rows[0]?.misplaced ?? 0) === 0) continue;
    const columns = await readColumns(session, folder, table.name);
    await session.script(rewriteRows(folder, integration, table.name, columns, []).join(';\n'));
  }
}

async function readColumns(session: Session, { schema }: FolderSettings, table: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(sql`
    select a.attname::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = to_regnamespace(quote_ident(${schema})) and c.relname = ${table} and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by a.attnum`);
  return rows.map(({ name }) => name);
}

/** With its rows, indexes, rights and number, under its own name. On the way it has one that no table of a dictionary can have. */
async function moveBack(session: Session, folder: FolderSettings, integration: string, table: string): Promise<void> {
  const entries = await readStored(session, { folder: folder.code, table });
  const ids = await session.query<{ id: number }>(
    sql`select id::integer from rustine.kept where folder = ${folder.id} and integration = ${integration}::bigint and kind = 'table' and table_name = ${table}`,
  );
  const entry = entries.find(({ id }) => ids.some((each) => each.id === id));
  if (entry?.relation == null) throw new Bug('table put aside is gone', { folder: folder.code, table });
  const passing = entry.relation.toUpperCase();
  await session.script(
    [
      `alter table ${qualified(KEPT_SCHEMA, entry.relation)} rename to ${quoteIdentifier(passing)}`,
      `alter table ${qualified(KEPT_SCHEMA, passing)} set schema ${quoteIdentifier(folder.schema)}`,
      `alter table ${qualified(folder.schema, passing)} rename to ${quoteIdentifier(table)}`,
      ...Object.entries(entry.indexes).map(
        ([aside, name]) => `alter index ${qualified(folder.schema, aside)} rename to ${quoteIdentifier(name)}`,
      ),
    ].join(';\n'),
  );
}

/** All that it remembered is back. */
function forgetStatements({ id }: FolderSettings, integration: string): readonly string[] {
  const remembering = ['remembered', 'written_rows', 'former_row', 'former_value', 'row_order', 'table_before'];
  return [
    `delete from rustine.kept where folder = ${id} and integration = ${integration}`,
    ...remembering.map((name) => `delete from rustine.${name} where integration = ${integration}`),
  ];
}

/**
 * The numbers of rows go on from where they stood, unless somebody took one since: none is given twice. `alter sequence` makes a new state of
 * the sequence that goes with the transaction; what `setval` does to that goes with it.
 */
function numbersBack({ schema }: FolderSettings, { last, called, lastAfter }: Remembered): string {
  const sequence = qualified(schema, ROW_SEQUENCE);
  return `do ${quoteLiteral(`begin
    if (select last_value = ${lastAfter} and (last_value, is_called) <> (${last}, ${called}) from ${sequence}) then
      alter sequence ${sequence} restart with ${last};
      perform setval(${quoteLiteral(sequence)}::regclass, ${last}, ${called});
    end if;
  end`)}`;
}
