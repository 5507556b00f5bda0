// From paths to checked deliveries: list, order, read each file once.
import { Refusal } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { formFindings } from '../patch/form-findings.ts';
import type { ListedPatch } from '../patch/list.ts';
import { listPatches } from '../patch/list.ts';
import { fileBytes } from '../patch/read.ts';
import type { Delivery } from '../plan/delivery.ts';
import { openDelivery } from '../plan/patch-delivery.ts';

export interface OpenedDeliveries {
  readonly deliveries: readonly Delivery[];
  /** Files that are damaged or cannot be read. */
  readonly unread: readonly string[];
  readonly findings: readonly Finding[];
}

/** Reads and checks every file; what is damaged, missing or does not belong there becomes a finding, so that all problems show together. */
export async function openDeliveries(paths: readonly string[]): Promise<OpenedDeliveries> {
  const { patches, findings } = await listReadable(paths);
  const deliveries: Delivery[] = [];
  const damaged: Finding[] = [];
  const unread: string[] = [];
  for (const patch of onceEach(patches)) {
    const opened = await open(patch);
    if (!('severity' in opened)) {
      deliveries.push(opened);
      continue;
    }
    damaged.push(opened);
    unread.push(patch.file);
  }
  return { deliveries, unread, findings: [...findings, ...damaged] };
}

/** A path that cannot be looked at does not hide what is wrong with the others. */
async function listReadable(
  paths: readonly string[],
): Promise<{ readonly patches: readonly ListedPatch[]; readonly findings: readonly Finding[] }> {
  const readable: string[] = [];
  const findings: Finding[] = [];
  for (const path of paths) {
    try {
      await listPatches([path]);
      readable.push(path);
    } catch (error) {
      findings.push({ ...refused(error), subject: path });
    }
  }
  const list = await listPatches(readable);
  return { patches: list.patches, findings: [...findings, ...list.findings] };
}

/** Of a name that is given twice, which blocks, the first is checked. */
function onceEach(patches: readonly ListedPatch[]): readonly ListedPatch[] {
  return [...new Map(patches.toReversed().map((patch) => [patch.file.toLowerCase(), patch])).values()].reverse();
}

async function open({ file, path }: ListedPatch): Promise<Delivery | Finding> {
  try {
    return await openDelivery(
      file,
      () => fileBytes(path),
      (end) => formFindings(end.form, file),
    );
  } catch (error) {
    return { ...refused(error), patch: file };
  }
}

function refused(error: unknown): Finding {
  if (!(error instanceof Refusal)) throw error;
  const { code, facts } = error;
  const element = typeof facts.element === 'string' && facts.element !== '' ? { subject: facts.element } : {};
  return { code, severity: 'block', ...element, facts };
}
