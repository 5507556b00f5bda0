// What a command works with: options, environment variables and rustine.yaml brought together.
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Facts, Refusal } from '../base/errors.ts';
import { folderCode } from '../base/ids.ts';
import type { Runner } from '../integrate/runner.ts';
import { duration, runners, size, taskPrograms } from './config-runners.ts';

export type Language = 'en' | 'fr';

export interface Settings {
  /** Home directory, absolute. */
  readonly home: string;
  /** Connection URL; absent: the embedded PostgreSQL under the home directory. */
  readonly database?: string;
  /** Folder one works from (R11, R33); absent: the supervisor folder. */
  readonly from?: string;
  readonly language: Language;
  /** Folders worked on at the same time; absent: the engine decides. */
  readonly jobs?: number;
  /** Limit for each SQL script, in milliseconds; absent: 5 minutes. */
  readonly scriptTimeoutMs?: number;
  /** Patch files up to that many bytes are kept in the database when they are integrated; absent: 100 MB. */
  readonly keepPatchesBytes?: number;
  /** Programs that run scripts of other languages, by language. */
  readonly runners?: Readonly<Record<string, Runner>>;
  /** Programs that carry out tasks, by name. */
  readonly tasks?: Readonly<Record<string, Runner>>;
  /** URLs of further servers by name, with their passwords; absent: as `server add` was told, and ~/.pgpass. */
  readonly servers?: Readonly<Record<string, string>>;
}

export interface Given {
  /** What the command line says; wins over everything else. */
  readonly options: { readonly home?: string; readonly database?: string; readonly from?: string; readonly language?: Language };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start. */
  readonly cwd: string;
  /** Language where neither option nor file names one. */
  readonly language: Language;
}

interface FileSettings {
  readonly database?: string | undefined;
  readonly language?: Language | undefined;
  readonly jobs?: number | undefined;
  readonly 'script-timeout'?: number | undefined;
  readonly 'keep-patches'?: number | undefined;
  readonly runners?: Readonly<Record<string, Runner>> | undefined;
  readonly tasks?: Readonly<Record<string, Runner>> | undefined;
  readonly servers?: Readonly<Record<string, string>> | undefined;
}

/** @throws Refusal `config` (facts: `file`, `key`, `line`, `reason`), `database-url`, `folder-code`, `home` */
export async function resolveSettings({ options, env, cwd, language }: Given): Promise<Settings> {
  const home = resolve(cwd, options.home ?? (env.RUSTINE_HOME || '.rustine'));
  const file = await readConfig(join(home, 'rustine.yaml'));
  const database =
    url('--database', options.database) ?? url('RUSTINE_DATABASE_URL', env.RUSTINE_DATABASE_URL || undefined) ?? file.database;
  const servers = { ...file.servers, ...serversOf(env) };
  return {
    home,
    ...(database === undefined ? {} : { database }),
    ...(options.from === undefined ? {} : { from: folderCode(options.from) }),
    language: options.language ?? file.language ?? language,
    ...(file.jobs === undefined ? {} : { jobs: file.jobs }),
    ...(file['script-timeout'] === undefined ? {} : { scriptTimeoutMs: file['script-timeout'] }),
    ...(file['keep-patches'] === undefined ? {} : { keepPatchesBytes: file['keep-patches'] }),
    ...(file.runners === undefined ? {} : { runners: file.runners }),
    ...(file.tasks === undefined ? {} : { tasks: file.tasks }),
    ...(Object.keys(servers).length === 0 ? {} : { servers }),
  };
}

/** `RUSTINE_SERVER_NORTH_URL` → NORTH. */
function serversOf(env: Given['env']): Readonly<Record<string, string>> {
  const given = Object.entries(env).flatMap(([variable, value]) => {
    const [, name] = /^RUSTINE_SERVER_([A-Z][A-Z0-9]{0,9})_URL$/.exec(variable) ?? [];
    const checked = name === undefined ? undefined : url(variable, value || undefined);
    return name === undefined || checked === undefined ? [] : [[name, checked] as const];
  });
  return Object.fromEntries(given);
}

