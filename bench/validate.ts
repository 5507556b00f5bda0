// Many folders that lag, validated in one run, side by side with psql: the same statements, rendered to a file per folder, on as many connections.
// Usage: node bench/validate.ts [--folders 500] [--jobs 2] [--rounds 3]
import { openRustine } from '../src/app/rustine.ts';
import { writePatchFile } from '../test/support/patches.ts';
import { compare } from './comparison.ts';
import { delivery } from './delivery.ts';
import { at, type Bench, createEnvironment } from './side-by-side.ts';

/** The second delivery changes what the first one brought, and comes to the supervisor folder only. */
async function lagging(bench: Bench): Promise<void> {
  await createEnvironment(bench);
  const program = await openRustine({ home: bench.directory, database: at(bench.server, bench.original), language: 'en' });
  try {
    const integrate = async (file: string, size: number, folders: object): Promise<void> => {
      const path = await writePatchFile(bench.directory, file, delivery(size));
      const { state } = await program.integrate({ paths: [path], mode: 'integrate', jobs: bench.jobs, ...folders });
      if (state !== 'done') throw new Error(`${file} came to ${state}`);
    };
    await integrate('P_0001_140.dat', 40, {});
    await integrate('P_0002_140.dat', 60, { folders: ['X3'] });
  } finally {
    await program.close();
  }
}

await compare({
  prepare: async (bench) => {
    await lagging(bench);
    return ['validate', '--due'];
  },
  folderStatement: /savepoint before_validation|savepoint validation/i,
  // The supervisor folder follows nobody.
  idle: 1,
  dry: { option: '--preview', ratioAtMost: 1.3 },
  psqlRatioAtMost: 2,
});
