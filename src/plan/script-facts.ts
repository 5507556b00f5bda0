// What a folder has of the scripts that a delivery names: its own copies, and for scripts to run the body that it would find (R4).
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { elementKey } from '../dictionary/element.ts';
import type { ScriptLanguage } from '../dictionary/script-language.ts';
import { HEAD_BYTES, languageOf } from '../dictionary/script-language.ts';
import type { Reader } from '../environment/catalog.ts';
import type { FolderSettings } from './plan.ts';

/** A script's body as the catalog holds it. */
export interface ScriptBody {
  readonly digest: string;
  readonly language: ScriptLanguage;
}

export interface ScriptFacts {
  /** The folder's own scripts among the delivered, by `kind\0name`. */
  readonly own: ReadonlyMap<string, { readonly digest: string; readonly madeFunctions: boolean }>;
  /** By name of a script to run: the body that the folder finds before the delivery, and whether it is a copy of its own. */
  readonly found: ReadonlyMap<string, ScriptBody & { readonly own: boolean }>;
}

/** Where scripts are looked up: the folder, then its ancestors up to the supervisor folder. */
export const lookupOf = (folder: Pick<FolderSettings, 'id' | 'ancestors'>): readonly number[] => [
  folder.id,
  ...folder.ancestors.map((ancestor) => ancestor.id),
];

/** Which of the named scripts have a text in SQL in some folder. */
export async function readSqlScripts(reader: Reader, names: readonly string[]): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const rows = await reader.query<{ name: string; kind: string; head: Uint8Array }>(sql`
    select distinct s.name, s.kind, substring(b.bytes for ${HEAD_BYTES}) as head from rustine.script s join rustine.blob b on b.digest = s.digest
    where s.name = any(${names}::text[])`);
  return new Set(rows.flatMap(({ name, kind, head }) => (languageOf(kind, head) === 'sql' ? [name] : [])));
}

export async function gatherScripts(session: Session, folder: FolderSettings, deliveryId: string): Promise<ScriptFacts> {
  const own = await session.query<{ kind: string; name: string; digest: string; madeFunctions: boolean }>(sql`
    select s.kind, s.name, encode(s.digest, 'hex') as digest,
      exists (select from rustine.script_function f where f.folder = s.folder and f.kind = s.kind and f.name = s.name) as "madeFunctions"
    from rustine.script s join rustine.delivery_element d on d.type = s.kind and d.name = s.name
    where d.delivery = ${deliveryId} and s.folder = ${folder.id}`);
  const found = await session.query<{ name: string; kind: string; own: boolean; digest: string; head: Uint8Array }>(sql`
    select distinct on (s.name) s.name, s.kind, s.folder = ${folder.id} as own, encode(s.digest, 'hex') as digest, substring(b.bytes for ${HEAD_BYTES}) as head
    from rustine.script s join rustine.delivery_element d on d.type = 'EXE' and d.name = s.name join rustine.blob b on b.digest = s.digest
    where d.delivery = ${deliveryId} and s.folder = any(${lookupOf(folder)}::integer[])
    order by s.name, array_position(${lookupOf(folder)}::integer[], s.folder), s.kind desc`);
  return {
    own: new Map(own.map(({ kind, name, digest, madeFunctions }) => [elementKey(kind, name), { digest, madeFunctions }])),
    found: new Map(found.map(({ name, kind, own, digest, head }) => [name, { digest, own, language: languageOf(kind, head) }])),
  };
}
