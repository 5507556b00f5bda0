// Names that a table may not have: words that PostgreSQL reserves, and names that a folder's schema needs for itself. Pure.
import { ROW_SEQUENCE } from './model.ts';

/** Of PostgreSQL 15 to 18: `select word from pg_get_keywords() where catcode in ('R', 'T')`. Quoted they would work; people's SQL does not quote. */
const SQL_WORDS = `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
  column concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
  current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in
  initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset
  on only or order outer overlaps placing primary references returning right select session_user similar some symmetric system_user
  table tablesample then to trailing true union unique user using variadic verbose when where window with`;

const RESERVED: ReadonlySet<string> = new Set([...SQL_WORDS.split(/\s+/), ROW_SEQUENCE]);

/** @param name physical name, in lower case */
export function isReserved(name: string): boolean {
  return RESERVED.has(name) || name.startsWith('pg_');
}
