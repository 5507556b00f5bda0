// Validation as a run: steps in the trace, single user, several folders at once; what fails locks its folder, until a validation or a person unlocks it.
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/journal/journal.ts';
import { itemHolder, openEnvironment, queryAt, type TestEnvironment } from '../support/environment.ts';
import { activityCode, any, bare, table, texts } from '../support/patches.ts';
import { everyServer, oneServer } from '../support/servers.ts';
import { reopened, statesOf, twoServers } from '../support/two-servers.ts';

const item = table('ITEM', 'ITM', { COD: 'A:5', QTY: { type: 'C', slots: 2, activity: 'NBQ' } }, { ITM0: 'COD' });

/** Folders that are due: a patch gave the array of a table another size. */
async function dueFolders(env: TestEnvironment): Promise<void> {
  await env.integrate(await env.patch('ONE.dat', [activityCode('NBQ', { size: 2 }), item]));
  await env.integrate(await env.patch('TWO.dat', [activityCode('NBQ', { size: 3 })]));
}

/** A column that somebody changed by hand, with a value that does not fit any more. */
const spoil = (env: TestEnvironment, folder: string) =>
  env.query(
    `alter table ${folder}.item alter column qty_0 type integer; insert into ${folder}.item (cod_0, qty_0) values ('A', 70000)`,
  );

const states = (outcome: { readonly folders: readonly { readonly folder: string; readonly state: string }[] }) =>
  outcome.folders.map(({ folder, state }) => `${folder} ${state}`);
const locked = async (env: TestEnvironment) =>
  (await env.query<{ code: string }>(`select code from rustine.folder where state = 'locked' order by 1`)).map(
    ({ code }) => code,
  );
const columns = (env: TestEnvironment, folder: string) =>
  env.query(
    `select attname::text from pg_attribute where attrelid = '${folder}.item'::regclass and attnum > 0 and not attisdropped order by 1`,
  );

/** SQLSTATE that a login gets; undefined: it comes in. */
async function refusal(url: string): Promise<string | undefined> {
  return queryAt(url, 'select 1').then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}
const TOO_MANY = '53300';

