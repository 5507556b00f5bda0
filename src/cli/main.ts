// The program `rustine`: runs the command line and leaves with its exit code.
import { run } from './run.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await run(process.argv.slice(2), processTerminal());
