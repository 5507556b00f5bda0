// Gathers the facts that the checks before a run judge: a few statements, however many folders and patches there are.

import type { BusyFolder } from '../environment/busy-folders.ts';
import { readBusyFolders } from '../environment/busy-folders.ts';
import type { Integrated, Reader, Sequence } from '../environment/catalog.ts';
import { readCarriedCodes, readIntegrated, readSequence } from '../environment/catalog.ts';
import type { Folder } from '../environment/folder.ts';
import { type LostSchema, readLostSchemas } from '../environment/lost-schemas.ts';
import type { ServerState } from '../environment/server-state.ts';
import { askServer } from '../environment/server-state.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from './delivery.ts';
import { type OlderAgain, readOlderAgain } from './older-again.ts';
import { LARGE_BYTES, writtenBytes } from './server-checks.ts';

export interface CheckFacts {
  /** Those of the authorised codes that folders carry: they open what is protected there. */
  readonly carried: ReadonlySet<string>;
  /** Of all folders of the environment, also those left out. */
  readonly integrated: readonly Integrated[];
  readonly sequence: Sequence;
  readonly busy: readonly BusyFolder[];
  /** Of the folders of the run. */
  readonly lost: readonly LostSchema[];
  /** Where patches come again. */
  readonly olderAgain: readonly OlderAgain[];
  readonly server: ServerFacts;
}

/** The server that the folders live on; where there are several, each checks its own. */
export interface ServerFacts extends ServerState {
  readonly name: string;
  /** Bytes free where its data lie; null where nobody but the server could know. */
  readonly free: number | null;
}

export interface FactsWanted {
  readonly deliveries: readonly Delivery[];
  readonly all: readonly Folder[];
  readonly folders: readonly Folder[];
  readonly authorized: readonly string[];
  /** What is integrated already comes again: forced, or with codes that were not authorised then. */
  readonly again: boolean;
  readonly server: Pick<ServerFacts, 'name' | 'free'>;
}

export async function gatherCheckFacts(reader: Reader, wanted: FactsWanted): Promise<CheckFacts> {
  const { deliveries, all, folders, authorized, again, server } = wanted;
  const files = deliveries.map(({ file }) => file);
  const large = writtenBytes(deliveries.map((delivery) => ({ delivery, folders: folders.length }))) >= LARGE_BYTES;
  const ids = folders.map(({ id }) => id);
  return {
    carried: await readCarriedCodes(reader, authorized),
    integrated: await readIntegrated(
      reader,
      all.map(({ id }) => id),
      files,
    ),
    sequence: await readSequence(reader, ids, seriesOf(files)),
    busy: await readBusyFolders(
      reader,
      folders.map(({ schema }) => schema),
    ),
    lost: await readLostSchemas(reader, ids),
    olderAgain: again ? await readOlderAgain(reader, ids, deliveries) : [],
    server: { ...(await askServer(reader, large && server.free === null)), ...server },
  };
}

function seriesOf(files: readonly string[]): readonly string[] {
  const names = files.flatMap((file) => parsePatchName(file) ?? []);
  return [...new Set(names.map((name) => `${name.series}_${name.version}`))];
}
