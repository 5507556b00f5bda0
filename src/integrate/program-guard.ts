// Ends the programs that this process started when it dies without a chance to do so itself (kill -9).
import { type ChildProcess, spawn } from 'node:child_process';

/** Hears the numbers of process groups over its input; when that ends, it ends those that are left. A group of its own: signals for ours do not reach it. */
const GUARD = `
const groups = new Set();
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) line[0] === '+' ? groups.add(Number(line.slice(1))) : groups.delete(Number(line.slice(1)));
}).on('end', () => {
  for (const group of groups) try { process.kill(-group, 'SIGKILL'); } catch {}
});`;

let guard: ChildProcess | undefined;

/** Before a program is started: the guard takes a moment to be there. */
export function openGuard(): void {
  if (guard !== undefined) return;
  const opened = spawn(process.execPath, ['-e', GUARD], { detached: true, env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without it everything works but that: the next program gets a new one.
  const gone = (): void => {
    if (guard === opened) guard = undefined;
  };
  opened.on('error', gone).on('exit', gone);
  opened.stdin.on('error', gone);
  // It is no reason for this process to live on.
  opened.unref();
  if ('unref' in opened.stdin && typeof opened.stdin.unref === 'function') opened.stdin.unref();
  guard = opened;
}

/** @param group process group of a program that has been started */
export function watchOver(group: number): void {
  guard?.stdin?.write(`+${group}\n`);
}

/** It has ended: its number may be given to another. */
export function leaveAlone(group: number): void {
  guard?.stdin?.write(`-${group}\n`);
}
