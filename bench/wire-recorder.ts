// Records the statements that a program sends to PostgreSQL, as SQL that psql can run again, one list per transaction.
import { openProxy } from '../test/support/proxy.ts';

/** What one connection sent from a `begin` to its end, or a statement on its own. */
export interface RecordedTransaction {
  /** Statements for psql, each with its end. */
  readonly statements: string[];
}

export interface Recorder {
  /** The database's URL through the recorder. */
  readonly url: string;
  /** In the order in which they began. */
  readonly transactions: readonly RecordedTransaction[];
  close(): Promise<void>;
}

const START_UP_HEAD = 4;
const HEAD = 5;

export async function openRecorder(database: string): Promise<Recorder> {
  const transactions: RecordedTransaction[] = [];
  const proxy = await openProxy(database, () => ({ fromClient: messages(connection(transactions)) }));
  return { url: proxy.url, transactions, close: proxy.close };
}

/** Cuts the bytes of a client into messages; the first one has no type: the connection's start. */
function messages(tell: (type: string, body: Buffer) => void): (chunk: Buffer) => void {
  const chunks: Buffer[] = [];
  let held = 0;
  let needed = START_UP_HEAD;
  let started = false;
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= needed) {
      const bytes = chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks);
      const head = started ? HEAD : START_UP_HEAD;
      const length = started ? 1 + bytes.readUInt32BE(1) : bytes.readUInt32BE(0);
      const whole = bytes.length >= length;
      if (whole && started) tell(String.fromCharCode(bytes[0] ?? 0), bytes.subarray(head, length));
      const rest = whole ? bytes.subarray(length) : bytes;
      started ||= whole;
      chunks.splice(0, chunks.length, rest);
      held = rest.length;
      needed = whole ? HEAD : length;
      if (!whole) return;
    }
  };
}

function connection(transactions: RecordedTransaction[]): (type: string, body: Buffer) => void {
  let current: RecordedTransaction = { statements: [] };
  let inside = false;
  let text = '';
  let values: readonly string[] = [];
  let copied: Buffer[] | undefined;
  const say = (statement: string): void => {
    // A statement on its own is a transaction too.
    if (!inside) {
      current = { statements: [] };
      transactions.push(current);
    }
    if (/^begin\b/i.test(statement)) inside = true;
    if (/^(commit|rollback)\b/i.test(statement)) inside = false;
    current.statements.push(`${statement.trim().replace(/;$/, '')};\n`);
  };
  return (type, body) => {
    switch (type) {
      case 'Q': {
        const statement = body.subarray(0, -1).toString();
        if (/^copy\b.*\bfrom stdin/is.test(statement)) copied = [];
        return say(statement);
      }
      case 'P':
        text = parsed(body);
        return;
      case 'B':
        values = bound(body);
        return;
      case 'E':
        return say(text.replace(/\$(\d+)/g, (_all, number: string) => values[Number(number) - 1] ?? 'null'));
      case 'd':
        copied?.push(Buffer.from(body));
        return;
      case 'c': {
        const rows = Buffer.concat(copied ?? []).toString();
        current.statements.push(`${rows}${rows === '' || rows.endsWith('\n') ? '' : '\n'}\\.\n`);
        copied = undefined;
        return;
      }
      default:
        return;
    }
  };
}

/** The statement of a Parse message. */
function parsed(body: Buffer): string {
  const name = body.indexOf(0);
  return body.subarray(name + 1, body.indexOf(0, name + 1)).toString();
}

/** The values of a Bind message as SQL literals. */
function bound(body: Buffer): readonly string[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  const formats = Array.from({ length: body.readUInt16BE(at) }, (_, n) => body.readUInt16BE(at + 2 + 2 * n));
  at += 2 + 2 * formats.length;
  const count = body.readUInt16BE(at);
  at += 2;
  const values: string[] = [];
  for (let n = 0; n < count; n++) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) values.push('null');
    else {
      const bytes = body.subarray(at, at + length);
      const binary = (formats.length === 1 ? formats[0] : formats[n]) === 1;
      values.push(binary ? `'\\x${bytes.toString('hex')}'::bytea` : `'${bytes.toString().replaceAll("'", "''")}'`);
      at += length;
    }
  }
  return values;
}
