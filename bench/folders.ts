// A run over many folders, side by side with psql: the same statements, rendered to a file per folder, on as many connections.
// Usage: node bench/folders.ts [--folders 500] [--jobs 2] [--rounds 3]
import { writePatchFile } from '../test/support/patches.ts';
import { compare } from './comparison.ts';
import { delivery } from './delivery.ts';
import { createEnvironment } from './side-by-side.ts';

await compare({
  prepare: async (bench) => {
    await createEnvironment(bench);
    return ['integrate', await writePatchFile(bench.directory, 'P_0001_140.dat', delivery(60))];
  },
  folderStatement: /from rustine\.folder where id = .* for no key update/,
  idle: 0,
  dry: { option: '--rehearse', ratioAtMost: 1.3 },
  psqlRatioAtMost: 1.5,
});
