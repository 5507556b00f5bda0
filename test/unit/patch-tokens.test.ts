// Each kind of line of a patch, as it is and as it must not be.
import { describe, expect, test } from 'vitest';
import type { RecordLine } from '../../src/patch/format.ts';
import { elementHead, patchHeader, renderRecordLine } from '../../src/patch/render.ts';
import { parseByteCount, parseElementHead, parseHeader, parseRecordHead, parseRecordLine } from '../../src/patch/tokens.ts';

const text = { kind: 'text', field: 'LIB', index: 0, language: 'FRA', number: '100135', comment: '' } as const;
const translation = { kind: 'translation', field: 'DES', index: 0, language: 'FRA', id1: '2', id2: 'WS' } as const;

describe('header', () => {
  test('has eight tokens', () => {
    expect(parseHeader('1,"","FRA/ENG","1","","X3","1",')).toEqual(
      patchHeader({ languages: ['FRA', 'ENG'], folder: 'X3', type: '1' }),
    );
  });

  test.each(['XA/XB', 'XA,XB', 'XA;XB', 'XA XB', ' XA , XB;'])('activity codes %j', (codes) => {
    expect(parseHeader(`1,"","FRA","1","${codes}","X3","1",`)).toMatchObject({ activityCodes: ['XA', 'XB'] });
  });

  test.each([
    '',
    '1,"","FRA","1","","X3","1"',
    '1,"","FRA","1","","X3","",',
    '1,"","FRA","1","","X3","A",',
    '1,"","FRA","1","X3","1",',
    '2,"","FRA","1","","X3","1",',
  ])('not %j', (line) => expect(parseHeader(line)).toBe('header'));
});

describe('element', () => {
  test.each([
    ['2,"ATB","ZCLIENT","Clients"', 'ATB', 'ZCLIENT', 'Clients'],
    ['2,"ATB","",""', 'ATB', '', ''],
    ['2,"SLT","A="x","y"","T"', 'SLT', 'A="x","y"', 'T'],
    [`2,"SLT","STRTYP=2 & STRNUM='WS'","Say "hi""`, 'SLT', "STRTYP=2 & STRNUM='WS'", 'Say "hi"'],
    ['2,"ATB",""",""', 'ATB', '"', ''],
  ])('%s', (line, type, name, title) => {
    expect(parseElementHead(line)).toEqual(elementHead(type, name, title));
  });

  test.each([
    '2,',
    '2,"ATB"',
    '2,"ATB","A"',
    '2,"ATB","A","',
    '2,"ATB","A","B',
    '2,"","A","B"',
    '2,ATB,"A","B"',
    '2,"ATB",","',
    '2,"ATB"x"A","B"',
  ])('not %j', (line) => expect(parseElementHead(line)).toBe('element-head'));
});

describe('record', () => {
  test.each([
    ['3,"ACV",ZALI', 'ACV', 'ZALI'],
    ['3,"ACV",', 'ACV', ''],
    ['3,"DIV","A","B"', 'DIV', '"A","B"'],
    ['3,"ASP",A~B~0', 'ASP', 'A~B~0'],
  ])('%s', (line, tag, key) => expect(parseRecordHead(line)).toEqual({ tag, key }));

  test.each(['3,', '3,"ACV"', '3,"",A', '3,ACV,A', '3,"ACV'])('not %j', (line) =>
    expect(parseRecordHead(line)).toBe('record-head'),
  );
});

