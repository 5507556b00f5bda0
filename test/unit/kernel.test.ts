// The packed kernel is what its readable files say.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packKernel } from '../../kernel/pack.ts';

test('kernel.dat is the packing of the readable files (npm run kernel)', async () => {
  const packed = readFileSync(new URL('../../kernel/kernel.dat', import.meta.url));
  expect((await packKernel()).equals(packed)).toBe(true);
});
