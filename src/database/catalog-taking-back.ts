// The catalog's part for taking a patch back: what was in the folder before it.

/** See decision 021. */
export const TAKING_BACK = `
alter table rustine.integration add column not_revertible jsonb;
comment on column rustine.integration.not_revertible is 'why the patch cannot be taken back: a list of {code, facts}; null: nothing speaks against it by itself';
`;
