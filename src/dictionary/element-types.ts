// The registry: one row per element type. A type without special behaviour costs one row here and nothing elsewhere. Pure.

/** What a type does beyond being stored and merged. */
export type Behaviour = 'table' | 'script' | 'exe' | 'activity-code' | 'data-type' | 'table-content' | 'model-rows';

export interface ElementType {
  readonly type: string;
  readonly title: string;
  readonly titleFr: string;
  /** Integration order (R18); equal ranks go by code. */
  readonly rank: number;
  /** Tag of the header record and the table it belongs to. */
  readonly header: { readonly tag: string; readonly table: string; readonly key: readonly string[] };
  /** Per line tag: its table, and the fields that identify a line within its element (alternatives separated by `|`). */
  readonly lines: Readonly<Record<string, { readonly table: string; readonly key: readonly string[] }>>;
  /** Fields that may hold the activity code of a header, line or block. */
  readonly activity: readonly string[];
  /** Per tag: fields written at creation only (R20); `*` stands for all of a line's. */
  readonly setUp: Readonly<Record<string, readonly string[]>>;
  /** Set-up fields that follow the delivery as long as nobody in the folder changed them. */
  readonly personal: readonly string[];
  /** Tags whose lines are the folder's: those that a patch lacks stay. */
  readonly keptLines: readonly string[];
  /** Tag → field of the folder's header and the value with which all of the tag's lines are set-up. */
  readonly setUpWhen: Readonly<Record<string, { readonly field: string; readonly value: string }>>;
  readonly blocks?: BlockRule;
  /** Lines that may be specific or vertical actions (R8): their tag, and the field with the action. */
  readonly actions?: { readonly tag: string; readonly field: string };
  /** Tag → field with the language of its lines: those are texts, and follow the rule for texts (R23). */
  readonly language: Readonly<Record<string, string>>;
  readonly behaviour?: Behaviour;
}

/** Arrays of a header of which each place is a block with an activity code of its own. */
export interface BlockRule {
  /** Field with the block's activity code. */
  readonly activity: string;
  /** Field with the block's name: one that starts with X, Y or Z is specific too. */
  readonly name?: string;
  /** Fields that are such arrays. */
  readonly fields: RegExp;
  /** Field with the number of blocks. */
  readonly count?: string;
  /** Tag → field of its lines with the number of their block, from 1. */
  readonly lines: Readonly<Record<string, string>>;
}

/** Kinds of patch that may write what all others keep (R8, R9). */
const SPECIFIC_PATCH = '3';
const VERTICAL_PATCH = '4';

/** Fields with the name of a specific or vertical script: type of patch that may change them. */
export const SCRIPT_NAME_FIELDS: Readonly<Record<string, string>> = {
  TRTSPE: SPECIFIC_PATCH,
  PRGSPE: SPECIFIC_PATCH,
  SPETRT: SPECIFIC_PATCH,
  TRTSPV: VERTICAL_PATCH,
};

/** Type of patch that an action belongs to: SPE and codes from X on are specific, SPV is vertical; undefined: any patch's. */
export function patchTypeOfAction(action: string): string | undefined {
  if (action === 'SPV') return VERTICAL_PATCH;
  return action === 'SPE' || /^[XYZ]/i.test(action) ? SPECIFIC_PATCH : undefined;
}

const LAST = 100;

type Row = readonly [
  type: string,
  rank: number,
  title: string,
  titleFr: string,
  header: string,
  lines: string,
  activity: string,
  setUp: string,
  more?: Behaviour | Special,
];

type Special = Partial<
  Pick<ElementType, 'personal' | 'keptLines' | 'setUpWhen' | 'blocks' | 'actions' | 'language' | 'behaviour'>
>;

const SCREEN_BLOCKS: BlockRule = {
  activity: 'ACTBLOC',
  fields: /^(?!NBBLOC$).*BLOC|^(STACKED|NBRLIG|NBRCOL|DETBLC)$/,
  count: 'NBBLOC',
  lines: { AMZ: 'NUMBLOC' },
};

const WINDOW_SCREENS: BlockRule = {
  activity: 'ACTMSK',
  name: 'NOMMSK',
  fields: /^(NOMMSK|ROWMSK|FLGMSK|INTMSK|ACTMSK)$/,
  count: 'NBMSK',
  lines: {},
};

