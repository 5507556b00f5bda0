// Brings texts of data rows in languages that a folder got newly (R23, R35): from the folder that it follows.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';

/**
 * A text comes where the folder has the same text as the other one in another language: one that people changed here is not the translated one.
 * @returns how many came
 */
export async function bringTexts(session: Session, folder: Folder, source: Folder): Promise<number> {
  const [row] = await session.query<{ count: number }>(sql`
    with come as (
      insert into rustine.translation (folder, table_name, field, slot, language, id1, id2, text)
      select ${folder.id}, s.table_name, s.field, s.slot, s.language, s.id1, s.id2, s.text
      from rustine.translation s
      where s.folder = ${source.id} and s.language = any(${folder.languages}::text[]) and exists (
        select from rustine.translation m join rustine.translation t using (table_name, field, slot, language, id1, id2, text)
        where m.folder = ${folder.id} and t.folder = ${source.id}
          and m.table_name = s.table_name and m.field = s.field and m.slot = s.slot and m.id1 = s.id1 and m.id2 = s.id2)
      on conflict do nothing returning 1)
    select count(*)::integer as count from come`);
  return row?.count ?? 0;
}
