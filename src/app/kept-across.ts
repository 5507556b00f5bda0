// The verbs about kept values and what was put aside, over all servers of an environment.
import { Refusal } from '../base/errors.ts';
import { KEPT_PER_SERVER } from '../environment/member.ts';
import type { Across } from './across-servers.ts';
import type { OneServer } from './rustine.ts';

type KeptVerb = 'keptValues' | 'kept' | 'rememberedPatches' | 'keptRows' | 'restoreKept' | 'purgeKept';

export function keptVerbs(across: Across): Pick<OneServer, KeptVerb> {
  const { verbs } = across.home;
  /** Numbers of what is put aside say on which server it is. */
  const ofNumbers = async (ids: readonly number[]): Promise<OneServer> => {
    const numbers = [...new Set(ids.map((id) => Math.floor(id / KEPT_PER_SERVER)))];
    if (numbers.length > 1) throw new Refusal('kept-on-several-servers', { ids: ids.map(String) });
    const server = (await across.directory()).servers.find(({ number }) => number === numbers[0]);
    return server === undefined ? verbs : (await across.open(server)).verbs;
  };
  return {
    keptValues: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.keptValues(options);
      const here = await verbs.keptValues(options);
      if (options.folder !== undefined) return here;
      const there = await across.each(async ({ member }, own) =>
        (await member.verbs.keptValues(options)).filter(({ folder }) => own.includes(folder)),
      );
      return [...here, ...there.flat()];
    },
    kept: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.kept(options);
      const here = await verbs.kept(options);
      if (options.folder !== undefined) return here;
      const there = await across.each(async ({ member }, own) =>
        (await member.verbs.kept(options)).filter(({ folder }) => own.includes(folder)),
      );
      return [...here, ...there.flat()];
    },
    rememberedPatches: async (options) => {
      const place = await across.placeOf(options.folder);
      if (place !== undefined) return place.member.verbs.rememberedPatches(options);
      const here = await verbs.rememberedPatches(options);
      if (options.folder !== undefined) return here;
      const there = await across.each(async ({ member }, own) =>
        (await member.verbs.rememberedPatches(options)).filter(({ folder }) => own.includes(folder)),
      );
      return [...here, ...there.flat()];
    },
    keptRows: async (id, limit) => (await ofNumbers([id])).keptRows(id, limit),
    restoreKept: async (ids, options) => (await ofNumbers(ids)).restoreKept(ids, options),
    purgeKept: async (options) => {
      if ('ids' in options) return (await ofNumbers(options.ids)).purgeKept(options);
      return ((await across.placeOf(options.folder))?.member.verbs ?? verbs).purgeKept(options);
    },
  };
}
