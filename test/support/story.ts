// A small environment with one patch in it and one to come, and what each folder must hold before and after: the yardstick for everything that breaks a run.
import { join } from 'node:path';
import { expect } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { leftovers, rustine } from './crash.ts';
import { queryAt } from './environment.ts';
import type { Environment } from './folder-dump.ts';
import { difference, holdings } from './folder-dump.ts';
import type { Element } from './patches.ts';
import { any, rows, script, table, texts, writePatchFile } from './patches.ts';
import { creation } from './servers.ts';
import { takeOwnIdentity } from './templates.ts';

const STORY_FOLDERS = ['A', 'B', 'C', 'D', 'X3'] as const;
/** The one that is there, and the one to come. */
export const STORY_FILES = ['P_0001_140.dat', 'P_0002_140.dat'] as const;

const FIELDS = { COD: 'A:10', DES: 'A:30' } as const;

const parameter = (access: string, title: string): Element =>
  any('ADP', 'LIMIT', [{ tag: 'ADP', values: { ACS: access, INTIT: texts({ ENG: title }), PARAM: 'LIMIT' } }]);
const BEFORE: readonly Element[] = [parameter('KEEP', 'Limit'), table('ITEM', 'ITM', FIELDS, { ITM0: 'COD', ITM1: 'DES' })];
/** Updates what is there (a set-up field, a line that goes away) and brings new elements. */
const PATCH: readonly Element[] = [
  parameter('OTHER', 'Upper limit'),
  table('ITEM', 'ITM', FIELDS, { ITM0: 'COD' }),
  ...Array.from({ length: 8 }, (_, at) => table(`ITEM${at}`, `I${at}`, FIELDS, { [`I${at}0`]: 'COD' })),
  rows('I0', 'ALL', [
    { COD: 'A', DES: 'one' },
    { COD: 'B', DES: 'two' },
  ]),
  script('ITEMLIB', 'End'),
];

/** The database with the first patch, to which nobody is connected. */
const BEGINNING = 'beginning';

export interface Story {
  /** Path of the patch to come. */
  readonly patch: string;
  /** An environment in a database of its own, in which the first patch is integrated. */
  environment(): Promise<{ readonly database: string; readonly before: Environment }>;
  /** Integrates with the command line. @returns exit code and what it said on standard error */
  integrate(database: string): Promise<readonly unknown[]>;
  /** Every folder is as before the patch, or as an undisturbed run leaves it, and APATCH says which. */
  expectBeforeOrAfter(database: string, before: Environment): Promise<Environment>;
  /** The same command again ends it, and leaves nothing behind. */
  expectTheEnd(database: string): Promise<void>;
}

/**
 * Integrates once, undisturbed, to know the end.
 * @param home where patches go
 * @param server URL of a superuser
 * @param more elements that the patch to come brings besides
 */
export async function openStory(home: string, server: string, more: readonly Element[] = []): Promise<Story> {
  const directory = join(home, 'patches');
  const first = await writePatchFile(directory, STORY_FILES[0], BEFORE);
  const patch = await writePatchFile(directory, STORY_FILES[1], [...PATCH, ...more]);
  const at = (name: string): string => Object.assign(new URL(server), { pathname: `/${name}` }).href;
  await queryAt(server, `create database ${BEGINNING}`);
  const program = await openRustine({ home, database: at(BEGINNING), language: 'en' });
  await program.init({});
  await program.createFolders(STORY_FOLDERS.slice(0, -1), {});
  await program.integrate({ paths: [first], mode: 'integrate' });
  await program.close();
  let databases = 0;
  const environment: Story['environment'] = async () => {
    const name = `environment_${++databases}`;
    await queryAt(server, creation(name, BEGINNING));
    await takeOwnIdentity(at(name), BEGINNING);
    return { database: at(name), before: await holdings(at(name)) };
  };
  const integrate: Story['integrate'] = async (database) => {
    const { code, err } = await rustine(['integrate', patch, '--database', database, '--quiet']);
    return [code, err];
  };
  const { database } = await environment();
  expect(await integrate(database)).toEqual([0, '']);
  const after = await holdings(database);
  const expectBeforeOrAfter: Story['expectBeforeOrAfter'] = async (url, before) => {
    const now = await holdings(url);
    for (const code of STORY_FOLDERS) {
      const expected = now.apatch.get(code)?.includes(STORY_FILES[1]) === true ? after : before;
      expect([code, difference(expected.folders.get(code) ?? [], now.folders.get(code) ?? [])]).toEqual([code, []]);
    }
    return now;
  };
  const expectTheEnd: Story['expectTheEnd'] = async (url) => {
    expect(await integrate(url)).toEqual([0, '']);
    const now = await expectBeforeOrAfter(url, after);
    for (const code of STORY_FOLDERS) expect(now.apatch.get(code)).toEqual(STORY_FILES);
    expect(await leftovers(url)).toEqual([]);
  };
  return { patch, environment, integrate, expectBeforeOrAfter, expectTheEnd };
}
