// Which files a run takes, in which order, and what must not lie beside them.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listPatches } from '../../src/patch/list.ts';
import { comparePatchFiles, parsePatchName } from '../../src/patch/sequence.ts';
import { refusalOf } from '../support/patch-files.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rustine-list-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Makes files in a directory; a name that ends in `/` makes a directory. */
async function directory(name: string, ...entries: string[]): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  for (const entry of entries) {
    if (entry.endsWith('/')) await mkdir(join(path, entry), { recursive: true });
    else await writeFile(join(path, entry), entry);
  }
  return path;
}

async function listed(...paths: string[]) {
  const { patches, notes, findings } = await listPatches(paths);
  return {
    files: patches.map((patch) => patch.file),
    notes,
    findings: findings.map(({ code, severity, facts }) => ({ code, severity, facts })),
  };
}

describe('list', () => {
  test('a directory of patches, in order', async () => {
    const path = await directory('delivery', 'ZB10.dat', 'ZB9.DAT', 'P_0002_140.dat', 'P_0001_140.DAT');
    expect(await listed(path)).toEqual({
      files: ['P_0001_140.DAT', 'P_0002_140.dat', 'ZB9.DAT', 'ZB10.dat'],
      notes: [],
      findings: [],
    });
  });

  test('one file, whatever its name', async () => {
    const path = await directory('delivery', 'patch.txt');
    expect((await listPatches([join(path, 'patch.txt')])).patches).toEqual([
      { file: 'patch.txt', path: join(path, 'patch.txt'), bytes: 9 },
    ]);
  });

  test('notes in doc/ are listed and said', async () => {
    const path = await directory('delivery', 'A.dat', 'doc/', 'doc/b.txt', 'doc/a.pdf', 'doc/more/');
    const { notes, findings } = await listed(path);
    expect(notes).toEqual([join(path, 'doc/a.pdf'), join(path, 'doc/b.txt')]);
    expect(findings).toEqual([
      { code: 'notes', severity: 'info', facts: { directory: join(path, 'doc'), files: ['a.pdf', 'b.txt'], count: 2 } },
    ]);
  });

  test('anything else blocks, by name', async () => {
    const path = await directory('delivery', 'A.dat', 'readme.txt', 'other/', 'other/B.dat', 'C.dat/', '.hidden');
    await symlink(join(path, 'A.dat'), join(path, 'link.dat'));
    await symlink(join(path, 'other'), join(path, 'doc'));
    const { files, findings } = await listed(path);
    expect(files).toEqual(['A.dat']);
    const names = ['.hidden', 'C.dat/', 'doc', 'link.dat', 'other/', 'readme.txt'];
    expect(findings).toEqual([{ code: 'directory-foreign', severity: 'block', facts: { directory: 'delivery', names } }]);
  });

  test('a directory without patches blocks', async () => {
    const path = await directory('delivery');
    expect((await listed(path)).findings).toEqual([
      { code: 'directory-empty', severity: 'block', facts: { directory: 'delivery' } },
    ]);
  });

  test('the same name twice blocks', async () => {
    const one = await directory('one', 'A.dat');
    const two = await directory('two', 'a.dat');
    const { findings } = await listed(one, two);
    expect(findings).toEqual([
      {
        code: 'patch-twice',
        severity: 'block',
        facts: { file: 'A.dat', paths: expect.arrayContaining([join(one, 'A.dat'), join(two, 'a.dat')]) },
      },
    ]);
  });

  test('a path that is not there is refused', async () => {
    const refusal = await refusalOf(listPatches([join(root, 'nothing.dat')]));
    expect([refusal.code, refusal.facts]).toEqual(['patch-unreadable', { file: 'nothing.dat', reason: 'ENOENT' }]);
  });

  test('a device is refused', async () => {
    expect((await refusalOf(listPatches(['/dev/null']))).facts).toEqual({ file: 'null', reason: 'ENOTFILE' });
  });
});

describe('sequence', () => {
  test('names under sequence control', () => {
    expect(parsePatchName('P_0012_140.dat')).toEqual({ series: 'P', number: 12, version: '140' });
    expect(parsePatchName('z_0001_090.DAT')).toEqual({ series: 'Z', number: 1, version: '090' });
  });

  test.each([
    'P_012_140.dat',
    'P-0012-140.dat',
    'PP_0012_140.dat',
    'P_0012_140',
    'P_0012_140.dat.bak',
    'ZFAMILY.DAT',
    'P_0012_1400.dat',
    '1_0012_140.dat',
  ])('not %s', (file) => expect(parsePatchName(file)).toBeUndefined());

  test('series, version, number; then the others in natural order', () => {
    const inOrder = [
      'P_0002_130.dat',
      'P_0001_140.dat',
      'P_0002_140.dat',
      'P_0010_140.dat',
      'X_0001_140.dat',
      'A2.dat',
      'A10.dat',
      'P_1_140.dat',
      'ZCLIENT.dat',
    ];
    expect(inOrder.toReversed().sort(comparePatchFiles)).toEqual(inOrder);
  });

  test('is a total order', () => {
    const letters = fc.constantFrom('A', 'a', 'B', 'É', '_');
    const name = fc.oneof(
      fc
        .tuple(fc.constantFrom('P', 'p', 'X'), fc.nat({ max: 12 }), fc.constantFrom('140', '130'))
        .map(([series, number, version]) => `${series}_${String(number).padStart(4, '0')}_${version}.dat`),
      fc.tuple(letters, fc.constantFrom('1', '01', '2', '10', ''), letters).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(comparePatchFiles(a, b))).toBe(0 - Math.sign(comparePatchFiles(b, a)));
        expect(comparePatchFiles(a, b) === 0).toBe(a === b);
        if (comparePatchFiles(a, b) <= 0 && comparePatchFiles(b, c) <= 0) expect(comparePatchFiles(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 5000 },
    );
  });
});
