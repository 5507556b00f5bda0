// The parts of rustine.yaml that name programs: for scripts in languages that the database does not run, and for tasks; durations and sizes.
import type * as zod from 'zod';
import type { Runner } from '../integrate/runner.ts';

type Zod = typeof zod;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^([1-9]\d{0,8})(ms|s|m|h)$/;
/** What a timer can count. */
const LONGEST_MS = 2_147_483_647;

const millisecondsOf = (text: string): number => {
  const [, number = '0', unit = 'ms'] = DURATION.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? 0);
};

/** `500ms`, `120s`, `5m`, `1h` → milliseconds. */
export function duration(z: Zod) {
  return z
    .string()
    .refine((text) => millisecondsOf(text) > 0 && millisecondsOf(text) <= LONGEST_MS)
    .transform(millisecondsOf);
}

const BYTES: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
const SIZE = /^([1-9]\d{0,5}) ?(KB|MB|GB)$/;

/** `100 MB`, `1GB`; `0`: none → bytes. */
export function size(z: Zod) {
  const text = z
    .string()
    .regex(SIZE)
    .transform((given) => {
      const [, number = '0', unit = ''] = SIZE.exec(given) ?? [];
      return Number(number) * (BYTES[unit] ?? 0);
    });
  return z.union([z.literal(0), z.literal('0').transform(() => 0), text]);
}

const DEFAULT_LIMIT = '10m';
const LANGUAGE = /^[a-z0-9][a-z0-9_-]{0,29}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const noNul = (text: string): boolean => !text.includes('\0');

function programs(z: Zod, isName: (name: string) => boolean): zod.ZodType<Readonly<Record<string, Runner>>> {
  const program = z
    .strictObject({
      command: z.string().min(1).refine(noNul),
      arguments: z.array(z.string().refine(noNul)).default([]),
      timeout: duration(z).prefault(DEFAULT_LIMIT),
      environment: z.array(z.string().regex(VARIABLE)).default([]),
    })
    .transform(
      ({ command, timeout, environment, arguments: words }): Runner => ({
        command,
        words,
        timeoutMs: timeout,
        environment,
      }),
    );
  return z.record(z.string().refine(isName), program);
}

/** SQL is never run by a program: it would not be in the folder's transaction. */
export const runners = (z: Zod) => programs(z, (language) => LANGUAGE.test(language) && language !== 'sql');

/** Programs that carry out tasks, by the name that a task gives. */
export const taskPrograms = (z: Zod) => programs(z, (name) => LANGUAGE.test(name));
