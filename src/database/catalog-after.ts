// The catalog's step for what comes after a patch: locked folders, runs that validate or take back, which integrations count.
import { BEFORE_IMAGES } from './catalog-before-images.ts';
import { CHAIN } from './catalog-chain.ts';
import { DELIVERIES } from './catalog-deliveries.ts';
import { HISTORY } from './catalog-history.ts';
import { LOCKED } from './catalog-locked.ts';
import { TAKING_BACK } from './catalog-taking-back.ts';
import { VALIDATION } from './catalog-validation.ts';

/** See decisions 019 to 025. */
const STATES = `
alter table rustine.folder drop constraint folder_state_check;
alter table rustine.folder add constraint folder_state_check check (state in ('creating', 'ready', 'locked', 'dropping'));
alter table rustine.folder add column locked jsonb;
comment on column rustine.folder.locked is 'of a folder whose validation failed: {run, at, by, code, facts}; null: it is not locked';
alter table rustine.folder_elsewhere drop constraint folder_elsewhere_state_check;
alter table rustine.folder_elsewhere add constraint folder_elsewhere_state_check check (state in ('creating', 'ready', 'locked', 'dropping'));

alter table rustine.run drop constraint run_mode_check;
alter table rustine.run add constraint run_mode_check
  check (mode in ('integrate', 'rehearse', 'validate', 'validate-rehearse', 'revert', 'revert-rehearse'));
alter table rustine.run_folder drop constraint run_folder_state_check;
alter table rustine.run_folder add constraint run_folder_state_check
  check (state in ('waiting', 'running', 'postponed', 'prepared', 'integrated', 'validated', 'reverted', 'unchanged', 'failed', 'skipped', 'cancelled', 'interrupted'));

alter table rustine.integration add column kind text not null default 'patch' check (kind in ('patch', 'creation', 'set', 'validation', 'revert'));
alter table rustine.integration add column rows_only boolean not null default false;
alter table rustine.integration add column reverts bigint;
alter table rustine.integration add column reverted_by bigint;
update rustine.integration set kind = case when run = '' then 'creation' else 'set' end where run = '' or file like '(element set %';
comment on column rustine.integration.kind is 'what wrote to the folder: a patch, its creation, a person (element set), a validation, the taking back of a patch';
comment on column rustine.integration.rows_only is 'of a patch: data rows and scripts to run came alone, its dictionary was there already';
comment on column rustine.integration.reverts is 'of a revert: the integration that it took back';
comment on column rustine.integration.reverted_by is 'of a patch: the revert that took it back; the folder has it no more';

create view rustine.integrated as select * from rustine.integration where kind = 'patch' and reverted_by is null;
comment on view rustine.integrated is 'integrations of patches that count: what folders have';
`;

export const AFTER = `${STATES}${LOCKED}${DELIVERIES}${CHAIN}${HISTORY}${TAKING_BACK}${VALIDATION}${BEFORE_IMAGES}
-- Again, with the columns that came after it was made.
create or replace view rustine.integrated as select * from rustine.integration where kind = 'patch' and reverted_by is null;
revoke all on all tables in schema rustine from public;
`;
