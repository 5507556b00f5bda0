// Remembers patch files that are integrated: their header, their elements and the file itself, once for all folders.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { inPieces } from '../database/pieces.ts';
import { sqlState } from '../database/postgres.ts';
import { sql } from '../database/sql.ts';
import { parsePatchName } from '../patch/sequence.ts';
import type { Delivery } from './delivery.ts';

export interface Remembering {
  /** Larger files are remembered by their elements alone; 0: all of them. */
  readonly keepBytes: number;
  /** How long another program that stores the same file is waited for. */
  readonly lockTimeoutMs: number;
  readonly stopPoint: (name: string) => void;
}

/** The least that is worth it: patches are text of which gzip takes four fifths even so. */
const LEVEL = 1;
const GZIPPED_AT_ONCE = 256 * 1024;

/**
 * Remembers the delivery; nothing is done where that is so already. Not in a folder's transaction: what is remembered and then integrated nowhere
 * goes by itself. @throws Failure `patch-changed` where the file is no longer the one that was read
 */
export async function rememberDelivery(database: Database, delivery: Delivery, how: Remembering): Promise<void> {
  const keep = delivery.content !== undefined && delivery.bytes <= how.keepBytes;
  const [known] = await database.query<{ kept: boolean }>(sql`
    with wanted as (
      update rustine.patch set since = now() where digest in (
        select digest from rustine.patch where digest = decode(${delivery.digest}, 'hex') and since < now() - interval '1 day' for update skip locked))
    select kept from rustine.patch where digest = decode(${delivery.digest}, 'hex')`);
  if (known === undefined) await note(database, delivery);
  how.stopPoint('run-patch-noted');
  if (!keep || known?.kept === true) return;
  await database
    .transaction((session) => store(session, delivery, how))
    .catch((error: unknown) => {
      // Whoever is at it keeps the file; where that one dies, the next run with this file does.
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    });
}

/** Remembers of the deliveries, which folders have already, those that are not: folders got them before files were kept, or while the limit was lower. */
export async function rememberPast(database: Database, deliveries: readonly Delivery[], how: Remembering): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = await database.query<{ digest: string }>(sql`
    select d.digest from unnest(${deliveries.map(({ digest }) => digest)}::text[], ${deliveries.map(({ bytes }) => bytes <= how.keepBytes)}::boolean[]) as d (digest, keep)
    left join rustine.patch p on p.digest = decode(d.digest, 'hex')
    where p.digest is null or d.keep and not p.kept`);
  const open = new Set(rows.map(({ digest }) => digest));
  for (const delivery of deliveries) if (open.has(delivery.digest)) await rememberDelivery(database, delivery, how);
}

/** Who comes second finds what the first one wrote. */
async function note(database: Database, delivery: Delivery): Promise<void> {
  const { digest, file, patchType, languages, activityCodes, comment, bytes, elements, rows, contents } = delivery;
  const name = parsePatchName(file);
  const sum = [...rows.values(), ...contents.map((content) => content.rows)].reduce((all, each) => all + each, 0);
  await database.query(sql`
    with p as (
      insert into rustine.patch (digest, file, patch_type, series, number, version, languages, activity_codes, comment, bytes, rows)
      values (decode(${digest}, 'hex'), ${file}, ${patchType}, ${name?.series ?? null}, ${name?.number ?? null}, ${name?.version ?? null},
        ${languages}::text[], ${activityCodes}::text[], ${comment}, ${bytes}, ${sum})
      on conflict (digest) do nothing returning digest)
    insert into rustine.patch_element (digest, ordinal, type, name, title)
    select p.digest, e.ordinal, e.type, e.name, e.title
    from p, unnest(${elements.map((e) => e.type)}::text[], ${elements.map((e) => e.name)}::text[], ${elements.map((e) => e.title)}::text[])
      with ordinality as e (type, name, title, ordinal)`);
}

async function store(
  session: Session,
  { digest, file, content }: Delivery,
  { lockTimeoutMs, stopPoint }: Remembering,
): Promise<void> {
  if (content === undefined) return;
  await session.script(`set local lock_timeout = ${Math.max(1, Math.round(lockTimeoutMs))}`);
  const [open] = await session.query(sql`
    select 1 as open from rustine.patch where digest = decode(${digest}, 'hex') and not kept for no key update`);
  if (open === undefined) return;
  const hash = createHash('sha256');
  const told = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of content()) {
      hash.update(chunk);
      yield chunk;
    }
  };
  // Of a file that somebody found damaged.
  await session.query(sql`delete from rustine.patch_chunk where digest = decode(${digest}, 'hex')`);
  let number = 0;
  await pipeline(Readable.from(told()), createGzip({ level: LEVEL, chunkSize: GZIPPED_AT_ONCE }), async (gzipped) => {
    for await (const piece of inPieces(gzipped)) {
      await session.query(sql`
        insert into rustine.patch_chunk (digest, number, bytes) values (decode(${digest}, 'hex'), ${number++}, ${piece})`);
      stopPoint('run-patch-half-kept');
    }
  });
  if (hash.digest('hex') !== digest) throw new Failure('patch-changed', { file });
  await session.query(sql`update rustine.patch set kept = true where digest = decode(${digest}, 'hex')`);
}

const LOCK_NOT_AVAILABLE = '55P03';

/** What nobody has integrated after that time was blocked, or cancelled. */
const KEPT_FOR = '7 days';

/** Removes what no integration refers to. A run that is not over may have it in transactions that nobody else sees yet. */
export async function sweepRemembered(database: Database): Promise<void> {
  await database.query(sql`
    delete from rustine.patch where digest in (
      select p.digest from rustine.patch p
      where p.since < now() - ${KEPT_FOR}::interval and not exists (select from rustine.integration i where i.digest = p.digest)
        and not exists (select from rustine.run r where r.finished_at is null and p.file = any(r.files))
      for update of p skip locked)`);
}
