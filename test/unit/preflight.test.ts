// The checks before anything changes, judged on facts alone.
import { describe, expect, test } from 'vitest';
import type { Integrated, Sequence, SeriesNumber } from '../../src/environment/catalog.ts';
import type { Folder } from '../../src/environment/folder.ts';
import type { ServerFacts } from '../../src/plan/check-facts.ts';
import type { Delivery } from '../../src/plan/delivery.ts';
import type { PreflightInput } from '../../src/plan/preflight.ts';
import { preflight } from '../../src/plan/preflight.ts';
import { validationFindings } from '../../src/plan/validation-checks.ts';

const folder = (id: number, code: string, parent: string | null): Folder => ({
  id,
  code,
  parent,
  depth: parent === null ? 0 : 1,
  state: 'ready',
  schema: code.toLowerCase(),
  role: null,
  languages: ['ENG'],
  activityCodes: [],
  activitySizes: {},
  test: false,
  specific: false,
  historyOf: null,
  due: [],
  legislations: [],
  modules: null,
  ancestors: [],
});
const X3 = folder(1, 'X3', null);
const SEED = folder(2, 'SEED', 'X3');

const HISTORY: Folder = { ...folder(3, 'OLD', 'X3'), historyOf: 'SEED' };
const PLANT = folder(4, 'PLANT', 'X3');

const delivery = (number: number, patchType = '1', more: Partial<Delivery> = {}): Delivery => ({
  file: `P_000${number}_140.dat`,
  digest: String(number).repeat(64),
  patchType,
  languages: ['ENG'],
  activityCodes: [],
  comment: '',
  bytes: 1_000,
  elements: [],
  rows: new Map(),
  contents: [],
  abbreviations: new Set(),
  carriedCodes: new Set(),
  relations: 0,
  sqlScripts: new Set(),
  findings: [],
  parts: async function* () {},
  ...more,
});
interface Has extends SeriesNumber {
  readonly folder: Folder;
}
const has = (folder_: Folder, number: number, patchType = '1'): Has => ({
  folder: folder_,
  file: `P_000${number}_140.dat`,
  patchType,
  series: 'P',
  version: '140',
  number,
});
const sequenceOf = (rows: readonly Has[]): Sequence => ({
  folders: [...Map.groupBy(rows, ({ folder: of }) => of.id)].map(([id, own]) => ({
    folder: id,
    series: 'P',
    version: '140',
    numbers: own.map(({ number }) => number),
  })),
  supervisor: rows.filter(({ folder: of }) => of.parent === null),
});
const had = (of: Folder, { file, digest }: Delivery, more: Partial<Integrated> = {}): Integrated => ({
  folder: of.id,
  file,
  digest,
  at: '2026-01-02 03:04',
  ignored: [],
  open: false,
  ...more,
});
const SERVER = {
  name: 'main',
  readOnly: null,
  locks: 6_400,
  locksPerTransaction: 64,
  tablespace: 'pg_default',
  bytes: null,
  free: null,
} as const satisfies ServerFacts;

type Given = Partial<Omit<PreflightInput, 'facts'>> & { readonly facts?: Partial<PreflightInput['facts']> };

function judged({ facts, ...given }: Given) {
  return preflight({
    deliveries: [delivery(1)],
    unread: [],
    folders: [X3, SEED],
    all: [X3, SEED],
    supervisor: 'X3',
    from: 'X3',
    operator: 'ann',
    authorized: [],
    forced: {},
    attended: true,
    jobs: 4,
    scope: 'patch',
    ...given,
    facts: {
      carried: new Set(),
      integrated: [],
      sequence: sequenceOf([]),
      busy: [],
      lost: [],
      olderAgain: [],
      server: SERVER,
      ...facts,
    },
  });
}

/** Code, severity, folder and patch of every finding. */
const told = (given: Given) => judged(given).findings.map(({ code, severity, folder: at, patch }) => [code, severity, at, patch]);

/** Folder and file of every gap. */
function gaps(folders: readonly Folder[], deliveries: readonly Delivery[], rows: readonly Has[]) {
  const { findings } = judged({ folders, deliveries, facts: { sequence: sequenceOf(rows) } });
  return findings.filter(({ code }) => code === 'sequence-gap').map((gap) => [gap.folder, gap.patch]);
}

