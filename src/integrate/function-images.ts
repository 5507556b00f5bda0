// Statements that remember functions of the folder's schema around the scripts of a patch: those that it replaced or dropped as they were, and those that it made.
import { quoteIdentifier, quoteLiteral } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';

/** A function or procedure as it was. */
export interface FunctionImage {
  /** `x3.price(text, numeric)` */
  readonly signature: string;
  /** null: an aggregate, which has no text of its own. */
  readonly text: string | null;
  readonly owner: string;
  /** null: those of every new function. */
  readonly rights: readonly { readonly grantee: string; readonly grantable: boolean }[] | null;
  readonly comment: string | null;
}

/** A function as the patch left it: it changed or made it. */
export interface FunctionLeft {
  readonly signature: string;
  readonly digest: string;
}

/** Before the first script. */
export function rememberFunctions({ schema }: FolderSettings, integration: string): string {
  return `insert into rustine.before_image (integration, relation, value)
    select ${integration}, 'function', jsonb_build_object('oid', p.oid::bigint, 'signature', p.oid::regprocedure, 'place', ${PLACE}, 'owner', p.proowner::regrole,
      'text', case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end, 'comment', obj_description(p.oid, 'pg_proc'),
      'rights', (select jsonb_agg(jsonb_build_object('grantee', case a.grantee when 0 then 'public' else a.grantee::regrole::text end, 'grantable', a.is_grantable)) from aclexplode(p.proacl) a))
    from pg_proc p where p.pronamespace = ${schemaOf(schema)}`;
}

/** After the last one: those that are as they were need no image, and what is new or changed is noted as it was left. */
export function noteFunctions({ schema }: FolderSettings, integration: string): string {
  const known = `b.integration = ${integration} and b.relation = 'function' and (b.value ->> 'oid')::bigint = p.oid`;
  return `with same as (
      delete from rustine.before_image b using pg_proc p
      where ${known} and p.pronamespace = ${schemaOf(schema)} and b.value ->> 'place' = ${PLACE})
    insert into rustine.before_image (integration, relation, value)
    select ${integration}, 'function after', jsonb_build_object('oid', p.oid::bigint, 'signature', p.oid::regprocedure, 'digest', rustine.function_digest(p.oid))
    from pg_proc p where p.pronamespace = ${schemaOf(schema)} and not exists (select from rustine.before_image b where ${known} and b.value ->> 'place' = ${PLACE})`;
}

/** Where its row stands: another one after every change. Its comment has a row of its own. */
const PLACE = `concat_ws(' ', p.ctid, p.xmin, md5(obj_description(p.oid, 'pg_proc')))`;

const schemaOf = (schema: string): string => `${quoteLiteral(quoteIdentifier(schema))}::regnamespace`;
