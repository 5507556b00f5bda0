// Reads the patches of a run once more for what folders left out will inherit: the scripts' references, and the tables that the patches define.
import type { Finding } from '../base/finding.ts';
import { elementKey } from '../dictionary/element.ts';
import { fieldValue } from '../dictionary/fields.ts';
import type { DeliveredPart, Delivery } from './delivery.ts';
import type { InheritedScript } from './left-out.ts';
import { fieldOfKey, type WantedPart } from './reference-facts.ts';
import { isRead, readReferences } from './references.ts';
import type { KnownTables, ScriptReferences } from './script-references.ts';

/** Tables as the patches of a run define them. */
export interface DefinedTables extends KnownTables {
  /** Patch file that brings a table or field first. */
  broughtBy(part: WantedPart): string | undefined;
}

export interface LeftOutSources {
  readonly defined: DefinedTables;
  /** By `kind\0name`; compiled scripts are missing. */
  readonly references: ReadonlyMap<string, ScriptReferences>;
  /** `kind\0name` of the scripts that were read to their end. */
  readonly read: ReadonlySet<string>;
}

export async function readSources(deliveries: readonly Delivery[], scripts: readonly InheritedScript[]): Promise<LeftOutSources> {
  const wanted = new Map(scripts.map((script) => [elementKey(script.kind, script.name), script.file]));
  const references = new Map<string, ScriptReferences>();
  const read = new Set<string>();
  const tables = new TableCollector();
  for (const delivery of deliveries) {
    const comes = ({ type, name }: { type: string; name: string }): boolean =>
      type === 'ATB' || wanted.get(elementKey(type, name)) === delivery.file;
    if (!delivery.elements.some(comes)) continue;
    // What is wrong with the elements is told where they are planned.
    const findings: Finding[] = [];
    for await (const part of delivery.parts(findings)) {
      if (part.part === 'dictionary' && part.element.type === 'ATB') tables.add(part.element, delivery.file);
      else if (part.part === 'script' && wanted.get(elementKey(part.kind, part.name)) === delivery.file) {
        const script = await readReferences(part.kind, part.bytes);
        const key = elementKey(part.kind, part.name);
        if (script.references !== null) references.set(key, script.references);
        if (isRead(script)) read.add(key);
      }
    }
  }
  return { defined: tables, references, read };
}

class TableCollector implements DefinedTables {
  readonly #abbreviations = new Map<string, string>();
  readonly #fields = new Map<string, Set<string>>();
  readonly #files = new Map<string, string>();

  add({ name, records }: Extract<DeliveredPart, { part: 'dictionary' }>['element'], file: string): void {
    const fields = this.#fields.get(name) ?? new Set();
    this.#fields.set(name, fields);
    this.#note(name, '', file);
    for (const record of records) {
      if (record.tag === 'ATB') this.#abbreviations.set(fieldValue(record.fields, 'ABRFIC') ?? '', name);
      if (record.tag !== 'ATZ') continue;
      fields.add(fieldOfKey(record.key));
      this.#note(name, fieldOfKey(record.key), file);
    }
  }

  byAbbreviation(abbreviation: string): string | undefined {
    return this.#abbreviations.get(abbreviation);
  }

  fieldsOf(table: string): ReadonlySet<string> | undefined {
    return this.#fields.get(table);
  }

  broughtBy({ table, field }: WantedPart): string | undefined {
    return this.#files.get(`${table}\0${field}`);
  }

  #note(table: string, field: string, file: string): void {
    const key = `${table}\0${field}`;
    if (!this.#files.has(key)) this.#files.set(key, file);
  }
}

/** What the patches define, and for the rest what a folder has. */
export function knownTo(defined: KnownTables, folder: KnownTables): KnownTables {
  return {
    byAbbreviation: (abbreviation) => defined.byAbbreviation(abbreviation) ?? folder.byAbbreviation(abbreviation),
    fieldsOf: (table) => {
      const [brought, own] = [defined.fieldsOf(table), folder.fieldsOf(table)];
      return brought === undefined || own === undefined ? (brought ?? own) : new Set([...own, ...brought]);
    },
  };
}
