// Cuts a stream of bytes into pieces that are stored as rows: memory does not grow with it.

/** Small enough for the memory of whoever reads, large enough that the way to the server does not count. */
export const PIECE_BYTES = 1024 * 1024;

/** All but the last one have that size. */
export async function* inPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + PIECE_BYTES - size);
      held.push(part);
      size += part.length;
      at += part.length;
      if (size < PIECE_BYTES) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(held);
}
