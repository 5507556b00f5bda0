// Gathers the facts that the checks before a run judge: a few statements, however many folders and patches there are.

import type { BusyFolder } from '../environment/busy-folders.ts';
import { readBusyFolders } from '../environment/busy-folders.ts';
import type { Integrated, Reader, Sequence } from '../environment/catalog.ts';
import { readCarriedCodes, readIntegrated, readSequence } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import type { AskedServer } from '../environment/server-state.ts';
import { askServer } from '../environment/server-state.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from './delivery.ts';
import { LARGE_BYTES, writtenBytes } from './server-checks.ts';

export interface CheckFacts {
  /** Those of the authorised codes that folders carry: they open what is protected there. */
  readonly carried: ReadonlySet<string>;
  /** Of all folders of the environment, also those left out. */
  readonly integrated: readonly Integrated[];
  readonly sequence: Sequence;
  readonly busy: readonly BusyFolder[];
  readonly servers: readonly ServerFacts[];
}

export type ServerFacts = AskedServer & {
  /** Folders of the run that live there. */
  readonly folders: readonly string[];
  /** Bytes free where its data lie; null where nobody but the server could know. */
  readonly free: number | null;
};

/** A server to be asked. */
export interface CheckedServer {
  readonly name: string;
  readonly reader: Reader;
  readonly folders: readonly Folder[];
  readonly free: number | null;
}

export interface FactsWanted {
  readonly deliveries: readonly Delivery[];
  readonly all: readonly Folder[];
  readonly folders: readonly Folder[];
  readonly authorized: readonly string[];
  readonly servers: readonly CheckedServer[];
}

/** @param catalog reads the database that holds the catalog */
export async function gatherCheckFacts(catalog: Reader, wanted: FactsWanted): Promise<CheckFacts> {
  const { deliveries, all, folders, authorized } = wanted;
  const files = deliveries.map(({ file }) => file);
  const large = writtenBytes(deliveries.map((delivery) => ({ delivery, folders: folders.length }))) >= LARGE_BYTES;
  const servers: ServerFacts[] = [];
  const busy: BusyFolder[] = [];
  for (const { name, reader, folders: living, free } of wanted.servers) {
    const asked = await askServer(name, reader, large && free === null);
    servers.push({ ...asked, folders: living.map(({ code }) => code), free });
    if ('unreachable' in asked || living.length === 0) continue;
    busy.push(
      ...(await readBusyFolders(
        reader,
        living.map(({ schema }) => schema),
      )),
    );
  }
  return {
    carried: await readCarriedCodes(catalog, authorized),
    integrated: await readIntegrated(
      catalog,
      all.map(({ id }) => id),
      files,
    ),
    sequence: await readSequence(
      catalog,
      folders.map(({ id }) => id),
      seriesOf(files),
    ),
    busy,
    servers,
  };
}

function seriesOf(files: readonly string[]): readonly string[] {
  const names = files.flatMap((file) => parsePatchName(file) ?? []);
  return [...new Set(names.map((name) => `${name.series}_${name.version}`))];
}
