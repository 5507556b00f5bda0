// French sentences about what validations find.
import type { validationFindings as english } from '../en/validation-findings.ts';
import { type Sentence, some } from '../said.ts';

const n = (count: number, one: string, many = `${one}s`) => `${count} ${count < 2 ? one : many}`;

export const validationFindings: Record<keyof typeof english, Sentence> = {
  'rows-to-come': (f) =>
    `Le dossier ${f('folder')} a tout de ${some(f.list('files'))}, sauf les lignes de données et les traitements à lancer : ces fichiers ne sont pas conservés dans la base. \`${f('command')}\` n'apporte que cela, dans cet ordre.`,
  'rows-older': (f) =>
    `${f('file')} est arrivé dans le dossier ${f('folder')} sans ses lignes de données ni ses traitements à lancer : ${f('newer')}, plus récent, y a été intégré avant, et ses lignes ne doivent pas être écrasées. Si elles doivent l'être malgré tout : \`${f('command')}\`.`,
  'texts-to-come': (f) =>
    `Le dossier ${f('folder')} n'a pas de textes en ${f('language')} : le dossier qu'il suit n'en a pas non plus, mais ${some(f.list('files'))} en portaient. \`${f('command')}\` les apporte : tous ces fichiers sont intégrés à nouveau, dans leur ordre.`,
  'texts-out-of-reach': (f) =>
    `Le dossier ${f('folder')} n'a pas de textes en ${f('language')} : le dossier qu'il suit n'en a pas non plus. ${some(f.list('files'))} les apportai${f.list('files').length === 1 ? 't' : 'ent'}, mais des patches plus récents ont touché les mêmes éléments ou des lignes de données : intégrer de nouveau les plus anciens ramènerait le dossier en arrière. Les textes viendront avec le prochain patch qui apporte ces éléments en ${f('language')}.`,
  'elements-ahead': (f) =>
    `Le dossier ${f('folder')} garde ${n(f.number('count'), 'élément')} (${some(f.list('elements'))}) tel${f.number('count') < 2 ? '' : 's'} qu'un patch absent de ${f('source')} ${f.number('count') < 2 ? "l'a" : 'les a'} apporté${f.number('count') < 2 ? '' : 's'}, après tout ce que ${f('source')} a reçu. Intégrez aussi ce patch dans ${f('source')}, ou laissez ainsi.`,
  'scripts-hide-newer': (f) =>
    `Le dossier ${f('folder')} a ${n(f.number('count'), 'copie')} de traitements (${some(f.list('scripts'))}) qui en ${f.number('count') < 2 ? 'cache' : 'cachent'} de plus récents : ce que ceux-ci corrigent n'y est pas visible. \`${f('command')}\` les compare ; supprimez ${f.number('count') < 2 ? "la copie si personne n'en" : "les copies si personne n'en"} a besoin.`,
  'scripts-to-run': (f) =>
    `Dans le dossier ${f('folder')}, des traitements de patches restent à lancer : ${some(f.list('scripts'))}. \`${f('command')}\` les liste.`,
};
