// The named steps of a folder's validation, in their order, and what each came to (R35).

/** The first two come before the folder's transaction, the others are in it. */
export const VALIDATION_STEPS = [
  'controls',
  'single-user',
  'dictionary',
  'data-types',
  'tables',
  'scripts',
  'texts',
  'level',
] as const;

export type ValidationStep = (typeof VALIDATION_STEPS)[number];

/** What a step did, by name: `{ created: 3, updated: 1 }`. Names of nothing are left out. */
export type StepCounts = Readonly<Record<string, number>>;

export interface StepOutcome {
  readonly step: ValidationStep;
  /** `unchanged`: it found nothing to do. */
  readonly state: 'done' | 'unchanged' | 'failed';
  readonly counts: StepCounts;
  readonly ms: number;
}
