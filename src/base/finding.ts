// A problem (or a notable fact) found in the input, collected and shown with all others instead of thrown one by one.
import type { Facts } from './errors.ts';

/** `block` stops the patch before anything changes; `warn` and `info` do not. */
export type Severity = 'block' | 'warn' | 'info';

/** One finding. The message for people is made from `code` and `facts` at the rim, in their language. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  /** Folder code, where the finding is about one folder. */
  readonly folder?: string;
  /** Patch file name, without its directory. */
  readonly patch?: string;
  /** What it is about: `TYPE:NAME`, a table, a file. */
  readonly subject?: string;
  readonly facts: Facts;
}

export function blocks(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'block');
}