describe('R7, R15: a supervisor patch in a numbered series', () => {
  test('that the supervisor folder has leaves no gap in the others', () => {
    expect(gaps([X3, SEED], [delivery(3)], [has(X3, 1), has(SEED, 1), has(X3, 2, '2')])).toEqual([]);
    expect(gaps([SEED], [delivery(3)], [has(SEED, 1), has(X3, 2, '2')])).toEqual([]);
  });

  test('that the supervisor folder gets in the same run leaves none either', () => {
    expect(gaps([X3, SEED], [delivery(1), delivery(2, '2'), delivery(3)], [])).toEqual([]);
  });

  test('that nobody has or gets is a gap', () => {
    expect(gaps([SEED], [delivery(2, '2'), delivery(3)], [has(SEED, 1)])).toEqual([['SEED', 'P_0003_140.dat']]);
  });

  test('a standard patch that only the supervisor folder has is a gap in the others', () => {
    expect(gaps([X3, SEED], [delivery(3)], [has(X3, 1), has(SEED, 1), has(X3, 2)])).toEqual([['SEED', 'P_0003_140.dat']]);
  });
});

describe('R15: sequence', () => {
  const gapOf = (given: Given) => judged(given).findings.find(({ code }) => code === 'sequence-gap');

  test('R17: a folder that lags behind the supervisor folder is told which files it lacks', () => {
    const sequence = sequenceOf([has(X3, 1), has(X3, 2), has(X3, 3), has(SEED, 1)]);
    expect(gapOf({ folders: [SEED], deliveries: [delivery(4)], facts: { sequence } })?.facts).toEqual({
      file: 'P_0004_140.dat',
      needs: 'P_0003_140',
      has: 'P_0001_140',
      lacks: ['P_0002_140.dat', 'P_0003_140.dat'],
    });
  });

  test('what is missing everywhere is lacking nowhere', () => {
    expect(gapOf({ deliveries: [delivery(3)] })?.facts).toMatchObject({ needs: 'P_0002_140', has: '', lacks: [] });
  });

  test('a damaged file counts as given: what comes after it is not out of sequence for that', () => {
    expect(told({ deliveries: [delivery(1), delivery(3)], unread: ['P_0002_140.dat'] })).toEqual([]);
  });

  test('forced, it is a warning with author and reason, and the patch is integrated', () => {
    const { findings, tasks } = judged({
      folders: [X3],
      all: [X3],
      deliveries: [delivery(3)],
      forced: { sequence: 'withdrawn' },
    });
    expect(findings).toMatchObject([
      { code: 'sequence-gap', severity: 'warn', facts: { check: 'sequence', forced: 'withdrawn', by: 'ann' } },
    ]);
    expect(tasks.get('X3')?.get('P_0003_140.dat')).toBe('integrate');
  });

  test('forced without need, that is said', () => {
    expect(told({ forced: { sequence: 'to be safe' } })).toEqual([['force-unused', 'warn', undefined, undefined]]);
  });
});

