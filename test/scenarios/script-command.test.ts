// `rustine script …` as people and programs use it: tables, documents, exit codes, both languages.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { typed } from '../support/command-line.ts';
import { openEnvironment } from '../support/environment.ts';
import { compiled, exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

describe.each(oneServer())('rustine script on $name', (server) => {
  async function opened() {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.folders(['TRY'], { test: true });
    await env.integrate(
      await env.patch('A.dat', [script('LIB', '# one \u001b[31m\n'), compiled('BIN', Buffer.from([0, 255])), exe('LIB')]),
    );
    await env.integrate(await env.patch('B.dat', [script('LIB', '# two\n')]), { folders: ['X3'] });
    const say = (...argv: readonly string[]) => typed(env, ['script', ...argv]);
    const json = async (...argv: readonly string[]): Promise<unknown> => JSON.parse((await say(...argv, '--json')).out);
    return { env, say, json };
  }

  test('R4, R5: which, shadowed, show', async () => {
    const { say, json } = await opened();
    expect((await say('which', 'LIB', '--folder', 'try')).out).toMatch(
      /^folder +kind +use +language +digest +date +patch\nTRY +TRT +used +4gl .* A\.dat\nX3 +TRT +hidden \(TRY\) +4gl .* B\.dat\n$/,
    );
    expect(await json('which', 'LIB', '--folder', 'SEED', '--kind', 'TRT')).toMatchObject({
      script: 'LIB',
      folder: 'SEED',
      used: { folder: 'X3', patch: 'B.dat', hiddenBy: null },
      copies: [{ folder: 'X3' }],
    });
    expect((await say('shadowed')).out).toMatch(
      /TRY +ADX:BIN +X3 +same +- +A\.dat\nTRY +TRT:LIB +X3 +different +hidden +B\.dat\n$/,
    );
    expect(await json('shadowed', '--folder', 'SEED')).toEqual({ shadowed: [] });
    expect((await say('shadowed', '--folder', 'SEED')).out).toBe('No script hides that of another folder.\n');
    expect((await say('show', 'LIB', '--folder', 'TRY')).out).toBe('# one \uFFFD[31m\n');
    expect(await json('show', 'LIB', '--folder', 'TRY')).toMatchObject({
      folder: 'TRY',
      kind: 'TRT',
      source: '# one \u001b[31m\n',
    });
    expect(await json('show', 'BIN')).toMatchObject({ kind: 'ADX', base64: 'AP8=' });
    const binary = await say('show', 'BIN');
    expect([binary.code, binary.err]).toEqual([2, expect.stringContaining('Script BIN is compiled')]);
    for (const [argv, code] of [
      [['show', 'NONE'], 'script-unknown'],
      [['which', 'NONE', '--folder', 'SEED'], 'script-unknown'],
      [['which', 'LIB', '--folder', 'NOPE'], 'folder-unknown'],
      [['which', 'LIB', '--kind', 'EXE'], 'usage'],
      [['run', 'NONE'], 'script-not-pending'],
    ] as const)
      expect([argv, (await say(...argv)).code, await json(...argv)]).toMatchObject([argv, 2, { error: { code } }]);
  });

  test('R28: pending, run, export', async () => {
    const { env, say, json } = await opened();
    expect((await say('pending', '--folder', 'SEED')).out).toMatch(
      /^folder +script .*\nSEED +LIB +4gl +\d{4}-.* A\.dat +0 +-\n$/,
    );
    const left = await say('run', '--folder', 'SEED');
    expect([left.code, left.out]).toEqual([
      1,
      expect.stringMatching(/no runner is set for its language \(4gl\)[\s\S]*SEED +LIB +4gl +not run/),
    ]);
    await writeFile(
      join(env.home, 'rustine.yaml'),
      `runners:\n  4gl: { command: ${process.execPath}, arguments: ["-e", "console.log('ran'); process.exit(Number('{folder}' === 'TRY'))"] }\n`,
    );
    const ran = await say('run');
    expect([ran.code, ran.out]).toEqual([
      1,
      expect.stringMatching(/exit code 1[\s\S]*ran[\s\S]*X3 +LIB +4gl +run [\s\S]*TRY +LIB +4gl +failed/),
    ]);
    expect(await json('pending')).toMatchObject({ pending: [{ folder: 'TRY', attempts: 1, lastError: 'exit 1\nran' }] });
    expect(await json('run', 'LIB', '--folder', 'TRY')).toMatchObject({
      runs: [{ folder: 'TRY', script: 'LIB', state: 'failed', exit: 1, output: 'ran\n' }],
      findings: [{ code: 'script-run-failed', message: expect.stringContaining('rustine script run LIB --folder TRY') }],
    });
    const out = join(env.home, 'out');
    expect((await say('export', out, '--folder', 'X3,TRY')).out).toBe(`4 scripts of 2 folders exported to ${out}.\n`);
    expect((await say('export', out, '--folder', 'TRY,X3')).out).toBe(`${out} is up to date.\n`);
    expect(await json('export', out)).toMatchObject({ directory: out, scripts: 4, folders: ['SEED', 'TRY', 'X3'], findings: [] });
    expect(await json('export', env.home)).toMatchObject({ error: { code: 'export-directory' } });
    const french = await typed(env, ['script', 'pending', '--lang', 'fr']);
    expect(french.out).toMatch(/^dossier +traitement +langage +depuis +patch +essais +dernière erreur\n/);
  });

  test('R14: uses', async () => {
    const { env, say, json } = await opened();
    const source = `# uses much
Local File BOX [B], STRANGE [S]
Read [B]BX0 = [F:QQ]ANY
X = [F:B]COD + [F:B]NEW + [F:S]OLD
Call A From LIB : Call B From NOBODY : Call C From =Z
`;
    await env.integrate(
      await env.patch('C.dat', [
        table('BOX', 'BX', { COD: 'A:10' }, { BX0: 'COD' }),
        script('MUCH', source),
        script('CLEAN', '-- sql\ncreate function f() returns bigint language sql as $$ select count(cod_0) from box $$;'),
        script('NONE', 'End\n'),
      ]),
    );
    expect((await say('uses', 'MUCH', '--folder', 'TRY')).out).toBe(`MUCH as TRY has it (4gl)

table                        line  fields
BOX                             2  COD, NEW (not in the folder)
STRANGE (not in the folder)     2  OLD

calls   line  found in
LIB        5  TRY
NOBODY     5  nobody on the way up

Line 3: neither the script nor the folder's dictionary says which table QQ is.
Line 5: From = – what this uses is known only when it runs.
`);
    expect(await env.rustine.scripts.uses('CLEAN', 'SEED')).toMatchObject({
      script: 'CLEAN',
      folder: 'SEED',
      from: 'X3',
      language: 'sql',
      tables: [{ table: 'BOX', known: true, line: 2, fields: [{ field: 'COD', known: true, line: 2 }] }],
      scripts: [],
      unknown: [],
      unread: [],
    });
    const french = await typed(env, ['script', 'uses', 'NONE', '--lang', 'fr']);
    expect(french.out).toBe("NONE tel que X3 l'a (4gl)\n\nIl n'utilise ni table ni autre traitement.\n");
    expect(await json('uses', 'BIN')).toMatchObject({ error: { code: 'script-unreadable' } });
    await expect(env.rustine.scripts.uses('NOPE')).rejects.toMatchObject({ code: 'script-unknown' });
  });
});
