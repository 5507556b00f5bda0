// Which failures lock a folder, and in which order folders are validated.
import { describe, expect, it } from 'vitest';
import { failedAtEnd, inValidation, locksFolder } from '../../src/batch/validation-failure.ts';
import { wavesOf } from '../../src/batch/waves.ts';
import type { Folder } from '../../src/environment/folder.ts';

const sqlstate = (state: string) => locksFolder({ code: 'database-error', facts: { sqlstate: state } });

describe('R35: a failed validation', () => {
  it('locks the folder for what has to be mended in it', () => {
    for (const code of [
      'values-do-not-fit',
      'index-duplicates',
      'column-in-use',
      'row-too-long',
      'script-failed',
      'script-overran',
      'blocked',
    ])
      expect([code, locksFolder({ code, facts: {} })]).toEqual([code, true]);
    for (const state of ['23505', '22001', '42703', '2BP01', '0A000', 'P0001', '42501'])
      expect([state, sqlstate(state)]).toEqual([state, true]);
  });

  it('says what can be done about a script to run, which may be left; one that is installed may not', () => {
    const failure = (code: string, element: string) => ({ code, facts: { element } });
    const told = [
      failure('script-failed', 'EXE:LOAD'),
      failure('script-overran', 'EXE:LOAD'),
      failure('script-failed', 'TRT:LOAD'),
      failure('values-do-not-fit', 'EXE:LOAD'),
    ].map((each) => [failedAtEnd(each), inValidation(each, 'SHOP').validation, inValidation(each, 'SHOP').command]);
    const command = 'rustine validate SHOP --force scripts=REASON';
    expect(told).toEqual([
      ['LOAD', true, command],
      ['LOAD', true, command],
      [undefined, true, undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it('does not for what somebody else, the server or the operator did', () => {
    for (const code of [
      'lock-timeout',
      'login-held',
      'run-lost',
      'database-lost',
      'database-unreachable',
      'locks-used-up',
      'lock-capacity',
    ])
      expect([code, locksFolder({ code, facts: {} })]).toEqual([code, false]);
    // Lock not available, deadlock, serialization, disk full, out of memory, too many connections, shut down, read only, I/O, internal.
    for (const state of [
      '55P03',
      '40P01',
      '40001',
      '53100',
      '53200',
      '53300',
      '57P01',
      '57014',
      '25006',
      '58030',
      'XX000',
      '08006',
    ])
      expect([state, sqlstate(state)]).toEqual([state, false]);
  });
});

describe('R36: order of folders', () => {
  const folder = (code: string, depth: number, historyOf: string | null = null): Folder =>
    ({ code, depth, historyOf, ancestors: [] }) as unknown as Folder;
  it('has live folders before their history, which stands beside them', () => {
    const folders = [folder('X3', 0), folder('LIVE', 1), folder('HIST', 1, 'LIVE'), folder('OTHER', 1)];
    const codes = wavesOf(folders, []).map((wave) => wave.folders.map(({ code }) => code));
    expect(codes).toEqual([['X3'], ['LIVE', 'OTHER'], ['HIST']]);
    // Where the live folder is not in the run, nothing is waited for.
    expect(wavesOf([folder('HIST', 1, 'LIVE'), folder('OTHER', 1)], []).length).toBe(1);
  });
});
