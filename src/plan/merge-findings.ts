// What a merge is worth telling: elements and lines ignored or kept, specific headers, set-up values that differ. Pure.
import type { Finding } from '../base/finding.ts';
import { isSpecific } from '../dictionary/activity-codes.ts';
import type { DictionaryElement } from '../dictionary/element.ts';
import { subjectOf } from '../dictionary/element.ts';
import { ELEMENT_TYPES } from '../dictionary/element-types.ts';
import type { MergeResult, OwnElement } from '../dictionary/merge-result.ts';

const MOST_NAMED = 20;

export function mergeFindings(element: DictionaryElement, own: OwnElement | undefined, merged: MergeResult): readonly Finding[] {
  const subject = subjectOf(element);
  const find = (of: Pick<Finding, 'code' | 'severity'>, facts: Finding['facts']): Finding => ({
    ...of,
    subject,
    facts: { element: subject, ...facts },
  });
  const option = (code: string): string => `--authorize ${code}`;
  if (merged.verdict === 'ignored') {
    const code = merged.ignored[0]?.code ?? '';
    return [find({ code: 'element-ignored', severity: 'warn' }, { code, option: option(code) })];
  }
  const findings: Finding[] = [];
  for (const [code, lines] of Map.groupBy(merged.ignored, (line) => line.code)) {
    const keys = lines.map((line) => `${line.tag} ${line.key}`);
    findings.push(
      find(
        { code: 'lines-ignored', severity: 'warn' },
        { code, count: lines.length, keys: keys.slice(0, MOST_NAMED), option: option(code) },
      ),
    );
  }
  const header = headerCode(element, own, merged);
  if (header !== undefined && isStandardTable(element))
    findings.push(find({ code: 'header-specific', severity: 'warn' }, header));
  else if (merged.verdict === 'kept' && merged.setUp.length === 0 && header !== undefined)
    findings.push(find({ code: 'element-kept', severity: 'warn' }, { ...header, option: option(header.code) }));
  if (merged.headless) findings.push(find({ code: 'element-header-missing', severity: 'warn' }, {}));
  for (const { tag, key, fields } of merged.overwritten)
    findings.push(
      find({ code: 'set-up-overwritten', severity: 'warn' }, { fields: fields.map((field) => `${tag} ${key} ${field}`) }),
    );
  const kept = merged.setUp.filter((each) => each.verdict === 'kept');
  const unchanged = kept.filter((each) => each.unchanged);
  if (unchanged.length > 0)
    findings.push(find({ code: 'set-up-unchanged', severity: 'info' }, { fields: named(unchanged), option: '--take-unchanged' }));
  const changed = kept.filter((each) => !each.unchanged);
  if (changed.length > 0) findings.push(find({ code: 'set-up-kept', severity: 'info' }, { fields: named(changed) }));
  return findings;
}

const named = (cases: MergeResult['setUp']): readonly string[] =>
  cases.slice(0, MOST_NAMED).map(({ tag, key, field }) => (tag === '' ? field : `${tag} ${key} ${field}`));

/** The specific code that the folder's header carries, before or after. */
function headerCode(
  element: DictionaryElement,
  own: OwnElement | undefined,
  merged: MergeResult,
): { readonly code: string; readonly blocked: boolean } | undefined {
  if (merged.verdict === 'kept' && merged.setUp.length === 0) return { code: merged.kept[0]?.code ?? '', blocked: true };
  const tag = ELEMENT_TYPES.get(element.type)?.header.tag;
  const written = merged.writes.find((record) => record.tag === tag) ?? own?.records.find((record) => record.tag === tag);
  return written !== undefined && isSpecific(written.activity) ? { code: written.activity, blocked: false } : undefined;
}

/** A specific code on the header of a standard table keeps every later patch of it away (R19). */
function isStandardTable({ type, name }: DictionaryElement): boolean {
  return ELEMENT_TYPES.get(type)?.behaviour === 'table' && !isSpecific(name);
}
