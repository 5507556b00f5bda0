// Cuts a script in the original product's language into statements of tokens. Pure, one pass, never fails: what it does not know is a token too.

export interface Token {
  /** `class`: what stands in square brackets (`F:ABR`, `M:MASK`, `L`, a date); `label`: `$NAME`. */
  readonly kind: 'word' | 'label' | 'class' | 'string' | 'number' | 'sign';
  /** Without the quotes of a string, the brackets of a class, the sign of a label. */
  readonly text: string;
  /** Where the token begins and ends in the source, quotes and brackets included. */
  readonly at: number;
  readonly end: number;
  /** From 1. */
  readonly line: number;
}

/** A class is a name of a few letters: what goes on longer is something else, and looking further would cost a pass for each bracket. */
const LONGEST_CLASS = 64;
/** A statement of more tokens comes in pieces: no person writes one, and a piece is all that is kept in memory. */
const MOST_TOKENS = 10_000;

const NEWLINE = 10;
const SPACE = 32;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWord = (code: number): boolean =>
  (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || isDigit(code) || code > 127;
/** The functions that give text end in a dollar: `num$`, `date$`. */
const DOLLAR = 36;

/** A line ends a statement unless the next one begins with `&`; so does a colon outside of text, brackets and comments. `#` begins a comment. */
export function* statementsOf(source: string): Generator<readonly Token[], void, void> {
  let statement: Token[] = [];
  let line = 1;
  let at = 0;
  const take = (kind: Token['kind'], end: number, trim: readonly [number, number] = [0, 0]): void => {
    statement.push({ kind, text: source.slice(at + trim[0], end - trim[1]), at, end, line });
    at = end;
  };
  while (at < source.length) {
    const code = source.charCodeAt(at);
    if (code === NEWLINE) {
      const next = afterBlanks(source, at + 1);
      const goesOn = source[next] === '&';
      line += 1;
      at = goesOn ? next + 1 : at + 1;
      if (goesOn) continue;
    } else if (source[at] === ':') at += 1;
    else {
      if (code <= SPACE || code === 0xfeff || code === 0xa0) at += 1;
      else if (source[at] === '#') at = endOfLine(source, at);
      else if (source[at] === '"' || source[at] === "'") takeString(source, at, take);
      else if (source[at] === '[') takeClass(source, at, take);
      else if (code === DOLLAR && statement.length === 0) take('label', wordEnd(source, at + 1), [1, 0]);
      else if (isDigit(code)) take('number', numberEnd(source, at));
      else if (isWord(code)) take('word', wordEnd(source, at));
      else take('sign', at + 1);
      if (statement.length < MOST_TOKENS) continue;
    }
    if (statement.length > 0) yield statement;
    statement = [];
  }
  if (statement.length > 0) yield statement;
}

type Take = (kind: Token['kind'], end: number, trim?: readonly [number, number]) => void;

/** Text ends at its quote or, where that is missing, with its line. */
function takeString(source: string, at: number, take: Take): void {
  const quote = source.charCodeAt(at);
  let end = at + 1;
  while (end < source.length && source.charCodeAt(end) !== quote && source.charCodeAt(end) !== NEWLINE) end += 1;
  const closed = source.charCodeAt(end) === quote;
  take('string', closed ? end + 1 : end, [1, closed ? 1 : 0]);
}

/** A bracket that is not closed soon is a sign. */
function takeClass(source: string, at: number, take: Take): void {
  const most = Math.min(source.length, at + LONGEST_CLASS);
  for (let end = at + 1; end < most; end += 1) {
    const character = source[end];
    if (character === ']') {
      take('class', end + 1, [1, 1]);
      return;
    }
    if (character === '[' || character === '\n') break;
  }
  take('sign', at + 1);
}

function wordEnd(source: string, from: number): number {
  let end = from;
  while (end < source.length && isWord(source.charCodeAt(end))) end += 1;
  return end > from && source.charCodeAt(end) === DOLLAR ? end + 1 : end;
}

/** One point at the most: `1..10` is two numbers. */
function numberEnd(source: string, from: number): number {
  let end = from;
  while (isDigit(source.charCodeAt(end))) end += 1;
  if (source[end] !== '.' || !isDigit(source.charCodeAt(end + 1))) return end;
  end += 1;
  while (isDigit(source.charCodeAt(end))) end += 1;
  return end;
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

function afterBlanks(source: string, from: number): number {
  let at = from;
  while (source[at] === ' ' || source[at] === '\t') at += 1;
  return at;
}
