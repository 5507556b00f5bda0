// A delivery as they come: tables, parameters, a script, rows of data.
import type { Element } from '../test/support/patches.ts';
import { activityCode, any, rows, script, table, texts } from '../test/support/patches.ts';

/** @param size of a text field; one of another size changes each element and each row */
export function delivery(size: number): readonly Element[] {
  const fields = { COD: 'A:10', DES: `A:${size}`, QTY: 'DCB:9.3', DAT: 'D', NUM: 'L' } as const;
  return [
    activityCode('SIZ', { size: 3 }),
    ...Array.from({ length: 20 }, (_, number) =>
      any('ADP', `LIMIT${number}`, [
        {
          tag: 'ADP',
          values: { ACS: '', PARAM: `LIMIT${number}`, INTIT: texts({ ENG: `Limit ${size}`, FRA: `Limite ${size}` }) },
        },
      ]),
    ),
    ...Array.from({ length: 10 }, (_, number) =>
      table(`STOCK${number}`, `S${number}`, fields, { [`S${number}0`]: 'COD', [`S${number}1`]: '-DAT+COD' }),
    ),
    rows(
      'S0',
      'STOCK',
      Array.from({ length: 200 }, (_, number) => ({ COD: `C${number}`, DES: `Item ${number} of ${size}`, NUM: number })),
    ),
    script('STOCKLIB', `# source ${size}\nEnd`),
  ];
}
