// Which language to speak: `--lang`, else the locale of the environment, else English.
import type { Language } from '../app/config.ts';
import { Refusal } from '../base/errors.ts';
import type { Messages } from './messages/en.ts';

const LANGUAGES: readonly Language[] = ['en', 'fr'];

type Env = Readonly<Record<string, string | undefined>>;

/** As POSIX has it: the first of these that is set and not empty decides. */
export function languageOfLocale(env: Env): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || '';
  return /^fr\b|^fr_/i.test(locale) ? 'fr' : 'en';
}

/** Looks before the command line is read, because its help and its errors need the language already. */
export function languageOfArguments(argv: readonly string[], env: Env): Language {
  const words = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  const at = words.findLastIndex((word) => word === '--lang' || word.startsWith('--lang='));
  const value = words[at]?.includes('=') ? words[at].slice('--lang='.length) : words[at + 1];
  return LANGUAGES.find((language) => at >= 0 && language === value) ?? languageOfLocale(env);
}

/** @throws Refusal `usage` */
export function languageOption(value: string): Language {
  const language = LANGUAGES.find((known) => known === value);
  if (language === undefined) throw new Refusal('usage', { problem: 'choice', option: '--lang', value, known: LANGUAGES });
  return language;
}

export async function loadMessages(language: Language): Promise<Messages> {
  return language === 'fr' ? (await import('./messages/fr.ts')).messages : (await import('./messages/en.ts')).messages;
}
