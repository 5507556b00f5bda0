// Goes to the further servers on which a run of a dead program may have left something, and settles that there.
import { Failure, Refusal } from '../base/errors.ts';
import { type Recovery, recover } from '../batch/recovery.ts';
import type { Database } from '../database/database.ts';
import { openPostgres } from '../database/postgres.ts';
import { openEnvironment } from '../environment/environment.ts';
import { readMembership } from '../environment/member.ts';
import type { Server } from '../environment/servers.ts';
import { forgetParts, type LeftThere, leftOn, settledThere, takeLeft } from '../journal/left-elsewhere.ts';
import { bringDecisions, forgetSettled } from '../journal/participants.ts';
import { SETTLE_MS } from '../journal/settling.ts';
import { checkMembership, type OpenedServer } from './opened-server.ts';
import type { Opened } from './rustine.ts';
import { urlOf } from './server-url.ts';

const CONNECTIONS = 2;
/** A server that does not answer within that time is left to the next command: this one has something else to do. */
const QUICK_MS = 2_000;

/**
 * What every command does first, and a worker now and then. A server that cannot be reached is none of theirs: `rustine recover` tells it.
 * @returns what was settled, server by server
 */
export async function recoverElsewhere(opened: Opened): Promise<Recovery[]> {
  const none = (error: unknown): readonly [] => {
    if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
    return [];
  };
  const places = await takeLeft(opened.database).catch(none);
  const settled = places.map(async (left) => settle(opened, left).then((recovery) => [recovery], none));
  return (await Promise.all(settled)).flat();
}

/** What is decided here is brought there first, and noted as carried out afterwards. */
export async function recoverMember(home: Database, server: Server, { opened, verbs }: OpenedServer): Promise<Recovery> {
  await bringDecisions(home, opened.database);
  const recovered = await verbs.recover();
  await forgetSettled(home, opened.database, server.number);
  await forgetLeft(home, server, opened.database);
  return recovered;
}

/** After a recovery on the server: what is not there any more need not be looked for. */
async function forgetLeft(home: Database, server: Server, member: Database): Promise<void> {
  const runs = await leftOn(home, server);
  if (runs.length > 0) await forgetParts(home, server, await settledThere(member, runs));
}

/** Whoever wants to know what is left looks again, with more patience. */
function settledOf(recovery: Recovery): Recovery {
  const steps = Object.entries(recovery).map(([step, { settled }]) => [step, { settled, left: [] }]);
  return Object.fromEntries(steps) as unknown as Recovery;
}

async function settle({ database, settings }: Opened, { server, runs }: LeftThere): Promise<Recovery> {
  const own = await readMembership(database);
  const member = await openPostgres(urlOf(server, settings.servers), CONNECTIONS, undefined, QUICK_MS);
  try {
    checkMembership(await readMembership(member), { environment: own?.environment ?? '', server: server.name });
    await openEnvironment(member);
    // What a run over several servers prepared there follows what is decided here.
    await bringDecisions(database, member);
    const recovered = await recover(member, SETTLE_MS);
    await forgetSettled(database, member, server.number);
    await forgetParts(database, server, await settledThere(member, runs));
    return settledOf(recovered);
  } finally {
    await member.close();
  }
}
