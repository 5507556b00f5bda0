// How much room the embedded server has: asked of the file system where its data lie.
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freeEmbedded } from '../../src/database/embedded-space.ts';

async function home(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rustine-space-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test('a home without a server says nothing', async () => {
  expect(await freeEmbedded(await home())).toBeNull();
});

test('it is what the file system of the data has, also where they lie outside of the home', async () => {
  const near = await home();
  await mkdir(join(near, 'postgres', 'data'), { recursive: true });
  const { blocks, bsize } = await statfs(near);
  const free = (await freeEmbedded(near)) ?? Number.NaN;
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(blocks * bsize);
  const far = await home();
  await mkdir(join(far, 'postgres'));
  await mkdir(join(near, 'elsewhere', 'data'), { recursive: true });
  await writeFile(join(far, 'postgres', 'where.json'), JSON.stringify({ directory: join(near, 'elsewhere') }));
  expect(await freeEmbedded(far)).toBeGreaterThan(0);
  // The place is known, and nothing is there any more.
  await writeFile(join(far, 'postgres', 'where.json'), JSON.stringify({ directory: join(near, 'gone') }));
  expect(await freeEmbedded(far)).toBeNull();
});
