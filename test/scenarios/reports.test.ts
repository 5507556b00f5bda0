// R33: what status, log and folder list answer as reports: asked for in one way, written whole or not at all, in both languages.
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { typed } from '../support/command-line.ts';
import { openEnvironment, type TestEnvironment } from '../support/environment.ts';
import { script, table } from '../support/patches.ts';
import { oneServer } from '../support/servers.ts';

const ITEM = table('ITEM', 'ITM', { COD: 'A:5' }, { KEY0: 'COD' });

describe.each(oneServer())('reports on $name', (server) => {
  const later: (() => Promise<void>)[] = [];
  let env: TestEnvironment;
  let run: string;
  beforeAll(async () => {
    env = await openEnvironment(server, { folders: ['SEED', 'SHOP'], later: (work) => void later.push(work) });
    const first = await env.patch('P_0001_140.dat', [ITEM, script('ZFIRST', 'Return')]);
    ({ run } = await env.integrate(first, {
      authorize: ['ZALI'],
      force: [{ check: 'sequence', reason: '=the list is <b>whole</b>' }],
    }));
    await env.integrate(await env.patch('P_0002_140.dat', [table('ITEM', 'ITM', { COD: 'A:5', NAM: 'A:9' }, { KEY0: 'COD' })]), {
      folders: ['X3', 'SEED'],
    });
  });
  afterAll(async () => {
    for (const work of later.reverse()) await work();
  });

  const rows = (text: string): readonly string[] => text.trimEnd().split('\r\n');
  const written = (name: string): Promise<string> => readFile(join(env.home, name), 'utf8');

  test('R33: status as CSV has a row per folder, on standard output for programs', async () => {
    const { code, out, err } = await typed(env, ['status', '--format', 'csv']);
    expect([code, err]).toEqual([0, '']);
    expect(rows(out).map((row) => row.split(',').slice(0, 8).join())).toEqual([
      'folder,parent,server,state,due,reasons,lag,lag_files',
      'X3,,,ready,false,,0,',
      'SEED,X3,,ready,false,,0,',
      'SHOP,X3,,ready,true,,1,P_0002_140.dat',
    ]);
    expect(rows(out)[3]).toMatch(/,rustine validate SHOP$/);
    expect((await typed(env, ['folder', 'list', '--format', 'csv', '--lang', 'fr'])).out).toBe(out);
  });

  test('R33: a page says how many folders are in line, and what is to be done, in the language that is asked for', async () => {
    const { code, out } = await typed(env, ['status', '--format', 'html', '--output', 'status.html']);
    expect([code, out]).toEqual([0, `Written to ${join(env.home, 'status.html')}.\n`]);
    const page = await written('status.html');
    expect(page).toContain('<html lang="en">');
    expect(page).toContain('1 folder of 3 is not in line with the supervisor folder.');
    expect(page).toContain('<code>rustine validate SHOP</code>');
    expect(page).not.toContain(new URL(env.url).password || 'no password here');
    const french = await typed(env, ['status', '--format', 'html', '--output', 'etat.html', '--lang', 'fr']);
    expect(french.out).toBe(`Écrit dans ${join(env.home, 'etat.html')}.\n`);
    expect(await written('etat.html')).toContain('<html lang="fr">');
    expect(await written('etat.html')).toContain(`1 dossier sur 3 n&#39;est pas au niveau du dossier superviseur.`);
    expect((await typed(env, ['folder', 'list', '--format', 'html'])).out).toContain('<title>Folders</title>');
  });

  test('R33: the trace of a run as CSV, a row per entry; a file begins with the mark by which spreadsheets know UTF-8', async () => {
    const { out } = await typed(env, ['log', run, '--format', 'csv']);
    const entries = await env.rustine.log(run);
    expect(rows(out)).toHaveLength(entries.length + 1);
    expect(rows(out).filter((row) => row.includes(',patch-finished,'))).toHaveLength(3);
    const file = await typed(env, ['log', run, '--format', 'csv', '--output', 'trace.csv']);
    expect(file.out).toBe(`${entries.length} entries written to ${join(env.home, 'trace.csv')}.\n`);
    expect(await written('trace.csv')).toBe(`\ufeff${out}`);
    const seed = await typed(env, ['log', run, '--folder', 'seed', '--format', 'csv']);
    expect(rows(seed.out).length).toBeLessThan(rows(out).length);
    expect((await typed(env, ['log', run, '--format', 'csv', '--follow'])).out).toBe(out);
  });

  test('R33: a page of a run says who passed over which check and why, as text and nothing else', async () => {
    const { out } = await typed(env, ['log', run, '--format', 'html']);
    expect(out).toContain('Reason: =the list is &lt;b&gt;whole&lt;/b&gt;');
    expect(out).toMatch(/Specific activity codes authorised by .+: ZALI/);
    expect(out).toContain(run);
    expect(out.match(/<th scope="row">(?:X3|SEED|SHOP)<\/th>/g)).toHaveLength(3);
    expect((await typed(env, ['status', '--run', run, '--format', 'html'])).out).toContain('Reason: =the list');
    const one = await typed(env, ['log', run, '--folder', 'seed', '--format', 'html']);
    expect(one.out.match(/<th scope="row">(?:X3|SEED|SHOP)<\/th>/g)).toEqual(['<th scope="row">SEED</th>']);
  });

  test('R33: the list of runs, and the folders of one', async () => {
    const list = await typed(env, ['log', '--limit', '9', '--format', 'csv']);
    expect(rows(list.out)[0]).toMatch(/^run,mode,state,operator,/);
    expect(rows(list.out)[2]).toContain(',sequence==the list is <b>whole</b>,');
    expect((await typed(env, ['log', '--limit', '1', '--format', 'html', '--lang', 'fr'])).out).toContain('Dernières exécutions');
    const folders = await typed(env, ['status', '--run', run, '--format', 'csv']);
    expect(rows(folders.out).map((row) => row.split(',').slice(1, 4).join())).toEqual([
      'folder,wave,state',
      'X3,0,integrated',
      'SEED,1,integrated',
      'SHOP,1,integrated',
    ]);
  });

  test('R41: the inquiry as CSV has a row per folder and thing, with who forced what and why', async () => {
    const { out, err } = await typed(env, ['history', '--patch', 'P_0001_140.dat', '--format', 'csv']);
    expect(err).toBe('');
    const columns = (rows(out)[0] ?? '').split(',');
    const cell = (row: number, column: string) => rows(out)[row]?.split(',')[columns.indexOf(column)];
    expect([1, 2, 3].map((row) => [cell(row, 'kind'), cell(row, 'folder'), cell(row, 'run')])).toEqual(
      ['SEED', 'SHOP', 'X3'].map((folder) => ['patch', folder, run]),
    );
    expect([cell(1, 'authorized'), cell(1, 'forced')]).toEqual(['ZALI', 'sequence==the list is <b>whole</b>']);
    const cut = await typed(env, ['history', '--limit', '1', '--format', 'csv', '--output', 'history.csv']);
    expect(cut.err).toMatch(/^1 of \d+ entries; --limit \d+ shows more/);
  });

  test('R41: the page of an element says which folders have which version', async () => {
    const words = ['history', '--element', 'ATB:ITEM', '--format', 'html'];
    const { out } = await typed(env, words);
    expect(out).toContain('<title>ATB:ITEM: versions, and what happened to it</title>');
    expect(out).toContain('<dd>--element ATB:ITEM</dd>');
    expect(out).toContain('P_0002_140.dat');
    expect((await typed(env, [...words, '--lang', 'fr'])).out).toContain('Qui a quelle version');
    const sheet = await typed(env, ['history', '--element', 'ATB:ITEM', '--format', 'csv']);
    const versions = rows(sheet.out).filter((row) => row.startsWith('version,'));
    expect(versions.map((row) => row.split(',').slice(2, 5).join())).toEqual(
      expect.arrayContaining(['SEED,,P_0002_140.dat', 'X3,,P_0002_140.dat', 'SHOP,,P_0001_140.dat']),
    );
    expect(versions).toHaveLength(3);
  });

  test('R35: a preview of a validation as a report: a row for each thing that would change', async () => {
    const { code, out } = await typed(env, ['validate', 'SHOP', '--preview', '--format', 'csv']);
    expect(code).toBe(0);
    expect(rows(out).map((row) => row.split(',').slice(1, 5).join())).toEqual(
      expect.arrayContaining([
        'mode,folder,kind,state',
        'validate-rehearse,SHOP,folder,validated',
        'validate-rehearse,SHOP,table,',
      ]),
    );
    expect(out).toContain(',SHOP,table,,,,item,altered,');
    expect(out).toContain(',SHOP,element,,,,ATB:ITEM,updated,');
    expect(out).toMatch(/,SHOP,field,,,,ATB:ITEM,created,ATZ,NAM,CODTYP,,A\r\n/);
    const page = await typed(env, [
      'validate',
      'SHOP',
      '--preview',
      '--format',
      'html',
      '--output',
      'preview.html',
      '--lang',
      'fr',
    ]);
    expect([page.code, page.out]).toEqual([0, `Écrit dans ${join(env.home, 'preview.html')}.\n`]);
    expect(await written('preview.html')).toMatch(
      /Ce qui a changé, ou changerait.*<th scope="row">item<\/th>.*Étapes de la validation/s,
    );
    expect((await typed(env, ['validate', 'SHOP', '--output', 'preview.html', '--json'])).code).toBe(2);
    // It was refused before anything was done.
    expect((await typed(env, ['folder', 'list', '--format', 'csv'])).out).toContain('SHOP,X3,,ready,true,');
    expect((await typed(env, ['validate', 'X3', '--preview', '--format', 'html'])).out).toContain('<html lang="en">');
  });

  test('R33: JSON by --format is that of --json; into a file, standard output says where it is', async () => {
    const { out } = await typed(env, ['folder', 'list', '--json']);
    expect((await typed(env, ['folder', 'list', '--format', 'json'])).out).toBe(out);
    const told = await typed(env, ['folder', 'list', '--json', '--output', 'folders.json']);
    expect(JSON.parse(told.out)).toEqual({ path: join(env.home, 'folders.json') });
    expect(await written('folders.json')).toBe(out);
    expect((await typed(env, ['status', '--output', 'status.txt', '--quiet'])).out).toBe('');
    expect(await written('status.txt')).toBe((await typed(env, ['status'])).out);
  });

  test('a file that is there is never overwritten; what cannot be written is told before anything is done', async () => {
    await writeFile(join(env.home, 'mine.html'), 'mine');
    await mkdir(join(env.home, 'reports'));
    await symlink('nowhere', join(env.home, 'dangling'));
    const outcome = async (...words: readonly string[]) => {
      const { code, out } = await typed(env, [...words, '--lang', 'en']);
      return [code, JSON.parse(out).error.code];
    };
    for (const command of [['status'], ['folder', 'list'], ['log', run]] as const) {
      expect(await outcome(...command, '--json', '--output', 'mine.html')).toEqual([2, 'output-exists']);
      expect(await outcome(...command, '--json', '--output', 'reports')).toEqual([2, 'output-directory']);
      expect(await outcome(...command, '--json', '--output', 'dangling')).toEqual([2, 'output-exists']);
      expect(await outcome(...command, '--json', '--output', 'no/such.html')).toEqual([3, 'output-unwritable']);
      expect(await outcome(...command, '--json', '--output', `${'x'.repeat(300)}.html`)).toEqual([3, 'output-unwritable']);
    }
    expect(await written('mine.html')).toBe('mine');
    const missing = await typed(env, ['status', '--output', 'no/such.html', '--lang', 'fr']);
    expect(missing.err).toContain(
      `Impossible d'écrire ${join(env.home, 'no/such.html')} : le répertoire ${join(env.home, 'no')} n'existe pas.`,
    );
    if (process.getuid?.() !== 0) {
      await chmod(join(env.home, 'reports'), 0o500);
      expect(await outcome('status', '--json', '--output', 'reports/x.html')).toEqual([3, 'output-unwritable']);
    }
  });

  test('a command that fails leaves no file behind', async () => {
    const failed = await typed(env, ['log', 'zzz', '--format', 'html', '--output', 'none.html']);
    expect([failed.code, failed.out]).toEqual([2, '']);
    expect((await readdir(env.home)).filter((name) => name.includes('none') || name.endsWith('.partial'))).toEqual([]);
  });

  test('what does not go together is refused before the database is opened', async () => {
    const problem = async (...words: readonly string[]) => {
      const { code, out } = await typed(env, [...words, '--json']);
      return [code, JSON.parse(out).error.problem];
    };
    expect(await problem('status', '--format', 'csv')).toEqual([2, 'json-and-format']);
    expect(await problem('status', '--format', 'pdf')).toEqual([2, 'choice']);
    expect(await problem('folder', 'list', '--format', 'jsonl')).toEqual([2, 'choice']);
    expect((await typed(env, ['log', '--follow', '--format', 'html'])).err).toContain(
      '--follow does not go together with --format html',
    );
    expect((await typed(env, ['log', '--limit', '2', '--format', 'jsonl'])).err).toContain('--format jsonl goes with RUN');
  });
});
