// A home directory whose embedded server has been made already: what is not about its creation need not wait for it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openEmbedded } from '../../src/database/embedded.ts';
import { serverPlace } from './server-place.ts';
import { temporaryHome } from './servers.ts';

export interface MadeCluster {
  /** Gives a home that has none a server that is stopped. */
  into(home: string): Promise<void>;
  remove(): Promise<void>;
}

export async function makeCluster(): Promise<MadeCluster> {
  const { home, remove } = await temporaryHome('rustine-made-', await serverPlace());
  await (await openEmbedded(home)).release();
  return {
    // With its owner, which is not ours where we are root.
    into: async (other) => {
      await promisify(execFile)('cp', ['-a', join(home, 'postgres'), other]);
    },
    remove,
  };
}
