// Stable serialisation and digests: the same value gives the same bytes on every machine.
import { createHash } from 'node:crypto';
import type { Digest } from './ids.ts';
import { digest } from './ids.ts';

/** JSON with sorted object keys; arrays keep their order; undefined members are left out. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function digestOf(value: string | Uint8Array): Digest {
  return digest(createHash('sha256').update(value).digest('hex'));
}
