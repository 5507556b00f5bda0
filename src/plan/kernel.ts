// The kernel: base data types and tables of a supervisor folder, packed from the readable files in kernel/; what of it a folder has as it came.
import { fileURLToPath } from 'node:url';
import { sql } from '../database/sql.ts';
import type { ElementName } from '../dictionary/element.ts';
import type { Reader } from '../environment/catalog.ts';
import { fileBytes } from '../patch/read.ts';
import type { Delivery, Terms } from './delivery.ts';
import { openDelivery } from './patch-delivery.ts';

const KERNEL = fileURLToPath(new URL('../../kernel/kernel.dat', import.meta.url));
const TERMS: Terms = { patchType: '1', authorized: 'everything', exactly: false };

export async function kernelDelivery(): Promise<Delivery> {
  return openDelivery(
    'kernel.dat',
    () => fileBytes(KERNEL),
    () => [],
  );
}

/** Those elements of it, on the terms on which a folder gets them at its creation. */
export function partOfKernel(kernel: Delivery, wanted: readonly ElementName[]): Delivery {
  const isWanted = ({ type, name }: ElementName): boolean => wanted.some((each) => each.type === type && each.name === name);
  return {
    ...kernel,
    elements: kernel.elements.filter(isWanted),
    parts: async function* (findings) {
      for await (const part of kernel.parts(findings))
        if (part.part === 'dictionary' && isWanted(part.element)) yield { ...part, terms: TERMS };
    },
  };
}

/**
 * Elements that no patch brought since, neither to the folder nor to those that it has its dictionary from. None where the supervisor folder
 * was created from another kernel than this one.
 * @returns by number of the folder
 */
export async function readFromKernel(
  reader: Reader,
  kernel: Delivery,
  folders: readonly number[],
): Promise<ReadonlyMap<number, readonly ElementName[]>> {
  const [types, names] = [kernel.elements.map(({ type }) => type), kernel.elements.map(({ name }) => name)];
  const rows = await reader.query<{ folder: number; type: string; name: string }>(sql`
    with recursive up as (
      select id as of, id, parent, history_of from rustine.folder where id = any(${folders}::integer[])
      union
      select up.of, f.id, f.parent, f.history_of from up join rustine.folder f on f.id in (up.parent, up.history_of)),
    concerned as (
      select distinct u.of from up u join rustine.integration c on c.folder = u.id
      where u.parent is null and c.kind = 'creation' and c.digest = decode(${kernel.digest}, 'hex')),
    kernel as (select * from unnest(${types}::text[], ${names}::text[]) k (type, name)),
    patched as materialized (
      select i.folder, k.type, k.name from kernel k join rustine.patch_element e on e.type = k.type and e.name = k.name
      join rustine.integrated i on i.digest = e.digest
      union
      select e.folder, k.type, k.name from kernel k join rustine.element e on e.type = k.type and e.name = k.name
      join rustine.integration i on i.id = e.updated_by where i.kind = 'patch')
    select c.of as folder, k.type, k.name from concerned c cross join kernel k
    where not exists (select from patched p join up u on u.id = p.folder where u.of = c.of and p.type = k.type and p.name = k.name)
    order by 1, 2, 3`);
  return Map.groupBy(rows, ({ folder }) => folder);
}
