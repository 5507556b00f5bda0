// What the validations of one run share: from whom a folder's dictionary comes, deliveries that are staged, plans made for them.
import type { Database } from '../database/database.ts';
import type { Reader } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { StagedDelivery } from '../integrate/integrator.ts';
import type { Delivery } from '../plan/delivery.ts';
import { stageDelivery } from '../plan/facts.ts';
import type { Plan } from '../plan/plan.ts';
import { clearStaging } from '../plan/staging.ts';
import type { ElementDifference } from './differences.ts';
import type { DictionarySource } from './validation-context.ts';

export interface ValidationSources {
  /** Of who stages, and works with it. */
  readonly lease: string;
  /** Who sees the folders that are followed as they are now. */
  readonly reader: Reader;
  /** The same for a transaction in which folders that are followed change: nobody else sees them so. They end before it does. */
  within(reader: Reader): ValidationSources;
  /** null: the folder follows nobody, as the supervisor folder. */
  of(folder: Folder): DictionarySource | null;
  /** Stages a delivery once for all folders that need the same. @param key what it is, wherever it comes from */
  staged(key: string, deliver: () => Promise<Delivery>): Promise<StagedDelivery>;
  /** What a plan changes, one by one, held once for all folders that share the plan: these have the same before. */
  differences(plan: Plan, read: () => Promise<readonly ElementDifference[]>): Promise<readonly ElementDifference[]>;
  /** Takes away what was staged. */
  release(): Promise<void>;
}

/** The parent of each folder, or the live folder of a history folder. @param lease of who stages */
export function validationSources(
  database: Database,
  lease: string,
  folders: readonly Folder[],
  reader: Reader = database,
): ValidationSources {
  const byCode = new Map(folders.map((folder) => [folder.code, folder]));
  const staged = new Map<string, Promise<StagedDelivery>>();
  const differences = new WeakMap<Plan, readonly ElementDifference[]>();
  return {
    lease,
    reader,
    within: (inside) => validationSources(database, lease, folders, inside),
    of({ parent, historyOf }) {
      const folder = byCode.get(historyOf ?? parent ?? '');
      return folder === undefined ? null : { folder, exactly: historyOf !== null };
    },
    staged(key, deliver) {
      const known = staged.get(key);
      if (known !== undefined) return known;
      const made = stage(database, lease, deliver);
      staged.set(key, made);
      // A failure (a lost connection) is this folder's; the next one tries anew.
      made.catch(() => staged.delete(key));
      return made;
    },
    async differences(plan, read) {
      const known = differences.get(plan) ?? (await read());
      const first = differences.get(plan) ?? known;
      differences.set(plan, first);
      return first;
    },
    async release() {
      const deliveries = settledOf(await Promise.allSettled(staged.values()));
      const plans = settledOf(await Promise.allSettled(deliveries.flatMap((each) => [...each.plans.values()])));
      const numbers = [...plans.map(({ id }) => id), ...deliveries.map(({ stagedAs }) => stagedAs)];
      staged.clear();
      if (numbers.length === 0) return;
      // A lost connection must not hide the reason why the run ended; what stays staged is removed by a later one.
      await database.transaction((session) => clearStaging(session, numbers)).catch(() => undefined);
    },
  };
}

async function stage(database: Database, lease: string, deliver: () => Promise<Delivery>): Promise<StagedDelivery> {
  const delivery = await deliver();
  const stagedAs = await database.transaction((session) => stageDelivery(session, lease, delivery));
  return { delivery, stagedAs, lease, plans: new Map() };
}

function settledOf<Value>(results: readonly PromiseSettledResult<Value>[]): readonly Value[] {
  return results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
