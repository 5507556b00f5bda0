// What a validation changes in a folder, one by one: read from the plan before it is written.
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { NOISE } from '../dictionary/element-types.ts';

/** A field of a record before and after; null: there was or is none. */
export interface FieldDifference {
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
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** @param plan number of a plan that is staged and not written to the folder yet */
export async function readDifferences(session: Session, folder: number, plan: string): Promise<readonly ElementDifference[]> {
  const rows = await session.query<Row>(sql`
    with planned as (
      select 'record' as item, w.type, w.name, w.tag, w.key, w.content from rustine.plan_write w where w.plan = ${plan}
      union all
      select p.item, p.type, p.name, p.tag, p.key, n.id from rustine.plan_item p left join rustine.content n on n.digest = p.digest
      where p.plan = ${plan} and p.item in ('remove', 'offer'))
    select p.item, p.type, p.name, p.tag, p.key, e.name is not null as known, c.fields as before, n.fields as after
    from planned p
    left join rustine.element e on e.folder = ${folder} and e.type = p.type and e.name = p.name
    left join rustine.record r on r.folder = ${folder} and r.type = p.type and r.name = p.name and r.tag = p.tag and r.key = p.key
    left join rustine.content c on c.id = r.content
    left join rustine.content n on n.id = p.content
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
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  const fields = names.flatMap((field): readonly FieldDifference[] => {
    const [was, is] = [shown(before?.[field]), shown(after?.[field])];
    return was === is || NOISE.has(field) ? [] : [{ field, before: was, after: is }];
  });
  return { tag, key, change, fields };
}

/** As the catalog holds it: several slots or languages stand in their JSON form. */
function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