// header: `TABLE(KEY,KEY)` (its tag is the type) · lines: `TAG=TABLE(KEY,KEY) …`, without brackets: by position ·
// setUp: `TAG:FIELD,FIELD …`
const ROWS: readonly Row[] = [
  ['ACV', 1, 'activity code', 'code activité', 'ACTIV(CODACT)', '', 'CODACT', '', 'activity-code'],
  [
    'ATY',
    5,
    'data type',
    'type de données',
    'ATYPE(CODTYP)',
    'ATYL=ATYPELNK(CODLNK) ATYLP=ATYPELPAR(CODLNK,PARCOD) ATYR=ATYPERUL ATYRP=ATYPERPAR',
    'CODACT,ACTLNK,ACTRUL',
    'ATY:LNGTYP,FORTYP',
    { behaviour: 'data-type', personal: ['LNGTYP', 'FORTYP'] },
  ],
  [
    'AML',
    6,
    'local menu',
    'menu local',
    'AMENLOC(MENLOC|MENLOCAL)',
    'AST=APLSTD(LANNUM,LAN)',
    'CODACT',
    '',
    { setUpWhen: { AST: { field: 'AUZMOD', value: '2' } }, language: { AST: 'LAN' } },
  ],
  [
    'ADV',
    7,
    'miscellaneous table set-up',
    'paramétrage de table diverse',
    'ATABTAB(NUMTAB)',
    '',
    'CODACT',
    'ADV:ACS,LNG,DEPNUM,LNGDES,SHODES',
  ],
  ['ADI', 8, 'miscellaneous table content', 'contenu de table diverse', 'ATABDIV(NUMTAB,CODE)', '', '', ''],
  [
    'ADP',
    9,
    'general parameter',
    'paramètre général',
    'ADOPAR(PARAM)',
    'ADW=ADOVAL(CMP,FCY)',
    'CODACT',
    'ADP:ACS ADW:VALEUR',
    { keptLines: ['ADW'] },
  ],
  [
    'ATB',
    12,
    'table',
    'table',
    'ATABLE(CODFIC)',
    'ATZ=ATABZON(CODZONE) ATI=ATABIND(CODIND) ATA=ATABAUD(NUMLIG)',
    'CODACT',
    'ATB:SECURE,NBENREG,AUDBI,AUDCLE,AUDCRE,AUDDEL,AUDSDA,AUDUPD,AUDWRK ATI:ORDIND ATA:*',
    { behaviour: 'table', keptLines: ['ATA'] },
  ],
  ['ACS', 14, 'access code', "code d'accès", 'ACCCOD(CODACC)', '', '', ''],
  ['ACT', 16, 'action', 'action', 'ACTION(ACTION)', 'ATR=ACTPAR(CODPAR)', 'CODACT', 'ACT:SPETRT'],
  ['ACL', 18, 'control table', 'table de contrôle', 'ACTL(CTL)', '', '', ''],
  [
    'AMK',
    20,
    'screen',
    'écran',
    'AMSK(CODMSK)',
    'AMZ=AMSKZON(CODZON) AMA=AMSKACT(CODZON,NOACT) AMP=AMSKPAR(CODZON,CODPAR)',
    'CODACT',
    'AMK:TRTSPE,TRTSPV,NBRLIG,NBRCOL,CODACC,STYBLOC AMZ:CODACC,CODCTL',
    { blocks: SCREEN_BLOCKS, actions: { tag: 'AMA', field: 'ACTION' } },
  ],
  [
    'AWI',
    22,
    'window',
    'fenêtre',
    'AWINDOW(WIN)',
    'AWT=AWINBOUT(NUM) AWB=AWINBRO AWP=AWINPAR',
    'CODACT,CODACTBOUT,ACTLIS',
    'AWI:ACS,ENAFLG',
    { blocks: WINDOW_SCREENS },
  ],
  [
    'AOB',
    24,
    'object',
    'objet',
    'AOBJET(ABREV)',
    'AOT=AOBJTAB(NUMLIG) AOL=AOL AOS=AOS AOP=AOP AOK=AOK',
    'CODACT,TABACT',
    'AOB:TRTSPE,TRTSPV',
  ],
  ['AFC', 26, 'function', 'fonction', 'AFONCTION(CODINT)', '', 'CODACT', 'AFC:FCYAUZ,MONO'],
  ['ACN', 36, 'inquiry', 'consultation', 'ACONSULT(COD)', '', 'CODACT', 'ACN:PRGSPE'],
  [
    'AVW',
    28,
    'view',
    'vue',
    'AVIEW(CODVUE)',
    'AVB=AVIEWB(TYPDBA) AVC=AVIEWC(CODCLE) AVD=AVIEWD(FLDVUE) AVE=AVIEWE',
    'CODACT,FLDACT,CLEACT',
    'AVW:SECURE,ENAFLG',
  ],
  ['ASU', 30, 'sub-program', 'sous-programme', 'ASUBPROG(PRG,SUBPRG)', 'ASP=ASUBPROGD(LIGNE)', 'CODACT', ''],
  ['AWE', 32, 'web service', 'web service', 'AWEBSERVIC(PUBLI)', 'AWY=AWEBSERDES(GRP|GROUPE,CHP|CHAMP,IDX)', '', ''],
  [
    'ACLA',
    34,
    'class',
    'classe',
    'ACLASSE(CODCLA)',
    'ACLAF=ACLAFLD(FLDCLA) ACLFP=ACLAPARFLD(FLDCLA,NUMPAR,CODPAR) ACLAT=ACLAMETSTD(CODMETSTD) ACLAC=ACLACOL(CODCOL) ACLAK=ACLALNK(REFLNK) ACLAKP=ACLAMAP(REFLNK,KEYMAP)',
    'CODACT,ACTFLD,ACTCOL,ACTMETSTD,ACVLNK',
    'ACLA:ACS ACLAF:ACS',
  ],
  [
    'ASW',
    35,
    'representation',
    'représentation',
    'ASHW(CODREP)',
    'ASWS=ASHWSEC(CODSEC) ASWB=ASHWBLC(CODBLC) ASWC=ASHWCOL(CODCOL) ASWR=ASHWEXPPRO(CODPRO,NUMPRO) ASWK=ASHWLNK(CODLNK,AFFLNK) ASWP=ASHWPAR(CODLNK,AFFLNK,CODFLD,NUMPAR)',
    'CODACT,ACTSEC,ACTBLC,ACTCOL,ACTPRO,ACVLNK',
    '',
  ],
  ['ADC', 37, 'script description', 'description de traitement', 'ADICTRT(CODTRT)', '', 'CODACT', ''],
  ['AGB', 38, 'global variable', 'variable globale', 'AGLOBVAR(CODVAR)', '', 'CODACT', ''],
  ['ACST', 39, 'constant', 'constante', 'ACONSTANT(CODVAR)', '', 'CODACT', 'ACST:VALCHAR,VALINT,VALDEC,VALDAT'],
  ['ANG', 40, 'navigation', 'navigation', 'ANAVIG(COD)', 'ANI=ANAVFIL ANH=ANAVCRE', 'CODACT', 'ANG:ENAFLG'],
  [
    'ANM',
    41,
    'sequence number',
    'compteur',
    'ACODNUM(CODNUM)',
    '',
    '',
    'ANM:NBPOS,POSTYP,POSLNG,POSCTE,LNG',
    { personal: ['NBPOS', 'POSTYP', 'POSLNG', 'POSCTE', 'LNG'] },
  ],
  ['APE', 42, 'entry point', "point d'entrée", 'AENTREE(TRTPAR,TYP)', '', 'CODACT', 'APE:TRTSPE'],
  ['ASY', 13, 'style', 'style', 'ASTYLE(COD)', 'ASL=ASTYLEC', '', ''],
  ['ATN', 43, 'transaction type', 'type de transaction', 'ATRANSAC(COD)', '', 'CODACT', 'ATN:ENAFLG'],
  [
    'AOE',
    44,
    'import/export template',
    "modèle d'import/export",
    'AOBJEXT(EXT)',
    'AOD=AOBJEXTD(NUMLIG) AOR=AOBJEXTR',
    'CODACT',
    'AOE:ACS,ENAFLG',
  ],
  ['ABT', 45, 'batch task', 'tâche batch', 'ABATTAC(CODTAC)', '', '', 'ABT:ENAFLG,PRIO,HOR'],
  ['ABA', 46, 'recurring task', 'abonnement', 'ABATABT(CODABT)', 'ABD=ABATABTD', '', 'ABA:ENAFLG,PRIO,HOR'],
  ['ABG', 47, 'batch group', 'groupe de tâches', 'ABATGRP(CODGRP)', '', '', 'ABG:ENAFLG,PRIO,HOR'],
  ['AWA', 48, 'workflow rule', 'règle de workflow', 'AWRKPAR(CODE)', 'AWC=AWRKPARC AWF=AWRKPARF AWH=AWRKPARH', '', 'AWA:ENAFLG'],
  [
    'ARP',
    50,
    'report',
    'état',
    'AREPORT(RPTCOD)',
    'ARD=AREPORTD(PARCOD) ARO=ARO ARV=AREPORTV ARX=AREPORTX ARZ=AREPORTZ',
    'CODACT',
    'ARP:ACS,PRTDEF,PRTDES,ENAFLG,TRTSPE',
  ],
  ['ABF', 54, 'fact table', 'table de faits', 'ABITABDAT', 'ABZ=ABZ ABX=ABX ABK=ABK ABE=ABE', 'CODACT', ''],
  ['ABI', 55, 'dimension', 'dimension', 'ABIDIM', 'ABJ=ABJ', 'CODACT', ''],
  ['ABM', 56, 'datamart', 'datamart', 'ABIDATMRT', '', 'CODACT', ''],
  ['ABV', 57, 'synchronisation rule', 'règle de synchronisation', 'ABIREGORG', 'ABY=ABY', 'CODACT', ''],
  ['ABO', 58, 'business intelligence report', 'état décisionnel', 'ABIREPORT', 'ABQ=ABQ', 'CODACT', ''],
  ['TRT', LAST, 'script source', 'traitement', '', '', '', '', 'script'],
  ['ADX', LAST, 'compiled script', 'traitement compilé', '', '', '', '', 'script'],
  ['TAB', LAST, 'table content', 'contenu de table', '', '', '', '', 'table-content'],
  ['AAA', LAST, 'rows by set-up model', 'lignes par modèle de paramétrage', '', '', '', '', 'model-rows'],
  ['EXE', LAST + 1, 'script to run at the end', 'traitement à exécuter à la fin', '', '', '', '', 'exe'],
];

