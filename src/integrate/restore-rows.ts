// Puts rows back that a patch updated or replaced, and texts by language.
import { sql } from '../database/sql.ts';
import { TEXTS_TABLE } from '../environment/kept.ts';
import type { InspectedTable } from '../tables/model.ts';
import { keepRows } from './keep-rows.ts';
import { putRows } from './put-rows.ts';
import type { RestoredParts, Restoring } from './restoring.ts';

export async function restoreRows(restoring: Restoring, table: InspectedTable): Promise<RestoredParts> {
  const { session, entry } = restoring;
  const columns = await session.query<{ name: string }>(sql`
    select distinct jsonb_object_keys(value) as name from rustine.kept_row where kept = ${entry.id} order by 1`);
  const source = `select row_number, value from rustine.kept_row where kept = ${entry.id}`;
  return putRows({ ...restoring, table, source, columns: columns.map((column) => column.name) });
}

const KEY = 'folder, table_name, field, slot, language, id1, id2';

/** Texts have no row number: their key says which they are. */
export async function restoreTexts({ session, entry, operator }: Restoring): Promise<RestoredParts> {
  const [result] = await session.script(`
    with kept as materialized (
      select r.* from rustine.kept_row, jsonb_populate_record(null::rustine.translation, value) r where kept = ${entry.id}),
    old as materialized (
      select row_number() over () as row_number, to_jsonb(t) as value from rustine.translation t join kept k using (${KEY}) where t.text <> k.text),
    ${keepRows({ folder: entry.folderId, integration: 'null', table: TEXTS_TABLE, why: 'overwritten', operator })},
    put as (insert into rustine.translation (${KEY}, text) select ${KEY}, text from kept
      on conflict (${KEY}) do update set text = excluded.text where translation.text <> excluded.text returning 1)
    select count(*)::integer as rows from put`);
  return { rows: Number(result?.rows[0]?.rows ?? 0), columns: [], whole: true, findings: [] };
}
