// The list of checks: complete, true to what the sources give, and its page up to date.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checksPage } from '../../docs/checks.ts';
import { messages } from '../../src/cli/messages/en.ts';
import { CHECKS, FORCEABLE, forceName } from '../../src/plan/checks.ts';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
/** Where findings of runs are made; the list itself is not one of these places. */
const FOLDERS = ['patch', 'dictionary', 'tables', 'environment', 'plan', 'integrate', 'batch', 'app'];
const SOURCES = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && FOLDERS.includes(file.split('/')[0] ?? '') && file !== 'plan/checks.ts')
  .map((file) => readFileSync(join(SOURCE, file), 'utf8'));

/** Findings of other commands: putting back what was put aside, validation, settings of folders, `patch show`, exports, servers that are added, recovery, verification. */
const ELSEWHERE =
  /^(kept-.*|rows-to-come|activity-code-unknown|roles-unavailable|patch-unknown-kind|mirror-not-changed|mirror-lacks|export-elsewhere|server-password|part-unsettled)$/;
/** `blocked` is the outcome of a patch, not a finding. */
const OUTCOMES = new Set(['blocked']);

test('docs/checks.md is what the list and the sentences say (npm run docs)', () => {
  expect(readFileSync(new URL('../../docs/checks.md', import.meta.url), 'utf8')).toBe(checksPage());
});

test('every finding that the sources give with its severity is in the list, with that severity', () => {
  const pattern = /\bcode: '([a-z0-9]+(?:-[a-z0-9]+)*)',\s*severity: '(block|warn|info)'/g;
  const given = SOURCES.flatMap((text) => [...text.matchAll(pattern)]);
  expect(given.length).toBeGreaterThan(20);
  const wrong = given
    .map(([, code = '', severity = '']) => ({ code, severity }))
    .filter(({ code }) => !ELSEWHERE.test(code) && !OUTCOMES.has(code))
    .filter(({ code, severity }) => !CHECKS.find((check) => check.code === code)?.severities.some((each) => each === severity));
  expect(wrong).toEqual([]);
});

test('every sentence for a finding that the sources name belongs to a row of the list', () => {
  const named = Object.keys(messages.findings).filter((code) => SOURCES.some((text) => text.includes(`'${code}'`)));
  expect(named.filter((code) => !ELSEWHERE.test(code) && !CHECKS.some((check) => check.code === code))).toEqual([]);
});

test('every row of the list is given somewhere, once, and has a sentence', () => {
  const codes = CHECKS.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !SOURCES.some((text) => text.includes(`'${code}'`)))).toEqual([]);
  expect(codes.filter((code) => !(code in messages.findings) && !(code in messages.errors))).toEqual([]);
});

test('--force takes the name of a check or the code of its finding; what is forced can also be a warning', () => {
  expect(FORCEABLE).toEqual(['already', 'content', 'scripts', 'sequence', 'sessions']);
  for (const { code, force, severities } of CHECKS) {
    expect(forceName(code)).toBe(force);
    if (force === undefined) continue;
    expect(forceName(force)).toBe(force);
    expect(severities).toContain('warn');
    expect(`${messages.help.commands.integrate.force} ${messages.help.commands.validate.force}`).toContain(force);
  }
  expect(forceName('toString')).toBeUndefined();
});
