// English words of a run that is shown while it goes.
const n = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const progress = {
  folders: (ended: number, all: number) => `${ended}/${n(all, 'folder')}`,
  /** So many in a state. */
  inState: (count: number, state: string) => `${count} ${state}`,
  blocker: (role: string, application: string, pid: string | number, since: string) =>
    `${application === '' ? role : `${application} as ${role}`}, pid ${pid}${since === '' ? '' : `, since ${since}`}`,
  waiting: (count: number) => `${count} waiting`,
  prepared: (count: number) => `${count} prepared`,
  postponed: (count: number) => `${count} postponed`,
  wave: (wave: number, canary: boolean) => `wave ${wave}${canary ? ' (first, to try)' : ''}`,
  atWork: (count: number) => `${count} at work`,
  foldersPerMinute: (rate: string) => `${rate} folders/min`,
  patchesPerSecond: (rate: string) => `${rate} patches/s`,
  elapsed: (time: string) => `${time} so far`,
  left: (time: string) => `about ${time} left`,
  doing: {
    integrate: 'integrating',
    rehearse: 'rehearsing',
    validate: 'validating',
    'validate-rehearse': 'previewing',
    revert: 'taking back',
    'revert-rehearse': 'rehearsing',
    scripts: 'running scripts',
  },
  decimal: (value: string) => value,
  patches: (count: number) => n(count, 'patch', 'patches'),
  moreAtWork: (count: number) => `… and ${count} more at work`,
  moreCauses: (causes: number, folders: number) => `… and ${n(causes, 'more cause')} in ${n(folders, 'folder')}`,
};
