// A patch file that is kept in the catalog, opened again as the delivery that it was.
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Failure, Refusal } from '../base/errors.ts';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { formFindings } from '../patch/form-findings.ts';
import type { Delivery } from './delivery.ts';
import { openDelivery } from './patch-delivery.ts';

/**
 * Reads the file once and checks that it is what was delivered.
 * @param digest hexadecimal SHA-256 of the content
 * @param file name under which a folder has it; absent: the one that it came with first
 * @returns undefined where the file is not kept: it is larger than the limit was, or was integrated before files were remembered
 * @throws Failure `kept-file-damaged` (facts: `file`, `digest`)
 */
export async function keptDelivery(database: Database, digest: string, file?: string): Promise<Delivery | undefined> {
  const [row] = await database.query<{ file: string }>(sql`
    select file from rustine.patch where digest = decode(${digest}, 'hex') and kept`);
  if (row === undefined) return undefined;
  const name = file ?? row.file;
  let delivery: Delivery;
  try {
    delivery = await openDelivery(
      name,
      () => keptBytes(database, digest, name),
      (end) => formFindings(end.form, name),
    );
  } catch (error) {
    // What was integrated once can be read: it is no longer the file.
    if (error instanceof Refusal) throw damaged(name, digest, error);
    throw error;
  }
  if (delivery.digest !== digest) throw damaged(name, digest);
  return delivery;
}

/** The bytes of a kept file as they came. @throws Failure `kept-file-damaged` */
export async function* keptBytes(database: Database, digest: string, file: string): AsyncGenerator<Uint8Array> {
  const content = pipeline(Readable.from(chunks(database, digest, file)), createGunzip(), () => undefined);
  try {
    for await (const chunk of content) yield chunk as Uint8Array;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // Truncated, or other bytes than were gzipped.
    if (code.startsWith('Z_')) throw damaged(file, digest, error);
    throw error;
  }
}

async function* chunks(database: Database, digest: string, file: string): AsyncGenerator<Uint8Array> {
  for (let number = 0; ; number++) {
    const [chunk] = await database.query<{ bytes: Uint8Array }>(sql`
      select bytes from rustine.patch_chunk where digest = decode(${digest}, 'hex') and number = ${number}`);
    if (chunk === undefined && number === 0) throw damaged(file, digest);
    if (chunk === undefined) return;
    yield chunk.bytes;
  }
}

const damaged = (file: string, digest: string, cause?: unknown): Failure =>
  new Failure('kept-file-damaged', { file, digest }, cause);
