// The catalog's part for locked folders: their logins stay shut when the run that shut them is over.
import { letIn } from './catalog-runs.ts';

/** See decision 024. */
export const LOCKED = `
create view rustine.shut_by_run as
  select s.* from rustine.shut_login s where not exists (select from rustine.folder f where f.code = s.folder and f.state = 'locked');
comment on view rustine.shut_by_run is 'logins that are let in again when their run is over; those of locked folders stay shut';
${letIn('rustine.shut_by_run')}`;
