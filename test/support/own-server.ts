// A database server of a test's own, embedded: it may be killed without anybody else noticing.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbedded } from '../../src/database/embedded.ts';
import type { Later } from './environment.ts';
import { serverPlace } from './server-place.ts';
import { temporaryHome } from './servers.ts';

export interface OwnServer {
  readonly home: string;
  /** Of the superuser. */
  readonly url: string;
  /** kill -9; its keeper starts it again. */
  kill(): Promise<void>;
}

export async function openOwnServer(later: Later): Promise<OwnServer> {
  const { home, remove } = await temporaryHome('rustine-own-', await serverPlace());
  later(remove);
  const { url, release } = await openEmbedded(home);
  later(release);
  return {
    home,
    url,
    kill: async () => {
      const [pid = ''] = (await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGKILL');
    },
  };
}
