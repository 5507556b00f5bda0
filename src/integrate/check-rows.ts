// Looks whether a folder's tables are as a patch left them, as far as it takes to take it back (R38): what people did since would be lost.
import { Bug } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import type { Session } from '../database/database.ts';
import { qualified, quoteIdentifier, quoteLiteral, sql } from '../database/sql.ts';
import type { FolderSettings } from '../plan/plan.ts';
import { conversionOf, holds } from '../tables/conversion.ts';
import { inspectTables, parseType } from '../tables/inspect.ts';
import { ROW_COLUMN } from '../tables/model.ts';
import type { WayBack } from '../tables/shape.ts';
import { changedSince, isRetyped, usualValue, wayBack } from '../tables/shape.ts';
import { keyColumns } from './kept-fit.ts';
import { readPointingRows } from './pointing-rows.ts';
import { formerRows, formerValues, lastWritten, type RememberedTable, readRemembered } from './remembered.ts';
import { readTableUses } from './table-uses.ts';

/** Of so many rows the keys are shown. */
const MOST_SAMPLES = 5;
const LONGEST_SAMPLE = 60;

/**
 * All that speaks against putting the folder's tables back; nothing is changed. The folder's row is locked.
 * @param integration the last one of the folder that was not taken back
 */
export async function checkRows(session: Session, folder: FolderSettings, integration: string): Promise<readonly Finding[]> {
  const remembered = await readRemembered(session, folder, integration);
  // Who asks has seen that the integration remembers something.
  if (remembered === undefined) throw new Bug('integration remembers no tables', { folder: folder.code, integration });
  const findings: Finding[] = [...(await keptFindings(session, folder, remembered.kept))];
  for (const table of remembered.tables) {
    const about = aboutTable(folder, table.name);
    const [shape] = shapeFindings(table, about);
    findings.push(...(shape === undefined ? await rowFindings(session, folder, integration, table, about) : [shape]));
  }
  return findings;
}

type About = (code: string, facts?: Finding['facts']) => Finding;

const aboutTable =
  (folder: FolderSettings, table: string): About =>
  (code, facts = {}) => ({
    code,
    severity: 'block',
    folder: folder.code,
    subject: `ATB:${table.toUpperCase()}`,
    facts: { table: table.toUpperCase(), ...facts },
  });

/** What was put aside has to be there still, and only there. */
async function keptFindings(session: Session, folder: FolderSettings, kept: readonly number[]): Promise<readonly Finding[]> {
  if (kept.length === 0) return [];
  const rows = await session.query<{ id: number; restored: boolean }>(
    sql`select id::integer, restored_at is not null as restored from rustine.kept where folder = ${folder.id} and id = any(${kept}::bigint[]) order by id`,
  );
  const there = new Set(rows.map(({ id }) => id));
  const gone = kept.filter((id) => !there.has(id));
  const restored = rows.filter((row) => row.restored).map(({ id }) => id);
  const finding = (code: string, entries: readonly number[]): readonly Finding[] =>
    entries.length === 0
      ? []
      : [
          {
            code,
            severity: 'block',
            folder: folder.code,
            facts: { folder: folder.code, count: entries.length, entries: entries.slice(0, MOST_SAMPLES).map(String) },
          },
        ];
  return [...finding('revert-kept-gone', gone), ...finding('revert-kept-restored', restored)];
}

function shapeFindings({ change, now, after, columns }: RememberedTable, about: About): readonly Finding[] {
  if (change === 'removed') return now === null ? [] : [about('revert-table-back')];
  if (now === null) return [about('revert-table-gone')];
  const names = new Set(now.columns.map(({ name }) => name));
  const changes = after === null ? [] : changedSince(after, now);
  const lost = (columns ?? []).filter((name) => !names.has(name) && !changes.includes(name));
  return changes.length + lost.length === 0 ? [] : [about('revert-table-changed', { objects: [...changes, ...lost] })];
}

/** A question about rows: those of `t` (the table) and `l` (what the patch wrote) for which the condition holds. */
interface Question {
  readonly code: string;
  readonly condition: string;
  readonly facts?: Finding['facts'];
}

