// An environment that an earlier version made: its catalog is brought up to date when it is opened, once, and nothing of it is lost.
import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRustine } from '../../src/app/rustine.ts';
import { CATALOG_STEPS, CATALOG_VERSION } from '../../src/database/catalog-schema.ts';
import type { DictionaryElement, DictionaryRecord, ElementName } from '../../src/dictionary/element.ts';
import { identify } from '../../src/dictionary/element.ts';
import { exactDigest, fieldsToJson, meaningDigest } from '../../src/dictionary/fields.ts';
import type { PatchRecord } from '../../src/patch/format.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { connected, openEnvironment, queryAt } from '../support/environment.ts';
import { readBytes } from '../support/patch-files.ts';
import { activityCode, any, row, script, table } from '../support/patches.ts';
import type { TestServer } from '../support/servers.ts';
import { createDatabase, everyServer } from '../support/servers.ts';

const action = (title: string, own: string) =>
  any('ACT', 'ACTA', [{ tag: 'ACT', values: { ACTION: 'ACTA', INTIT: title, SPETRT: own } }]);

/** The schema of a folder as version 1 made it. */
const folderSchema = (schema: string): string => `
  create schema ${schema};
  create sequence ${schema}.rowid_seq;
  create table ${schema}.apatch (updtick_0 integer not null default 1, num_0 integer not null default 0, fic_0 varchar(255) not null default '',
    dat_0 date, usr_0 varchar(30) not null default '', patnum_0 varchar(80) not null default '', release_0 varchar(20) not null default '',
    ficrelabr_0 varchar(20) not null default '', typ_0 varchar(1) not null default '', nump_0 integer not null default 0,
    comment_0 varchar(250) not null default '', credattim_0 timestamptz, creusr_0 varchar(30) not null default '', upddattim_0 timestamptz,
    updusr_0 varchar(30) not null default '', auuid_0 uuid, rowid bigint not null default nextval('${schema}.rowid_seq'));
  create unique index apatch_apt0 on ${schema}.apatch (num_0);
  create unique index apatch_apt1 on ${schema}.apatch (fic_0);
  create table ${schema}.adosact (updtick_0 integer not null default 1, dossier_0 varchar(10) not null default '', codact_0 varchar(10) not null default '',
    intit_0 varchar(80) not null default '', module_0 smallint not null default 0, flact_0 smallint not null default 0, dime_0 integer not null default 0,
    cop_0 smallint not null default 0, credattim_0 timestamptz, creusr_0 varchar(30) not null default '', upddattim_0 timestamptz,
    updusr_0 varchar(30) not null default '', auuid_0 uuid, rowid bigint not null default nextval('${schema}.rowid_seq'));
  create unique index adosact_adoa0 on ${schema}.adosact (dossier_0, codact_0);
  insert into ${schema}.apatch (num_0, fic_0) values (1, 'FIRST.dat');`;

/** The base data types and tables of every folder. */
async function kernel(): Promise<readonly DictionaryElement[]> {
  const parts = await readBytes(readFileSync(new URL('../../kernel/kernel.dat', import.meta.url)));
  const elements: { head: ElementName & { title: string }; records: PatchRecord[] }[] = [];
  for (const part of parts) {
    if (part.part === 'element') elements.push({ head: part.element, records: [] });
    if (part.part === 'record') elements.at(-1)?.records.push(part.record);
  }
  return elements.map(({ head, records }) => identify(head, records, []));
}

