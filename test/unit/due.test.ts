// R34: what is not in line is told with the command that mends it, or that none does yet.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
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

  it('does not call in line what is on a server that does not answer, or half created', () => {
    const [far, half] = [folder('FAR', { state: 'unreachable', server: 'NORTH' }), folder('NEW', { state: 'creating' })];
    expect(said(folder('X3'), far, half)).toEqual([
      'Not known of FAR: NORTH does not answer. `rustine server list` says why; start it or mend the connection',
      'NEW: half created. Unless somebody is making it now, the same `rustine folder create` finishes that, or `rustine folder drop` takes it away',
    ]);
    expect(dueLines([far, half], fr, undefined)).toEqual([expect.stringContaining('FAR'), expect.stringContaining('NEW')]);
  });

  it('names a live folder once, whatever was written to it', () => {
    const reasons = ['patch:B.dat', 'revert:A.dat', 'setting:modules', 'more'].map((each) => `live-folder:SHOP:${each}`);
    const [line = ''] = said(folder('HIST', { historyOf: 'SHOP', reasons }));
    expect(line).toContain('HIST (live folder SHOP changed: patch B.dat, taken back: A.dat, modules and more)');
    expect(
      dueLines([folder('HIST', { historyOf: 'SHOP', reasons: ['live-folder:SHOP', ...reasons] })], fr, undefined)[0],
    ).toContain(
      "HIST (le dossier d'exploitation SHOP a changé : patch B.dat, reprise de A.dat, la liste des modules et davantage)",
    );
  });

  it('names the patches that folders lack, and brings them to these folders only', () => {
    const lag = ['P_0001_140.dat', 'P_0002_140.dat'];
    expect(said(folder('X3'), folder('SEED', { lag }), folder('SHOP', { lag }), folder('DEV', { lag: ['ZA.dat'] }))).toEqual([
      'SEED, SHOP lack P_0001_140.dat, P_0002_140.dat, which the supervisor folder has: `rustine integrate P_0001_140.dat P_0002_140.dat --folders SEED,SHOP`',
      'DEV lacks ZA.dat, which the supervisor folder has: `rustine integrate ZA.dat --folders DEV`',
    ]);
  });

  it('of many patches whose place is not known names a directory that is to hold them, for many folders none of them', () => {
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
    expect(said(folder('SEED', { lag, lagPaths: all }))[0]).toContain(
      `\`rustine integrate ${Object.values(all).join(' ')} --folders SEED\``,
    );
    const many = Array.from({ length: 50 }, (_, at) => `P_${at}_140.dat`);
    const paths = Object.fromEntries(many.map((file) => [file, `/patches/may/${file}`]));
    expect(said(folder('SEED', { lag: many, lagPaths: paths }))[0]).toContain(
      'DIRECTORY being one that holds these patches and no others',
    );
  });

  it('names a directory only where it brings what is missing and nothing else', () => {
    const directory = mkdtempSync(join(tmpdir(), 'rustine-due-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const lag = Array.from({ length: 4 }, (_, at) => `P_000${at}_140.dat`);
    for (const file of lag) writeFileSync(join(directory, file), '');
    mkdirSync(join(directory, 'doc'));
    const lagPaths = Object.fromEntries(lag.map((file) => [file, join(directory, file)]));
    const command = () => said(folder('SEED', { lag, lagPaths }))[0];
    expect(command()).toMatch(`\`rustine integrate ${directory} --folders SEED\``);
    // The next delivery came to the same place: the folder lacks it no more than the supervisor folder does.
    writeFileSync(join(directory, 'P_0004_140.dat'), '');
    const named = lag.map((file) => join(directory, file)).join(' ');
    expect(command()).toContain(`\`rustine integrate ${named} --folders SEED\``);
    rmSync(join(directory, 'P_0004_140.dat'));
    rmSync(join(directory, 'P_0003_140.dat'));
    mkdirSync(join(directory, 'P_0003_140.dat'));
    expect(command()).toContain(named);
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
      'Due for validation: SEED (activity code KIT, languages, modules, parent), SHOP (data type ACTA), DEV (legislations): `rustine validate SEED SHOP DEV`',
    ]);
    expect(said(folder('SEED', { reasons: ['of-tomorrow'] }))).toEqual([
      expect.stringMatching(/^Due, and no command of this version settles it: SEED \(of-tomorrow\)\./),
    ]);
  });

  it('R34: of what is missing, validates where the database keeps the files, and integrates where rows have to come from them', () => {
    const lag = ['A.dat', 'B.dat'];
    expect(said(folder('SEED', { lag, lagToIntegrate: [] }), folder('SHOP', { lag, lagToIntegrate: ['B.dat'] }))).toEqual([
      'SEED lacks A.dat, B.dat, which the supervisor folder has: `rustine validate SEED`',
      'SHOP lacks A.dat, B.dat, which the supervisor folder has: `rustine integrate A.dat B.dat --folders SHOP`',
    ]);
    const many = Array.from({ length: 20 }, (_, at) => folder(`F${at}`, { lag, lagToIntegrate: [] }));
    expect(said(...many)[0]).toContain('`rustine validate --due`');
  });

  it('R34: of a folder that lags and is due for other reasons, tells one validation once, with both', () => {
    const both = { lag: ['A.dat'], lagToIntegrate: [], reasons: ['modules'] };
    expect(said(folder('SEED', both), folder('SHOP', { lag: ['A.dat'], lagToIntegrate: [] }))).toEqual([
      'SHOP lacks A.dat, which the supervisor folder has: `rustine validate SHOP`',
      'Due for validation: SEED (lacks A.dat; modules): `rustine validate SEED`',
    ]);
    expect(dueLines([folder('SEED', both)], fr, undefined)).toEqual([
      "À valider : SEED (n'a pas A.dat ; la liste des modules) : `rustine validate SEED`",
    ]);
    // What no validation brings has a command of its own.
    expect(said(folder('SEED', { ...both, lagToIntegrate: ['A.dat'] }))).toHaveLength(2);
  });

  it('R35, R36: a folder is validated together with what it follows, where that is locked or lags: alone it would be refused', () => {
    const live = folder('LIVE', { state: 'locked', parent: 'X3' });
    const history = folder('HIST', { parent: 'X3', historyOf: 'LIVE', reasons: ['live-folder:LIVE'] });
    expect(said(live, history)[1]).toMatch(/: `rustine validate LIVE HIST`$/);
    const lagging = folder('DEV', { parent: 'X3', lag: ['A.dat'], lagToIntegrate: [] });
    const below = folder('LIVE', { parent: 'DEV', lag: ['A.dat', 'B.dat'], lagToIntegrate: [] });
    expect(said(lagging, below, history)).toEqual([
      'DEV lacks A.dat, which the supervisor folder has: `rustine validate DEV`',
      'LIVE lacks A.dat, B.dat, which the supervisor folder has: `rustine validate DEV LIVE`',
      expect.stringMatching(/: `rustine validate DEV LIVE HIST`$/),
    ]);
  });

  it('R35: of a locked folder says that it is, and what unlocks it', () => {
    expect(said(folder('SEED', { state: 'locked' }))).toEqual([
      'Locked by a failed validation: SEED; nobody comes in. `rustine folder show` says why it is; once that is mended: `rustine validate SEED`',
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
      'À valider : SEED (la liste des modules, le dossier de référence) : `rustine validate SEED`',
    ]);
    for (const line of dueLines(folders, en, 40).join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });
});