describe.each(everyServer())('validation as a run on $name', (server) => {
  test('R35: a validation that fails locks the folder with the reason: nobody comes in, nothing else is done there, and validating again unlocks it', async () => {
    const env = await openEnvironment(server, { folders: ['GOOD', 'BAD'] });
    await dueFolders(env);
    await spoil(env, 'bad');
    const login = await env.rustine.databaseUrl('BAD');
    const before = await columns(env, 'bad');
    const outcome = await env.rustine.validate({});
    expect([outcome.state, ...states(outcome)]).toEqual(['partial', 'X3 validated', 'BAD failed', 'GOOD validated']);
    expect(outcome.folders[1]).toMatchObject({
      locked: true,
      reason: { code: 'blocked', facts: { codes: ['values-do-not-fit'] } },
    });
    // As before, and locked, with the reason wherever the folder is shown.
    expect(await columns(env, 'bad')).toEqual(before);
    expect(await env.rustine.folder('BAD')).toMatchObject({
      state: 'locked',
      due: true,
      locked: { run: outcome.run, code: 'values-do-not-fit', facts: { field: 'qty_0', subject: 'ATB:ITEM' } },
    });
    expect([await refusal(login), await refusal(await env.rustine.databaseUrl('GOOD'))]).toEqual([TOO_MANY, undefined]);
    // Neither the next command nor recovery lets anybody in.
    await env.rustine.recover();
    expect([await locked(env), await refusal(login)]).toEqual([['BAD'], TOO_MANY]);
    const refused = { code: 'folder-locked', facts: { folder: 'BAD', command: 'rustine validate BAD' } };
    const path = await env.patch('THREE.dat', [table('MORE', 'MOR', { COD: 'A:5' }, { MOR0: 'COD' })]);
    const integration = await env.rustine.integrate({ paths: [path], mode: 'integrate', folders: ['X3', 'BAD'] });
    expect([integration.state, integration.findings.filter(({ severity }) => severity === 'block')]).toMatchObject([
      'refused',
      [{ ...refused, severity: 'block', folder: 'BAD' }],
    ]);
    const back = await env.rustine.revert({ file: 'TWO.dat', folders: ['BAD'] });
    expect([back.state, back.findings.map(({ code }) => code)]).toEqual(['refused', ['folder-locked']]);
    const set = { element: 'ATB:ITEM', folder: 'BAD', assignments: [{ field: 'CODACT', value: 'X' }] };
    await expect(env.rustine.setElement(set)).rejects.toMatchObject(refused);
    await expect(env.rustine.databaseUrl('BAD')).rejects.toMatchObject(refused);
    await expect(env.rustine.createFolders(['CHILD'], { parent: 'BAD' })).rejects.toMatchObject(refused);
    // A preview of it changes nothing of that.
    expect(states(await env.rustine.validate({ folders: ['BAD'], preview: true }))).toEqual(['BAD failed']);
    expect(await locked(env)).toEqual(['BAD']);
    await env.query('update bad.item set qty_0 = 5');
    const again = await env.rustine.validate({});
    expect([again.state, ...states(again)]).toEqual(['done', 'BAD validated']);
    expect([await locked(env), await refusal(login), (await env.rustine.folder('BAD')).locked]).toEqual([
      [],
      undefined,
      undefined,
    ]);
    const log = await env.rustine.log(again.run);
    expect(log.filter(({ kind }) => kind === 'folder-unlocked')).toMatchObject([{ folder: 'BAD' }]);
  });

  test('R12: who is connected to a folder keeps it from being validated, by name; --disconnect ends the session; nothing is locked for it', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await dueFolders(env);
    const client = new Client({ connectionString: await env.rustine.databaseUrl('SEED'), application_name: 'screens' });
    const ended = new Promise((done) => client.on('error', done));
    onTestFinished(() => client.end().catch(() => undefined));
    await client.connect();
    const refused = await env.rustine.validate({ folders: ['SEED'] });
    expect([refused.state, states(refused), refused.findings]).toMatchObject([
      'refused',
      ['SEED skipped'],
      [{ code: 'sessions-active', severity: 'block', folder: 'SEED', facts: { applications: ['screens'] } }],
    ]);
    expect(await env.query('select * from rustine.shut_login')).toEqual([]);
    expect(states(await env.rustine.validate({ folders: ['SEED'], disconnect: true }))).toEqual(['SEED validated']);
    await ended;
    expect([await locked(env), await env.query('select * from rustine.shut_login')]).toEqual([[], []]);
  });
});

