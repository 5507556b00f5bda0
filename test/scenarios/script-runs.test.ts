// Scripts to run at the end in languages that the database does not run (R28): runners, what stays listed, and running it later.
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import type { Runner } from '../../src/integrate/runner.ts';
import type { RunOutcome } from '../../src/journal/outcome.ts';
import { rustine as program } from '../support/crash.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { activityCode, compiled, exe, script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const FOURGL = '# a script\nEnd\n';

/** A runner whose program is this JavaScript; `argv` are its arguments. */
const node = (code: string, more: Partial<Runner> = {}): Runner => ({
  command: process.execPath,
  words: ['-e', `const argv = process.argv.slice(1); ${code}`, '--', '--folder', '{folder}', '--script={script}', '{file}'],
  timeoutMs: 20_000,
  environment: [],
  ...more,
});

/** Another program on the same environment, with these runners. */
async function withRunners(env: TestEnvironment, runners: Readonly<Record<string, Runner>>): Promise<TestEnvironment['rustine']> {
  const rustine = await openRustine({ home: env.home, database: env.url, language: 'en', jobs: 1, runners });
  env.later(() => rustine.close());
  return rustine;
}

const codes = (outcome: RunOutcome): unknown[] => outcome.findings.map(({ code, folder, subject }) => [code, folder, subject]);

