// A value that was put aside, as JSON, made ready for a column as it is now: what converts without loss does, empty stays empty. SQL text; pure.
import { quoteLiteral } from '../database/sql.ts';
import type { ColumnType, ForeignType } from './model.ts';

const DAY = '^[0-9]{4,}-[0-9]{2}-[0-9]{2}$';
const TIME = '^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9:.]+([+-][0-9:]+|Z)$';

/** @param json SQL: the value; NULL where the row has none. @returns SQL: the same value where nothing better is known */
export function adapted(type: ColumnType | ForeignType, json: string): string {
  const text = `(${json} #>> '{}')`;
  const asText = (pattern: string): string => `jsonb_typeof(${json}) = 'string' and ${text} ~ ${quoteLiteral(pattern)}`;
  const number = `when jsonb_typeof(${json}) = 'number' then`;
  const noValue = `when ${json} in ('""', '0') then 'null'::jsonb`;
  const day = `(${text}::timestamptz at time zone 'UTC')`;
  switch (type.kind) {
    case 'varchar':
    case 'text':
      return `case when ${json} = 'null' then ${type.kind === 'text' ? "'null'" : `'""'`}::jsonb ${number} to_jsonb(trim_scale(${text}::numeric)::text) else ${json} end`;
    case 'numeric':
      return `case when ${json} in ('null', '""') then '0'::jsonb else ${json} end`;
    case 'smallint':
    case 'integer':
    case 'bigint':
      return `case when ${json} in ('null', '""') then '0'::jsonb ${number} to_jsonb(trim_scale(${text}::numeric)) else ${json} end`;
    case 'date':
      return `case ${noValue} when ${asText(TIME)} then case when ${day}::time = '00:00' then to_jsonb(${day}::date) else ${json} end else ${json} end`;
    case 'timestamptz':
      return `case ${noValue} when ${asText(DAY)} then to_jsonb(${text}::timestamp at time zone 'UTC') when ${asText(TIME)} then to_jsonb(${text}::timestamptz) else ${json} end`;
    case 'uuid':
    case 'bytea':
      return `case ${noValue} else ${json} end`;
    default:
      return json;
  }
}
