// Copies patch files that the environment's own server keeps to a further one, where folders and mirrors that have them are compared with them.
import { Failure } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { keptDelivery } from '../plan/kept-delivery.ts';
import { rememberDelivery } from '../plan/remembered.ts';

/** How long another program that stores the same file is waited for. */
const LOCK_TIMEOUT_MS = 15_000;

interface KeptFile {
  readonly digest: string;
  readonly file: string;
}

/** What a folder of the environment's own server has: a mirror of it is made, and folders below that. */
export async function copyFilesOf(home: Database, member: Database, folder: number): Promise<void> {
  const had = await home.query<KeptFile>(sql`
    select encode(p.digest, 'hex') as digest, min(i.file) as file from rustine.integrated i join rustine.patch p on p.digest = i.digest
    where i.folder = ${folder} and p.kept group by p.digest order by min(i.id)`);
  const there = await member.query<{ digest: string }>(sql`
    select encode(digest, 'hex') as digest from rustine.patch
    where kept and digest in (select decode(x, 'hex') from unnest(${had.map(({ digest }) => digest)}::text[]) x)`);
  const has = new Set(there.map(({ digest }) => digest));
  await copy(
    home,
    member,
    had.filter(({ digest }) => !has.has(digest)),
  );
}

/** What folders and mirrors there have and nobody keeps there: they were made before files came with them. */
export async function copyMissingFiles(home: Database, member: Database): Promise<void> {
  const missing = await member.query<KeptFile>(sql`
    select encode(i.digest, 'hex') as digest, min(i.file) as file from rustine.integrated i
    where not exists (select from rustine.patch p where p.digest = i.digest and p.kept) group by i.digest order by min(i.id)`);
  if (missing.length === 0) return;
  const here = await home.query<{ digest: string }>(sql`
    select encode(digest, 'hex') as digest from rustine.patch
    where kept and digest in (select decode(x, 'hex') from unnest(${missing.map(({ digest }) => digest)}::text[]) x)`);
  const kept = new Set(here.map(({ digest }) => digest));
  await copy(
    home,
    member,
    missing.filter(({ digest }) => kept.has(digest)),
  );
}

/** Those that are damaged stay behind. */
async function copy(home: Database, member: Database, files: readonly KeptFile[]): Promise<void> {
  for (const { digest, file } of files) {
    const delivery = await keptDelivery(home, digest, file).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'kept-file-damaged') throw error;
    });
    if (delivery === undefined) continue;
    await rememberDelivery(member, delivery, {
      keepBytes: delivery.bytes,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      stopPoint: () => undefined,
    });
  }
}
