// Elements for people and programs: the list of them, one with its lines and fields, the difference between two folders.
import type { ComparedElement, ShownElement } from '../app/elements.ts';
import { slotText } from '../dictionary/compare.ts';
import { NOISE } from '../dictionary/element-types.ts';
import type { Fields } from '../dictionary/fields.ts';
import type { ListedElement, Origin, StoredElement, StoredOffer, StoredRecord } from '../environment/elements.ts';
import { pairs, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe } from './messages/said.ts';

export function elementsTable(elements: readonly ListedElement[], { report }: Messages, width: number | undefined): string {
  if (elements.length === 0) return report.none;
  const { type, name, title, records, patch } = report.columns;
  const columns = [{ title: type }, { title: name }, { title: records, right: true }, { title: patch }, { title }];
  return table(
    columns,
    elements.map((each) => [each.type, each.name, String(each.records), each.patch ?? '-', each.title]),
    width,
  );
}

/** Everything; numbers keep their digits. */
export function elementDocument(shown: ShownElement): object {
  if ('script' in shown) {
    const { bytes, ...script } = shown.script;
    return { folder: shown.folder, ...script, size: bytes.length, ...(shown.source === null ? {} : { source: shown.source }) };
  }
  const { records, offered, ...head } = shown.element;
  return {
    folder: shown.folder,
    ...head,
    records: records.map(({ fields: _fields, json, offer, ...record }) => ({
      ...record,
      fields: exact(json),
      offer: offer === null ? null : offerDocument(offer),
    })),
    offered: offered.map(({ tag, key, ...offer }) => ({ tag, key, ...offerDocument(offer) })),
  };
}

function offerDocument({ scope, code, json, patch, since }: StoredOffer): object {
  return { scope, code, patch, since, fields: exact(json) };
}

type WithSource = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** Stored JSON as a value whose numbers are written as they came: a float never comes between. */
function exact(json: string): unknown {
  const keep: WithSource = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJson(source) : value;
  return JSON.parse(json, keep as Parameters<typeof JSON.parse>[1]);
}

export function elementText(shown: ShownElement, messages: Messages, verbose: boolean): string {
  const { report } = messages;
  if ('script' in shown) {
    const { script, source } = shown;
    const head = headText(shown.folder, script, messages);
    const size = source === null ? report.bytes(script.bytes.length) : report.lines(source.length);
    return [head, `${size}, sha256 ${script.digest.slice(0, 16)}`, ...(source === null ? [] : ['', ...source.map(safe)])].join(
      '\n',
    );
  }
  const { element } = shown;
  return [
    headText(shown.folder, element, messages),
    ...element.records.map((record) => recordText(record, messages, verbose)),
    ...element.offered.map((offer) =>
      [`${safe(offer.tag)} ${safe(offer.key)}`, `  ${offerText(offer, messages)}`, fieldsText(offer.fields, verbose)].join('\n'),
    ),
  ].join('\n\n');
}

function headText(
  folder: string,
  { type, name, title, created, updated }: Pick<StoredElement, 'type' | 'name' | 'title' | 'created' | 'updated'>,
  { report }: Messages,
): string {
  const said = (origin: Origin | null): string =>
    origin === null ? '-' : report.origin(safe(origin.patch), day(origin.at), origin.by);
  return pairs([
    [report.columns.element, `${type}:${name}${title === '' ? '' : `  ${title}`}`],
    [report.columns.folder, folder],
    [report.columns.created, said(created)],
    [report.columns.updated, said(updated)],
  ]);
}

const day = (at: string): string => at.slice(0, 16).replace('T', ' ');

function recordText(record: StoredRecord, messages: Messages, verbose: boolean): string {
  const { report } = messages;
  const { tag, key, activity, changed, updated, offer, fields } = record;
  const marks = [
    activity === '' ? '' : report.activityCode(safe(activity)),
    changed.length === 0 ? '' : report.ownFields(changed.map(safe).join(', ')),
    verbose && updated !== null ? report.origin(safe(updated.patch), day(updated.at), updated.by) : '',
  ].filter((mark) => mark !== '');
  return [
    `${safe(tag)} ${safe(key)}${marks.length === 0 ? '' : `  (${marks.join('; ')})`}`,
    fieldsText(fields, verbose),
    ...(offer === null ? [] : [`  ${offerText(offer, messages)}`, differingText(fields, offer.fields)]),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function offerText({ scope, code, patch, since }: StoredOffer, { report }: Messages): string {
  return report.offer(scope, safe(code), safe(patch ?? '-'), day(since));
}

/** Empty fields say little: they come with `--verbose`. */
function fieldsText(fields: Fields, verbose: boolean): string {
  const lines = Object.keys(fields.slots)
    .sort()
    .filter((field) => verbose || !NOISE.has(field))
    .flatMap((field) => {
      const slots = (fields.slots[field] ?? []).map(slotText);
      const shown = slots.flatMap((value, at) =>
        verbose || (value !== null && value !== '') ? [slots.length === 1 ? (value ?? '') : `[${at}] ${value ?? ''}`] : [],
      );
      return shown.length === 0 ? [] : [[`  ${field}`, shown.join('  ')] as const];
    });
  return lines.length === 0 ? '' : pairs(lines);
}

/** The fields that the record has otherwise than they were delivered; those that were not delivered at all among them. */
function differingText(own: Fields, offered: Fields): string {
  const lines = [...new Set([...Object.keys(offered.slots), ...Object.keys(own.slots)])].sort().flatMap((field) => {
    const text = (fields: Fields) => (fields.slots[field] ?? []).map((slot) => slotText(slot) ?? '').join('  ');
    return NOISE.has(field) || text(own) === text(offered) ? [] : [[`    ${field}`, text(offered) || '-'] as const];
  });
  return lines.length === 0 ? '' : pairs(lines);
}

export function comparisonText(compared: ComparedElement, { report }: Messages): string {
  const { element, folder, against, here, there, records, script } = compared;
  const title = report.comparing(safe(element), folder, against);
  const missing = here && there ? [] : [report.notThere(safe(element), here ? against : folder)];
  if (script !== undefined) {
    const same = script.here === script.there;
    const hunks = (script.hunks ?? []).map((hunk) =>
      [`@@ -${hunk.firstLine} +${hunk.secondLine} @@`, ...hunk.lines.map((line) => safe(`${line.sign}${line.text}`))].join('\n'),
    );
    const digests = `- sha256 ${script.here ?? '-'}\n+ sha256 ${script.there ?? '-'}`;
    return [title, ...missing, same ? report.noDifference : digests, ...hunks].join('\n');
  }
  const lines = (records?.changed ?? []).map(({ tag, key, fields }) =>
    [
      `~ ${safe(tag)} ${safe(key)}`,
      ...fields.flatMap(({ field, slot, here: mine, there: theirs }) => [
        ...(mine === null ? [] : [`  - ${safe(field)}[${slot}] ${safe(mine)}`]),
        ...(theirs === null ? [] : [`  + ${safe(field)}[${slot}] ${safe(theirs)}`]),
      ]),
    ].join('\n'),
  );
  const only = [
    ...(records?.onlyHere ?? []).map(({ tag, key }) => `- ${safe(tag)} ${safe(key)}`),
    ...(records?.onlyThere ?? []).map(({ tag, key }) => `+ ${safe(tag)} ${safe(key)}`),
  ];
  const all = [...missing, ...only, ...lines, ...(records?.reordered === true ? [report.reordered] : [])];
  return [title, ...(all.length === 0 ? [report.noDifference] : all)].join('\n');
}
