// Puts the functions of a folder's schema back as they were before the scripts of a patch.
import type { Session } from '../database/database.ts';
import { quoteLiteral, sql } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';
import type { FunctionImage, FunctionLeft } from './function-images.ts';
import { scriptRights } from './sql-scripts.ts';

export interface Functions {
  /** Replaced or dropped by the patch: as they were. */
  readonly before: readonly FunctionImage[];
  /** Signatures of those that it made. */
  readonly made: readonly string[];
}

export async function readFunctions(session: Session, integration: string): Promise<Functions> {
  const [images] = await session.query<{ before: readonly FunctionImage[]; left: readonly FunctionLeft[] }>(sql`
    select coalesce(json_agg(value order by ordinal) filter (where relation = 'function'), '[]') as before,
      coalesce(json_agg(value order by ordinal) filter (where relation = 'function after'), '[]') as left
    from rustine.before_image where integration = ${integration}::bigint and relation in ('function', 'function after')`);
  const { before = [], left = [] } = images ?? {};
  const old = new Set(before.map(({ signature }) => signature));
  return { before, made: left.flatMap(({ signature }) => (old.has(signature) ? [] : [signature])) };
}

/** @throws what PostgreSQL says (2BP01) where something else uses one */
export async function dropNewFunctions(session: Session, folder: FolderSettings, { made }: Functions): Promise<void> {
  if (made.length > 0) await inFolder(session, folder, [`drop routine if exists ${made.join(', ')}`]);
}

/**
 * One that was replaced is replaced again, so that what uses it stays; where its parameters do not allow that it is dropped and made.
 * @throws what PostgreSQL says (2BP01) where something else uses one that has to go for that
 */
export async function restoreFunctions(session: Session, folder: FolderSettings, { before }: Functions): Promise<void> {
  if (before.length === 0) return;
  // The one may call the other: texts are not looked into, they were all there together.
  await inFolder(session, folder, ['set local check_function_bodies = off', ...before.flatMap(restoreStatements)]);
  await session.script('reset check_function_bodies');
}

/** With the rights that a script of the folder has. */
async function inFolder(session: Session, folder: FolderSettings, statements: readonly string[]): Promise<void> {
  const { open, close } = scriptRights(folder);
  await session.script([...open, ...statements, ...close].join(';\n'));
}

/** Signatures, owners and texts are as PostgreSQL wrote them, quoted where they have to be. */
function restoreStatements({ signature, text, owner, rights, comment }: FunctionImage): readonly string[] {
  if (text === null) return [];
  const block = `begin
      begin
        execute ${quoteLiteral(text)};
      -- Another result, other names or defaults of parameters: no replacing can do that.
      exception when invalid_function_definition or wrong_object_type then
        execute ${quoteLiteral(`drop routine ${signature}`)};
        execute ${quoteLiteral(text)};
      end;
      execute ${quoteLiteral(`alter routine ${signature} owner to ${owner}`)};
    end`;
  return [
    `do ${quoteLiteral(block)}`,
    `comment on routine ${signature} is ${comment === null ? 'null' : quoteLiteral(comment)}`,
    ...rightsStatements(signature, owner, rights),
  ];
}

/** All that anybody has goes, and what was given comes back; a function without rights of its own has those of every new one. */
function rightsStatements(signature: string, owner: string, rights: FunctionImage['rights']): readonly string[] {
  const given = rights ?? [
    { grantee: 'public', grantable: false },
    { grantee: owner, grantable: false },
  ];
  const grants = given.map(
    ({ grantee, grantable }) =>
      `execute ${quoteLiteral(`grant execute on routine ${signature} to ${grantee}${grantable ? ' with grant option' : ''}`)};`,
  );
  const routine = `${quoteLiteral(signature)}::regprocedure`;
  const block = `declare grantee text; begin
      if ${rights === null} and (select proacl is null from pg_proc where oid = ${routine}) then return; end if;
      for grantee in select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
        from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where p.oid = ${routine}
      loop execute 'revoke all on routine ' || ${quoteLiteral(signature)} || ' from ' || grantee || ' cascade'; end loop;
      ${grants.join(' ')}
    end`;
  return [`do ${quoteLiteral(block)}`];
}