describe('value', () => {
  test.each(['""', '"ZALI"', '""""', '"a","b"', '"2016-06-27T20:44:31Z"', '0', '000000', '20160627', '-1', '1.50', '-0.00'])(
    '%s',
    (value) => {
      expect(parseRecordLine(`4,"F",12,${value}`)).toEqual({ kind: 'value', field: 'F', index: 12, value });
    },
  );

  test.each(['', '"', '"a', 'a"', 'a', '1.', '.5', '-', '--1', '1e3', '+1', '1,2', ' 1', '"a" '])('not %j', (value) => {
    expect(parseRecordLine(`4,"F",0,${value}`)).toBe('value');
  });

  test.each(['4,"",0,1', '4,F,0,1', '4,"F"0,1', '4,', '4,"F'])('field not in %j', (line) =>
    expect(parseRecordLine(line)).toBe('field'),
  );

  test.each(['', '-1', '01', '100000', '1a', ' 0'])('index not %j', (index) =>
    expect(parseRecordLine(`4,"F",${index},1`)).toBe('index'),
  );
  test('index up to 99999', () => expect(parseRecordLine('4,"F",99999,1')).toMatchObject({ index: 99_999 }));
});

describe('lines in a language', () => {
  test.each<[string, RecordLine]>([
    ['5,"LIB",0,"Site","FRA",100135,""', { ...text, text: 'Site' }],
    ['5,"LIB",0,"","FRA",100135,""', { ...text, text: '' }],
    ['5,"LIB",0,"a","b","c"","FRA",100135,"x","y"', { ...text, text: 'a","b","c"', comment: 'x","y' }],
    ['5,"LIB",0,"n","ENG","FRA",7,"1,"2""', { ...text, text: 'n","ENG', number: '7', comment: '1,"2"' }],
    ['5,"LIB",0,"n","x1",7,""', { ...text, text: 'n', language: 'x1', number: '7' }],
    ['5,"LIB",3,"","***"', { kind: 'close', of: 'text', field: 'LIB', index: 3 }],
    ['9,"DES",0,"Web","FRA","2","WS"', { ...translation, text: 'Web' }],
    ['9,"DES",0,"","FRA","",""', { ...translation, text: '', id1: '', id2: '' }],
    ['9,"DES",0,"a","b","FRA","2","W"S"', { ...translation, text: 'a","b', id2: 'W"S' }],
    ['9,"DES",0,"Web","ENG","FRA","WS"', { ...translation, text: 'Web', language: 'ENG', id1: 'FRA' }],
    ['9,"DES",0,"Web","FRA","a=1","b=2","WS"', { ...translation, text: 'Web', id1: 'a=1","b=2' }],
    ['9,"DES",0,"","***"', { kind: 'close', of: 'translation', field: 'DES', index: 0 }],
  ])('%s', (line, parsed) => {
    expect(parseRecordLine(line)).toEqual(parsed);
    expect(renderRecordLine(parsed)).toBe(line);
  });

  test.each([
    '',
    '""',
    '"a"',
    '"a","FRA"',
    '"a","FRA",,""',
    '"a","FRA",1',
    '"a","FRA",1,"',
    '"a","***",1,""',
    '"a","FRA","1",""',
    'a","FRA",1,""',
  ])('text not %j', (rest) => expect(parseRecordLine(`5,"LIB",0,${rest}`)).toBe('text'));

  test.each([
    '',
    '""',
    '"a"',
    '"a","FRA"',
    '"a","FRA","2"',
    '"a","FRA","2","',
    '"a","","2","3"',
    '"a","***","2","3"',
    '"a","FRA",2,"3"',
  ])('translation not %j', (rest) => expect(parseRecordLine(`9,"DES",0,${rest}`)).toBe('translation'));
});

test.each(['0,x', '10,"A",1', '007,'])('unknown kind %j is carried', (line) => {
  expect(parseRecordLine(line)).toEqual({ kind: 'unknown', line });
});

test.each(['', 'x', '1,', '2,"A","B","C"', '3,"A",', '6,"A"', '7,"A","B","C"', '8,""', '10', '-1,'])(
  'in a record not %j',
  (line) => {
    expect(parseRecordLine(line)).toBe('value-or-record-end');
  },
);

test('byte counts have no leading zero and fit a number', () => {
  expect(parseByteCount('0')).toBe(0);
  expect(parseByteCount('396')).toBe(396);
  for (const line of ['', '00', '-1', '1.5', ' 1', '1234567890123456']) expect(parseByteCount(line)).toBe('byte-count');
});
