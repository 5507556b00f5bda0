// rustine.yaml: what is wrong in it is named by key and line, and a password in it must be out of sight.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/app/config.ts';
import type { Refusal } from '../../src/base/errors.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rustine-config-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const write = (text: string, mode = 0o600) => {
  writeFileSync(join(home, 'rustine.yaml'), text);
  chmodSync(join(home, 'rustine.yaml'), mode);
};
const settings = (options: Parameters<typeof resolveSettings>[0]['options'] = {}, env: Record<string, string> = {}) =>
  resolveSettings({ options: { home, ...options }, env, cwd: '/', language: 'en' });
const refusal = (): Promise<Refusal> =>
  settings().then(
    () => expect.unreachable(),
    (error: Refusal) => error,
  );

describe('settings', () => {
  it('are empty without a file', async () => {
    expect(await settings()).toEqual({ home, language: 'en' });
  });

  it('come from the file, then the environment, then the options', async () => {
    write('# ours\ndatabase: postgresql://file/db\nlanguage: fr\njobs: 4\n');
    expect(await settings()).toEqual({ home, database: 'postgresql://file/db', language: 'fr', jobs: 4 });
    expect(await settings({}, { RUSTINE_DATABASE_URL: 'postgresql://env/db' })).toMatchObject({
      database: 'postgresql://env/db',
    });
    const options = { database: 'postgresql://option/db', language: 'en' as const };
    expect(await settings(options, { RUSTINE_DATABASE_URL: 'postgresql://env/db' })).toMatchObject(options);
  });

  it('of an empty file are none', async () => {
    write('# nothing yet\n');
    expect(await settings()).toEqual({ home, language: 'en' });
  });

  it.each([
    ['100 MB', 100 * 1024 ** 2],
    ['1GB', 1024 ** 3],
    ['512 KB', 512 * 1024],
    ['0', 0],
    ['"0"', 0],
  ])('say up to which size patch files are kept: %s', async (text, bytes) => {
    write(`keep-patches: ${text}\n`);
    expect(await settings()).toMatchObject({ keepPatchesBytes: bytes });
  });

  it('say how scripts are run', async () => {
    write(
      'script-timeout: 90s\nrunners:\n  4gl: { command: /opt/run, arguments: ["{file}"], timeout: 2m, environment: [JAVA_HOME] }\n  adx: { command: run }\n',
    );
    expect(await settings()).toMatchObject({
      scriptTimeoutMs: 90_000,
      runners: {
        '4gl': { command: '/opt/run', words: ['{file}'], timeoutMs: 120_000, environment: ['JAVA_HOME'] },
        adx: { command: 'run', words: [], timeoutMs: 600_000, environment: [] },
      },
    });
  });

  it.each([
    ['jobs: 2\nlanguag: fr\n', { key: 'languag', line: 2, reason: 'key-unknown' }],
    ['\n\nlanguage: de\n', { key: 'language', line: 3, reason: 'key-language' }],
    ['jobs: 0\n', { key: 'jobs', line: 1, reason: 'key-jobs' }],
    ['jobs: 1.5\n', { key: 'jobs', line: 1, reason: 'key-jobs' }],
    ['database: mysql://x/y\n', { key: 'database', line: 1, reason: 'key-database' }],
    ['jobs: 1\njobs: 2\n', { line: 2, reason: 'yaml-syntax' }],
    ['jobs: [1\n', { reason: 'yaml-syntax' }],
    ['- jobs\n', { line: 1, reason: 'not-keys' }],
    ['jobs: 1\nscript-timeout: 5\n', { key: 'script-timeout', line: 2, reason: 'key-script-timeout' }],
    ['script-timeout: 0s\n', { key: 'script-timeout', line: 1, reason: 'key-script-timeout' }],
    ['script-timeout: 900h\n', { key: 'script-timeout', line: 1, reason: 'key-script-timeout' }],
    ['jobs: 1\nkeep-patches: 100\n', { key: 'keep-patches', line: 2, reason: 'key-keep-patches' }],
    ['keep-patches: 0 MB\n', { key: 'keep-patches', line: 1, reason: 'key-keep-patches' }],
    ['keep-patches: much\n', { key: 'keep-patches', line: 1, reason: 'key-keep-patches' }],
    ['runners: [a]\n', { key: 'runners', line: 1, reason: 'key-runners' }],
    ['runners:\n  4gl: /bin/run\n', { key: 'runners.4gl', line: 2, reason: 'key-runners' }],
    ['runners:\n  sql: { command: psql }\n', { key: 'runners.sql', line: 2, reason: 'key-runners' }],
    ['runners:\n  4gl:\n    arguments: []\n', { key: 'runners.4gl.command', line: 2, reason: 'key-runner-command' }],
    ['runners:\n  4gl:\n    command: a\n    shell: true\n', { key: 'runners.4gl.shell', line: 4, reason: 'key-unknown-runner' }],
    [
      'runners:\n  4gl:\n    command: a\n    timeout: soon\n',
      { key: 'runners.4gl.timeout', line: 4, reason: 'key-runner-timeout' },
    ],
    [
      'runners:\n  4gl:\n    command: a\n    arguments: a b\n',
      { key: 'runners.4gl.arguments', line: 4, reason: 'key-runner-arguments' },
    ],
    [
      'runners:\n  4gl:\n    command: a\n    arguments: [a, 1]\n',
      { key: 'runners.4gl.arguments', line: 4, reason: 'key-runner-arguments' },
    ],
    [
      'runners:\n  4gl:\n    command: a\n    environment: [A=1]\n',
      { key: 'runners.4gl.environment', line: 4, reason: 'key-runner-environment' },
    ],
  ])('%j is refused with key and line', async (text, facts) => {
    write(text);
    expect(await refusal()).toMatchObject({ code: 'config', facts: { file: join(home, 'rustine.yaml'), ...facts } });
  });

  it.each([0o644, 0o640])('with a password are refused where others can read them (%o)', async (mode) => {
    write('database: postgresql://u:secret@h/d\n', mode);
    const error = await refusal();
    expect(error).toMatchObject({ code: 'config', facts: { key: 'database', reason: 'password-readable' } });
    expect(JSON.stringify(error.facts)).not.toContain('secret');
    write('database: postgresql://u:secret@h/d\n', 0o600);
    expect(await settings()).toMatchObject({ database: 'postgresql://u:secret@h/d' });
  });

  it('name the source of a URL that is none, without repeating it', async () => {
    await expect(settings({ database: 'secret' })).rejects.toMatchObject({
      code: 'database-url',
      facts: { source: '--database' },
    });
    await expect(settings({}, { RUSTINE_DATABASE_URL: 'mysql://u:secret@h' })).rejects.toMatchObject({
      facts: { source: 'RUSTINE_DATABASE_URL' },
    });
  });

  it('need a home that can be one', async () => {
    writeFileSync(join(home, 'file'), '');
    await expect(settings({ home: join(home, 'file') })).rejects.toMatchObject({ code: 'home', facts: { reason: 'ENOTDIR' } });
  });
});
