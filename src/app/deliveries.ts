// From paths to checked deliveries: list, order, read each file once.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import { formFindings } from '../patch/form-findings.ts';
import type { ListedPatch } from '../patch/list.ts';
import { listPatches } from '../patch/list.ts';
import { readPatchFile } from '../patch/read.ts';
import type { Delivery } from '../plan/delivery.ts';
import { openDelivery } from '../plan/patch-delivery.ts';

/**
 * Reads and checks every file; a damaged one becomes a blocking finding, so that the others' problems are shown with it.
 * @throws Refusal `patch-unreadable` when a path names nothing that can be read
 */
export async function openDeliveries(
  paths: readonly string[],
): Promise<{ readonly deliveries: readonly Delivery[]; readonly findings: readonly Finding[] }> {
  const { patches, findings } = await listPatches(paths);
  if (blocks(findings)) return { deliveries: [], findings };
  const deliveries: Delivery[] = [];
  const damaged: Finding[] = [];
  for (const patch of patches) {
    const opened = await open(patch);
    if ('severity' in opened) damaged.push(opened);
    else deliveries.push(opened);
  }
  return { deliveries, findings: [...findings, ...damaged] };
}

async function open({ file, path }: ListedPatch): Promise<Delivery | Finding> {
  try {
    return await openDelivery(
      file,
      () => readPatchFile(path),
      (end) => formFindings(end.form, file),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const element = typeof error.facts.element === 'string' && error.facts.element !== '' ? { subject: error.facts.element } : {};
    return { code: error.code, severity: 'block', patch: file, ...element, facts: error.facts };
  }
}
