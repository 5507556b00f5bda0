// The latest runs for people.
import type { RunRecord } from '../journal/trace.ts';
import { table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { some } from './messages/said.ts';
import { entryTime } from './trace.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** As much of a run's number as people need: `log` takes the beginning of one. */
export function shortRun(run: string): string {
  return UUID.test(run) ? run.slice(0, 8) : run;
}

export function runsTable(runs: readonly RunRecord[], { log }: Messages, width: number | undefined): string {
  if (runs.length === 0) return log.none;
  const columns = [
    { title: log.run },
    { title: log.started },
    { title: log.by },
    { title: log.mode },
    { title: log.state },
    { title: log.folders, right: true },
    { title: log.files },
  ];
  const rows = runs.map((run) => [
    shortRun(run.run),
    entryTime(run.startedAt).slice(0, 'YYYY-MM-DD HH:MM'.length),
    run.operator,
    log.modes[run.mode],
    log.states[run.state] ?? run.state,
    String(run.folders),
    some(run.files, 3) || '-',
  ]);
  return `${table(columns, rows, width)}\n\n${log.hint}`;
}
