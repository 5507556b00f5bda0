// English words of the short summary of a run over many folders.
const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** `A, B, C and 37 more` */
const named = (codes: readonly string[], most: number) =>
  codes.length <= most ? codes.join(', ') : `${codes.slice(0, most).join(', ')} and ${codes.length - most} more`;

export const summary = {
  folders: (count: number, states: string) => `${n(count, 'folder')}: ${states}.`,
  part: (name: string, what: string) => `${name}: ${what}`,
  inAll: (what: string) => `In all: ${what}`,
  patches: (count: number) => `${n(count, 'patch', 'patches')} integrated`,
  failures: (causes: number, folders: number) => `${n(folders, 'folder')} failed, for ${n(causes, 'cause')}`,
  where: (codes: readonly string[]) => (codes.length === 0 ? '' : `${n(codes.length, 'folder')} (${named(codes, 3)})`),
  alike: (count: number) => `(and ${count} more like this)`,
  moreCauses: (causes: number, folders: number) =>
    `… and ${n(causes, 'more cause')}${folders === 0 ? '' : ` in ${n(folders, 'folder')}`}; the trace has them all`,
  others: (counts: string) => `${counts}; the trace has them all`,
  pending: (scripts: readonly string[], folders: number) =>
    `Still to be run in ${n(folders, 'folder')}: ${named(scripts, 4)} (rustine script pending)`,
  rehearsedDue: (codes: readonly string[]) => `Would be due for validation: ${n(codes.length, 'folder')} (${named(codes, 3)}).`,
  due: (count: number) => `${n(count, 'folder is', 'folders are')} due: \`rustine status\` says why, and what to do`,
};