describe.each(oneServer())('validation as a run on $name', (server) => {
  test('R35: every step of every folder is told while it goes, and is in the trace; those of a folder are there with what it did', async () => {
    const env = await openEnvironment(server, { folders: ['GOOD', 'BAD'] });
    await dueFolders(env);
    await spoil(env, 'bad');
    const heard: RunEvent[] = [];
    const { run } = await env.rustine.validate({ listener: (event) => heard.push(event) });
    const log = await env.rustine.log(run);
    expect(log.map(({ seq }) => seq)).toEqual([...new Set(log.map(({ seq }) => seq))].sort((a, b) => a - b));
    const steps = (folder: string) =>
      log.flatMap((entry) =>
        entry.kind === 'step-finished' && entry.folder === folder ? [[entry.outcome.step, entry.outcome.state]] : [],
      );
    expect(steps('GOOD').slice(0, 2)).toEqual([
      ['controls', 'done'],
      ['single-user', 'done'],
    ]);
    expect(steps('GOOD')).toContainEqual(['tables', 'done']);
    // After a failure it is told where: what was done before it is rolled back.
    expect(steps('BAD').at(-1)).toEqual(['tables', 'failed']);
    expect(log.find((entry) => entry.kind === 'folder-locked')).toMatchObject({
      folder: 'BAD',
      reason: { code: 'values-do-not-fit' },
    });
    const started = heard.flatMap((event) => (event.kind === 'step-started' ? [`${event.folder} ${event.step}`] : []));
    expect(started).toContain('GOOD tables');
    expect(log.some(({ kind }) => kind === 'step-started')).toBe(false);
    // As every run: its folders are rows that anybody can watch.
    const progress = await env.query(
      `select mode, run_state, folder, wave, state, outcome ->> 'state' as outcome from rustine.run_progress where run = '${run}' order by wave, folder`,
    );
    expect(progress).toEqual([
      { mode: 'validate', run_state: 'partial', folder: 'X3', wave: 0, state: 'validated', outcome: 'validated' },
      { mode: 'validate', run_state: 'partial', folder: 'BAD', wave: 1, state: 'failed', outcome: 'failed' },
      { mode: 'validate', run_state: 'partial', folder: 'GOOD', wave: 1, state: 'validated', outcome: 'validated' },
    ]);
    expect((await env.rustine.latestRuns(1))[0]).toMatchObject({ run, mode: 'validate', state: 'partial' });
  });

  test('R35: a preview says what would change, and changes nothing; validating then does just that', async () => {
    const env = await openEnvironment(server, { folders: ['SEED'] });
    await dueFolders(env);
    const before = [await columns(env, 'seed'), await env.query('select code, state, due from rustine.folder order by 1')];
    const preview = await env.rustine.validate({ folders: ['SEED'], preview: true, differences: true });
    expect([preview.mode, preview.state, ...states(preview)]).toEqual(['validate-rehearse', 'done', 'SEED validated']);
    expect([await columns(env, 'seed'), await env.query('select code, state, due from rustine.folder order by 1')]).toEqual(
      before,
    );
    const real = await env.rustine.validate({ folders: ['SEED'], differences: true });
    const what = ({ folders }: typeof real) =>
      folders.map(({ ms: _, steps, ...rest }) => [rest, steps.map(({ step, state, counts }) => [step, state, counts])]);
    expect(what(real)).toEqual(what(preview));
    // What changed one by one is for who asked: not in the row that everybody reads.
    const [row] = await env.query<{ outcome: object }>(`select outcome from rustine.run_folder where run = '${real.run}'`);
    expect(Object.keys(row?.outcome ?? {})).not.toContain('differences');
    // Hundreds of folders with the same differences hold them once.
    await env.folders(['SAME', 'ALIKE']);
    await env.integrate(await env.patch('THREE.dat', [activityCode('NEW')]), { folders: ['X3'] });
    const { folders } = await env.rustine.validate({ folders: ['SAME', 'ALIKE'], differences: true });
    const [one, other] = folders.map(({ differences }) => differences?.elements);
    expect(one).toMatchObject([{ name: 'NEW', change: 'created' }]);
    expect(other).toBe(one);
    // Fields are told as people read them, digit by digit; of a line that keeps a field, what follows in others is another thing.
    const price = (script: string, label: string, rate: string) =>
      any('ACT', 'PRICE', [
        {
          tag: 'ACT',
          values: { CODINT: 'PRICE', INTACT: texts({ ENG: label, FRA: 'Prix' }), RATE: ['A', bare(rate)], SPETRT: script },
        },
      ]);
    await env.integrate(await env.patch('FOUR.dat', [price('SPEPRI', 'Price', '1.50')]));
    await env.rustine.setElement({ element: 'ACT:PRICE', folder: 'SAME', assignments: [{ field: 'SPETRT', value: 'OWN' }] });
    await env.integrate(await env.patch('FIVE.dat', [price('SPEPR2', 'New', '1.5')]), { folders: ['X3'] });
    const same = await env.rustine.validate({ folders: ['SAME'], preview: true, differences: true });
    expect(same.folders.flatMap(({ differences }) => differences?.elements.map(({ records }) => records))).toEqual([
      [
        { tag: 'ACT', key: 'PRICE', change: 'kept', fields: [{ field: 'SPETRT', before: 'OWN', after: 'SPEPR2' }] },
        {
          tag: 'ACT',
          key: 'PRICE',
          change: 'updated',
          fields: [
            { field: 'INTACT', before: 'ENG Price · FRA Prix', after: 'ENG New · FRA Prix' },
            { field: 'RATE[1]', before: '1.50', after: '1.5' },
          ],
        },
      ],
    ]);
  });

  test('R35: somebody who knows why unlocks a folder with a reason, which is kept; it stays due', async () => {
    const env = await openEnvironment(server, { folders: ['BAD'] });
    await dueFolders(env);
    await spoil(env, 'bad');
    const login = await env.rustine.databaseUrl('BAD');
    await env.rustine.validate({ folders: ['BAD'] });
    // What the validation failed of may be a setting.
    expect((await env.rustine.setFolder('BAD', { modules: [1] })).folder.state).toBe('locked');
    expect(await env.rustine.unlockFolder('bad', 'month-end first')).toMatchObject({ state: 'ready', due: true });
    expect(await refusal(login)).toBeUndefined();
    expect(await env.query(`select kind, forced, operator <> '' as named from rustine.integration where forced <> '{}'`)).toEqual(
      [{ kind: 'set', forced: { 'folder-locked': 'month-end first' }, named: true }],
    );
    await expect(env.rustine.unlockFolder('BAD', 'again')).rejects.toMatchObject({ code: 'folder-not-locked' });
    await env.rustine.validate({ folders: ['BAD'] });
    // R36: a history folder that is level with its live folder is so still.
    const history = async () => (await env.rustine.folder('HIST')).reasons;
    await env.rustine.unlockFolder('BAD', 'a history folder is to be made');
    await env.rustine.createFolders(['HIST'], { historyOf: 'BAD' });
    await env.rustine.validate({ folders: ['BAD'] });
    await env.rustine.unlockFolder('BAD', 'later');
    expect(await history()).toEqual([]);
    await env.integrate(await env.patch('THREE.dat', [activityCode('NEW')]), { folders: ['BAD'] });
    await env.rustine.validate({ folders: ['BAD'] });
    await env.rustine.unlockFolder('BAD', 'later still');
    expect(await history()).toEqual(['live-folder:BAD:patch:THREE.dat']);
    await env.rustine.dropFolder('HIST');
    await env.rustine.validate({ folders: ['BAD'] });
    await env.rustine.dropFolder('BAD');
    expect(await env.query('select * from rustine.shut_login')).toEqual([]);
  });

  test('R31, R35: a lock that somebody holds is waited for, the others go on; what is held to the end fails its folder and locks nothing', async () => {
    const env = await openEnvironment(server, { folders: ['BUSY', 'FREE'] });
    await dueFolders(env);
    const holder = await itemHolder(env, 'busy');
    const first = await env.rustine.validate({ folders: ['BUSY', 'FREE'], lockTimeoutMs: 400 });
    expect([first.state, ...states(first)]).toEqual(['partial', 'BUSY failed', 'FREE validated']);
    expect([first.folders[0]?.reason?.code, await locked(env)]).toEqual(['lock-timeout', []]);
    const heard: string[] = [];
    const second = env.rustine.validate({
      folders: ['BUSY'],
      listener: (event) => {
        heard.push(event.kind);
        if (event.kind === 'folder-postponed') void holder.query('commit');
      },
    });
    expect(states(await second)).toEqual(['BUSY validated']);
    expect(heard).toContain('folder-postponed');
  });

  test('R35: what a folder follows comes before it; what could not be validated keeps those below it, and is told with the command', async () => {
    const env = await openEnvironment(server, { folders: ['MID', 'SIDE'] });
    await env.folders(['LOW'], { parent: 'MID' });
    await dueFolders(env);
    await spoil(env, 'mid');
    const outcome = await env.rustine.validate({});
    expect([outcome.state, ...states(outcome)]).toEqual([
      'partial',
      'X3 validated',
      'MID failed',
      'SIDE validated',
      'LOW skipped',
    ]);
    const below = { code: 'parent-not-validated', folder: 'LOW', facts: { command: 'rustine validate MID LOW' } };
    expect(outcome.findings).toContainEqual(expect.objectContaining({ ...below, facts: expect.objectContaining(below.facts) }));
    const alone = await env.rustine.validate({ folders: ['LOW'] });
    expect([alone.state, alone.findings]).toMatchObject([
      'refused',
      [{ code: 'parent-not-ready', severity: 'block', folder: 'LOW', facts: { parent: 'MID', state: 'locked' } }],
    ]);
    expect(await locked(env)).toEqual(['MID']);
  });

  test('R35: below a folder that lags itself nothing is validated; both together are', async () => {
    const env = await openEnvironment(server, { folders: ['MID'] });
    await env.folders(['LOW', 'SIDE'], { parent: 'MID' });
    await env.folders(['DEEP'], { parent: 'LOW' });
    const due = ['DEEP', 'LOW', 'MID', 'SIDE'];
    await env.integrate(await env.patch('ONE.dat', [item]), { folders: ['X3'] });
    const alone = await env.rustine.validate({ folders: ['LOW'] });
    expect([alone.state, alone.findings]).toMatchObject([
      'refused',
      [{ code: 'parent-lags', folder: 'LOW', facts: { parent: 'MID', files: ['ONE.dat'], command: 'rustine validate MID LOW' } }],
    ]);
    // A preview shows below each folder what comes once that one has what it would get.
    const preview = async () => {
      const outcome = await env.rustine.validate({ folders: due, preview: true });
      return [
        outcome.state,
        ...outcome.folders.map(({ folder, state, tables }) => [folder, state, tables.created, tables.altered]),
      ];
    };
    // Such a large patch: how much room there is only the server's machine can say.
    await env.query(`update rustine.patch set bytes = 1073741824`);
    const large = await env.rustine.validate({ folders: due, preview: true });
    const room = { expected: 10 * 1024 };
    expect(large.findings).toMatchObject([{ code: 'disk-unknown', severity: 'info', facts: room }]);
    await env.query(`update rustine.patch set bytes = 1000`);
    expect(await preview()).toEqual([
      'done',
      ...['MID', 'LOW', 'SIDE', 'DEEP'].map((folder) => [folder, 'validated', ['item'], []]),
    ]);
    expect(await env.query(`select from pg_class where relname = 'item' and relkind = 'r'`)).toHaveLength(1);
    const all = ['MID validated', 'LOW validated', 'SIDE validated', 'DEEP validated'];
    expect(states(await env.rustine.validate({ folders: due }))).toEqual(all);
    // Also what it would fail of then.
    const narrow = table('ITEM', 'ITM', { COD: 'A:3', QTY: { type: 'C', slots: 2, activity: 'NBQ' } }, { ITM0: 'COD' });
    await env.integrate(await env.patch('TWO.dat', [narrow]), { folders: ['X3'] });
    await env.query(`insert into low.item (cod_0) values ('12345')`);
    expect(await preview()).toEqual([
      'partial',
      ['MID', 'validated', [], ['item']],
      ['LOW', 'failed', [], []],
      ['SIDE', 'validated', [], ['item']],
      ['DEEP', 'skipped', [], []],
    ]);
    expect(await locked(env)).toEqual([]);
    const done = ['MID validated', 'LOW failed', 'SIDE validated', 'DEEP skipped'];
    expect(states(await env.rustine.validate({ folders: due }))).toEqual(done);
    expect(await locked(env)).toEqual(['LOW']);
  });

  test('a run that is cancelled, or stops at its first failure, leaves folders out and locks none of them', async () => {
    const env = await openEnvironment(server, { folders: ['A1', 'A2', 'A3'], jobs: 1 });
    await dueFolders(env);
    const stop = new AbortController();
    const cancelled = await env.rustine.validate({
      cancel: stop.signal,
      listener: (event) => {
        if (event.kind === 'folder-finished' && event.folder === 'A1') stop.abort();
      },
    });
    expect([cancelled.state, ...states(cancelled)]).toEqual([
      'cancelled',
      'X3 validated',
      'A1 validated',
      'A2 cancelled',
      'A3 cancelled',
    ]);
    await spoil(env, 'a2');
    const stopped = await env.rustine.validate({ onError: 'stop' });
    expect([stopped.state, ...states(stopped)]).toEqual(['failed', 'A2 failed', 'A3 skipped']);
    expect([await locked(env), await env.query('select folder from rustine.shut_login')]).toEqual([['A2'], [{ folder: 'A2' }]]);
    await env.query('update a2.item set qty_0 = 5');
    expect(states(await env.rustine.validate({}))).toEqual(['A2 validated', 'A3 validated']);
  });
});

