// The sentences: every code that the source can give has one in both languages, and none of them shows a hole.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/base/errors.ts';
import * as reasonsEn from '../../src/cli/messages/en/reasons.ts';
import { messages as en } from '../../src/cli/messages/en.ts';
import * as reasonsFr from '../../src/cli/messages/fr/reasons.ts';
import { messages as fr } from '../../src/cli/messages/fr.ts';
import { said } from '../../src/cli/messages/said.ts';
import { findingText, problemText } from '../../src/cli/problem.ts';
import { PATCH_EXPECTED } from '../../src/patch/expected.ts';

const LANGUAGES = { en, fr };

/** The codes that the engine gives, as they stand in its source. */
function codesOfSource(pattern: RegExp): string[] {
  const root = fileURLToPath(new URL('../../src/', import.meta.url));
  const codes = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('cli'))
    .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(pattern)].map((match) => match[1] ?? ''));
  return [...new Set(codes)].filter((code) => code !== 'usage').sort();
}

const ERRORS = codesOfSource(/new (?:Refusal|Failure)\(\s*'([a-z-]+)'/g);
const FINDINGS = [
  ...codesOfSource(/\bcode: '([a-z]+(?:-[a-z]+)+)'/g),
  // Functions that make findings about one thing.
  ...codesOfSource(/\bwarn\(\s*'([a-z]+(?:-[a-z]+)+)'/g),
  ...codesOfSource(/\b(?:blocked|noted)\([\w.]+, '([a-z]+(?:-[a-z]+)+)'/g),
];

const messagesOf = (language: string): string => fileURLToPath(new URL(`../../src/cli/messages/${language}`, import.meta.url));

describe.each(Object.entries(LANGUAGES))('%s', (language, messages) => {
  it('has a sentence for every error of the source', () => {
    expect(ERRORS.length).toBeGreaterThan(10);
    expect(ERRORS.filter((code) => !(code in messages.errors))).toEqual([]);
  });

  it('has a sentence for every finding of the source', () => {
    expect(FINDINGS.length).toBeGreaterThan(10);
    expect(FINDINGS.filter((code) => !(code in messages.findings) && !(code in messages.errors))).toEqual([]);
  });

  it('has one sentence for each code: none hides another', async () => {
    const source = readFileSync(join(messagesOf(language), 'findings.ts'), 'utf8');
    const own = [...source.matchAll(/^ {2}'?([a-z][a-z-]*)'?: \(/gm)].map(([, code = '']) => code);
    const files = [...source.matchAll(/^import \{ \w+Findings \} from '(.+)';$/gm)].map(([, file = '']) => file);
    const parts = await Promise.all(
      files.map((file) => import(join(messagesOf(language), file)) as Promise<Record<string, object>>),
    );
    const codes = [
      ...own,
      ...parts.flatMap((part) =>
        Object.entries(part).flatMap(([name, each]) => (name.endsWith('Findings') ? Object.keys(each) : [])),
      ),
    ];
    expect(codes.filter((code, at) => codes.indexOf(code) !== at)).toEqual([]);
    expect(codes.length).toBeGreaterThan(100);
  });

  it('says something whatever the facts are', () => {
    for (const sentence of [
      ...Object.values(messages.errors),
      ...Object.values(messages.findings),
      ...Object.values(messages.usage),
    ]) {
      for (const facts of [{}, { count: 1, rows: 1 }, { count: 5, rows: 5, keys: ['a', 'b'], reason: 'ENOENT' }] as Facts[]) {
        const text = sentence(said(facts));
        expect(text.length).toBeGreaterThan(4);
        expect(text).not.toMatch(/undefined|NaN|\[object/);
      }
    }
  });

  it('prints codes that it does not know with their facts', () => {
    expect(problemText({ code: 'new-one', facts: { table: 'x', count: 3 } }, messages)).toMatch(/new-one.*table: x · count: 3/);
    expect(findingText({ code: 'new-two', severity: 'warn', subject: 'ATB:X', facts: {} }, messages)).toMatch(
      /^ATB:X ?: new-two\.$/,
    );
    expect(problemText({ code: 'toString', facts: {} }, messages)).toContain('toString');
  });
});

it('French says everything in French', () => {
  const same = (a: object, b: object, path: string): string[] =>
    Object.entries(a).flatMap(([key, value]): string[] => {
      const other = (b as Record<string, unknown>)[key];
      if (typeof value === 'object' && value !== null) return same(value, other as object, `${path}.${key}`);
      if (typeof value !== 'function') return [];
      return value(said({ reason: 'ENOENT', count: 2 })) === (other as typeof value)(said({ reason: 'ENOENT', count: 2 }))
        ? [`${path}.${key}`]
        : [];
    });
  expect(
    same(
      { errors: en.errors, usage: en.usage, findings: en.findings },
      { errors: fr.errors, usage: fr.usage, findings: fr.findings },
      '',
    ),
  ).toEqual([]);
});

it('agrees in number, and gives no advice that was followed already', () => {
  const text = (code: keyof typeof en.findings, facts: Facts, messages = en) => messages.findings[code](said(facts));
  expect(text('folders-left-out', { count: 1, folders: ['PLANT'], lag: true })).toContain('PLANT. It lags behind until it gets');
  expect(text('folders-left-out', { count: 2, folders: ['A', 'B'], lag: true })).toContain(
    'A, B. They lag behind until they get',
  );
  expect(text('folders-left-out', { count: 2, folders: ['A', 'B'] })).toContain('A, B. They do not lag without');
  expect(text('folders-left-out', { count: 1, folders: ['PLANT'], lag: true }, fr)).toContain(
    "Il restera en retard tant qu'il n'aura pas",
  );
  expect(text('supervisor-only', { folder: 'PLANT, SHOP' })).toContain('not to PLANT, SHOP.');
  for (const messages of [en, fr]) {
    expect(text('sessions-active', { folder: 'A', count: 1 }, messages)).toContain('--force sessions=');
    expect(text('sessions-active', { folder: 'A', count: 1, check: 'sessions' }, messages)).not.toContain('--');
  }
});

it('both languages name what the patch reader expected, and the same reasons', () => {
  for (const expected of PATCH_EXPECTED) expect(reasonsFr.expected[expected]).not.toBe(reasonsEn.expected[expected]);
  expect(Object.keys(reasonsFr.reasons)).toEqual(Object.keys(reasonsEn.reasons));
});

it('a run that has the folders is told as what it is: at work, in the queue, or waiting', () => {
  const facts = { folders: ['SEED'], run: 'r1', operator: 'bob', host: 'db1', since: '2026-02-28 03:12', files: ['A.dat'] };
  const told = (messages: typeof en, state: string): string =>
    findingText({ code: 'run-active', severity: 'block', facts: { ...facts, state } }, messages);
  expect(['running', 'queued', 'waiting'].map((state) => told(en, state).replace(/\. .*/, ''))).toEqual([
    'SEED: run r1 of bob on db1 has been at work here since 2026-02-28 03:12, with A.dat',
    'SEED: run r1 of bob on db1 has been in the queue since 2026-02-28 03:12, with A.dat; it comes first',
    'SEED: run r1 of bob on db1 has been waiting to begin here since 2026-02-28 03:12, with A.dat; it comes first',
  ]);
  expect(['running', 'queued', 'waiting'].map((state) => told(fr, state).replace(/\. .*/, ''))).toEqual([
    "SEED : l'exécution r1 de bob sur db1 y travaille depuis le 2026-02-28 03:12, avec A.dat",
    "SEED : l'exécution r1 de bob sur db1 est en file d'attente depuis le 2026-02-28 03:12, avec A.dat ; elle passe d'abord",
    "SEED : l'exécution r1 de bob sur db1 attend d'y commencer depuis le 2026-02-28 03:12, avec A.dat ; elle passe d'abord",
  ]);
});
