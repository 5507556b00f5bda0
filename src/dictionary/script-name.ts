// Which script names may become a file name or an argument of a program: names come from patches, so none does unchecked. Pure.

const SAFE = /^[\p{L}\p{N}_][\p{L}\p{N}_$~.#@-]{0,99}$/u;
// Names that mean a device in whatever directory they stand, on the systems that have them.
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** A file system's limit for a name is 255 bytes; an ending is still to come. */
const MOST_BYTES = 240;

/** Neither an option (`-x`) nor a path (`../x`), hidden, empty, too long, or a device. */
export function isSafeScriptName(name: string): boolean {
  return (
    SAFE.test(name) && Buffer.byteLength(name) <= MOST_BYTES && !name.includes('..') && !name.endsWith('.') && !DEVICE.test(name)
  );
}
