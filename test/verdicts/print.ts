// `npm run verdicts`: prints the verdict matrix from live runs against the embedded database; with --write into docs/verdicts.md.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openRustine } from '../../src/app/rustine.ts';
import { stopEmbedded } from '../../src/database/embedded.ts';
import { liveMatrices } from './matrix.ts';
import { verdictPage } from './page.ts';

const home = await mkdtemp(join(tmpdir(), 'rustine-verdicts-'));
const rustine = await openRustine({ home, language: 'en' });
try {
  await rustine.init({});
  await rustine.createFolders(['SEED'], {});
  await rustine.createFolders(['TEST'], { test: true });
  await rustine.createFolders(['SPEC'], { specific: true });
  const client = new pg.Client({ connectionString: await rustine.databaseUrl() });
  await client.connect();
  const query = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query(text, [...values])).rows as Row[];
  const page = verdictPage(await liveMatrices({ rustine, directory: join(home, 'patches'), query }));
  await client.end();
  if (process.argv.includes('--write')) await writeFile(new URL('../../docs/verdicts.md', import.meta.url), page);
  else process.stdout.write(page);
} finally {
  await rustine.close();
  await stopEmbedded(home);
  await rm(home, { recursive: true, force: true });
}
