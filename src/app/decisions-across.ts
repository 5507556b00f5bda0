// Deciding a case over all servers: carried out wherever a folder has it, and kept everywhere for later patches (R37).
import { Failure, Refusal } from '../base/errors.ts';
import { sql } from '../database/sql.ts';
import { enterFolders } from '../journal/folder-entry.ts';
import type { Across } from './across-servers.ts';
import type { DecidedView, DecideOptions } from './kept-values.ts';
import type { OpenedServer } from './opened-server.ts';

/** @throws Refusal as `decideCase`; Failure `server-unreachable`: a decision is for all folders, so all servers have to be there */
export async function decideAcross(across: Across, options: DecideOptions): Promise<DecidedView> {
  const { home } = across;
  const { servers, folders } = await across.directory();
  if (folders.length === 0) return home.verbs.decide(options);
  const used = servers.filter(({ name }) => folders.some(({ server }) => server === name));
  const all: readonly OpenedServer[] = [home, ...(await Promise.all(used.map(across.open)))];
  const known = await Promise.all(all.map(({ verbs }) => verbs.keptValues({ all: true })));
  const cases = [...new Set(known.flat().map((kept) => kept.case))].filter((each) => each.startsWith(options.case));
  if (cases.length > 1) throw new Refusal('case-ambiguous', { case: options.case, known: cases });
  const [id] = cases;
  const having = id === undefined ? [home] : all.filter((_, at) => known[at]?.some((kept) => kept.case === id));
  // Refused everywhere or nowhere: a run on one of the servers is found out before anything is decided on another.
  for (const { opened } of having) {
    const there = known[all.findIndex((each) => each.opened === opened)] ?? [];
    const codes = there.flatMap((kept) => (kept.case === id ? [kept.folder] : []));
    await opened.database.transaction((session) => enterFolders(session, codes));
  }
  const decided: DecidedView[] = [];
  for (const { verbs } of having) decided.push(await verbs.decide({ ...options, case: id ?? options.case }));
  const [first] = decided;
  const [source] = having;
  if (first === undefined || source === undefined) throw new Failure('case-unknown', { case: options.case });
  for (const other of all) if (!having.includes(other)) await copyDecision(source, other, first.case);
  const own = new Set(folders.map(({ code }) => code));
  const concerned = decided.flatMap((each, at) => each.folders.filter((folder) => having[at] === home || own.has(folder)));
  return { ...first, folders: concerned };
}

async function copyDecision(from: OpenedServer, to: OpenedServer, id: string): Promise<void> {
  const [row] = await from.opened.database.query<{ decision: string }>(
    sql`select to_jsonb(d)::text as decision from rustine.decision d where case_id = ${id}`,
  );
  if (row === undefined) return;
  await to.opened.database.query(sql`
    insert into rustine.decision (case_id, type, name, tag, key, field, before, now, own, choice, value, reason, decided_by, decided_at)
    select case_id, type, name, tag, key, field, before, now, own, choice, value, reason, decided_by, decided_at
    from jsonb_populate_record(null::rustine.decision, ${row.decision}::jsonb)
    on conflict (case_id) do update set choice = excluded.choice, value = excluded.value, reason = excluded.reason, decided_by = excluded.decided_by,
      decided_at = excluded.decided_at`);
}