async function rowFindings(
  session: Session,
  folder: FolderSettings,
  integration: string,
  table: RememberedTable,
  about: About,
): Promise<readonly Finding[]> {
  const { now } = table;
  if (now === null) return [];
  const way =
    table.change === 'altered' && table.before !== null && table.after !== null ? wayBack(table.before, table.after) : undefined;
  const questions = [...questionsOf(table), ...(way === undefined ? [] : columnQuestions(way))];
  const name = quoteLiteral(table.name);
  const key = keyColumns(
    (await inspectTables(session, folder.schema, [table.name])).get(table.name) ?? {
      name: table.name,
      columns: [],
      indexes: [],
      attributes: 0,
    },
  );
  const shown =
    key.length === 0
      ? `'${ROW_COLUMN} ' || coalesce(l.row_number, t.${ROW_COLUMN})`
      : `coalesce(nullif(concat_ws('~', ${key.map((column) => `coalesce(t.${quoteIdentifier(column)}::text, f.value ->> ${quoteLiteral(column)})`).join(', ')}), ''), '${ROW_COLUMN} ' || coalesce(l.row_number, t.${ROW_COLUMN}))`;
  const counts = questions.map(
    ({ condition }) =>
      `count(*) filter (where ${condition})::integer, (array_agg(left(${shown}, ${LONGEST_SAMPLE}) order by coalesce(l.row_number, t.${ROW_COLUMN})) filter (where ${condition}))[1:${MOST_SAMPLES}]`,
  );
  const texts = [
    `select current_setting('TimeZone') as zone`,
    // Rows are compared as text, written as they were then.
    ...(table.timeZone === null ? [] : [`set local timezone = ${quoteLiteral(table.timeZone)}`]),
    `with l as materialized (${lastWritten(integration, name)}), f as materialized (${formerRows(folder.id, integration, name)}),
      v as materialized (${formerValues(folder.id, integration, name)})
      select ${counts
        .map((count) => `json_build_array(${count})`)
        .map((each, at) => `${each} as q${at}`)
        .join(', ')}
      from ${qualified(folder.schema, table.name)} t full join l on l.row_number = t.${ROW_COLUMN} left join f on f.row_number = coalesce(t.${ROW_COLUMN}, l.row_number) left join v on v.row_number = t.${ROW_COLUMN}`,
  ];
  const results = await session.script(texts.join(';\n'));
  const answer = results.at(-1)?.rows[0] ?? {};
  if (table.timeZone !== null) await session.script(`set local timezone = ${quoteLiteral(String(results[0]?.rows[0]?.zone))}`);
  const found = questions.flatMap(({ code, facts = {} }, at): readonly Finding[] => {
    const [count, keys] = answer[`q${at}`] as readonly [number, readonly string[] | null];
    return count === 0 ? [] : [about(code, { ...facts, count, keys: keys ?? [] })];
  });
  const uses = [
    ...(await readTableUses(session, folder.schema, table, way)),
    ...(table.change === 'created' ? [] : await readPointingRows(session, folder, integration, table)),
  ];
  return [...found, ...(uses.length === 0 ? [] : [about('revert-table-in-use', { objects: [...new Set(uses)] })])];
}

/** A default that is a value, and no expression that would make another one each time. */
const VALUE = /^(?:'(?:[^']|'')*'|-?[\d.]+|true|false|NULL)(?:::[\w .]+(?:\([\d,]+\))?)?$/;

/** SQL: whether somebody entered a value in a column that came since. */
function enteredSince({ columns, now }: RememberedTable): string {
  const since = (now?.columns ?? []).filter(
    ({ name, default: usual, generated, identity }) =>
      !(columns ?? []).includes(name) &&
      generated === undefined &&
      identity === undefined &&
      (usual === undefined || VALUE.test(usual)),
  );
  const entered = since.map((column) => `t.${quoteIdentifier(column.name)}::text is distinct from (${usualValue(column)})::text`);
  return ['false', ...entered].join(' or ');
}

function questionsOf(table: RememberedTable): readonly Question[] {
  const { change, columns } = table;
  const digest =
    columns === null
      ? ''
      : `hashtextextended(row(${columns.map((column) => `t.${quoteIdentifier(column)}`).join(', ')})::text, 0)`;
  const written = `l.what in ('inserted', 'updated')`;
  return [
    ...(columns === null
      ? []
      : [
          {
            code: 'revert-rows-changed',
            condition: `${written} and t.${ROW_COLUMN} is not null and (${digest} <> l.digest or f.row_number is null and (${enteredSince(table)}))`,
          },
          // One that the patch brought would go anyway.
          { code: 'revert-rows-deleted', condition: `${written} and f.row_number is not null and t.${ROW_COLUMN} is null` },
        ]),
    {
      code: 'revert-rows-back',
      condition: `t.${ROW_COLUMN} is not null and f.row_number is not null and coalesce(l.what = 'deleted', true)`,
    },
    ...(change === 'created' ? [{ code: 'revert-rows-since', condition: `l.row_number is null` }] : []),
  ];
}

/** Values that the rows of other people have in columns that go, or get their old type back. */
function columnQuestions({ added, changed }: WayBack): readonly Question[] {
  const others = 'l.row_number is null';
  return [
    ...added.map(({ name, type }) => ({
      code: 'revert-values-since',
      condition: `${others} and ${holds(parseType(type), `t.${quoteIdentifier(name)}`)}`,
      facts: { column: name },
    })),
    ...changed.flatMap((column): readonly Question[] => {
      const { was, is } = column;
      const [to, from] = [parseType(was.type), parseType(is.type)];
      if (to.kind === 'other' || was.type === is.type) return [];
      const value = `t.${quoteIdentifier(was.name)}`;
      const { fits } = conversionOf(from, to);
      const facts = { column: was.name, from: is.type, to: was.type };
      const kept = `(v.value ->> ${quoteLiteral(was.name)})::${was.type}`;
      const became = from.kind === 'other' ? undefined : (conversionOf(to, from).using?.(kept) ?? kept);
      return [
        ...(fits === undefined
          ? []
          : [
              {
                code: 'revert-values-unfit',
                condition: `${others} and not coalesce(v.value ? ${quoteLiteral(was.name)}, false) and not (${fits(value)})`,
                facts,
              },
            ]),
        ...(isRetyped(column) && became !== undefined
          ? [
              {
                code: 'revert-values-changed',
                condition: `${others} and v.value ? ${quoteLiteral(was.name)} and (${value})::text is distinct from ((${became})::${is.type})::text`,
                facts,
              },
            ]
          : []),
      ];
    }),
  ];
}
