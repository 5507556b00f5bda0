// What APATCH and the catalog say of a folder's patches, compared with each other, and with the chain of what was written to it.
import type { Session } from '../database/database.ts';
import { id, qualified, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import type { Difference, Mend } from './difference.ts';
import { FOLDER, SCHEMA, warn } from './difference.ts';

interface ChainRow {
  readonly problem: 'changed' | 'unchained' | 'removed' | 'second' | 'taken-back';
  readonly file: string;
  readonly at: string;
  readonly operator: string;
}

interface Head {
  readonly rows: number;
  readonly whole: boolean;
  /** Level, number of patches and mark are what the rows come to. */
  readonly standing: boolean;
  /** Triggers of the rows that are missing or switched off. */
  readonly triggers: readonly string[];
}

/** They make the chain, and keep level and number of patches beside it. */
const TRIGGERS = ['chain', 'follow'] as const;

interface ApatchRow {
  readonly file: string;
  readonly problem: 'missing' | 'unknown' | 'changed';
  readonly id: string | null;
  readonly at: string | null;
  /** Fields that differ: name, as written, as found. */
  readonly fields: readonly { readonly field: string; readonly expected: unknown; readonly found: unknown }[];
}

const BACKUP: Mend = { by: 'backup' };

/** In a snapshot of somebody's. */
export async function verifyHistory(session: Session, folder: Folder): Promise<readonly Difference[]> {
  return [...(await verifyChain(session, folder)), ...(await verifyApatch(session, folder))];
}

/**
 * Links are followed by their hashes, not by numbers: a number is drawn before the folder is locked. Patches that a live folder has no more its
 * history folder gives back by a validation (decision 025); in others only what takes a patch back does that.
 */
async function verifyChain(session: Session, { id: folder, code, historyOf }: Folder): Promise<readonly Difference[]> {
  const rows = await session.query<ChainRow>(sql`
    with i as materialized (
      select i.*, row_number() over (partition by i.previous order by i.id) as place from rustine.integration i where i.folder = ${folder})
    select p.problem, i.file, to_char(i.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at, i.operator
    from i cross join lateral (
      select 'unchained' as problem where i.hash is null
      union all select 'changed' from rustine.integration w where w.id = i.id and i.hash <> rustine.integration_hash(w, ${code})
      union all select 'removed' where i.hash is not null and i.previous is not null and i.previous not in (select hash from i where hash is not null)
      union all select 'second' where i.hash is not null and i.place > 1
      union all select 'taken-back' where i.reverted_by is distinct from (
          select max(r.id) from i r where r.reverts = i.id or (${historyOf !== null} and r.kind = 'validation' and r.id = i.reverted_by and r.id > i.id))) p
    order by i.id`);
  const [head] = await session.query<Head>(sql`
    select (select count(*)::integer from rustine.integration where folder = f.id) as rows,
      exists (select from rustine.integration i where i.folder = f.id and i.hash = f.chain) as whole,
      f.level is null or (f.level, f.patches, f.standard) is not distinct from (select (s.level, s.patches, s.standard) from rustine.standing(f.id) s) as standing,
      array(select name from unnest(${[...TRIGGERS]}::text[]) name where not exists (
        select from pg_trigger t where t.tgrelid = 'rustine.integration'::regclass and t.tgname = name and t.tgenabled in ('O', 'A'))) as triggers
    from rustine.folder f where f.id = ${folder}`);
  const cut = head?.whole !== true ? [warn('history-cut', code, { left: head?.rows ?? 0 }, BACKUP)] : [];
  const standing = head?.standing === false ? [warn('standing-differs', code, {}, { by: 'sql', statement: COUNT_ANEW })] : [];
  const triggers = (head?.triggers ?? []).map((trigger) => warn('trigger-off', trigger, { trigger }, switchOn(trigger)));
  return [...rows.map(brokenLink), ...cut, ...standing, ...triggers];
}

/** What is not known is counted. */
const COUNT_ANEW = `update rustine.folder set level = null where id = ${FOLDER}`;

function switchOn(trigger: string): Mend {
  return { by: 'sql', statement: `alter table rustine.integration enable trigger ${quoteIdentifier(trigger)}` };
}

function brokenLink({ problem, file, at, operator }: ChainRow): Difference {
  const facts = { file, at, operator };
  switch (problem) {
    case 'changed':
      return warn('history-changed', file, facts, BACKUP);
    case 'unchained':
    case 'second':
      return warn('history-inserted', file, facts, BACKUP);
    case 'removed':
      return warn('history-removed', file, facts, BACKUP);
    case 'taken-back':
      return warn('history-taken-back', file, facts, BACKUP);
  }
}

/** Columns that came to APATCH later, or went, are no difference; nor is the number of a row that was put back. */
async function verifyApatch(session: Session, folder: Folder): Promise<readonly Difference[]> {
  const [there] = await session.query<{ there: boolean }>(
    sql`select to_regclass(${qualified(folder.schema, 'apatch')}) is not null as there`,
  );
  // That it is missing is told with the tables.
  if (there?.there !== true) return [];
  const rows = await session.query<ApatchRow>(sql`
    with written as materialized (
      select distinct on (left(file, 255)) left(file, 255) as file, id, kind, case when not given_back then apatch end as apatch,
        case when not given_back then apatch_num end as apatch_num, at
      from (
        select i.*, ${folder.historyOf !== null} and exists (
          select from rustine.integration v where v.id = i.reverted_by and v.folder = i.folder and v.kind = 'validation') as given_back
        from rustine.integration i where i.folder = ${folder.id} and i.kind in ('patch', 'revert')) i
      order by left(file, 255), id desc),
    found as materialized (select fic_0 as file, to_jsonb(a) as apatch from ${id(folder.schema, 'apatch')} a)
    select coalesce(w.file, f.file) as file, w.id::text, to_char(w.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at,
      case when f.apatch is null then 'missing' when w.apatch is null then 'unknown' else 'changed' end as problem, coalesce(d.fields, '[]') as fields
    from written w full join found f on f.file = w.file
    left join lateral (
      select jsonb_agg(jsonb_build_object('field', e.key, 'expected', e.value, 'found', f.apatch -> e.key) order by e.key) as fields
      from jsonb_each(w.apatch) e where e.key <> 'rowid' and f.apatch ? e.key and f.apatch -> e.key <> e.value) d on w.apatch <> f.apatch
    where case when f.apatch is null then w.apatch is not null or (w.kind = 'patch' and w.apatch_num is not null)
      when w.apatch is null then w.apatch_num is null else d.fields is not null end
    order by 1`);
  return rows.map((row) => apatchDifference(row));
}

function apatchDifference({ file, problem, id: integration, at, fields }: ApatchRow): Difference {
  const table = `${SCHEMA}.apatch`;
  const written = `select apatch from rustine.integration where id = ${integration ?? 'null'}`;
  const remove = `delete from ${table} where fic_0 = ${quoteLiteral(file).trim()}`;
  const put = `insert into ${table} select * from jsonb_populate_record(null::${table}, (${written}))`;
  switch (problem) {
    case 'missing':
      return warn('apatch-missing', file, { file, at }, { by: 'sql', statement: put }, file);
    case 'unknown':
      return warn('apatch-unknown', file, { file }, { by: 'sql', statement: remove }, file);
    case 'changed': {
      const changes = fields.map(({ field, expected, found }) => `${field}: ${plain(expected)} → ${plain(found)}`);
      return warn('apatch-changed', file, { file, at, fields: changes }, { by: 'sql', statement: `${remove}; ${put}` }, file);
    }
  }
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
