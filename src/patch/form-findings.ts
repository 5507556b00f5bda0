// What is reported of a file that departs from the usual form but can be read all the same. Pure.
import type { Finding } from '../base/finding.ts';
import type { PatchForm } from './format.ts';

/** `patch-bom`, `patch-crlf`, `patch-latin1`, `patch-no-last-line-end`; the fact `mixed` says that only some lines depart. */
export function formFindings(form: PatchForm, file: string): Finding[] {
  const findings: Finding[] = [];
  const report = (code: string, facts: Finding['facts'] = {}) =>
    findings.push({ code, severity: 'warn', patch: file, facts: { file, ...facts } });
  if (form.bom) report('patch-bom');
  if (form.lineEnd !== 'lf') report('patch-crlf', { mixed: form.lineEnd === 'mixed' });
  if (form.encoding !== 'utf8') report('patch-latin1', { mixed: form.encoding === 'mixed' });
  if (!form.lastLineEnd) report('patch-no-last-line-end');
  return findings;
}