describe.each(oneServer())('scripts to run on $name', (server) => {
  test('R28, R12: a runner comes in during the run with a login of its own, not with that of the folder, and that is said', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const role = `${env.database}_seed`;
    await env.query(`create role ${role}_jobs login password 'jobs' in role ${role}`);
    const own = new URL(await env.rustine.databaseUrl('SEED'));
    const jobs = new URL(own);
    jobs.username = `${role}_jobs`;
    jobs.password = 'jobs';
    const code = `if (argv[1] !== 'SEED') process.exit(0);
      const client = new (require('pg').Client)({ connectionString: process.env[argv[2].slice(9)] });
      client.connect().then(() => client.query('select from seed.apatch')).then(() => client.end()).catch((error) => { console.log(error.code); process.exit(4); })`;
    vi.stubEnv('OWN', own.href);
    vi.stubEnv('JOBS', jobs.href);
    const rustine = await withRunners(env, { '4gl': node(code, { environment: ['OWN', 'JOBS'] }) });
    const paths = [await env.patch('A.dat', [script('OWN', FOURGL), exe('OWN'), script('JOBS', FOURGL), exe('JOBS')])];
    const outcome = await rustine.integrate({ paths, mode: 'integrate' });
    vi.unstubAllEnvs();
    expect(codes(outcome)).toEqual([['script-run-failed', 'SEED', 'EXE:OWN']]);
    expect(outcome.findings[0]?.facts).toMatchObject({ exit: 4, output: ['53300'], login: role });
    expect(await env.query('select script from rustine.pending_script')).toEqual([{ script: 'OWN' }]);
  });

  test('R28: the runner of the language gets folder, script and text; what it prints is in the trace', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const log = join(env.home, 'log');
    const code = `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ argv: argv.slice(0, 3), body: fs.readFileSync(argv[3], 'utf8'),
      mode: (fs.statSync(argv[3]).mode & 0o777).toString(8), env: Object.keys(process.env).sort(), folder: process.env.RUSTINE_FOLDER }) + '\\n'); console.log('hello'); console.error('and more')`;
    vi.stubEnv('SCRIPT_TEST', 'given');
    vi.stubEnv('RUSTINE_DATABASE_URL', 'postgresql://secret@nowhere/x');
    const rustine = await withRunners(env, { '4gl': node(code, { environment: ['SCRIPT_TEST'] }) });
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
      mode: 'integrate',
    });
    vi.unstubAllEnvs();
    expect([outcome.state, codes(outcome), outcome.folders.map(({ patches }) => patches[0]?.pending)]).toEqual([
      'done',
      [],
      [[], []],
    ]);
    const ran = (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { argv: string[]; env: string[] });
    expect(ran).toMatchObject([
      { argv: ['--folder', 'X3', '--script=AFTER'], body: FOURGL, mode: '600', folder: 'X3' },
      { argv: ['--folder', 'SEED', '--script=AFTER'], body: FOURGL, mode: '600', folder: 'SEED' },
    ]);
    expect(ran[0]?.env.filter((name) => !['PATH', 'HOME', 'LANG', '__CF_USER_TEXT_ENCODING'].includes(name))).toEqual([
      'RUSTINE_FOLDER',
      'RUSTINE_SCRIPT',
      'SCRIPT_TEST',
    ]);
    expect(outcome.folders.map(({ patches }) => patches.map(({ ranOutside, pending }) => [ranOutside, pending]))).toEqual([
      [[['AFTER'], []]],
      [[['AFTER'], []]],
    ]);
    const trace = await rustine.log(outcome.run);
    expect(trace.filter((entry) => entry.kind === 'script-run')).toMatchObject([
      { folder: 'X3', script: 'AFTER', language: '4gl', state: 'done', exit: 0, output: expect.stringContaining('hello\n') },
      { folder: 'SEED', output: expect.stringContaining('and more') },
    ]);
    expect(await rustine.scripts.pending()).toEqual([]);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('rustine-script-'))).toEqual([]);
  });

  test('R28: without a runner it is listed and said; later it is run, once, also by two who try at the same time', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const path = await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER'), exe('NOWHERE')]);
    const outcome = await env.integrate(path);
    expect(codes(outcome)).toEqual([
      ['script-pending', 'X3', 'EXE:AFTER'],
      ['script-pending', 'X3', 'EXE:NOWHERE'],
      ['script-pending', 'SEED', 'EXE:AFTER'],
      ['script-pending', 'SEED', 'EXE:NOWHERE'],
    ]);
    expect(outcome.findings.map(({ facts }) => facts.language)).toEqual(['4gl', '', '4gl', '']);
    expect(await env.rustine.scripts.pending('SEED')).toMatchObject([
      { folder: 'SEED', script: 'AFTER', language: '4gl', patch: 'A.dat', attempts: 0, lastError: null, running: false },
      { folder: 'SEED', script: 'NOWHERE', language: '', attempts: 0 },
    ]);
    const log = join(env.home, 'log');
    const slow = node(`require('node:fs').appendFileSync(${JSON.stringify(log)}, argv[1] + '\\n'); setTimeout(() => {}, 700)`);
    const [one, two] = [await withRunners(env, { '4gl': slow }), await withRunners(env, { '4gl': slow })];
    const both = await Promise.all([one.scripts.run({ name: 'AFTER' }), two.scripts.run({ name: 'AFTER' })]);
    expect((await readFile(log, 'utf8')).trim().split('\n').sort()).toEqual(['SEED', 'X3']);
    expect(both.flat().filter(({ state }) => state === 'done')).toHaveLength(2);
    await expect(one.scripts.run({ name: 'AFTER' })).rejects.toMatchObject({ code: 'script-not-pending' });
    expect(await one.scripts.run({})).toMatchObject([
      { folder: 'X3', script: 'NOWHERE', state: 'left', finding: { code: 'script-pending' } },
      { folder: 'SEED', script: 'NOWHERE', state: 'left' },
    ]);
    // In the trace of the run that listed it.
    expect((await one.log(outcome.run)).filter((entry) => entry.kind === 'script-run')).toHaveLength(2);
  });

  test("R28: a script without a text is run once a later patch has brought it, SQL with the folder's rights", async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await env.integrate(await env.patch('A.dat', [table('ITEM', 'ITM', { COD: 'A:10' }, { ITM0: 'COD' }), exe('LATER')]));
    await env.integrate(
      await env.patch('B.dat', [
        script('LATER', `-- x\ninsert into item (cod_0) values ('A') on conflict do nothing; select * from x3.item;`),
      ]),
    );
    const [x3, seed] = await env.rustine.scripts.run({});
    expect([x3, seed]).toMatchObject([
      { folder: 'X3', state: 'done', language: 'sql' },
      { folder: 'SEED', state: 'failed', finding: { code: 'script-failed', facts: { sqlstate: '42501' } } },
    ]);
    expect(await env.rustine.scripts.pending()).toMatchObject([
      { folder: 'SEED', script: 'LATER', attempts: 1, lastError: expect.any(String) },
    ]);
    expect([await env.query('select 1 from x3.item'), await env.query('select 1 from seed.item')]).toEqual([
      [{ '?column?': 1 }],
      [],
    ]);
  });

  test.each([
    ['ends with an error', node(`console.log('gone wrong'); process.exit(3)`), { why: 'exit', exit: 3 }, 'exit 3\ngone wrong'],
    [
      'ends itself with a signal',
      node(`process.kill(process.pid, 'SIGKILL')`),
      { why: 'signal', signal: 'SIGKILL' },
      'signal SIGKILL',
    ],
    ['does not exist', node('', { command: '/nowhere/run' }), { why: 'not-started', signal: 'ENOENT' }, 'not-started ENOENT'],
  ])('R28: a runner that %s leaves the script listed, and the patch integrated', async (_what, runner, facts, lastError) => {
    const env = await openEnvironment(server);
    const rustine = await withRunners(env, { '4gl': runner });
    const paths = [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])];
    const outcome = await rustine.integrate({ paths, mode: 'integrate' });
    expect([outcome.state, outcome.findings]).toMatchObject([
      'done',
      [{ code: 'script-run-failed', severity: 'warn', folder: 'X3', facts }],
    ]);
    expect(await rustine.scripts.pending()).toMatchObject([{ script: 'AFTER', attempts: 1, lastError, running: false }]);
    const good = await withRunners(env, { '4gl': node('') });
    expect(await good.scripts.run({})).toMatchObject([{ state: 'done' }]);
    expect(await good.scripts.pending()).toEqual([]);
  });

  test('R28: past its time limit the runner ends with all that it started', async () => {
    const env = await openEnvironment(server);
    const beats = join(env.home, 'beats');
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => require('node:fs').appendFileSync(${JSON.stringify(beats)}, '.'), 50);`;
    const code = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: 'inherit' }); ${stubborn}`;
    const rustine = await withRunners(env, { '4gl': node(code, { timeoutMs: 700 }) });
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
      mode: 'integrate',
    });
    expect(outcome.findings).toMatchObject([{ code: 'script-run-failed', facts: { why: 'timeout' } }]);
    const size = (await stat(beats)).size;
    await sleep(300);
    expect([size > 0, (await stat(beats)).size]).toEqual([true, size]);
  });

  test.each([
    ['in its group', false],
    ['in a session of its own', true],
  ])(
    'R28: a runner that ends with success has succeeded, also where it leaves a process %s that holds its output',
    async (_where, detached) => {
      const env = await openEnvironment(server);
      const [pid, beats] = [join(env.home, 'pid'), join(env.home, 'beats')];
      const left = `require('node:fs').writeFileSync(${JSON.stringify(pid)}, String(process.pid)); console.log('left'); setInterval(() => require('node:fs').appendFileSync(${JSON.stringify(beats)}, '.'), 50)`;
      const code = `const fs = require('node:fs');
      require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(left)}], { stdio: 'inherit', detached: ${detached} }).unref();
      const wait = setInterval(() => { if (fs.existsSync(${JSON.stringify(pid)})) clearInterval(wait); }, 10)`;
      const rustine = await withRunners(env, { '4gl': node(code, { timeoutMs: 8_000 }) });
      const outcome = await rustine.integrate({
        paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
        mode: 'integrate',
      });
      expect([outcome.findings, await rustine.scripts.pending()]).toEqual([[], []]);
      const events = (await rustine.log(outcome.run)).filter((entry) => entry.kind === 'script-run');
      expect(events).toMatchObject([{ state: 'done', exit: 0, output: 'left\n' }]);
      expect(events[0]?.ms).toBeLessThan(6_000);
      const size = (await stat(beats)).size;
      await sleep(300);
      expect((await stat(beats)).size > size).toBe(detached);
      if (detached) process.kill(Number(await readFile(pid, 'utf8')));
    },
  );

  test('R33: the times of a trace are those at which things happened, also where a script runs long after the patch', async () => {
    const env = await openEnvironment(server);
    const rustine = await withRunners(env, { '4gl': node('setTimeout(() => {}, 1500)') });
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
      mode: 'integrate',
    });
    const at = new Map((await rustine.log(outcome.run)).map((entry) => [entry.kind, Date.parse(entry.at)]));
    const time = (kind: string): number => at.get(kind as 'run-started') ?? Number.NaN;
    expect(time('patch-started')).toBeLessThanOrEqual(time('patch-finished'));
    expect(time('script-run') - time('patch-finished')).toBeGreaterThan(1_000);
    expect(time('run-finished')).toBeGreaterThanOrEqual(time('script-run'));
  });

  test('R28: of the output the last 64 KB are kept', async () => {
    const env = await openEnvironment(server);
    const rustine = await withRunners(env, {
      '4gl': node(`process.stdout.write('x'.repeat(3e6) + '\\0end'); process.exitCode = 1`),
    });
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
      mode: 'integrate',
    });
    const [event] = (await rustine.log(outcome.run)).filter((entry) => entry.kind === 'script-run');
    expect(event?.output).toHaveLength(64 * 1024);
    expect(event?.output.slice(-5)).toBe('x\uFFFDend');
    expect((await rustine.scripts.pending())[0]?.lastError?.length).toBeLessThanOrEqual(64 * 1024);
  });

  test('R28: a compiled script goes to the runner for adx; the body of the folder comes first, then that of the patch', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    const log = join(env.home, 'log');
    const copy = node(
      `require('node:fs').appendFileSync(${JSON.stringify(log)}, argv[1] + ' ' + require('node:fs').readFileSync(argv[3], 'latin1') + '\\n', 'latin1')`,
    );
    const rustine = await withRunners(env, { adx: copy, '4gl': copy });
    await rustine.integrate({
      paths: [await env.patch('A.dat', [compiled('BIN', Buffer.from([0xff, 65])), exe('BIN')])],
      mode: 'integrate',
    });
    // Not for X3: the text comes from the patch all the same.
    const paths = [await env.patch('B.dat', [script('NEWONE', '# from the patch'), exe('NEWONE')])];
    await rustine.integrate({ paths, mode: 'integrate', folders: ['SEED'] });
    expect((await readFile(log, 'latin1')).trim().split('\n')).toEqual(['X3 \xffA', 'SEED \xffA', 'SEED # from the patch']);
  });

  test.each(['--option', '../../etc/passwd', 'A/B', 'A..B', '.hidden', '-', 'A B;rm -rf', 'CON'])(
    'a script named %j is given to no program and gets no file; it is said',
    async (name) => {
      const env = await openEnvironment(server);
      const rustine = await withRunners(env, {
        '4gl': node(`require('node:fs').writeFileSync(${JSON.stringify(join(env.home, 'ran'))}, '')`),
      });
      const outcome = await rustine.integrate({
        paths: [await env.patch('A.dat', [script(name, FOURGL), exe(name)])],
        mode: 'integrate',
      });
      expect(outcome.findings.map(({ code, subject }) => [code, subject])).toEqual([['script-name-unsafe', `EXE:${name}`]]);
      expect((await readdir(env.home)).includes('ran')).toBe(false);
      expect(await rustine.scripts.pending()).toMatchObject([{ script: name, attempts: 0 }]);
      const { findings, scripts } = await rustine.scripts.export(join(env.home, 'out'));
      expect([findings.map(({ code }) => code), scripts]).toEqual([['script-name-unsafe'], 0]);
    },
  );

  test('R28, R32: a rehearsal runs no runner, and says so', async () => {
    const env = await openEnvironment(server);
    const rustine = await withRunners(env, {
      '4gl': node(`require('node:fs').writeFileSync(${JSON.stringify(join(env.home, 'ran'))}, '')`),
    });
    const outcome = await rustine.integrate({
      paths: [await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')])],
      mode: 'rehearse',
    });
    expect([outcome.state, codes(outcome)]).toEqual(['done', [['script-not-rehearsed', 'X3', 'EXE:AFTER']]]);
    expect((await readdir(env.home)).includes('ran')).toBe(false);
    expect(await rustine.scripts.pending()).toEqual([]);
  });

  test('R28: listed again while it runs, it stays listed', async () => {
    const env = await openEnvironment(server);
    await env.integrate(await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')]));
    const rustine = await withRunners(env, { '4gl': node('setTimeout(() => {}, 1500)') });
    const running = rustine.scripts.run({});
    await vi.waitFor(async () => expect(await env.rustine.scripts.pending()).toMatchObject([{ running: true }]), {
      timeout: 10_000,
    });
    await env.integrate(await env.patch('B.dat', [activityCode('NEW'), exe('AFTER')]));
    expect(await running).toMatchObject([{ state: 'done' }]);
    expect(await env.rustine.scripts.pending()).toMatchObject([{ script: 'AFTER', patch: 'B.dat', attempts: 0, running: false }]);
  });

  test.each([
    ['before-runner', 'before', 0],
    ['script-claimed', 'after', 1],
  ])('R28: killed at "%s", %s it was claimed, the script is still listed and can be run', async (point, _when, attempts) => {
    const env = await openEnvironment(server);
    const path = await env.patch('A.dat', [script('AFTER', FOURGL), exe('AFTER')]);
    const ran = join(env.home, 'ran');
    const command = join(env.home, 'runner');
    await writeFile(command, `#!/bin/sh\necho "$1" >> ${ran}\n`);
    await chmod(command, 0o755);
    await writeFile(
      join(env.home, 'rustine.yaml'),
      `runners:\n  4gl: { command: ${command}, arguments: ["{folder}"], timeout: 1s }\n`,
    );
    const options = ['--home', env.home, '--database', env.url, '--json'];
    expect(await program(['integrate', path, ...options], { at: point })).toMatchObject({ code: null });
    expect(await env.rustine.scripts.pending()).toMatchObject([{ folder: 'X3', script: 'AFTER', patch: 'A.dat', attempts }]);
    expect(await env.query('select fic_0 from x3.apatch')).toEqual([{ fic_0: 'A.dat' }]);
    if (attempts > 0) {
      // Whoever claimed it could still be running it: it is free again when its time is over.
      expect(await program(['script', 'run', ...options])).toMatchObject({ code: 1, out: expect.stringContaining('"busy"') });
      await env.query(`update rustine.pending_script set claimed_until = now() - interval '1 second'`);
    }
    expect(await program(['script', 'run', ...options])).toMatchObject({ code: 0, out: expect.stringContaining('"done"') });
    expect(await readFile(ran, 'utf8')).toBe('X3\n');
    expect(await program(['script', 'pending', ...options])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"pending": []'),
    });
  });
});
