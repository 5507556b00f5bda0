// A program: opens the embedded server of a home and does what its input says, for tests that kill processes.
import { createInterface } from 'node:readline';
import { openEmbedded } from '../../src/database/embedded.ts';

const server = await openEmbedded(process.argv[2] ?? '');
process.stdout.write(`${server.url}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') break;
  // Ends without a release, as a program that forgets it.
  if (line === 'exit') process.exit(0);
}
// Nothing else may keep this process: neither its input nor the server it held.
process.stdin.destroy();
await server.release();
process.stdout.write('released\n');
