// Values of options, checked as they are read.
import { Refusal } from '../base/errors.ts';

const facts = (problem: string, option: string, value: string) => ({ problem, option, value });

/** `A,B` → `['A', 'B']`. @throws Refusal `usage` */
export function listOf(option: string): (value: string) => readonly string[] {
  return (value) => {
    const list = value.split(/[,\s]+/).filter((item) => item !== '');
    if (list.length === 0) throw new Refusal('usage', facts('empty-list', option, value));
    return list;
  };
}

/** @throws Refusal `usage` */
export function positiveNumber(option: string): (value: string) => number {
  return (value) => {
    if (!/^[1-9]\d{0,5}$/.test(value)) throw new Refusal('usage', facts('positive-number', option, value));
    return Number(value);
  };
}

/** @throws Refusal `usage` */
export function oneOf<Choice extends string>(option: string, choices: readonly Choice[]): (value: string) => Choice {
  return (value) => {
    const choice = choices.find((known) => known === value);
    if (choice === undefined) throw new Refusal('usage', { ...facts('choice', option, value), known: choices });
    return choice;
  };
}

export interface Forced {
  readonly check: string;
  readonly reason: string;
}

/** `CHECK=reason`, once or more. @throws Refusal `usage` */
export function forced(value: string, before: readonly Forced[] = []): readonly Forced[] {
  const at = value.indexOf('=');
  const check = value.slice(0, at).trim();
  const reason = value.slice(at + 1).trim();
  if (at < 0 || check === '' || reason === '') throw new Refusal('usage', facts('force-reason', '--force', value));
  return [...before, { check, reason }];
}
