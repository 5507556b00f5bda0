// Who made a report, when, with what, of which environment: what every page says of itself.
import type { Messages } from '../messages/en.ts';
import type { Page } from './report.ts';

export interface Made {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly user: string;
  readonly host: string;
  readonly version: string;
  /** Name of the database, without any password; null: the embedded one of the home directory. */
  readonly database: string | null;
  readonly home: string;
}

type Fact = readonly [name: string, value: string];

/** @param about facts of the subject, between those of the environment and those of the making */
export function pageFacts(
  { at, user, host, version, database, home }: Made,
  about: readonly Fact[],
  { reports }: Messages,
): Page['facts'] {
  const { facts, place, by, time } = reports;
  return [
    [facts.environment, database === null ? place.embedded(home) : place.database(database)],
    ...about,
    [facts.made, time(at)],
    [facts.by, by(user, host)],
    [facts.program, `Rustine ${version}`],
  ];
}

/** Server, port and name: what people know a database by. */
export function databaseName(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${decodeURIComponent(pathname)}`;
}
