// A program that a task or a script runs does not outlive who started it, even where that one was killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/integrate/runner.ts';

const RUNNER = join(import.meta.dirname, '../../src/integrate/runner.ts');

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A program that tells its number, and does not end when it is asked. */
const starting = `
import { runProgram } from ${JSON.stringify(RUNNER)};
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
const file = join(mkdtempSync(join(tmpdir(), 'rustine-guard-')), 'pid');
const tell = setInterval(() => { try { const told = readFileSync(file, 'utf8'); if (told !== '') { console.log(told); clearInterval(tell); } } catch {} }, 20);
const code = 'require("fs").writeFileSync(' + JSON.stringify(file) + ', String(process.pid)); process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
await runProgram({ command: process.execPath, words: ['-e', code], timeoutMs: 60_000, environment: [] }, {}, {}, { withSignals: true });`;

test('kill -9 of who started it ends the program and what it started', async () => {
  const starter = spawn(process.execPath, ['--input-type=module', '-e', starting], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [told] = (await once(starter.stdout, 'data')) as [Buffer];
  const pid = Number(told.toString());
  expect(lives(pid)).toBe(true);
  starter.kill('SIGKILL');
  while (lives(pid)) await sleep(20);
});

test('who has ended is not watched over any longer, and the guard keeps nobody from ending', async () => {
  const quick = { command: process.execPath, words: ['-e', 'console.log(1)'], timeoutMs: 60_000, environment: [] };
  for (let time = 0; time < 2; time++)
    expect(await runProgram(quick, {}, {}, { withSignals: false })).toMatchObject({ end: 'exit', exit: 0, output: '1\n' });
  const code = `import { runProgram } from ${JSON.stringify(RUNNER)}; await runProgram(${JSON.stringify(quick)}, {}, {}, { withSignals: true });`;
  const ends = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  expect(await once(ends, 'exit')).toEqual([0, null]);
});
