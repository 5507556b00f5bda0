// Markup that nothing can get into but by being written here: every value is escaped. Pure.
import { safe } from '../messages/said.ts';

/** Made by {@link html} alone. */
export interface Html {
  readonly html: string;
}

export type HtmlValue = Html | string | number | readonly Html[] | undefined;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Strings and numbers become text, or the value of an attribute between quotes; what is undefined becomes nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { html: parts.reduce((text, part, at) => `${text}${markup(values[at - 1])}${part}`) };
}

function markup(value: HtmlValue): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map((each) => each.html).join('');
}

/** Control characters and halves of characters are no text in any markup. */
function escaped(text: string): string {
  return safe(text)
    .toWellFormed()
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? '');
}
