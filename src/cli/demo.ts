// The demonstration: runs the real command line on an embedded database in a temporary home, and says what happens.
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDemoPatch, writeNextPatch } from './demo-patch.ts';
import { languageOfArguments } from './language.ts';
import { paint, wrap } from './layout.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const RUSTINE = fileURLToPath(new URL('../../bin/rustine.js', import.meta.url));
const PATCH = 'LOYALTY.dat';
const NEXT = 'LEVEL.dat';

interface Step {
  readonly en: string;
  readonly fr: string;
  /** What follows `rustine`. */
  readonly command: string;
}

const STEPS: readonly Step[] = [
  {
    en: 'An environment is all the folders (tenants) of one installation. Without a database URL, Rustine starts a PostgreSQL of its own under its home directory.',
    fr: "Un environnement est l'ensemble des dossiers d'une installation. Sans URL de base, Rustine démarre son propre PostgreSQL dans son répertoire.",
    command: 'init',
  },
  {
    en: 'Each folder is a schema with a login of its own. Both inherit from the supervisor folder X3.',
    fr: 'Chaque dossier est un schéma avec sa propre connexion. Les deux héritent du dossier superviseur X3.',
    command: 'folder create SHOP PLANT',
  },
  {
    en: `Here is a patch, just written to ${PATCH}: a table, a script, a row of data, and one field that is specific to VIP customers (activity code ZVIP).`,
    fr: `Voici un patch, à l'instant écrit dans ${PATCH} : une table, un traitement, une ligne de données, et un champ spécifique aux clients VIP (code activité ZVIP).`,
    command: `patch show ${PATCH}`,
  },
  {
    en: 'A rehearsal does everything for real, in every folder, and rolls it back.',
    fr: 'Une répétition fait tout pour de bon, dans chaque dossier, puis annule.',
    command: `integrate ${PATCH} --rehearse`,
  },
  {
    en: 'Now for good. The patch header does not authorise ZVIP, so what carries that code stays out, and Rustine says so.',
    fr: "Maintenant pour de bon. L'en-tête du patch n'autorise pas ZVIP : ce qui porte ce code reste dehors, et Rustine le dit.",
    command: `integrate ${PATCH}`,
  },
  {
    en: 'We decide to let the specific field in. Only the difference is applied.',
    fr: 'Nous décidons de laisser entrer le champ spécifique. Seule la différence est appliquée.',
    command: `integrate ${PATCH} --authorize ZVIP`,
  },
  {
    en: 'Running it once more changes nothing: every folder knows what it has.',
    fr: "Une fois de plus, rien ne change : chaque dossier sait ce qu'il a.",
    command: `integrate ${PATCH} --authorize ZVIP`,
  },
  {
    en: `A second patch, ${NEXT}, brings one more field. Somebody leaves PLANT out; the checks say what that means.`,
    fr: `Un second patch, ${NEXT}, apporte un champ de plus. Quelqu'un laisse PLANT de côté ; les contrôles disent ce que cela veut dire.`,
    command: `integrate ${NEXT} --folders X3,SHOP`,
  },
  {
    en: 'Where do the folders stand? PLANT lags, and the command that mends it is there.',
    fr: 'Où en sont les dossiers ? PLANT est en retard, et la commande qui y remédie est là.',
    command: 'status',
  },
  {
    en: 'Validation brings a folder in line with its parent, too. First what it would change:',
    fr: 'La validation aussi met un dossier au niveau de son dossier de référence. Voyons ce qui changerait :',
    command: 'validate PLANT --preview',
  },
  { en: 'Now for good.', fr: 'Maintenant pour de bon.', command: 'validate PLANT' },
  {
    en: 'Who did what, when, in which folders?',
    fr: 'Qui a fait quoi, quand, dans quels dossiers ?',
    command: 'history',
  },
  {
    en: 'SHOP wants to wait with levels. The last patch of a folder can be taken back; that can be rehearsed, too.',
    fr: "SHOP veut attendre pour les niveaux. Le dernier patch d'un dossier peut être repris ; cela aussi se répète.",
    command: `revert ${NEXT} --folder SHOP --rehearse`,
  },
  {
    en: 'Taken back: the folder is as it was, with its data.',
    fr: 'Repris : le dossier est comme avant, avec ses données.',
    command: `revert ${NEXT} --folder SHOP`,
  },
  {
    en: 'For those who sign off, the state of all folders on a page; --format csv for spreadsheets.',
    fr: "Pour ceux qui donnent leur visa, l'état de tous les dossiers sur une page ; --format csv pour les tableurs.",
    command: 'status --format html --output status.html',
  },
];

async function demonstrate(terminal: Terminal, argv: readonly string[]): Promise<number> {
  const language = languageOfArguments(argv, terminal.env);
  const home = await mkdtemp(join(tmpdir(), 'rustine-demo-'));
  // For root the server runs as another user: it must be able to pass, or it would live elsewhere and stay behind.
  await chmod(home, 0o711);
  const started = performance.now();
  const say = (text: string) =>
    terminal.out(
      `${paint('dim', wrap(`# ${text}`, Math.min(terminal.width ?? 100, 100), 0).replaceAll('\n', '\n# '), terminal.colour)}\n`,
    );
  try {
    await writeDemoPatch(join(home, PATCH));
    await writeNextPatch(join(home, NEXT));
    for (const { [language]: text, command } of STEPS) {
      say(text);
      terminal.out(`${paint('bold', `$ rustine ${command}`, terminal.colour)}\n`);
      const code = await rustine(command.split(' '), home, language);
      terminal.out('\n');
      if (code !== 0) return code;
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - started) / 1000).toLocaleString(language, { maximumFractionDigits: 1 });
  say(
    language === 'fr'
      ? `C'est tout, en ${seconds} s ; le répertoire de la démonstration est effacé. Pour la suite : rustine --help --lang fr, et le README.`
      : `That is all, in ${seconds} s; the directory of the demonstration is removed. From here: rustine --help, and the README.`,
  );
  return 0;
}

/** @returns the exit code */
function rustine(words: readonly string[], home: string, language: string): Promise<number> {
  const { RUSTINE_DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [RUSTINE, ...words, '--lang', language], {
    cwd: home,
    env: { ...env, RUSTINE_HOME: join(home, 'home') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await demonstrate(processTerminal(), process.argv.slice(2));
