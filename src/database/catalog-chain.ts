// The catalog's part that makes a chain of what was written to a folder: a row that was changed or removed afterwards is found.

/** See decision 020. */
export const CHAIN = `
alter table rustine.integration add column apatch jsonb;
alter table rustine.integration add column previous bytea;
alter table rustine.integration add column hash bytea;
alter table rustine.folder add column chain bytea;
comment on column rustine.integration.apatch is 'the folder''s row of APATCH as this integration left it';
comment on column rustine.integration.previous is 'hash of what was written to the folder before it';
comment on column rustine.integration.hash is 'SHA-256 of the row, its row of APATCH and the hash before';
comment on column rustine.folder.chain is 'hash of what was written to it last';
`;
