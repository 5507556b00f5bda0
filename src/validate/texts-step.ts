// Brings texts of data rows in languages that a folder got newly (R23, R35): from the folder that it follows; tells which nobody has.
import type { Finding } from '../base/finding.ts';
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

/**
 * Languages in which the folder has no text at all, although its patches carried them: the folder that it follows does not have them, either.
 * A patch is integrated again for them only where no other has come to the same elements, or to rows, after it: it would take the folder back.
 */
export async function missingTexts(session: Session, folder: Folder): Promise<readonly Finding[]> {
  const rows = await session.query<{ language: string; later: boolean; files: readonly string[] }>(sql`
    with had as materialized (
      select distinct on (file) id, file, digest, rows, languages, series, number from rustine.integrated
      where folder = ${folder.id} and apatch_num is not null order by file, id desc),
    carried as materialized (
      select l.language, h.* from unnest(${folder.languages}::text[]) as l (language) join had h on l.language = any(h.languages)
      where not exists (
        select from rustine.record r join rustine.content c on c.id = r.content where r.folder = ${folder.id} and position('"' || l.language || '": [' in c.fields::text) > 0)),
    judged as (
      select c.language, c.file, c.id, exists (
        select from had n where n.file <> c.file and case when n.series = c.series then n.number > c.number else n.id > c.id end
          and (n.rows > 0 and c.rows > 0
            or not exists (select from rustine.patch_element where digest = c.digest) or not exists (select from rustine.patch_element where digest = n.digest)
            or exists (select from rustine.patch_element a join rustine.patch_element b using (type, name) where a.digest = c.digest and b.digest = n.digest))) as later
      from carried c)
    select language, later, array_agg(file order by id) as files from judged group by language, later order by language, later`);
  const { code } = folder;
  return rows.map(({ language, later, files }): Finding => {
    const facts = { folder: code, language, files };
    if (later) return { code: 'texts-out-of-reach', severity: 'warn', facts };
    const command = `rustine integrate ${files.join(' ')} --folders ${code} --force already=${language}`;
    return { code: 'texts-to-come', severity: 'warn', facts: { ...facts, command } };
  });
}