function tableAndKey(text: string): { table: string; key: readonly string[] } {
  const [table = '', key = ''] = text.replace(')', '').split('(');
  return { table, key: key === '' ? [] : key.split(',') };
}

function pairs(text: string, separator: string): readonly (readonly [string, string])[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((pair) => {
      const at = pair.indexOf(separator);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
}

/** Without a prototype: a patch may call a tag `constructor`. */
function byName<Value>(entries: readonly (readonly [string, Value])[]): Readonly<Record<string, Value>> {
  return Object.assign(Object.create(null) as Record<string, Value>, Object.fromEntries(entries));
}

function elementType([type, rank, title, titleFr, header, lines, activity, setUp, more]: Row): ElementType {
  const special: Special = typeof more === 'string' ? { behaviour: more } : (more ?? {});
  return {
    type,
    rank,
    title,
    titleFr,
    header: { tag: type, ...tableAndKey(header) },
    lines: byName(pairs(lines, '=').map(([tag, table]) => [tag, tableAndKey(table)])),
    activity: activity.split(',').filter(Boolean),
    setUp: byName(pairs(setUp, ':').map(([tag, fields]) => [tag, fields.split(',')])),
    personal: [],
    keptLines: [],
    setUpWhen: {},
    language: {},
    ...special,
  };
}

/** All rows of the registry, by type. */
export const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map(ROWS.map((row) => [row[0], elementType(row)]));

/** The tag whose lines those of a tag belong to: their key is the beginning of theirs (AMA → AMZ by CODZON). */
const PARENTS: ReadonlyMap<string, { readonly tag: string; readonly keys: number }> = new Map(
  [...ELEMENT_TYPES.values()].flatMap((type) =>
    Object.entries(type.lines).flatMap(([tag, { key }]) => {
      const [parent] = Object.entries(type.lines)
        .filter(
          ([, { key: other }]) => other.length > 0 && other.length < key.length && other.every((field, at) => field === key[at]),
        )
        .sort(([, a], [, b]) => b.key.length - a.key.length);
      return parent === undefined ? [] : [[`${type.type} ${tag}`, { tag: parent[0], keys: parent[1].key.length }] as const];
    }),
  ),
);

export function parentLine(type: ElementType, tag: string): { readonly tag: string; readonly keys: number } | undefined {
  return PARENTS.get(`${type.type} ${tag}`);
}

/** Tag of a data row (R24): a row of the table whose abbreviation is the element's type. */
export const DATA_TAG = 'DIV';

/** Fields that say nothing about a change: comparing and hashing leave them out. */
export const NOISE: ReadonlySet<string> = new Set([
  'CREDAT',
  'CREDATTIM',
  'CREUSR',
  'UPDDAT',
  'UPDDATTIM',
  'UPDUSR',
  'DATPUB',
  'UPDFLG',
  'UPDTICK',
]);
