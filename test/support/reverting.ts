// What has to be the same when a patch was taken back: all that folders hold and have, without the account of how it came to that.
import type { TestEnvironment } from './environment.ts';
import { type Holding, holdings } from './folder-dump.ts';

const TABLES = [
  'element',
  'record',
  'offer',
  'script',
  'script_function',
  'pending_script',
  'translation',
  'remainder',
  'dictionary_view',
  'kept',
];

/** Every column counts, numbers and times too. */
export interface Standing {
  /** Folder → what it holds. */
  readonly folders: Readonly<Record<string, Holding>>;
  /** The catalog's rows of all folders. */
  readonly catalog: readonly string[];
  /** What they have: integrations that count. */
  readonly integrated: readonly string[];
}

export async function standing(env: Pick<TestEnvironment, 'url' | 'query'>): Promise<Standing> {
  const { folders } = await holdings(env.url);
  const lines = async (statement: string): Promise<readonly string[]> =>
    (await env.query<{ line: string }>(statement)).map(({ line }) => line);
  return {
    folders: Object.fromEntries([...folders].map(([code, holding]) => [code, withoutAccount(holding)])),
    catalog: await lines(
      `${TABLES.map((table) => `select '${table} ' || to_jsonb(t)::text as line from rustine.${table} t`).join(' union all ')} order by 1`,
    ),
    integrated: await lines(`select to_jsonb(i)::text as line from rustine.integrated i order by id`),
  };
}

/** A folder without the account of what was done to it. */
export function withoutAccount(holding: Holding): Holding {
  return (
    holding
      .filter((line) => !/^(integration|event) \|/.test(line))
      // A column that comes back gets another number; their order is the schema's dump to hold.
      .map((line) => line.replace(/^(column \| \w+) \| \d+/, '$1'))
      .sort()
  );
}