describe('R15: integrated already', () => {
  const one = delivery(1);

  test('everywhere: a warning, once for the patch; in batch it stops', () => {
    const facts = { integrated: [had(X3, one), had(SEED, one)] };
    expect(told({ facts })).toEqual([['already-integrated', 'warn', undefined, one.file]]);
    expect(told({ facts, attended: false })).toEqual([['already-integrated', 'block', undefined, one.file]]);
  });

  test('in some folders only: a note, in batch too, since a run that did not end goes on like that', () => {
    const facts = { integrated: [had(X3, one)] };
    for (const attended of [true, false])
      expect(told({ facts, attended })).toEqual([['already-integrated', 'info', undefined, one.file]]);
  });

  test('everywhere, but not the next one of the same delivery: the rest of a run that did not end, which batch goes on with', () => {
    const next = delivery(2);
    const facts = { integrated: [had(X3, one), had(SEED, one), had(X3, next)] };
    const deliveries = [one, next];
    expect(told({ deliveries, facts, attended: false })).toEqual([
      ['already-integrated', 'warn', undefined, one.file],
      ['already-integrated', 'info', undefined, next.file],
    ]);
    const all = { integrated: [...facts.integrated, had(SEED, next)] };
    expect(told({ deliveries, facts: all, attended: false })).toEqual([
      ['already-integrated', 'block', undefined, one.file],
      ['already-integrated', 'block', undefined, next.file],
    ]);
  });

  test.each(['2', '3', '4'])('in batch only standard patches stop: type %s does not', (type) => {
    const other = delivery(1, type);
    const facts = { integrated: [had(X3, other), had(SEED, other)] };
    expect(judged({ deliveries: [other], facts, attended: false }).findings).not.toContainEqual(
      expect.objectContaining({ severity: 'block' }),
    );
  });

  test('a history folder, and others in the case of a supervisor patch, do not count', () => {
    const own = delivery(1, '2');
    expect(told({ folders: [X3, HISTORY], all: [X3, HISTORY], facts: { integrated: [had(X3, one)] } })).toEqual([
      ['history-folder', 'info', 'OLD', undefined],
      ['already-integrated', 'warn', undefined, one.file],
    ]);
    expect(told({ deliveries: [own], facts: { integrated: [had(X3, own)] } })).toEqual([
      ['supervisor-only', 'info', 'SEED', own.file],
      ['already-integrated', 'warn', undefined, own.file],
    ]);
  });

  test('forced, it is integrated again', () => {
    const { findings, tasks } = judged({
      forced: { already: 'a table was dropped by hand' },
      attended: false,
      facts: { integrated: [had(X3, one), had(SEED, one)] },
    });
    expect(findings).toMatchObject([{ code: 'already-integrated', severity: 'warn', facts: { by: 'ann', check: 'already' } }]);
    expect([...tasks.values()].map((files) => files.get(one.file))).toEqual(['integrate', 'integrate']);
  });

  test('a code that was ignored then and is authorised now opens it again', () => {
    const { tasks } = judged({
      authorized: ['ZALI'],
      facts: { carried: new Set(['ZALI']), integrated: [had(X3, one, { ignored: ['ZALI'] })] },
    });
    expect(tasks.get('X3')?.get(one.file)).toBe('integrate');
  });
});

describe('R16: the same name with other content', () => {
  const facts = { integrated: [had(SEED, delivery(1), { digest: 'f'.repeat(64) })] };
  test('blocks where it was integrated', () => {
    expect(told({ facts })).toEqual([['content-changed', 'block', 'SEED', 'P_0001_140.dat']]);
  });
  test('forced, it warns', () => {
    expect(told({ facts, forced: { content: 'delivered anew' } })).toEqual([
      ['content-changed', 'warn', 'SEED', 'P_0001_140.dat'],
    ]);
  });
});

describe('R11, R13, R14: what was asked for', () => {
  const all = [X3, SEED, PLANT, HISTORY];

  test('folders left out are named, not the supervisor folder and no history folder', () => {
    const { findings } = judged({ folders: [SEED], all });
    expect(findings.map(({ code, facts }) => [code, facts.folders])).toEqual([
      ['supervisor-missing', undefined],
      ['folders-left-out', ['PLANT']],
    ]);
  });

  test('R34: they lag without a standard patch, and without no other', () => {
    const levels = (type: '1' | '3') => judged({ folders: [X3, SEED], all, deliveries: [delivery(1, type)] }).findings;
    expect([levels('1'), levels('3')].map(([first]) => [first?.code, first?.facts.lag])).toEqual([
      ['folders-left-out', true],
      ['folders-left-out', undefined],
    ]);
  });

  test('those that have the patches are not left out; of supervisor patches nobody is', () => {
    expect(told({ folders: [X3, SEED], all, facts: { integrated: [had(PLANT, delivery(1))] } })).toEqual([]);
    expect(told({ folders: [X3], all, deliveries: [delivery(1, '2')] })).toEqual([]);
  });

  test('a folder that has the same name with other content is', () => {
    const integrated = [had(PLANT, delivery(1), { digest: 'f'.repeat(64) })];
    expect(told({ folders: [X3, SEED], all, facts: { integrated } })).toEqual([
      ['folders-left-out', 'info', undefined, undefined],
    ]);
  });

  test('R13: without the supervisor folder it says which scripts stay old', () => {
    const scripts = delivery(1, '1', {
      elements: [
        { type: 'TRT', name: 'SUBA', title: '' },
        { type: 'ADC', name: 'A', title: '' },
      ],
    });
    const missing = judged({ folders: [SEED], deliveries: [scripts] }).findings[0];
    expect([missing?.code, missing?.facts.scripts]).toEqual(['supervisor-missing', ['TRT:SUBA']]);
  });

  test('R11: working from elsewhere', () => {
    expect(told({ from: 'SEED' })).toEqual([['run-from', 'warn', 'SEED', undefined]]);
  });
});