/** The value itself is not repeated in the error: it may hold a password. */
function url(source: string, value: string | undefined): string | undefined {
  if (value !== undefined && !isDatabaseUrl(value)) throw new Refusal('database-url', { source });
  return value;
}

export function isDatabaseUrl(value: string): boolean {
  return URL.canParse(value) && ['postgres:', 'postgresql:'].includes(new URL(value).protocol);
}

function holdsPassword(value: string): boolean {
  const parsed = new URL(value);
  return parsed.password !== '' || parsed.searchParams.has('password');
}

async function readConfig(file: string): Promise<FileSettings> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOENT') return {};
    if (code === 'ENOTDIR') throw new Refusal('home', { dir: join(file, '..'), reason: code }, error);
    throw new Refusal('config', { file, reason: code }, error);
  }
  const settings = await parseConfig(text, file);
  if (settings.database !== undefined && holdsPassword(settings.database) && (await othersCanRead(file))) {
    throw new Refusal('config', { file, key: 'database', reason: 'password-readable' });
  }
  const [secret] = Object.entries(settings.servers ?? {}).find(([, each]) => holdsPassword(each)) ?? [];
  if (secret !== undefined && (await othersCanRead(file)))
    throw new Refusal('config', { file, key: `servers.${secret}`, reason: 'server-password-readable' });
  return settings;
}

async function othersCanRead(file: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0;
}

async function parseConfig(text: string, file: string): Promise<FileSettings> {
  // Loaded only where there is a file: together they take longer than a whole `rustine --help`.
  const [{ LineCounter, parseDocument, isMap, isScalar }, z] = await Promise.all([import('yaml'), import('zod')]);
  const refuse = (reason: string, facts: Facts = {}): never => {
    throw new Refusal('config', { file, ...facts, reason });
  };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined) return refuse('yaml-syntax', { line: lines.linePos(broken.pos[0]).line });
  if (document.contents === null) return {};
  /** Line of the last key on the way that is in the file. */
  const lineOf = (...path: readonly string[]): Facts => {
    let node: unknown = document.contents;
    let start: number | undefined;
    for (const key of path) {
      const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined;
      if (pair === undefined) break;
      if (isScalar(pair.key)) start = pair.key.range?.[0];
      node = pair.value;
    }
    return start === undefined ? {} : { line: lines.linePos(start).line };
  };
  const checked = z
    .strictObject({
      database: z.string().refine(isDatabaseUrl).optional(),
      language: z.enum(['en', 'fr']).optional(),
      jobs: z.int().min(1).optional(),
      'script-timeout': duration(z).optional(),
      'keep-patches': size(z).optional(),
      runners: runners(z).optional(),
      tasks: taskPrograms(z).optional(),
      servers: z.record(z.string().regex(/^[A-Z][A-Z0-9]{0,9}$/), z.string().refine(isDatabaseUrl)).optional(),
    })
    .safeParse(document.toJS());
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const place = [...path, issue.keys[0] ?? ''];
    return refuse(path.length === 0 ? 'key-unknown' : path[0] === 'tasks' ? 'key-unknown-task' : 'key-unknown-runner', {
      key: place.join('.'),
      ...lineOf(...place),
    });
  }
  const [key] = path;
  if (key === undefined) return refuse('not-keys', { line: 1 });
  // Of a program it is its key that says what is expected: `runners.4gl.timeout` as `script-timeout`.
  const expected = (key === 'runners' || key === 'tasks') && path.length > 2 ? `key-runner-${path[2]}` : `key-${key}`;
  return refuse(expected, { key: path.filter((part) => !/^\d+$/.test(part) || part === path[1]).join('.'), ...lineOf(...path) });
}
