// The patches of the demonstration, made with our own writer: a small loyalty programme with a standard part and one specific field, then one more field.
import { writeFile } from 'node:fs/promises';
import type { PatchPart, PatchRecord, RecordLine } from '../patch/format.ts';
import { elementHead, patchHeader } from '../patch/render.ts';
import { writePatch } from '../patch/write.ts';

type Value = string | number | { readonly ENG: string; readonly FRA: string };

const PLACE = { line: 0, offset: 0 };
const STAMP = { CREDATTIM: '2026-01-05T09:00:00Z', CREUSR: 'ADMIN', UPDDATTIM: '2026-01-05T09:00:00Z', UPDUSR: 'ADMIN' };

const FORM = { bom: false, lineEnd: 'lf', encoding: 'utf8', lastLineEnd: true } as const;
/** Those that both patches have. */
const FIELDS: readonly PatchRecord[] = [
  field(1, 'CARD', 'A', 12, { ENG: 'Card', FRA: 'Carte' }),
  field(2, 'HOLDER', 'A', 40, { ENG: 'Holder', FRA: 'Titulaire' }),
  field(3, 'POINTS', 'L', 8, { ENG: 'Points', FRA: 'Points' }),
];

const SOURCE = `# Points of a loyalty card: one per euro, twice as many from level 2
Funprof POINTS(AMOUNT, LEVEL)
  Value Decimal AMOUNT
  Value Integer LEVEL
  If LEVEL >= 2 : End 2 * ar2(AMOUNT) : Endif
End ar2(AMOUNT)
`;

export async function writeDemoPatch(path: string): Promise<void> {
  await writeFile(path, writePatch(parts()));
}

/** The second one: loyalty cards get a level. */
export async function writeNextPatch(path: string): Promise<void> {
  await writeFile(path, writePatch(nextParts()));
}

function* nextParts(): Generator<PatchPart> {
  yield { part: 'header', header: patchHeader({ languages: ['ENG', 'FRA'], folder: 'X3', type: '1' }), at: PLACE };
  yield* table([...FIELDS, field(5, 'LEVEL', 'L', 2, { ENG: 'Level', FRA: 'Niveau' })]);
  yield { part: 'end', form: FORM, bytes: 0, digest: '' };
}

function* parts(): Generator<PatchPart> {
  yield { part: 'header', header: patchHeader({ languages: ['ENG', 'FRA'], folder: 'X3', type: '1' }), at: PLACE };
  yield* element('ACV', 'ZVIP', 'VIP customers', [
    record('ACV', 'ZVIP', {
      CODACT: 'ZVIP',
      DIME: 0,
      FLACT: 2,
      LIBACT: { ENG: 'VIP customers', FRA: 'Clients VIP' },
      TYP: 1,
      ...STAMP,
    }),
  ]);
  yield* table([...FIELDS, field(4, 'ZGIFT', 'A', 30, { ENG: 'VIP gift', FRA: 'Cadeau VIP' }, 'ZVIP')]);
  yield { part: 'element', element: elementHead('TRT', 'LOYPOINTS', 'Loyalty points'), at: PLACE };
  yield { part: 'source', bytes: Buffer.from(SOURCE) };
  yield { part: 'element-end', at: PLACE };
  yield* element('LOY', "CARD='C000001'", 'First card', [
    record('DIV', '', { CARD: 'C000001', HOLDER: 'Ada Martin', POINTS: 120 }),
  ]);
  yield { part: 'end', form: FORM, bytes: 0, digest: '' };
}

function table(fields: readonly PatchRecord[]): Generator<PatchPart> {
  return element('ATB', 'LOYALTY', 'Loyalty cards', [
    record('ATB', 'LOYALTY', {
      ABRFIC: 'LOY',
      CODACT: '',
      CODFIC: 'LOYALTY',
      INTITFIC: { ENG: 'Loyalty cards', FRA: 'Cartes de fidélité' },
      MODULE: 1,
      TYPFIC: 1,
      ...STAMP,
    }),
    ...fields,
    record('ATI', 'LOY0', {
      CODACT: '',
      CODFIC: 'LOYALTY',
      CODIND: 'LOY0',
      DESCRIPT: 'CARD',
      HOMONYM: 1,
      NUMLIG: 1,
      ORDIND: 1,
      ...STAMP,
    }),
  ]);
}

function* element(type: string, name: string, title: string, records: readonly PatchRecord[]): Generator<PatchPart> {
  yield { part: 'element', element: elementHead(type, name, title), at: PLACE };
  for (const each of records) yield { part: 'record', record: each, at: PLACE };
  yield { part: 'element-end', at: PLACE };
}

function field(number: number, code: string, type: string, length: number, title: Value, activityCode = ''): PatchRecord {
  return record('ATZ', code, {
    CODACT: activityCode,
    CODFIC: 'LOYALTY',
    CODTYP: type,
    CODZONE: code,
    DIME: 1,
    LONG: length,
    NOCOURT: title,
    NOLONG: title,
    NUMLIG: number,
    ...STAMP,
  });
}

/** Fields in alphabetical order, as the original writes them. */
function record(tag: string, key: string, fields: Readonly<Record<string, Value>>): PatchRecord {
  const lines = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]): RecordLine[] => {
      if (typeof value === 'object') return texts(name, value);
      return [{ kind: 'value', field: name, index: 0, value: typeof value === 'number' ? String(value) : `"${value}"` }];
    });
  return { tag, key, lines };
}

function texts(name: string, { ENG, FRA }: { readonly ENG: string; readonly FRA: string }): RecordLine[] {
  const common = { field: name, index: 0 } as const;
  return [
    { kind: 'text', ...common, text: ENG, language: 'ENG', number: '200001', comment: '' },
    { kind: 'text', ...common, text: FRA, language: 'FRA', number: '200001', comment: '' },
    { kind: 'close', of: 'text', ...common },
  ];
}
