// From paths to checked deliveries: list, order, read each file once.
import type { Finding } from '../base/finding.ts';
import { blocks } from '../base/finding.ts';
import { formFindings } from '../patch/form-findings.ts';
import { listPatches } from '../patch/list.ts';
import { readPatchFile } from '../patch/read.ts';
import type { Delivery } from '../plan/delivery.ts';
import { openDelivery } from '../plan/patch-delivery.ts';

/**
 * Reads and checks every file; nothing is integrated from a file with an error.
 * @throws Refusal `patch-format`, `patch-unreadable`
 */
export async function openDeliveries(
  paths: readonly string[],
): Promise<{ readonly deliveries: readonly Delivery[]; readonly findings: readonly Finding[] }> {
  const { patches, findings } = await listPatches(paths);
  if (blocks(findings)) return { deliveries: [], findings };
  const deliveries: Delivery[] = [];
  for (const { file, path } of patches) {
    deliveries.push(
      await openDelivery(
        file,
        () => readPatchFile(path),
        (end) => formFindings(end.form, file),
      ),
    );
  }
  return { deliveries, findings };
}