/** Number of a content that is stored now or was before. */
async function store(
  client: Client,
  { activity, fields: given }: Pick<DictionaryRecord, 'activity' | 'fields'>,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into rustine.content (digest, meaning, activity, fields) values (decode($1, 'hex'), decode($2, 'hex'), $3, $4)
     on conflict (digest) do update set activity = excluded.activity returning id`,
    [exactDigest(given), meaningDigest(given), activity, fieldsToJson(given)],
  );
  return rows[0]?.id ?? '';
}

async function storeElement(client: Client, { type, name, title, records }: DictionaryElement): Promise<void> {
  await client.query(
    `insert into rustine.element (folder, type, name, title, created_by, updated_by) select id, $1, $2, $3, id, id from rustine.folder`,
    [type, name, title],
  );
  for (const record of records) {
    await client.query(
      `insert into rustine.record (folder, type, name, tag, key, position, content, created_by, updated_by)
       select id, $1, $2, $3, $4, $5, $6, id, id from rustine.folder`,
      [type, name, record.tag, record.key, record.position, await store(client, record)],
    );
  }
}

const header = (own: string): DictionaryRecord => ({
  tag: 'ACT',
  key: 'ACTA',
  position: 0,
  activity: '',
  fields: { slots: { ACTION: [{ text: 'ACTA' }], INTIT: [{ text: 'one' }], SPETRT: [{ text: own }] }, extra: [] },
});

/** X3 and SEED with what every folder has, and an action of which SEED keeps its own set-up value against a delivered one. */
async function versionOne(server: TestServer | undefined): Promise<TestEnvironment> {
  const env = await openEnvironment(server, { init: false });
  await connected(env.url, async (client) => {
    await client.query(CATALOG_STEPS[0] ?? '');
    await client.query(`
      insert into rustine.environment (version, supervisor, roles) values (1, 'X3', false);
      insert into rustine.folder (code, parent, state, schema_name, languages, created_by) values
        ('X3', null, 'ready', 'x3', '{ENG}', 'author'), ('SEED', 1, 'ready', 'seed', '{ENG}', 'author');
      insert into rustine.integration (folder, file, digest, patch_type, apatch_num, operator)
        select id, 'FIRST.dat', sha256('first'), '1', 1, 'author' from rustine.folder order by id;
      ${folderSchema('x3')} ${folderSchema('seed')}`);
    for (const element of await kernel()) await storeElement(client, element);
    await storeElement(client, { type: 'ACT', name: 'ACTA', title: 'ACT ACTA', records: [header('THEIRS')] });
    const own = await store(client, header('MINE'));
    await client.query(`update rustine.record set delivered = content, content = $1 where folder = 2 and type = 'ACT'`, [own]);
  });
  return env;
}

describe.each(everyServer())('catalog upgrade on $name', (server) => {
  test('two open it at the same time: it is upgraded once, and offers stand where they stood', async () => {
    const env = await versionOne(server);
    const other = await openRustine({ home: env.home, database: env.url, language: 'en', jobs: 2 });
    onTestFinished(() => other.close());
    const views = await Promise.all([env.rustine.folders(), other.folders()]);
    for (const view of views)
      expect(view.map(({ code, state, patches, lag }) => ({ code, state, patches, lag }))).toEqual(
        ['X3', 'SEED'].map((code) => ({ code, state: 'ready', patches: 1, lag: [] })),
      );
    expect(await env.query('select version from rustine.environment')).toEqual([{ version: CATALOG_VERSION }]);
    expect(
      await env.query(
        `select folder, fields ->> 'SPETRT' as own, delivered ->> 'SPETRT' as delivered from rustine.dictionary where type = 'ACT' order by folder desc`,
      ),
    ).toEqual([
      { folder: 'X3', own: 'THEIRS', delivered: null },
      { folder: 'SEED', own: 'MINE', delivered: 'THEIRS' },
    ]);
    expect(await env.query('select folder, scope, name, integration::integer from rustine.offer')).toEqual([
      { folder: 2, scope: 'fields', name: 'ACTA', integration: 2 },
    ]);
  });

  test('it works as one that this version made', async () => {
    const env = await versionOne(server);
    const again = await env.integrate(await env.patch('AGAIN.dat', [action('one', 'THEIRS')]));
    expect(again.folders.map((folder) => folder.patches[0]?.elements)).toMatchObject([{ identical: 1 }, { kept: 1 }]);
    await env.integrate(
      await env.patch('MORE.dat', [
        action('two', 'MINE'),
        activityCode('ABC'),
        table('ITEM', 'ITM', { COD: 'A:5' }, { ITM0: 'COD' }),
        row('ITM', 'all', { COD: 'A' }),
        script('PLAIN', '# hello'),
      ]),
    );
    expect(
      await env.query(
        `select folder, fields ->> 'INTIT' as title, fields ->> 'SPETRT' as own, delivered ->> 'SPETRT' as delivered from rustine.dictionary where type = 'ACT' order by 1`,
      ),
    ).toEqual([
      { folder: 'SEED', title: 'two', own: 'MINE', delivered: null },
      { folder: 'X3', title: 'two', own: 'THEIRS', delivered: 'MINE' },
    ]);
    expect(await env.query('select cod_0 from seed.item')).toEqual([{ cod_0: 'A' }]);
    expect(await env.query('select fic_0 from seed.apatch order by num_0')).toEqual(
      ['FIRST.dat', 'AGAIN.dat', 'MORE.dat'].map((fic_0) => ({ fic_0 })),
    );
    // What was integrated before is not remembered, and that is said.
    const { element, notRemembered } = await env.rustine.history({ element: 'ACT:ACTA' });
    expect(element?.versions.map(({ file, folders }) => [file, folders.map(({ folder }) => folder)])).toEqual([
      ['MORE.dat', ['SEED', 'X3']],
    ]);
    expect(notRemembered).toEqual(['FIRST.dat']);
    await env.folders(['LATER']);
    expect((await env.rustine.folders()).map(({ code, patches }) => [code, patches])).toEqual([
      ['X3', 3],
      ['LATER', 2],
      ['SEED', 3],
    ]);
  });

  test('R3: a further server that an earlier version made is brought up to date with the environment', async () => {
    const { url: north, drop } = await createDatabase(server);
    onTestFinished(drop);
    const env = await openEnvironment(server, { init: false, settings: { servers: { NORTH: north } } });
    const before = `${CATALOG_STEPS.slice(0, 3).join('\n')} insert into rustine.environment (version, supervisor, roles) values (3, 'X3', false);`;
    await env.query(before);
    await env.query(`insert into rustine.server (name, url, added_by) values ('NORTH', '${north}', 'author')`);
    const [own] = await env.query<{ id: string }>('select id from rustine.environment');
    await queryAt(north, before);
    await queryAt(north, `update rustine.environment set member_of = '${own?.id}', server_name = 'NORTH'`);
    expect(await env.rustine.folders()).toEqual([]);
    expect(await env.rustine.server('NORTH')).toMatchObject({ name: 'NORTH', folders: [] });
    const version = 'select version from rustine.environment';
    expect([await env.query(version), await queryAt(north, version)]).toEqual([
      [{ version: CATALOG_VERSION }],
      [{ version: CATALOG_VERSION }],
    ]);
  });

  test('a catalog that a newer version made is refused by every verb, and left alone', async () => {
    const env = await openEnvironment(server);
    await env.query('update rustine.environment set version = $1', [CATALOG_VERSION + 1]);
    const patch = await env.patch('A.dat', [script('PLAIN', '# hello')]);
    for (const verb of [
      () => env.rustine.folders(),
      () => env.rustine.createFolders(['SEED'], {}),
      () => env.rustine.integrate({ paths: [patch], mode: 'integrate' }),
    ]) {
      await expect(verb()).rejects.toMatchObject({
        code: 'catalog-newer',
        facts: { found: CATALOG_VERSION + 1, known: CATALOG_VERSION },
      });
    }
    expect(await env.query('select version from rustine.environment')).toEqual([{ version: CATALOG_VERSION + 1 }]);
    expect(await env.query('select count(*)::integer as runs from rustine.run')).toEqual([{ runs: 0 }]);
  });
});
