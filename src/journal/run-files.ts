// Patch files of a run that workers carry out: kept in the catalog in pieces, so that any machine reads them as a stream.
import { createHash } from 'node:crypto';
import { Failure } from '../base/errors.ts';
import type { Database, Session } from '../database/database.ts';
import { inPieces, PIECE_BYTES } from '../database/pieces.ts';
import { sql } from '../database/sql.ts';

export interface RunFile {
  readonly file: string;
  readonly digest: string;
  readonly bytes: number;
}

/**
 * Stores one file as it comes; memory does not grow with it.
 * @param digest of what was checked: anything else must not be integrated
 * @throws Failure `patch-changed`
 */
export async function storeRunFile(
  session: Session,
  run: string,
  position: number,
  { file, digest }: Pick<RunFile, 'file' | 'digest'>,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  await session.query(sql`
    insert into rustine.run_file (run, file, position, digest, bytes) values (${run}, ${file}, ${position}, ${digest}, 0)`);
  const hash = createHash('sha256');
  let bytes = 0;
  let number = 0;
  for await (const chunk of inPieces(source)) {
    hash.update(chunk);
    bytes += chunk.length;
    await session.query(sql`
      insert into rustine.run_file_chunk (run, file, number, bytes) values (${run}, ${file}, ${number++}, ${chunk})`);
  }
  if (hash.digest('hex') !== digest) throw new Failure('patch-changed', { file });
  await session.query(sql`update rustine.run_file set bytes = ${bytes} where run = ${run} and file = ${file}`);
}

/** In the order of integration. */
export async function readRunFiles(database: Database, run: string): Promise<readonly RunFile[]> {
  const rows = await database.query<RunFile & { readonly bytes: string | number }>(sql`
    select file, digest, bytes from rustine.run_file where run = ${run} order by position`);
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

/** The bytes of a file; may be read again and again. @throws Failure `run-lost` where the run has ended and its files are gone */
export async function* readRunFile(database: Database, run: string, { file, bytes }: RunFile): AsyncGenerator<Uint8Array> {
  const read = (number: number): Promise<{ readonly bytes: Uint8Array }[]> =>
    database.query(sql`select bytes from rustine.run_file_chunk where run = ${run} and file = ${file} and number = ${number}`);
  for (let number = 0; number * PIECE_BYTES < bytes; number++) {
    const [chunk] = await read(number);
    if (chunk === undefined) throw new Failure('run-lost', { run, folder: '' });
    yield chunk.bytes;
  }
}

/** Nobody needs them once the run has ended. */
export async function removeRunFiles(session: Session, run: string): Promise<void> {
  await session.query(sql`delete from rustine.run_file where run = ${run}`);
}
