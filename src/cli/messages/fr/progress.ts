// French words of a run that is shown while it goes.
import type { Messages } from '../en.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

export const progress: Messages['progress'] = {
  folders: (ended, all) => `${ended}/${n(all, 'dossier')}`,
  inState: (count, state) => `${count} ${count > 1 && /[^s]é$/.test(state) ? `${state}s` : state}`,
  blocker: (role, application, pid, since) =>
    `${application === '' ? role : `${application} sous ${role}`}, pid ${pid}${since === '' ? '' : `, depuis le ${since}`}`,
  waiting: (count) => `${count} en attente`,
  prepared: (count) => `${count} ${count < 2 ? 'préparé' : 'préparés'}`,
  postponed: (count) => `${count} ${count < 2 ? 'reporté' : 'reportés'}`,
  wave: (wave, canary) => `vague ${wave}${canary ? " (à l'essai)" : ''}`,
  atWork: (count) => `${count} en cours`,
  foldersPerMinute: (rate) => `${rate} dossiers/min`,
  patchesPerSecond: (rate) => `${rate} patches/s`,
  elapsed: (time) => `depuis ${time}`,
  left: (time) => `encore ${time} environ`,
  doing: {
    integrate: 'intégration',
    rehearse: 'répétition',
    validate: 'validation',
    'validate-rehearse': 'aperçu',
    revert: 'reprise',
    'revert-rehearse': 'répétition',
    scripts: 'traitements en cours',
  },
  decimal: (value) => value.replace('.', ','),
  patches: (count) => n(count, 'patch', 'patches'),
  moreAtWork: (count) => `… et ${count} de plus en cours`,
  moreCauses: (causes, folders) => `… et ${n(causes, 'autre cause', 'autres causes')} dans ${n(folders, 'dossier')}`,
};
