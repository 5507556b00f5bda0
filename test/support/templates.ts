// Databases that are made once per server and test run and copied for each test: an environment with its folders and their logins, in a tenth of the time.
import { createHash } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import { connected, queryAt } from './connected.ts';
import { creation, servers, type TestDatabase, type TestServer, testDatabase } from './servers.ts';

/** Whether the server is that of the test run: others do not live long enough. */
export const hasTemplates = (server: TestServer): boolean => servers().some(({ url }) => url === server.url);

/**
 * A copy of what `make` leaves in a database, in which nothing tells it from one of its own: it has its own identity and its folders their own logins.
 * @param key what is made: the same for all that may have the same
 * @param make @returns name of a database to which nobody is connected
 */
export async function copyOf(server: TestServer, key: string, make: () => Promise<string>): Promise<TestDatabase> {
  const template = `template_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const database = testDatabase(server);
  await connected(server.url, async (client) => {
    const copy = creation(database.name, template);
    try {
      await client.query(copy);
    } catch (error) {
      // invalid_catalog_name: there is none yet.
      if (!(error instanceof Error && 'code' in error && error.code === '3D000')) throw error;
      await client.query(`select pg_advisory_lock(hashtext($1))`, [template]);
      const { rows } = await client.query('select from pg_database where datname = $1', [template]);
      // Named last: no half of one is ever copied.
      if (rows.length === 0) await client.query(`alter database ${escapeIdentifier(await make())} rename to ${template}`);
      await client.query('select pg_advisory_unlock_all()');
      await client.query(copy);
    }
  });
  await takeOwnIdentity(database.url, template);
  return database;
}

/** Copies share the roles of their original, which belong to the server: makes the same for the copy, and puts them in the place of those. */
export async function takeOwnIdentity(copy: string, original: string): Promise<void> {
  await queryAt(
    copy,
    `do $own$
    declare
      original record;
      place record;
      own text;
    begin
      for original in
        select r.rolname as role, r.oid, f.code, shobj_description(r.oid, 'pg_authid') as mark, s.setconfig as settings
          from rustine.folder f join pg_roles r on r.rolname = f.role_name
            left join pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = (select oid from pg_database where datname = '${original}')
      loop
        own := current_database() || '_' || lower(original.code);
        execute format('create role %I login nosuperuser nocreatedb nocreaterole noinherit', own);
        execute format('comment on role %I is %L', own,
          regexp_replace(original.mark, 'of database .*', 'of database ' || current_database()));
        for place in select split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value from unnest(original.settings) setting loop
          execute format('alter role %I in database %I set %I = %s', own, current_database(), place.name, place.value);
        end loop;
        execute format('reassign owned by %I to %I', original.role, own);
        -- Rights of any kind: what PostgreSQL has for them names roles by number, and shows them by name.
        for place in
          select c.oid::regclass as "table", a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
            where a.atttypid = 'aclitem[]'::regtype and c.relkind = 'r' and not c.relisshared and c.relnamespace = 'pg_catalog'::regnamespace
        loop
          execute format('update %1$s set %2$I = replace(%2$I::text, %3$L, %4$L)::aclitem[] where strpos(%2$I::text, %3$L) > 0',
            place."table", place.name, original.role || '=', own || '=');
        end loop;
        update pg_shdepend set refobjid = (select oid from pg_roles where rolname = own)
          where dbid = (select oid from pg_database where datname = current_database()) and refclassid = 'pg_authid'::regclass and refobjid = original.oid;
      end loop;
      update rustine.folder set role_name = current_database() || '_' || lower(code) where role_name is not null;
      update rustine.environment set id = gen_random_uuid();
    end $own$`,
  );
}
