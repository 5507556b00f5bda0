// Where an integration begins, once the folder is locked: its settings, which nobody else can change any more, and what it has of the delivery already.
import { Failure } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Delivery } from '../plan/delivery.ts';
import type { Authorized, PlanningInput } from '../plan/draft.ts';
import type { FolderSettings } from '../plan/plan.ts';

/** What of a delivery is planned. */
export type Scope = Pick<PlanningInput, 'rowsOnly' | 'onlyTables' | 'ranBefore' | 'leftToRun'>;

export const WHOLE: Scope = { rowsOnly: false, onlyTables: null, ranBefore: [], leftToRun: [] };

export interface StartingPoint {
  readonly settings: FolderSettings;
  readonly already: boolean;
  readonly scope: Scope;
  /** Codes that were ignored at the time the dictionary came. */
  readonly ignored: readonly string[];
}

/** What people may have changed since the run read its folders. */
type Changeable = Omit<FolderSettings, 'id' | 'code' | 'schema' | 'supervisor' | 'mirror'>;

/** What the folder has of a file of this name. */
interface Had {
  readonly same: boolean;
  /** The dictionary came with the folder's creation: rows and scripts to run are missing. */
  readonly open: boolean;
  readonly ignored: readonly string[];
  readonly reopened: boolean;
  readonly left_out: readonly string[];
  /** Scripts to run of this very file that ran in the folder or were listed. */
  readonly ran: readonly string[];
}

/** One statement, after the lock: it sees what whoever held the lock before wrote. */
export async function startingPoint(
  session: Session,
  folder: FolderSettings,
  delivery: Pick<Delivery, 'file' | 'digest'>,
  { authorized, forced }: { readonly authorized: Authorized; readonly forced: Readonly<Record<string, string>> },
): Promise<StartingPoint> {
  const [now] = await session.query<{ changeable: Changeable; had: Had | null }>(sql`
    with recursive up as (
      select id, parent, 0 as step from rustine.folder where id = ${folder.id}
      union all
      select p.id, p.parent, up.step + 1 from up join rustine.folder p on p.id = up.parent),
    had as (
      select encode(digest, 'hex') = ${delivery.digest} and not ignored && ${authorizedNames(authorized)}::text[] as same, apatch_num is null as open, ignored, reopened, left_out,
        array(select distinct jsonb_array_elements_text(coalesce(o.outcome -> 'ran', '[]') || coalesce(o.outcome -> 'pending', '[]'))
          from rustine.integrated o where o.folder = i.folder and o.file = i.file and encode(o.digest, 'hex') = ${delivery.digest} and o.apatch_num is not null
            and not exists (select from rustine.integrated n where n.folder = o.folder and n.file = o.file and n.digest <> o.digest and n.id > o.id)
          order by 1) as ran
      from rustine.integrated i where folder = ${folder.id} and file = ${delivery.file} order by id desc limit 1)
    select (select to_jsonb(had) from had) as had,
      jsonb_build_object('test', f.test, 'specific', f.specific, 'languages', f.languages, 'activityCodes', f.activity_codes, 'activitySizes', f.activity_sizes,
        'modules', f.modules, 'role', f.role_name,
        'ancestors', (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'code', a.code, 'schema', a.schema_name) order by up.step), '[]')
          from up join rustine.folder a on a.id = up.id where up.step > 0)) as changeable
    from rustine.folder f where f.id = ${folder.id}`);
  if (now === undefined) throw new Failure('folder-unknown', { folder: folder.code, known: [] });
  const settings = { ...folder, ...now.changeable };
  const fresh = { settings, already: false, scope: WHOLE, ignored: [] };
  const { had } = now;
  if (had === null) return fresh;
  // Asked to do it again (R15), what ran stays run: such a script need not bear a second time.
  if (!had.same || (forced.already !== undefined && !had.open)) return { ...fresh, scope: { ...WHOLE, ranBefore: had.ran } };
  // The dictionary came then: a later patch may have changed it since.
  if (had.open) return { ...fresh, scope: { ...WHOLE, rowsOnly: true }, ignored: had.ignored };
  if (!had.reopened) return { ...fresh, already: true };
  const onlyTables = new Set(had.left_out.map((each) => each.split('.')[0] ?? each));
  return { ...fresh, scope: { ...WHOLE, rowsOnly: true, onlyTables, ranBefore: had.ran }, ignored: had.ignored };
}

/** Codes as `ignored` holds them: the code itself, and its letter for scripts. */
function authorizedNames(authorized: Authorized): readonly string[] {
  return typeof authorized === 'string' ? [] : authorized.flatMap((code) => [code, code.charAt(0)]);
}
