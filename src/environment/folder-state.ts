// What a folder's state keeps others from: the refusal that says so, with the command that settles it. Pure.
import { Refusal } from '../base/errors.ts';

/** A failed validation has locked the folder: another one, or somebody who knows why, unlocks it (R35). */
export function notReady(folder: string, state: string | undefined): Refusal {
  if (state === 'locked') return new Refusal('folder-locked', { folder, command: validateCommand(folder) });
  return new Refusal('folder-not-ready', { folder, state: state ?? 'dropping' });
}

export function validateCommand(folder: string): string {
  return `rustine validate ${folder}`;
}