describe.each(oneServer())('validation over two servers: $name', (server) => {
  test('R35: one run, all servers at the same time: what follows a folder here waits for it; a failure there locks there, and the next one continues', async () => {
    const env = await twoServers(server, server);
    await env.folders(['AWAY'], { parent: 'LOC', server: 'NORTH' });
    await dueFolders(env);
    // Cancelled before the other server has begun, and after: nobody is forgotten.
    const cancelledAt = async (moment: (event: RunEvent) => boolean) => {
      const stop = new AbortController();
      const told: string[] = [];
      const { run, ...ended } = await env.rustine.validate({
        cancel: stop.signal,
        listener: (event) => {
          if (event.kind === 'folder-finished') told.push(event.folder);
          if (moment(event)) stop.abort();
        },
      });
      const shown = (await env.rustine.runs.show(run)).folders;
      expect([ended.state, told.toSorted(), statesOf({ folders: shown })]).toEqual([
        'cancelled',
        ['AWAY', 'FAR', 'LOC', 'X3'],
        statesOf(ended),
      ]);
      return statesOf(ended);
    };
    const none = { LOC: 'cancelled', AWAY: 'cancelled', FAR: 'cancelled' };
    expect(await cancelledAt(({ kind }) => kind === 'run-started')).toEqual({ X3: 'cancelled', ...none });
    expect(await cancelledAt((event) => event.kind === 'folder-finished' && event.folder === 'X3')).toEqual({
      X3: 'validated',
      ...none,
    });
    await spoil(env, 'loc');
    await env.at(`alter table far.item alter column qty_0 type integer; insert into far.item (cod_0, qty_0) values ('A', 70000)`);
    const outcome = await env.rustine.validate({});
    expect([outcome.state, statesOf(outcome)]).toEqual(['failed', { LOC: 'failed', AWAY: 'skipped', FAR: 'failed' }]);
    expect(outcome.findings.filter(({ code }) => code === 'parent-not-validated')).toMatchObject([
      { folder: 'AWAY', facts: { parent: 'LOC', command: 'rustine validate LOC AWAY' } },
    ]);
    expect(await env.rustine.folder('FAR')).toMatchObject({
      state: 'locked',
      locked: { run: outcome.run, code: 'values-do-not-fit' },
    });
    // The same number on both, and one trace of all. The mirror of X3, which was through before, is brought in line now.
    expect(await env.at(`select id, mode, state from rustine.run where id = '${outcome.run}'`)).toEqual([
      { id: outcome.run, mode: 'validate', state: 'partial' },
    ]);
    const log = await env.rustine.log(outcome.run);
    const ended = log.flatMap((entry) => (entry.kind === 'folder-finished' ? [entry.folder] : []));
    expect(ended.toSorted()).toEqual(['AWAY', 'FAR', 'LOC']);
    expect(statesOf(await env.rustine.runs.show(outcome.run))).toEqual(statesOf(outcome));
    const path = await env.patch('THREE.dat', [table('MORE', 'MOR', { COD: 'A:5' }, { MOR0: 'COD' })]);
    const refused = await env.rustine.integrate({ paths: [path], mode: 'integrate' });
    expect([refused.state, refused.findings.filter(({ severity }) => severity === 'block').map(({ code }) => code)]).toEqual([
      'refused',
      ['folder-locked', 'folder-locked'],
    ]);
    expect(await env.query('select * from rustine.left_elsewhere')).toEqual([]);
    await env.at('update far.item set qty_0 = 5');
    await env.query('update loc.item set qty_0 = 5');
    // Who holds a folder here keeps none elsewhere but those that follow it.
    const holder = await itemHolder(env, 'loc');
    const order: string[] = [];
    const listener = (event: RunEvent): void => {
      if (event.kind !== 'folder-finished') return;
      order.push(event.folder);
      if (event.folder === 'FAR') void holder.query('commit');
    };
    const all = { LOC: 'validated', AWAY: 'validated', FAR: 'validated' };
    expect([statesOf(await env.rustine.validate({ jobs: 1, listener })), order]).toEqual([all, ['FAR', 'LOC', 'AWAY']]);
    expect(await env.at('select code from rustine.folder where mirror and due <> array[]::text[]')).toEqual([]);
    expect(await env.at('select * from rustine.shut_login')).toEqual([]);
    // One that does not answer fails its own folders only, and locks none.
    await env.rustine.setFolder('LOC', { modules: [1] });
    await env.rustine.setFolder('FAR', { modules: [1] });
    await env.proxy.close();
    const silent = await reopened(env, { NORTH: env.proxy.url });
    const half = await silent.validate({ folders: ['LOC', 'FAR'] });
    expect([half.state, statesOf(half)]).toEqual(['partial', { LOC: 'unchanged', FAR: 'failed' }]);
    expect(half.findings.filter(({ severity }) => severity === 'block').map(({ code }) => code)).toEqual(['server-unreachable']);
    expect(await env.at(`select code from rustine.folder where state = 'locked'`)).toEqual([]);
  });
});
