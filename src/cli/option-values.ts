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
export function nonEmpty(option: string): (value: string) => string {
  return (value) => {
    if (value.trim() === '') throw new Refusal('usage', facts('empty-value', option, value));
    return value.trim();
  };
}

/** @throws Refusal `usage` */
export function positiveNumber(option: string): (value: string) => number {
  return (value) => {
    if (!/^[1-9]\d{0,5}$/.test(value)) throw new Refusal('usage', facts('positive-number', option, value));
    return Number(value);
  };
}

const DURATION = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?$/;
/** What a timer can count. */
const LONGEST_MS = 2_147_483_647;

/** `500ms`, `30s`, `5m`, `1h30m` → milliseconds. @throws Refusal `usage` */
export function durationOf(option: string): (value: string) => number {
  return (value) => {
    const [, hours = '0', minutes = '0', seconds = '0', rest = '0'] = DURATION.exec(value) ?? [];
    const ms = 1_000 * (3_600 * Number(hours) + 60 * Number(minutes) + Number(seconds)) + Number(rest);
    if (ms === 0 || ms > LONGEST_MS) throw new Refusal('usage', facts('duration', option, value));
    return ms;
  };
}

/** A number that the catalog gave. @throws Refusal `usage` */
export function numberOf(option: string): (value: string) => number {
  return (value) => {
    if (!/^[1-9]\d{0,14}$/.test(value)) throw new Refusal('usage', facts('positive-number', option, value));
    return Number(value);
  };
}

/** `YYYY-MM-DD`. @throws Refusal `usage` */
export function dayOf(option: string): (value: string) => string {
  return (value) => {
    const day = new Date(`${value}T00:00:00Z`);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== value)
      throw new Refusal('usage', facts('day', option, value));
    return value;
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

/** `A,B` → `['A', 'B']`; `none` → `[]`. @throws Refusal `usage` */
export function listOrNone(option: string): (value: string) => readonly string[] {
  return (value) => (value.trim().toLowerCase() === 'none' ? [] : listOf(option)(value));
}

const MOST_MODULE = 32_767;

/** `1,2` → `[1, 2]`; `all` stays a word, since commander takes a null for an option without a value. @throws Refusal `usage` */
export function modules(option: string): (value: string) => readonly number[] | 'all' {
  return (value) => {
    if (value.trim().toLowerCase() === 'all') return 'all';
    const numbers = listOf(option)(value).map(Number);
    if (numbers.some((number) => !Number.isInteger(number) || number < 1 || number > MOST_MODULE))
      throw new Refusal('usage', facts('modules', option, value));
    return [...new Set(numbers)].sort((a, b) => a - b);
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
