// The kernel: base data types and tables of a supervisor folder, packed from the readable files in kernel/.
import { fileURLToPath } from 'node:url';
import { fileBytes } from '../patch/read.ts';
import type { Delivery } from './delivery.ts';
import { openDelivery } from './patch-delivery.ts';

const KERNEL = fileURLToPath(new URL('../../kernel/kernel.dat', import.meta.url));

export async function kernelDelivery(): Promise<Delivery> {
  return openDelivery(
    'kernel.dat',
    () => fileBytes(KERNEL),
    () => [],
  );
}
