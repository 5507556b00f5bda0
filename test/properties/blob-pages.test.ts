// Bodies of scripts go to a further server in pages: all of them, in their order, few and small enough.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pagesOf } from '../../src/validate/mirror.ts';

const MB = 1024 * 1024;

test('every body is in one page, and no page is larger than eight megabytes but for one that is by itself', () => {
  const sizes = fc.array(fc.oneof(fc.nat(2_000), fc.nat(3 * MB), fc.nat(40 * MB)), { maxLength: 700 });
  fc.assert(
    fc.property(sizes, (all) => {
      const blobs = all.map((bytes, at) => ({ digest: String(at), bytes }));
      const pages = pagesOf(blobs);
      expect(pages.flat()).toEqual(blobs.map(({ digest }) => digest));
      for (const page of pages) {
        const bytes = page.reduce((sum, digest) => sum + (all[Number(digest)] ?? 0), 0);
        expect(page.length).toBeGreaterThan(0);
        expect(page.length === 1 || bytes <= 8 * MB).toBe(true);
        expect(page.length).toBeLessThanOrEqual(200);
      }
    }),
  );
});
