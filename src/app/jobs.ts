// How much is done at the same time, and how many connections that takes.

/** Folders at the same time, at the most: each is a transaction of its own, with its locks and its memory. */
const MOST_JOBS = 32;

/** A folder's transaction and the staging of its plan use one each; leases and watches use some more, and must never wait behind those. */
export const CONNECTIONS = 2 * MOST_JOBS + 8;

/** @param wanted by the option, the settings, or the number of processors */
export function jobsAtOnce(wanted: number): number {
  return Math.min(wanted, MOST_JOBS);
}
