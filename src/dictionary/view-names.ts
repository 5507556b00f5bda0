// Which typed views a dictionary has: one for each table that the registry names. Pure.
import { ELEMENT_TYPES } from './element-types.ts';

/** One view: the records of a dictionary table. */
export interface DictionaryView {
  readonly name: string;
  readonly type: string;
  readonly tag: string;
  /** Key fields of the header, then those of the line; alternatives by `|`. */
  readonly headerKey: readonly string[];
  readonly lineKey: readonly string[];
  /** View of the header; its own name where it is that. */
  readonly header: string;
}

const KNOWN: ReadonlyMap<string, DictionaryView> = new Map(
  [...ELEMENT_TYPES.values()]
    .filter(({ header }) => header.table !== '')
    .flatMap(({ type, header, lines }) => {
      const own = header.table.toLowerCase();
      const shared = { type, headerKey: header.key, header: own };
      return [
        { ...shared, name: own, tag: header.tag, lineKey: [] },
        ...Object.entries(lines).map(([tag, line]) => ({ ...shared, name: line.table.toLowerCase(), tag, lineKey: line.key })),
      ];
    })
    .map((view): [string, DictionaryView] => [view.name, view]),
);

const BY_TAG: ReadonlyMap<string, DictionaryView> = new Map(
  [...KNOWN.values()].map((view) => [`${view.type}\0${view.tag}`, view]),
);

/** Names of the views that elements of these types have. */
export function viewsOfTypes(types: ReadonlySet<string>): readonly string[] {
  return [...KNOWN.values()].filter((view) => types.has(view.type)).map((view) => view.name);
}

export function isViewName(name: string): boolean {
  return KNOWN.has(name);
}

export function typeOfView(name: string): string | undefined {
  return KNOWN.get(name)?.type;
}

export function viewOfName(name: string): DictionaryView | undefined {
  return KNOWN.get(name);
}

export function viewOfTag(type: string, tag: string): DictionaryView | undefined {
  return BY_TAG.get(`${type}\0${tag}`);
}
