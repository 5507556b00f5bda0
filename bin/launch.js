// Starts a program of the package: the sources of a clone or the compiled files of a published package, on a Node that can run them.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const LEAST = [22, 18];

/** @param {string} program path below src/ without its extension, such as `cli/main` */
export async function launch(program) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) return onOwnNode();
  // Its launcher was killed: whoever did that means the program, and nobody else would end it.
  if (process.env.RUSTINE_OWN_NODE && process.channel) {
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    process.channel.unref();
  }
  module.enableCompileCache?.();
  const sources = new URL(`../src/${program}.ts`, import.meta.url);
  await import(existsSync(sources) ? sources.href : new URL(`../dist/${program}.js`, import.meta.url).href);
}

/** A clone brings its own Node (devDependency `node`): hand over to it, with the same arguments, streams and exit code. */
function onOwnNode() {
  const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (process.env.RUSTINE_OWN_NODE || !existsSync(own)) {
    console.error(
      `rustine: Node.js ${LEAST.join('.')} or newer is needed, this is ${process.version} (${process.execPath}). ` +
        'Install a newer one from https://nodejs.org, or run `npm ci` in a clone, which brings its own.',
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(own, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, RUSTINE_OWN_NODE: '1' },
  });
  process.on('SIGINT', () => {}); // the terminal sends it to the child as well
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exitCode = code ?? 1;
  });
}
