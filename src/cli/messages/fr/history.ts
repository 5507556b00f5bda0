// French words of the inquiry: what was written to folders, by whom, and which version of an element they have.

import type { inquiryErrors as englishErrors } from '../en/history.ts';
import type { Messages } from '../en.ts';
import { type Sentence, some } from '../said.ts';

export const historyHelp: Pick<Messages['help']['commands'], 'history'> = {
  history: {
    is: "qui a intégré, repris, validé, créé ou modifié quoi, dans quels dossiers ; quels dossiers ont quelle version d'un élément",
    folder: 'dans ce dossier seulement',
    patch: 'ce fichier de patch seulement',
    element: 'seulement ce qui concerne cet élément, TYPE:NOM, avec la version que possède chaque dossier',
    since: 'à partir de ce jour, AAAA-MM-JJ (UTC)',
    until: "jusqu'à ce jour, AAAA-MM-JJ (UTC)",
    operator: 'seulement ce que cette personne a fait',
    limit: "nombre maximal d'entrées (par défaut : 30)",
  },
};

export const inquiryErrors: Readonly<Record<keyof typeof englishErrors, Sentence>> = {
  'kept-file-damaged': (f) =>
    `${f('file')} (SHA-256 ${f('digest').slice(0, 12)}…) est conservé dans la base, mais ce qui y est conservé n'est plus ce qui a été livré : des lignes de rustine.patch_chunk manquent ou ont été modifiées. Restaurez-les depuis une sauvegarde de la base, ou utilisez le fichier lui-même si vous l'avez. Après \`update rustine.patch set kept = false where digest = '\\x${f('digest')}'\`, la prochaine exécution qui intègre le fichier le conserve à nouveau.`,
  'history-days': (f) =>
    `--since ${f('since')} est après --until ${f('until')} : aucun jour entre les deux. Donnez le jour le plus ancien à --since ; les deux jours sont inclus.`,
  'patch-never-integrated': (f) =>
    `Aucun dossier n'a jamais reçu ${f('file')}.${f.has('near') ? ` Noms proches : ${some(f.list('near'))}.` : ''} \`rustine history\` liste ce qui a été intégré.`,
  'element-never-delivered': (f) =>
    `Aucun dossier n'a d'élément ${f('element')}, et aucun patch mémorisé ne l'a livré.${f.has('near') ? ` Noms proches : ${some(f.list('near'))}.` : ''} \`rustine element list\` liste les éléments d'un dossier.`,
  'operator-unknown': (f) =>
    `Personne du nom de ${f('operator')} n'a jamais rien écrit dans un dossier.${f.has('known') ? ` Qui l'a fait : ${some(f.list('known'), 20)}.` : ''}`,
};

export const history: Messages['history'] = {
  columns: {
    at: 'quand (UTC)',
    what: 'quoi',
    of: 'fichier ou élément',
    digest: 'empreinte',
    folders: 'dossiers',
    by: 'par',
    run: 'exécution',
  },
  kinds: {
    patch: 'intégré',
    copied: 'reçu à la création',
    creation: 'créé',
    set: 'modifié',
    decision: 'décidé',
    validation: 'validé',
    revert: 'repris',
  },
  brought: 'apporté par la validation',
  takenBack: 'intégré (repris)',
  gone: 'apporté (disparu)',
  authorized: (codes) => `autorisés : ${codes}`,
  ignored: (codes) => `non autorisés, laissés de côté : ${codes}`,
  forced: (check, reason, by) => `forcé (${check}) par ${by} : ${reason}`,
  forcedThere: (check, reason) => `forcé là d'où il vient (${check}) : ${reason}`,
  reason: (reason) => `raison : ${reason}`,
  chosen: (choice, reason) =>
    `${{ keep: 'la valeur propre reste', take: 'la valeur livrée est prise', value: 'une valeur propre est posée' }[choice]}${reason === '' ? '' : ` : ${reason}`}`,
  purged: (by, at, folders) => `ne peut plus être repris, ce qui en était retenu a été supprimé par ${by}, ${at} : ${folders}`,
  goneWithLive: (by, at, folders) =>
    `abandonné par une validation de ${by}, ${at}, car le dossier d'exploitation ne l'a plus : ${folders}`,
  backBy: (by, at, folders) => `repris par ${by}, ${at} : ${folders}`,
  withPatches: (patches, folders) =>
    `avec ${patches} ${patches === 1 ? 'patch' : 'patches'} du dossier de référence : ${folders}`,
  folders: (count, names) => (count === 1 ? names : `${count} : ${names}`),
  nothing: "Rien de tel n'a été écrit dans un dossier.",
  more: (shown, total, limit) =>
    `${shown} entrées sur ${total} ; --limit ${limit} en montre plus, --since, --until, --folder ou --patch en montre moins.`,
  verbose: 'Avec --verbose, chaque dossier a sa ligne.',
  versions: (element) => `${element} : qui a quelle version, la dernière d'abord`,
  versionColumns: {
    version: 'version',
    digest: 'empreinte',
    since: 'première fois (UTC)',
    holds: 'état',
    folders: 'dossiers',
  },
  holds: {
    delivered: 'comme livré',
    own: 'garde sa version',
    created: 'depuis sa création',
    inherited: 'hérite',
    rows: 'lignes (non comparées)',
    absent: "ne l'a pas",
  },
  from: (folder) => `hérite de ${folder}`,
  noPatch: "d'aucun patch connu",
  unremembered: 'avant la mémorisation des livraisons',
  notRemembered: (files) =>
    `${files.length} ${files.length === 1 ? "patch a été intégré avant que les livraisons ne soient mémorisées, et ce qu'il a livré n'est pas connu" : "patches ont été intégrés avant que les livraisons ne soient mémorisées, et ce qu'ils ont livré n'est pas connu"} : ${some(files, 8)}.`,
  decisions: 'Décisions sur les valeurs que des dossiers gardent contre des livraisons',
  decisionColumns: { at: 'quand (UTC)', by: 'par', case: 'cas', place: 'quoi', choice: 'décision', reason: 'raison' },
  whole: "tout l'élément",
  story: "Ce qui s'est passé",
};
