// What a validation changes in a folder, one by one: read from the plan before it is written.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { compareFields } from '../dictionary/compare.ts';
import { fieldsFromJson } from '../dictionary/fields.ts';

/** A field of a record before and after, as people read it; null: there was or is none. */
export interface FieldDifference {
  /** With its place, from 0, where it has several: `OPT[1]`. */
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RecordDifference {
  readonly tag: string;
  readonly key: string;
  /** `kept`: the folder keeps its own value (`before`) against that one (`after`). */
  readonly change: 'created' | 'updated' | 'removed' | 'kept';
  readonly fields: readonly FieldDifference[];
}

export interface ElementDifference {
  readonly type: string;
  readonly name: string;
  /** Whether the folder had the element. */
  readonly change: 'created' | 'updated' | 'kept';
  readonly records: readonly RecordDifference[];
}

export interface FolderDifferences {
  readonly elements: readonly ElementDifference[];
  /** `KIND:NAME`. */
  readonly scripts: readonly string[];
}

interface Row {
  readonly item: 'record' | 'remove' | 'offer';
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly key: string;
  readonly known: boolean;
  /** JSON as it is stored, so that numbers keep their digits. */
  readonly before: string | null;
  readonly after: string | null;
}

/** @param plan number of a plan that is staged and not written to the folder yet */
export async function readDifferences(session: Session, folder: number, plan: string): Promise<readonly ElementDifference[]> {
  const rows = await session.query<Row>(sql`
    with planned as (
      select 'record' as item, w.type, w.name, w.tag, w.key, w.content from rustine.plan_write w where w.plan = ${plan}
      union all
      select p.item, p.type, p.name, p.tag, p.key, n.id from rustine.plan_item p left join rustine.content n on n.digest = p.digest
      where p.plan = ${plan} and p.item in ('remove', 'offer'))
    select p.item, p.type, p.name, p.tag, p.key, e.name is not null as known,
      coalesce(o.fields, c.fields)::text as before, n.fields::text as after
    from planned p
    left join rustine.element e on e.folder = ${folder} and e.type = p.type and e.name = p.name
    left join rustine.record r on r.folder = ${folder} and r.type = p.type and r.name = p.name and r.tag = p.tag and r.key = p.key
    left join rustine.content c on c.id = r.content
    left join rustine.content n on n.id = p.content
    -- What a line keeps is told against the line as it will be: other fields of it may follow.
    left join rustine.plan_write w on p.item = 'offer' and w.plan = ${plan} and w.type = p.type and w.name = p.name
      and w.tag = p.tag and w.key = p.key
    left join rustine.content o on o.id = w.content
    where p.item <> 'record' or p.content is distinct from r.content order by p.type, p.name, p.tag, p.key, p.item`);
  return [...Map.groupBy(rows, ({ type, name }) => `${type}\0${name}`).values()].flatMap((lines) => {
    const [first] = lines;
    if (first === undefined) return [];
    const records = lines.map(recordDifference);
    const written = records.some(({ change }) => change !== 'kept');
    const change = first.known ? (written ? 'updated' : 'kept') : 'created';
    return [{ type: first.type, name: first.name, change, records } as const];
  });
}

function recordDifference({ item, tag, key, before, after }: Row): RecordDifference {
  const change = item === 'remove' ? 'removed' : item === 'offer' ? 'kept' : before === null ? 'created' : 'updated';
  return { tag, key, change, fields: fieldDifferences(before ?? '{}', after ?? '{}') };
}

function fieldDifferences(before: string, after: string): readonly FieldDifference[] {
  const [was, is] = [fieldsFromJson(before), fieldsFromJson(after)];
  const places = (field: string): number => Math.max(was.slots[field]?.length ?? 0, is.slots[field]?.length ?? 0);
  const fields = compareFields(was, is, false).map(({ field, slot, here, there }) => ({
    field: places(field) === 1 ? field : `${field}[${slot}]`,
    before: here,
    after: there,
  }));
  const [had, has] = [was.extra.join('\n'), is.extra.join('\n')];
  return had === has ? fields : [...fields, { field: '', before: had || null, after: has || null }];
}
