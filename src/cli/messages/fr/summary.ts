// French words of the short summary of a run over many folders.
import type { Messages } from '../en.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

/** `A, B, C et 37 autres` */
const named = (codes: readonly string[], most: number) =>
  codes.length <= most ? codes.join(', ') : `${codes.slice(0, most).join(', ')} et ${n(codes.length - most, 'autre')}`;

export const summary: Messages['summary'] = {
  folders: (count, states) => `${n(count, 'dossier')} : ${states}.`,
  part: (name, what) => `${name} : ${what}`,
  inAll: (what) => `En tout : ${what}`,
  patches: (count) => n(count, 'patch intégré', 'patches intégrés'),
  failures: (causes, folders) => `${n(folders, 'dossier')} en échec, pour ${n(causes, 'cause')}`,
  where: (codes) => (codes.length === 0 ? '' : `${n(codes.length, 'dossier')} (${named(codes, 3)})`),
  alike: (count) => `(et ${count} de plus du même genre)`,
  moreCauses: (causes, folders) =>
    `… et ${n(causes, 'autre cause')}${folders === 0 ? '' : ` dans ${n(folders, 'dossier')}`} ; la trace les a toutes`,
  others: (counts) => `${counts} ; la trace les a tous`,
  pending: (scripts, folders) =>
    `Restent à exécuter dans ${n(folders, 'dossier')} : ${named(scripts, 4)} (rustine script pending)`,
  rehearsedDue: (codes) => `Seraient à valider : ${n(codes.length, 'dossier')} (${named(codes, 3)}).`,
  due: (count) => `${n(count, 'dossier')} à mettre à jour : \`rustine status\` dit pourquoi, et que faire`,
};
