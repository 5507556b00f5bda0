// Reports as others read them: the CSV by PostgreSQL's COPY, the page by its XML parser. What is in the data stays data.
import { once } from 'node:events';
import fc from 'fast-check';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safe } from '../../src/cli/messages/said.ts';
import { csvText } from '../../src/cli/report/csv.ts';
import { pageText } from '../../src/cli/report/page.ts';
import type { Page, PageCell } from '../../src/cli/report/report.ts';
import { oneServer } from '../support/servers.ts';

const NASTY = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='x",
  '</style></title></body>',
  '<!-- ',
  ']]>',
  '&lt;b&gt; & &#60;',
  '=1+1',
  '\u001b[31m',
  '\u202egnirts',
  '\ufffe\ud800',
  '\ufeffbom',
  'a\r\nb',
  '\\.',
  'été 日本 😀',
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc
    .array(fc.constantFrom(',', '"', "'", '\n', '\r', ';', '\\', '=', '\t', ' ', '<', '>', '&', 'é', 'x'), { maxLength: 8 })
    .map((of) => of.join('')),
);

/** What a reader of the CSV has after taking the apostrophe away that stands before formulas. */
const read = (cell: string | null): string => (cell ?? '').replace(/^'(?='*[=+\-@\t\r\n＝＋－＠])/, '');
/** Takes a list apart: items are joined by `; `, what is an item's own is marked. */
function items(cell: string): readonly string[] {
  if (cell === '') return [];
  return [...`${cell}; `.matchAll(/((?:[^\\;]|\\[\\;])*); /gs)].map(([, item = '']) => item.replace(/\\([\\;])/g, '$1'));
}

describe.each(oneServer())('reports as others read them, on $name', (server) => {
  let client: Client;
  beforeAll(async () => {
    client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query('create temporary table sheet (seq integer generated always as identity, a text, b text, c text)');
  });
  afterAll(() => client.end());

  test('R33: what is in a cell is what COPY reads from the CSV', { timeout: 60_000 }, async () => {
    const row = fc.tuple(text, text, fc.oneof(fc.integer(), fc.boolean(), fc.constant(null)));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
        await client.query('truncate sheet restart identity');
        const stream = client.query(copyFrom('copy sheet (a, b, c) from stdin (format csv, header match)'));
        for await (const piece of csvText({ columns: ['a', 'b', 'c'], rows })) stream.write(piece);
        stream.end();
        await once(stream, 'finish');
        const found = await client.query<{ a: string; b: string; c: string }>('select a, b, c from sheet order by seq');
        expect(found.rows.map(({ a, b, c }) => [read(a), read(b), c])).toEqual(
          rows.map(([a, b, c]) => [plain(a), plain(b), c === null ? null : String(c)]),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('a list in a cell is taken apart again', async () => {
    const item = fc
      .oneof(fc.constantFrom('a; b', ';', '\\', 'a\\; ', 'P_1.dat'), fc.string({ minLength: 1 }))
      .filter((each) => each !== '');
    await fc.assert(
      fc.asyncProperty(fc.array(item), async (list) => {
        await client.query('truncate sheet restart identity');
        const stream = client.query(copyFrom('copy sheet (a, b) from stdin (format csv, header match)'));
        for await (const piece of csvText({ columns: ['a', 'b'], rows: [[list, '']] })) stream.write(piece);
        stream.end();
        await once(stream, 'finish');
        const [found] = (await client.query<{ a: string }>('select a from sheet')).rows;
        expect(items(read(found?.a ?? ''))).toEqual(list.map(plain));
      }),
      { numRuns: 60 },
    );
  });

  test('nothing of the data becomes markup, and all of it is on the page', { timeout: 60_000 }, async () => {
    const shape = await outline(pageOf(() => 'x'));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        let at = 0;
        const used: string[] = [];
        // Commands in sentences are marked: a backtick would make one.
        const next = (): string => {
          const word = (texts[at++ % texts.length] ?? '').replaceAll('`', '´');
          used.push(word);
          return word;
        };
        const page = await outline(pageOf(next));
        expect(page.names).toEqual(shape.names);
        const shown = page.text.replace(/\s+/g, '');
        for (const word of used) expect(shown).toContain(inMarkup(word).replace(/\s+/g, ''));
      }),
      { numRuns: 40 },
    );
  });

  test('the page forbids what is not its own, and links to nothing', async () => {
    const html = [...pageText(pageOf(() => '<script src="http://x/y.js"></script>'))].join('');
    expect(html).toMatch(/http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|<a |\son\w+="|\sstyle="|\ssrc="|\shref="|@import|url\(/i);
    expect(html).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
  });

  /** Names of elements and attributes in their order, and all text. */
  async function outline(page: Page): Promise<{ readonly names: readonly string[]; readonly text: string }> {
    const html = [...pageText(page)].join('');
    const { rows } = await client.query<{ names: string[]; text: string }>(
      `select (select array_agg(name order by at) from xmltable('//*|//@*' passing doc columns at for ordinality, name text path 'name(.)') as seen) as names,
        (select string_agg(value, '' order by at) from xmltable('//text()|//@content' passing doc columns at for ordinality, value text path '.') as seen) as text
      from (select xmlparse(document $1) as doc) as parsed`,
      [html],
    );
    const [found] = rows;
    if (found === undefined) throw new Error('no page');
    return found;
  }
});

/** What of a text can be shown at all. */
const plain = (word: string): string => safe(word).toWellFormed();
const inMarkup = (word: string): string => plain(word).replace(/[\ufffe\uffff]/g, '\ufffd');

/** A page with a text at every place that data get to. */
function pageOf(next: () => string): Page {
  const cells = (): readonly PageCell[] => [next(), { lines: [next(), next()] }, { text: next(), tone: 'bad' }];
  return {
    language: 'en',
    title: next(),
    facts: [[next(), next()]],
    verdict: { text: next(), tone: 'good' },
    figures: [{ label: next(), value: next(), tone: 'warn' }],
    sections: [
      {
        title: next(),
        blocks: [
          { kind: 'text', text: next(), tone: 'warn' },
          { kind: 'list', items: [next(), next()] },
          { kind: 'pairs', pairs: [[next(), next()]] },
          {
            kind: 'table',
            caption: next(),
            columns: [{ title: next() }, { title: next(), right: true }, { title: next(), code: true }],
            groups: [{ title: next(), rows: [cells(), cells()] }, { rows: [cells(), { wide: next() }] }],
          },
        ],
      },
    ],
    signing: { title: next(), caption: next(), columns: [next(), next()], roles: [next(), next()] },
  };
}
