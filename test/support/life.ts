// The life of a small environment, step by step, and its plain replay: what was done of it in a fresh environment, without what went wrong or was taken back.
import { setTimeout } from 'node:timers/promises';
import type { IntegrateOptions } from '../../src/app/rustine.ts';
import { Failure, Refusal } from '../../src/base/errors.ts';
import type { KeptEntry } from '../../src/environment/kept.ts';
import { rustine, type Stop } from './crash.ts';
import type { TestEnvironment } from './environment.ts';
import { connected } from './environment.ts';
import type { Holding } from './folder-dump.ts';
import { holdings } from './folder-dump.ts';
import type { Step } from './life-steps.ts';
import { FOLDERS, OWN, STANDARD } from './life-steps.ts';
import type { RandomPatch } from './patch-sequences.ts';

const HISTORY = 'HIST';
const OWN_CODES = ['ZALI', 'YOWN'];

/** The folders that a life has at its beginning. */
export async function begin(env: TestEnvironment): Promise<void> {
  await env.folders(['LIVE'], { test: true });
  await env.folders(['SHOP'], { parent: 'LIVE' });
  await env.folders([HISTORY], { historyOf: 'LIVE' });
}

/** A patch in a folder that counts, by its number. */
interface Had {
  readonly folder: string;
  readonly id: string;
  readonly file: string;
}

/** What was done, as it is done again elsewhere. */
interface Done {
  readonly step: Step;
  /** Patches that count since. */
  readonly got: readonly Had[];
  readonly case?: string;
  readonly key?: string;
  readonly aside?: KeptEntry;
}

type RunOptions = Pick<IntegrateOptions, 'atomic' | 'takeUnchanged' | 'authorize' | 'force'>;

/** What is authorised for a file, whoever gets it: a validation brings it on the terms on which the parent had it. */
const terms = (file: string): RunOptions => (file.startsWith('Z') ? { authorize: OWN_CODES } : {});

const AGAIN: RunOptions = { force: [{ check: 'already', reason: 'once more' }] };

export class Life {
  readonly env: TestEnvironment;
  /** In the order in which it was done; what was refused is not among it. */
  readonly done: Done[] = [];
  private readonly paths = new Map<string, string>();

  constructor(env: TestEnvironment) {
    this.env = env;
  }

  /** @param at numbers the step: it is part of names */
  async take(step: Step, at: number): Promise<void> {
    const before = new Set((await this.had()).map(({ id }) => id));
    const done = await this.carryOut(step, at);
    const got = (await this.had()).filter(({ id }) => !before.has(id));
    if (done !== undefined) this.done.push({ step, got, ...done });
  }

  /** @returns nothing where nothing was done */
  private async carryOut(step: Step, at: number): Promise<Pick<Done, 'case' | 'key' | 'aside'> | undefined> {
    const { env } = this;
    switch (step.kind) {
      case 'patch': {
        const file = `P${at}.dat`;
        await this.write(file, step.patch, STANDARD);
        // Nobody gets ahead of what it lacks.
        const lacks = await this.lacking();
        const to = ['X3', ...step.to.filter((code) => lacks.get(code)?.length === 0)];
        await attempt(this.run(file, to, { atomic: step.atomic, takeUnchanged: step.take }, step.killed));
        return {};
      }
      case 'own': {
        const file = `Z${at}.dat`;
        await this.write(file, step.patch, OWN);
        await attempt(this.run(file, [step.folder], terms(file), step.killed));
        return {};
      }
      case 'catch-up': {
        for (const file of (await this.lacking()).get(step.folder) ?? [])
          await attempt(this.integrate(file, ['X3', step.folder], {}));
        return {};
      }
      case 'set': {
        const set = await attempt(this.set(step));
        return set === undefined ? undefined : {};
      }
      case 'rows': {
        const key = `U${at}`;
        return (await this.insert(step.folder, key)) ? { key } : undefined;
      }
      case 'settings': {
        const { codes, languages } = step;
        await env.rustine.setFolder(step.folder, { activityCodes: codes, languages });
        return {};
      }
      case 'decide': {
        const cases = [...new Set((await env.rustine.keptValues({})).map((kept) => kept.case))].sort();
        const chosen = cases[step.pick % Math.max(cases.length, 1)];
        if (chosen === undefined) return undefined;
        const decided = await attempt(env.rustine.decide({ case: chosen, choice: step.choice }));
        return decided === undefined ? undefined : { case: chosen };
      }
      case 'revert': {
        const file = (await this.had()).findLast((each) => each.folder === step.folder)?.file;
        if (file === undefined) return undefined;
        if (step.killed !== undefined) await this.killed(['revert', file, '--folder', step.folder], step.killed.stop);
        if (step.killed?.again !== false) await attempt(env.rustine.revert({ file, folders: [step.folder] }));
        return {};
      }
      case 'again': {
        const files = (await this.had()).flatMap((each) => (each.folder === step.folder ? [each.file] : []));
        const file = files[step.pick % Math.max(files.length, 1)];
        if (file === undefined) return undefined;
        await attempt(this.integrate(file, [step.folder], { ...terms(file), ...AGAIN }));
        return {};
      }
      case 'restore': {
        const entries = await this.aside();
        const entry = entries[step.pick % Math.max(entries.length, 1)];
        return entry !== undefined && (await this.restore(entry)) ? { aside: entry } : undefined;
      }
      case 'validate':
        if (step.killed !== undefined) await this.killed(['validate', '--due'], step.killed.stop);
        if (step.killed?.again !== false) await attempt(env.rustine.validate({}));
        return {};
    }
  }

