// A page as one HTML file that needs nothing else: no script, no other file, readable on screens, on paper and by screen readers. Pure.
import { createHash } from 'node:crypto';
import { type Html, html } from './html.ts';
import type { Page, PageBlock, PageCell, PageColumn, PageRow, PageSection, PageTable } from './report.ts';
import { STYLE } from './style.ts';

/** Nothing may be fetched, run or sent; only the style sheet counts that the page was made with. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;
/** Made here, from no data. */
const SHEET: Html = { html: `<style>${STYLE}</style>` };

/** Section by section, so that a long page is not built in one string. */
export function* pageText(page: Page): Generator<string> {
  const { language, title, facts, verdict, figures } = page;
  yield html`<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<title>${title}</title>
${SHEET}
</head>
<body>
<header>
<h1>${title}</h1>
${pairs(facts)}</header>
<main>
<p class="verdict ${verdict.tone}">${verdict.text}</p>
${figures.length === 0 ? undefined : figureList(figures)}`.html;
  let number = 0;
  for (const section of page.sections) yield sectionMarkup(section, ++number).html;
  yield signing(page.signing, ++number).html;
  yield '</main>\n</body>\n</html>\n';
}

function pairs(list: readonly (readonly [string, string])[]): Html {
  return html`<dl>
${list.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>
`;
}

function figureList(figures: Page['figures']): Html {
  return html`<ul class="figures">
${figures.map(({ label, value, tone }) => html`<li><b class="${tone}">${value}</b><span>${label}</span></li>\n`)}</ul>
`;
}

function sectionMarkup({ title, blocks }: PageSection, number: number): Html {
  return html`<section aria-labelledby="s${number}">
<h2 id="s${number}">${title}</h2>
${blocks.map((block, at) => blockMarkup(block, `s${number}-${at + 1}`))}</section>
`;
}

function blockMarkup(block: PageBlock, id: string): Html {
  switch (block.kind) {
    case 'table':
      return tableMarkup(block, id);
    case 'text':
      return html`<p class="note ${block.tone ?? 'plain'}">${withCommands(block.text)}</p>\n`;
    case 'list':
      return html`<ul>
${block.items.map((item) => html`<li>${withCommands(item)}</li>\n`)}</ul>
`;
    case 'pairs':
      return pairs(block.pairs);
  }
}

/** Commands stand between backticks in sentences. */
function withCommands(text: string): readonly Html[] {
  return text.split(/`([^`\n]+)`/).map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

/** Wide tables are moved sideways, by the keyboard too. */
function tableMarkup({ caption, columns, groups }: PageTable, id: string): Html {
  return html`<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table>
<caption id="${id}">${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.title}</th>`)}</tr></thead>
${groups.map(
  ({ title, rows }) => html`<tbody>
${title === undefined ? undefined : html`<tr><th scope="rowgroup" colspan="${columns.length}">${title}</th></tr>\n`}${rows.map((row) => rowMarkup(row, columns))}</tbody>
`,
)}</table></div>
`;
}

function rowMarkup(row: PageRow, columns: readonly PageColumn[]): Html {
  if ('wide' in row) return html`<tr><td colspan="${columns.length}">${row.wide}</td></tr>\n`;
  const cells = columns.map((column, at) => {
    const cell = cellMarkup(row[at] ?? '');
    return at === 0 ? html`<th scope="row"${classOf(column)}>${cell}</th>` : html`<td${classOf(column)}>${cell}</td>`;
  });
  return html`<tr>${cells}</tr>\n`;
}

function classOf({ right, code }: PageColumn): Html | undefined {
  if (right === true) return html` class="number"`;
  return code === true ? html` class="code"` : undefined;
}

function cellMarkup(cell: PageCell): Html {
  if (typeof cell === 'string') return html`${cell}`;
  if ('lines' in cell) return html`<span class="lines">${cell.lines.map((line) => html`<span>${line}</span>`)}</span>`;
  return cell.tone === 'plain' ? html`${cell.text}` : html`<span class="${cell.tone}">${cell.text}</span>`;
}

function signing({ title, caption, columns, roles }: Page['signing'], number: number): Html {
  return html`<section class="signing" aria-labelledby="s${number}">
<h2 id="s${number}">${title}</h2>
<table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${roles.map((role) => html`<tr><th scope="row">${role}</th>${columns.slice(1).map(() => html`<td></td>`)}</tr>\n`)}</tbody>
</table>
</section>
`;
}
