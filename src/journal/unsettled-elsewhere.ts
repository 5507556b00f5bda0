// Runs of dead programs of which a further server may hold something still, as the environment's own catalog knows it without asking that server.
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Decision } from './prepared.ts';
import { deadProcesses } from './processes.ts';

export interface Unsettled {
  readonly run: string;
  /** Name of the server. */
  readonly server: string;
  /** What is to become of what was prepared there; null: nothing was. */
  readonly decision: Decision | null;
  /** Folders of the run that live there. */
  readonly folders: readonly string[];
}

/** Nothing is told of runs at which a program is at work. */
export async function readUnsettled(home: Database): Promise<readonly Unsettled[]> {
  const dead = (await deadProcesses(home)).map(({ id }) => id);
  return home.query<Unsettled>(sql`
    with noted as (
      select run, server, decided_by as process, true as prepared from rustine.participant
      union all select run, server, process, false from rustine.left_elsewhere)
    select n.run, s.name as server, case when bool_or(n.prepared) then coalesce(r.decision, 'rollback') end as decision,
      array(select f.code from rustine.folder_elsewhere f where f.server = s.number and (r.id is null or f.code = any(r.elsewhere)) order by f.code) as folders
    from noted n join rustine.server s on s.number = n.server left join rustine.run r on r.id = n.run
    where not exists (
      select from noted o join rustine.process p on p.id = o.process where o.run = n.run and o.server = n.server and p.id <> all(${dead}::text[]))
    group by n.run, s.number, s.name, r.id, r.decision, r.elsewhere order by s.number, n.run`);
}