  private async run(file: string, folders: readonly string[], options: RunOptions, killed: Step['killed']): Promise<void> {
    const { atomic, takeUnchanged, authorize } = options;
    if (killed !== undefined) {
      const flags = [
        ...(atomic === true ? ['--atomic'] : []),
        ...(takeUnchanged === true ? ['--take-unchanged'] : []),
        ...(authorize === undefined ? [] : ['--authorize', authorize.join(',')]),
      ];
      await this.killed(['integrate', this.paths.get(file) ?? file, '--folders', folders.join(','), ...flags], killed.stop);
    }
    if (killed?.again !== false) await this.integrate(file, folders, options);
  }

  /** What it leaves is settled by the next command. */
  private async killed(argv: readonly string[], stop: Stop): Promise<void> {
    const { env } = this;
    const { code, err } = await rustine([...argv, '--home', env.home, '--database', env.url, '--json'], stop);
    if (code === 70) throw new Error(err);
    await quiet(env.url);
    await env.rustine.recover();
  }

  private async write(file: string, { elements, options }: RandomPatch, run: number): Promise<void> {
    this.paths.set(
      file,
      await this.env.patch(
        file,
        elements.map((element) => element(run)),
        options,
      ),
    );
  }

  private integrate(file: string, folders: readonly string[], options: RunOptions) {
    return this.env.rustine.integrate({ paths: [this.paths.get(file) ?? file], folders, mode: 'integrate', ...options });
  }

  private set({ folder: code, letter, value }: Extract<Step, { kind: 'set' }>) {
    const element = `ADP:${STANDARD}${letter}`;
    return this.env.rustine.setElement({ folder: code, element, assignments: [{ field: 'ACS', value }] });
  }

  private async insert(code: string, key: string): Promise<boolean> {
    const schema = code.toLowerCase();
    const [there] = await this.env.query<{ there: boolean }>(`select to_regclass($1) is not null as there`, [
      `${schema}.t${STANDARD}`,
    ]);
    if (there?.there !== true) return false;
    await this.env.query(`insert into ${schema}.t${STANDARD} (key_0) values ($1)`, [key]);
    return true;
  }

  /** Rows that patches put aside and nobody has put back. */
  private async aside(): Promise<readonly KeptEntry[]> {
    const entries = await this.env.rustine.kept({});
    return entries.filter(
      ({ folder, kind, file, restored }) => folder !== HISTORY && kind === 'rows' && file !== null && restored === null,
    );
  }

  /** @returns whether they were */
  private async restore({ id }: KeptEntry): Promise<boolean> {
    const outcome = await attempt(this.env.rustine.restoreKept([id], { overwrite: true }));
    return outcome?.state === 'done';
  }

