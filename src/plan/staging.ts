// Writes the bulk of a plan to the catalog, once for all folders that share it: one COPY and one script, however many elements.
import { hostname } from 'node:os';
import { blocks } from '../base/finding.ts';
import type { Database, Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { withoutNul } from '../dictionary/fields.ts';
import type { PlanDraft, PlanItem } from './draft.ts';
import type { Plan } from './plan.ts';

const COLUMNS = [
  'plan',
  'item',
  'ordinal',
  'type',
  'name',
  'tag',
  'key',
  'position',
  'digest',
  'meaning',
  'before',
  'activity',
  'title',
  'fields',
  'bytes',
  'scope',
] as const;

/** Drains the planner into the catalog; nothing stays there when the plan is blocked. @param lease of who stages it */
export async function stagePlan(
  database: Database,
  lease: string,
  basis: string,
  items: AsyncGenerator<PlanItem, PlanDraft>,
): Promise<Plan> {
  return database.transaction(async (session) => {
    const [work] = await session.query<{ id: string }>(
      sql`insert into rustine.work (host, pid, process) values (${hostname()}, ${process.pid}, ${lease}) returning id::text as id`,
    );
    const id = work?.id ?? '';
    let draft: PlanDraft | undefined;
    let count = 0;
    async function* lines(): AsyncGenerator<string> {
      for (;;) {
        const next = await items.next();
        if (next.done === true) {
          draft = next.value;
          return;
        }
        count += 1;
        yield copyLine(id, next.value);
      }
    }
    await session.copyIn(`copy rustine.plan_item (${COLUMNS.join(', ')}) from stdin`, batched(lines()));
    const plan: Plan = { ...(draft as PlanDraft), id, basis, items: count };
    await session.script(blocks(plan.findings) ? `delete from rustine.plan_item where plan = ${id}` : settleSql(id));
    return plan;
  });
}

/** Contents and script bodies get their shared rows; record writes become narrow. */
function settleSql(plan: string): string {
  return `
    insert into rustine.content (digest, meaning, activity, fields)
      select distinct on (digest) digest, meaning, activity, fields from rustine.plan_item
      where plan = ${plan} and item in ('record', 'offer', 'content') order by digest
      on conflict (digest) do nothing;
    insert into rustine.blob (digest, bytes)
      select distinct on (digest) digest, bytes from rustine.plan_item where plan = ${plan} and item in ('script', 'body') and bytes is not null order by digest
      on conflict (digest) do nothing;
    insert into rustine.plan_write (plan, type, name, tag, key, position, content)
      select distinct on (p.type, p.name, p.tag, p.key) p.plan, p.type, p.name, p.tag, p.key, p.position, c.id
      from rustine.plan_item p join rustine.content c on c.digest = p.digest
      where p.plan = ${plan} and p.item in ('record', 'move') order by p.type, p.name, p.tag, p.key, p.ordinal desc;
    delete from rustine.plan_item where plan = ${plan} and item in ('record', 'move', 'content');
    update rustine.plan_item set fields = null where plan = ${plan} and item = 'offer';
    delete from rustine.plan_item where plan = ${plan} and item = 'body';
    update rustine.plan_item set bytes = null where plan = ${plan} and item = 'script';`;
}

/** Removes what was staged under these numbers. */
export async function clearStaging(session: Session, works: readonly string[]): Promise<void> {
  if (works.length === 0) return;
  await session.query(sql`
    with a as (delete from rustine.plan_item where plan = any(${works}::bigint[])),
    b as (delete from rustine.plan_write where plan = any(${works}::bigint[])),
    c as (delete from rustine.delivery_element where delivery = any(${works}::bigint[]))
    delete from rustine.work where id = any(${works}::bigint[])`);
}

/** Removes what programs staged that are gone: a crash leaves it behind. Their leases were settled before. @returns the numbers of what was removed */
export async function sweepStaging(database: Database): Promise<readonly string[]> {
  const found = await database.query<{ id: string }>(sql`
    select w.id::text from rustine.work w
    where case when w.process is null then w.started_at < now() - interval '1 day' else not exists (select from rustine.process p where p.id = w.process) end`);
  if (found.length === 0) return [];
  return database.transaction(async (session) => {
    // What a transaction of such a program still reads, because it sleeps or was cut off, is left to a later sweep: nobody waits for it.
    const works = await session.query<{ id: string }>(sql`
      select id::text from rustine.work where id = any(${found.map(({ id }) => id)}::bigint[]) for update skip locked`);
    const ids = works.map(({ id }) => id);
    await clearStaging(session, ids);
    return ids;
  });
}

function copyLine(plan: string, item: PlanItem): string {
  const { ordinal, type, name, tag, key, position, digest, meaning, before, activity, title, fields, bytes, scope } = item;
  return `${[
    plan,
    item.item,
    String(ordinal),
    text(type),
    text(name),
    text(tag),
    text(key),
    position === undefined ? '\\N' : String(position),
    hex(digest),
    hex(meaning),
    hex(before),
    text(activity),
    text(title),
    text(fields === undefined ? undefined : withoutNul(fields)),
    bytes === undefined ? '\\N' : `\\\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`,
    text(scope),
  ].join('\t')}\n`;
}

const hex = (digest: string | undefined): string => (digest === undefined ? '\\N' : `\\\\x${digest}`);

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text for COPY; a NUL cannot be stored and was reported before, so the row only must not break the stream. */
function text(value: string | undefined): string {
  if (value === undefined) return '\\N';
  return value.replace(/[\\\n\r\t\0]/g, (character) => ESCAPES[character] ?? '');
}

/** Fewer, larger writes to the socket. */
async function* batched(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let batch = '';
  for await (const line of lines) {
    batch += line;
    if (batch.length >= 64 * 1024) {
      yield batch;
      batch = '';
    }
  }
  if (batch !== '') yield batch;
}
