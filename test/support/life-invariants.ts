// What holds in an environment after whatever step: nothing half done, APATCH and catalog agree, the chain is whole, tables are as the dictionary says.
import { expect } from 'vitest';
import { openPostgres } from '../../src/database/postgres.ts';
import { readFolders } from '../../src/environment/catalog.ts';
import { settingsOf } from '../../src/integrate/settings.ts';
import { planValidation } from '../../src/plan/validation-plan.ts';
import { leftovers } from './crash.ts';
import type { Later, TestEnvironment } from './environment.ts';
import { Life } from './life.ts';
import { differences } from './life-differences.ts';
import type { Step } from './life-steps.ts';

/** Lives it, with all that must hold after each step, and compares its end with the plain replay. @param made makes an environment as lives begin with */
export async function expectLife(steps: readonly Step[], made: (later: Later) => Promise<TestEnvironment>): Promise<void> {
  const cleanUp: (() => Promise<void>)[] = [];
  const later: Later = (work) => void cleanUp.unshift(work);
  try {
    const life = new Life(await made(later));
    for (const [at, step] of steps.entries()) {
      await life.take(step, at);
      expect(await checkInvariants(life)).toEqual([]);
    }
    expect(await verified(life.env)).toEqual([]);
    const again = await life.replay(await made(later));
    expect(await differences(life, again)).toEqual({});
  } finally {
    for (const work of cleanUp) await work();
  }
}

/** Folders that are due wait for what validation brings them. @returns what `status --verify` finds in the others */
export async function verified({ rustine }: TestEnvironment): Promise<readonly string[]> {
  const due = new Set((await rustine.folders()).flatMap((folder) => (folder.due ? [folder.code] : [])));
  const { differences: found } = await rustine.verify({});
  return found.flatMap(({ code, severity, subject, facts, folders }) =>
    folders.flatMap(({ folder }) =>
      severity === 'info' || due.has(folder) ? [] : [`${folder} ${code} ${subject} ${JSON.stringify(facts)}`],
    ),
  );
}

/** @returns what does not hold, as text */
async function checkInvariants(life: Life): Promise<readonly string[]> {
  const parts = await Promise.all([
    leftovers(life.env.url),
    chain(life),
    apatch(life),
    logins(life),
    tables(life),
    userRows(life),
  ]);
  return parts.flat();
}

/** Each row's hash is that of what stands there, and of the row before. */
async function chain({ env }: Life): Promise<readonly string[]> {
  const rows = await env.query<{ line: string }>(`
    with chained as (
      select f.code, i.id, i.previous, i.hash, rustine.integration_hash(i, f.code) as now, lag(i.hash) over (partition by f.id order by i.id) as before,
        row_number() over (partition by f.id order by i.id desc) as place, f.chain
      from rustine.integration i join rustine.folder f on f.id = i.folder)
    select concat_ws(' ', 'chain', code, id) as line from chained
    where hash is distinct from now or previous is distinct from before or (place = 1 and chain is distinct from hash)`);
  return rows.map(({ line }) => line);
}

/** A file has a row in APATCH where it counts, and nowhere else. */
async function apatch({ env }: Life): Promise<readonly string[]> {
  const folders = await env.query<{ id: number; code: string; schema: string }>(
    `select id, code, schema_name as schema from rustine.folder where state in ('ready', 'locked')`,
  );
  const lines = await Promise.all(
    folders.map(async ({ id, code, schema }) => {
      const rows = await env.query<{ file: string }>(
        `select coalesce(a.fic_0, i.file) as file from ${schema}.apatch a
         full join (select distinct file from rustine.integrated where folder = $1 and apatch_num is not null) i on i.file = a.fic_0
         where a.fic_0 is null or i.file is null`,
        [id],
      );
      return rows.map(({ file }) => `apatch ${code} ${file}`);
    }),
  );
  return lines.flat();
}

/** Who is not locked out may come in. */
async function logins({ env }: Life): Promise<readonly string[]> {
  const rows = await env.query<{ code: string }>(`
    select f.code from rustine.folder f join pg_roles r on r.rolname = f.role_name where f.state <> 'locked' and (r.rolconnlimit = 0 or not r.rolcanlogin)`);
  return rows.map(({ code }) => `login ${code}`);
}

/** Tables of a folder that is not due are what its dictionary, codes and modules say. */
async function tables({ env }: Life): Promise<readonly string[]> {
  const database = await openPostgres(env.url, 1);
  try {
    return await database.transaction(async (session) => {
      const lines: string[] = [];
      for (const folder of await readFolders(session)) {
        if (folder.due.length > 0) continue;
        const plan = await planValidation(session, settingsOf(folder));
        lines.push(...plan.tables.map((change) => `tables ${folder.code} ${JSON.stringify(change).slice(0, 300)}`));
      }
      return lines;
    }, 'rollback');
  } finally {
    await database.close();
  }
}

/** Rows that people wrote are in their table, or were put aside. */
async function userRows({ env, done }: Life): Promise<readonly string[]> {
  const written = done.flatMap(({ step, key }) =>
    step.kind === 'rows' && key !== undefined ? [{ code: step.folder, key }] : [],
  );
  const lines = await Promise.all(
    written.map(async ({ code, key }) => {
      const schema = code.toLowerCase();
      const [there] = await env.query<{ table: boolean }>(`select to_regclass($1) is not null as table`, [`${schema}.t1`]);
      const rows = there?.table === true ? await env.query(`select from ${schema}.t1 where key_0 = $1`, [key]) : [];
      if (rows.length > 0) return [];
      const aside = await env.query(
        `select from rustine.kept k join rustine.kept_row r on r.kept = k.id join rustine.folder f on f.id = k.folder
         where f.code = $1 and k.table_name = 't1' and r.value ->> 'key_0' = $2`,
        [code, key],
      );
      return aside.length > 0 ? [] : [`row ${code} ${key}`];
    }),
  );
  return lines.flat();
}