  async had(): Promise<readonly Had[]> {
    return this.env.query<Had>(`
      select f.code as folder, i.id::text, i.file from rustine.integrated i join rustine.folder f on f.id = i.folder
      where i.apatch_num is not null and f.history_of is null order by i.id`);
  }

  /** @returns folder → files for all folders that the supervisor folder has and it has not, in their order there; of Vertical ones too, that make nobody lag */
  private async lacking(): Promise<ReadonlyMap<string, readonly string[]>> {
    const had = await this.had();
    const has = (code: string, file: string): boolean => had.some((each) => each.folder === code && each.file === file);
    const shared = had.flatMap(({ folder: code, file }) => (code === 'X3' && file.startsWith('P') ? [file] : []));
    return new Map(FOLDERS.map((code) => [code, shared.filter((file) => !has(code, file))]));
  }

  /**
   * Does in a fresh environment what counts of this life, plainly: each folder gets the patches that it has, in their order, and what its people did
   * in between.
   */
  async replay(fresh: TestEnvironment): Promise<Life> {
    const other = new Life(fresh);
    const last = new Set((await this.had()).map(({ id }) => id));
    for (const [file, path] of this.paths) other.paths.set(file, path);
    for (const { step, got, case: chosen = '', key = '', aside } of this.done) {
      for (const [file, folders] of byFile(got.filter(({ id }) => last.has(id)))) await other.getsAgain(step, file, folders);
      switch (step.kind) {
        case 'set':
          await other.set(step);
          break;
        case 'rows':
          await other.insert(step.folder, key);
          break;
        case 'settings':
          await fresh.rustine.setFolder(step.folder, { activityCodes: step.codes, languages: step.languages });
          break;
        case 'decide':
          await attempt(fresh.rustine.decide({ case: chosen, choice: step.choice }));
          break;
        case 'validate':
          await fresh.rustine.validate({});
          break;
        case 'restore': {
          // What a patch put aside that does not count any more is as it was before it.
          const what = (entry: KeptEntry | undefined) => [entry?.folder, entry?.file, entry?.table, entry?.why].join(' ');
          const same = (await other.aside()).find((each) => what(each) === what(aside));
          if (same !== undefined) await other.restore(same);
          break;
        }
        default:
          break;
      }
    }
    return other;
  }

  private async getsAgain(step: Step, file: string, folders: readonly string[]): Promise<void> {
    const asked = step.kind === 'again' ? AGAIN : { takeUnchanged: step.kind === 'patch' && step.take };
    const options = { ...terms(file), ...asked };
    const { state, findings } = await this.integrate(file, folders, options);
    if (state !== 'done') throw new Error(`the replay ended ${state}: ${JSON.stringify(findings)}`);
  }

  /** Folders that a validation wrote to. */
  async validated(): Promise<ReadonlySet<string>> {
    const rows = await this.env.query<{ code: string }>(
      `select distinct f.code from rustine.integration i join rustine.folder f on f.id = i.folder where i.kind = 'validation'`,
    );
    return new Set(rows.map(({ code }) => code));
  }

  async holdings(): Promise<ReadonlyMap<string, Holding>> {
    return (await holdings(this.env.url)).folders;
  }
}

/** Waits until no statement and no transaction of the killed program is at work on the server any more. */
async function quiet(url: string): Promise<void> {
  await connected(url, async (client) => {
    for (;;) {
      const { rows } = await client.query(
        `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'`,
      );
      if (rows.length === 0) return;
      await setTimeout(5);
    }
  });
}

/** Refusals and failures of the world are outcomes like others; bugs are not. */
async function attempt<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof Failure)) throw error;
    return undefined;
  }
}

/** Files with their folders, as they came one after the other: a folder got its own in this order. */
function byFile(got: readonly Had[]): readonly (readonly [file: string, folders: readonly string[]])[] {
  const all: [string, string[]][] = [];
  for (const { file, folder: code } of got) {
    const same = all.at(-1);
    if (same?.[0] === file) same[1].push(code);
    else all.push([file, [code]]);
  }
  return all;
}
