// R34: what is not in line is told with the command that mends it, or that none does yet.
import { describe, expect, it } from 'vitest';
import { type DueFolder, dueLines } from '../../src/cli/due.ts';
import { messages as en } from '../../src/cli/messages/en.ts';
import { messages as fr } from '../../src/cli/messages/fr.ts';

const folder = (code: string, more: Partial<DueFolder> = {}): DueFolder => ({
  code,
  state: 'ready',
  lag: [],
  reasons: [],
  ...more,
});
const said = (...folders: readonly DueFolder[]) => dueLines(folders, en, undefined);

describe('R34: what is due', () => {
  it('says nothing about folders that are in line', () => {
    expect(said(folder('X3'), folder('SEED'))).toEqual([]);
  });

  it('names the patches that folders lack, and brings them to these folders only', () => {
    const lag = ['P_0001_140.dat', 'P_0002_140.dat'];
    expect(said(folder('X3'), folder('SEED', { lag }), folder('SHOP', { lag }), folder('DEV', { lag: ['ZA.dat'] }))).toEqual([
      'SEED, SHOP lack P_0001_140.dat, P_0002_140.dat, which the supervisor folder has: `rustine integrate P_0001_140.dat P_0002_140.dat --folders SEED,SHOP`',
      'DEV lacks ZA.dat, which the supervisor folder has: `rustine integrate ZA.dat --folders DEV`',
    ]);
  });

  it('of many patches names a directory, for many folders none of them', () => {
    const lag = Array.from({ length: 9 }, (_, at) => `P_000${at}_140.dat`);
    expect(said(folder('SEED', { lag }))[0]).toContain('9 patches');
    expect(said(folder('SEED', { lag }))[0]).toContain('`rustine integrate DIRECTORY --folders SEED`');
    const many = Array.from({ length: 40 }, (_, at) => folder(`F${at}`, { lag: ['A.dat'], reasons: ['modules'] }));
    const [lacking, validate] = said(...many);
    expect([lacking, validate]).toEqual([
      expect.stringMatching(/F11 … \+28 lack A\.dat, .*`rustine integrate A\.dat`$/),
      expect.stringMatching(/`rustine validate --due`$/),
    ]);
  });

  it('names the files with the place where they lie, where that is known', () => {
    const lagPaths = { 'A.dat': '/patches/may/A.dat', 'B.dat': "/patches/it's/B.dat" };
    expect(said(folder('SEED', { lag: ['A.dat', 'C.dat'], lagPaths }))[0]).toContain(
      '`rustine integrate /patches/may/A.dat C.dat --folders SEED`',
    );
    expect(said(folder('SEED', { lag: ['B.dat'], lagPaths }))[0]).toContain(String.raw`'/patches/it'\''s/B.dat'`);
    const lag = Array.from({ length: 9 }, (_, at) => `P_000${at}_140.dat`);
    const all = Object.fromEntries(lag.map((file) => [file, `/patches/may/${file}`]));
    expect(said(folder('SEED', { lag, lagPaths: all }))[0]).toMatch(/`rustine integrate \/patches\/may --folders SEED`$/);
    expect(said(folder('SEED', { lag, lagPaths: { ...all, 'P_0008_140.dat': '/other/P_0008_140.dat' } }))[0]).toContain(
      'DIRECTORY',
    );
  });

  it('can be pasted into a shell, whatever a file is called', () => {
    const lag = ["it's; rm -rf $HOME.dat", '-x.dat', '\u001b[31m.dat'];
    expect(said(folder('SEED', { lag }))[0]).toContain(
      String.raw`rustine integrate 'it'\''s; rm -rf $HOME.dat' '-x.dat' '` + "\ufffd[31m.dat' --folders SEED`",
    );
  });

  it('validates what validation settles, and says plainly what it does not', () => {
    const lines = said(
      folder('SEED', { reasons: ['activity-code:KIT', 'languages', 'modules', 'parent'] }),
      folder('SHOP', { reasons: ['data-type:ACTA'] }),
      folder('DEV', { reasons: ['legislations'] }),
    );
    expect(lines).toEqual([
      'Due for validation: SEED (activity code KIT, modules), SHOP (data type ACTA): `rustine validate SEED SHOP`',
      expect.stringMatching(/^Due, and no command settles it yet: SEED \(languages, parent\), DEV \(legislations\)\./),
    ]);
  });

  it('of a half-dropped folder says how to finish, and nothing else', () => {
    expect(said(folder('OLD', { state: 'dropping', lag: ['A.dat'], reasons: ['modules'] }))).toEqual([
      'OLD is half dropped: `rustine folder drop OLD --yes` finishes that',
    ]);
  });

  it('is said in French, and breaks at the width of the terminal', () => {
    const folders = [folder('SEED', { lag: ['A.dat'], reasons: ['modules', 'parent'] }), folder('OLD', { state: 'dropping' })];
    expect(dueLines(folders, fr, undefined)).toEqual([
      'OLD est à moitié supprimé : `rustine folder drop OLD --yes` termine la suppression',
      "SEED n'a pas A.dat, que le dossier superviseur a : `rustine integrate A.dat --folders SEED`",
      'À valider : SEED (la liste des modules) : `rustine validate SEED`',
      expect.stringContaining('règle encore : SEED (le dossier de référence).'),
    ]);
    for (const line of dueLines(folders, en, 40).join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });
});
