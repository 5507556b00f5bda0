// Locks a folder for its validation, and the one that it follows against change; reads the settings that count (R35).
import { Failure } from '../base/errors.ts';
import type { Session } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Folder } from '../environment/folder.ts';
import { transactionSettings } from '../integrate/integrator.ts';
import type { DictionarySource, ValidationContext } from './validation-context.ts';

export interface ValidatedFolder {
  readonly folder: Folder;
  /** Number of what this validation writes. */
  readonly integration: string;
}

/** What a validation that is blocked goes back to. */
export const BEGINNING = 'before_validation';

type Changeable = Pick<
  Folder,
  'due' | 'languages' | 'activityCodes' | 'activitySizes' | 'modules' | 'legislations' | 'test' | 'specific'
>;

/** The settings that count are those of the moment when nobody else can change them any more. @throws Failure `folder-unknown`, `folder-not-ready` */
export async function lockValidated(
  session: Session,
  folder: Folder,
  source: DictionarySource | null,
  lease: string,
  context: ValidationContext,
): Promise<ValidatedFolder> {
  await session.script([...transactionSettings({ lease }, context), `savepoint ${BEGINNING}`].join('; '));
  // Above before below, as everybody does.
  if (source !== null) {
    const [row] = await session.query<{ state: string }>(
      sql`select state from rustine.folder where id = ${source.folder.id} for share`,
    );
    checkState(source.folder, row?.state);
  }
  // What it changes is remembered (R38): it may be what a patch brought.
  const [row] = await session.query<{ state: string; integration: string; now: Changeable }>(sql`
    with numbered as materialized (select nextval(pg_get_serial_sequence('rustine.integration', 'id'))::text as number)
    select state, (select number from numbered) as integration, set_config('rustine.integration', (select number from numbered), true),
      jsonb_build_object('due', due || coalesce((select rustine.due_after_live(f, l) from rustine.folder l where l.id = f.history_of), '{}'), 'languages', languages, 'activityCodes', activity_codes, 'activitySizes', activity_sizes, 'modules', modules,
        'legislations', legislations, 'test', test, 'specific', specific) as now
    from rustine.folder f where id = ${folder.id} for no key update`);
  checkState(folder, row?.state);
  return { folder: { ...folder, ...row?.now }, integration: row?.integration ?? '' };
}

/** A folder that a validation left locked is validated again; what it has is as it was. */
function checkState({ code }: Folder, state: string | undefined): void {
  if (state === undefined) throw new Failure('folder-unknown', { folder: code, known: [] });
  if (state !== 'ready' && state !== 'locked') throw new Failure('folder-not-ready', { folder: code, state });
}