describe('R17: folders', () => {
  test('half made or half dropped ones block', () => {
    expect(told({ folders: [{ ...SEED, state: 'dropping' }], all: [SEED] }).at(-1)).toEqual([
      'folder-not-ready',
      'block',
      'SEED',
      undefined,
    ]);
  });

  test('in one that gets something somebody changes a table; where nothing is to be done, that is no matter', () => {
    const busy = [{ schema: 'seed', pid: 7, role: 'etl', application: 'nightly', since: '2024-02-29 03:12', table: 'item' }];
    expect(told({ facts: { busy } })).toEqual([['folder-busy', 'warn', 'SEED', undefined]]);
    expect(told({ facts: { busy, integrated: [had(SEED, delivery(1))] } })).toEqual([
      ['already-integrated', 'info', undefined, 'P_0001_140.dat'],
    ]);
  });
});

describe('R17: servers', () => {
  const about = (facts: Partial<ServerFacts>, given: Given = {}) =>
    judged({ ...given, facts: { ...given.facts, server: { ...SERVER, ...facts } } }).findings.map(
      ({ code, severity, facts: said }) => [code, severity, said],
    );
  const GIB = 1024 ** 3;

  test('one that takes no changes blocks', () => {
    expect(about({ readOnly: 'standby' })).toMatchObject([['server-read-only', 'block', { reason: 'read-only-standby' }]]);
    expect(about({ readOnly: 'setting' })).toMatchObject([['server-read-only', 'block', { reason: 'read-only-setting' }]]);
  });

  test('locks: of the largest patch in as many folders as are worked on; of all patches in a rehearsal', () => {
    const deliveries = [delivery(1, '1', { relations: 40 }), delivery(2, '1', { relations: 60 })];
    const needed = (scope: PreflightInput['scope'], jobs: number, folders = [X3, SEED]) => {
      const found = about({ locks: 59 }, { deliveries, scope, jobs, folders, all: folders });
      return found.map(([code, severity, facts]) => [code, severity, (facts as { needed: number }).needed]);
    };
    expect(needed('patch', 1)).toEqual([['locks-low', 'warn', 60]]);
    expect(needed('patch', 8)).toEqual([['locks-low', 'warn', 120]]);
    expect(needed('folder', 1)).toEqual([['locks-low', 'warn', 100]]);
    expect(about({ locks: 120 }, { deliveries, jobs: 8 })).toEqual([]);
  });

  test('what is integrated already needs neither locks nor room', () => {
    const large = delivery(1, '1', { relations: 10_000, bytes: 10 * GIB });
    const integrated = [had(X3, large), had(SEED, large)];
    expect(about({ free: 0 }, { deliveries: [large], facts: { integrated } }).map(([code]) => code)).toEqual([
      'already-integrated',
    ]);
  });

  test('disk: too little is a warning; where only the server could know, a large run says how much it takes', () => {
    const large = { deliveries: [delivery(1, '1', { bytes: GIB / 2 })] };
    // Once for all and once in each of two folders, each time in the tables and in the log.
    const expected = 3 * 1024;
    expect(about({ free: 2 * GIB }, large)).toMatchObject([['disk-low', 'warn', { free: 2_048, expected }]]);
    expect(about({ free: 100 * GIB }, large)).toEqual([]);
    expect(about({ bytes: 5 * GIB }, large)).toMatchObject([['disk-unknown', 'info', { expected, size: 5_120 }]]);
    expect(about({ free: 1_000 })).toMatchObject([['disk-low', 'warn', { expected: 1 }]]);
    expect(about({})).toEqual([]);
  });

  test('a validation: room for what the folders lack of their patches', () => {
    const shares = [{ delivery: { bytes: GIB / 2, relations: 0 }, folders: 2 }];
    const about = (free: number) => {
      const server = { ...SERVER, free };
      const facts = { lag: new Map(), lost: [], shares, server };
      return validationFindings({ folders: [X3, SEED], all: [X3, SEED], facts, jobs: 2 }).map(({ code, severity }) => [
        code,
        severity,
      ]);
    };
    expect(about(2 * GIB)).toEqual([['disk-low', 'warn']]);
    expect(about(100 * GIB)).toEqual([]);
  });
});
