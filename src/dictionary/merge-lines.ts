// An element that may be written, line by line: created, updated, kept, ignored or removed, as the tables of `verdicts` say. Pure.
import { arrangedBlocks, blockOf, mergeBlocks } from './blocks.ts';
import { caseId } from './cases.ts';
import type { DictionaryElement, DictionaryRecord } from './element.ts';
import { headerOf } from './element.ts';
import type { ElementType } from './element-types.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import type { Fields } from './fields.ts';
import { closingCode, guardOf, isClosedBlock } from './guards.ts';
import type { MergeContext, Offer, OwnOffer, OwnRecord, RecordWrite, SetUpCase } from './merge-record.ts';
import { lineSetUp, mergeRecord, newRecord, offerOf, written } from './merge-record.ts';
import type { GuardedPlace, LineVerdict, MergeResult, OwnElement, RecordMove, RecordPlace } from './merge-result.ts';
import { NO_LINES, placeOf } from './merge-result.ts';
import type { Own, UnitVerdict } from './verdicts.ts';
import { LINE_VERDICTS } from './verdicts.ts';

export function mergeLines(incoming: DictionaryElement, own: OwnElement | undefined, context: MergeContext): MergeResult {
  return new ElementMerge(incoming, own, context).result();
}

/** The state of one merge: what is known of both sides, and what is gathered on the way. */
class ElementMerge {
  private readonly type: ElementType | undefined;
  private readonly own: ReadonlyMap<string, OwnRecord>;
  private readonly offered: ReadonlyMap<string, OwnOffer>;
  private readonly ownHeader: Fields | undefined;
  private readonly header: Fields | undefined;
  private readonly headRecord: DictionaryRecord | undefined;
  private readonly writes: RecordWrite[] = [];
  private readonly moves: RecordMove[] = [];
  private readonly offers: Offer[] = [];
  private readonly ignored: GuardedPlace[] = [];
  private readonly kept: GuardedPlace[] = [];
  private readonly setUp: SetUpCase[] = [];
  private readonly changed: (RecordPlace & { fields: readonly string[] })[] = [];
  private readonly lines: Record<LineVerdict, number> = { ...NO_LINES };
  private readonly stillOffered = new Set<string>();
  private movedBlocks: ReadonlyMap<number, number> = new Map();

  private readonly incoming: DictionaryElement;
  private readonly folder: OwnElement | undefined;
  private readonly context: MergeContext;

  constructor(incoming: DictionaryElement, folder: OwnElement | undefined, context: MergeContext) {
    this.incoming = incoming;
    this.folder = folder;
    this.context = context;
    this.type = ELEMENT_TYPES.get(incoming.type);
    this.own = new Map((folder?.records ?? []).map((record) => [placeOf(record), record]));
    this.offered = new Map((folder?.offers ?? []).map((offer) => [placeOf(offer), offer]));
    this.headRecord = headerOf(incoming);
    const tag = this.type?.header.tag;
    this.header = incoming.records.find((record) => record.tag === tag)?.fields;
    this.ownHeader = folder?.records.find((record) => record.tag === tag)?.fields;
  }

  result(): MergeResult {
    for (const record of this.incoming.records) this.mergeLine(record);
    const headless = this.isHeadless();
    const removes = this.missing(headless);
    const withdraws = [...this.offered.values()]
      .filter((offer) => !this.stillOffered.has(placeOf(offer)))
      .map(({ tag, key }) => ({ tag, key }));
    const changes = this.writes.length + this.moves.length + removes.length > 0;
    const keeps = this.setUp.some((each) => each.verdict === 'kept');
    const verdict = this.folder === undefined ? 'created' : changes ? 'updated' : keeps ? 'kept' : 'identical';
    const { writes, moves, offers, ignored, kept, setUp, changed, lines } = this;
    return { verdict, writes, moves, removes, offers, withdraws, ignored, kept, setUp, changed, lines, headless };
  }

  private mergeLine(given: DictionaryRecord): void {
    const mine = this.own.get(placeOf(given));
    const code = closingCode(given, this.type, this.header, this.context);
    // A header that protects its element was looked at before: it is open, or taken by a decision.
    const ownCode = mine === undefined || given === this.headRecord ? '' : this.ownGuard(mine, given);
    const own: Own = mine === undefined ? 'absent' : ownCode === '' ? 'standard' : 'protected';
    const verdict = LINE_VERDICTS[code === '' ? 'authorised' : 'not-authorised'][own];
    const place = { tag: given.tag, key: given.key };
    if (verdict === 'ignored') {
      this.ignored.push({ code, ...place });
      this.lines.ignored += 1;
      return;
    }
    const record = this.withBlocks(given, mine);
    if (verdict === 'kept' && mine !== undefined) {
      this.keepLine(record, mine, ownCode);
      return;
    }
    if (mine === undefined) {
      this.lines.created += 1;
      this.writes.push(newRecord(record, this.context));
      return;
    }
    this.updateLine(record, mine);
  }

  private updateLine(record: DictionaryRecord, mine: OwnRecord): void {
    const offer = this.offered.get(placeOf(record));
    const setUp = lineSetUp(this.type, record.tag, this.ownHeader);
    const own = this.withArrangedBlocks(mine, record);
    const merged = mergeRecord(this.incoming, this.type, record, own, offer, setUp, this.context);
    this.setUp.push(...merged.setUp);
    if (merged.changed !== undefined) this.changed.push({ tag: record.tag, key: record.key, fields: merged.changed });
    if (merged.setUp.some((each) => each.verdict !== 'taken')) this.stillOffered.add(placeOf(record));
    if (merged.offer !== undefined) this.offers.push(merged.offer);
    if (mine.meaning !== merged.meaning) {
      this.lines.updated += 1;
      this.writes.push(written(record, merged.fields));
      return;
    }
    this.lines[merged.setUp.some((each) => each.verdict === 'kept') ? 'kept' : 'identical'] += 1;
    const { tag, key, position, activity } = record;
    if (mine.position !== position) this.moves.push({ tag, key, position, digest: mine.digest, activity });
  }

  /** A protected line of the folder's: what was delivered is offered. */
  private keepLine(record: DictionaryRecord, mine: OwnRecord, code: string): void {
    this.lines.kept += 1;
    this.kept.push({ code, tag: mine.tag, key: mine.key });
    const line = newRecord(record, this.context);
    if (line.meaning === mine.meaning) return;
    const last = this.offered.get(placeOf(record));
    this.stillOffered.add(placeOf(record));
    const offer = offerOf({ ...line, scope: 'line', code, ...(last === undefined ? {} : { before: last }) }, last).offer;
    if (offer !== undefined) this.offers.push(offer);
  }

  /** Lines of the folder's that the delivery lacks (R21). */
  private missing(headless: boolean): readonly RecordPlace[] {
    const delivered = new Set(this.incoming.records.map(placeOf));
    const removes: RecordPlace[] = [];
    for (const record of this.own.values()) {
      if (delivered.has(placeOf(record))) continue;
      const code = guardOf(record, this.type, this.ownHeader, this.context);
      const stays = headless && record.tag === this.type?.header.tag;
      const verdict: UnitVerdict =
        stays || this.isKeptTag(record.tag) ? 'untouched' : LINE_VERDICTS.absent[code === '' ? 'standard' : 'protected'];
      if (verdict === 'removed') {
        this.lines.removed += 1;
        removes.push({ tag: record.tag, key: record.key });
      } else if (verdict === 'kept') {
        this.kept.push({ code, tag: record.tag, key: record.key });
        this.followBlock(record);
      }
    }
    return removes;
  }

  private isKeptTag(tag: string): boolean {
    if (this.type === undefined) return false;
    return (
      this.type.keptLines.includes(tag) ||
      (Object.hasOwn(this.type.setUpWhen, tag) && lineSetUp(this.type, tag, this.ownHeader).includes('*'))
    );
  }

  private isHeadless(): boolean {
    const tag = this.type?.header.tag;
    return tag !== undefined && this.ownHeader !== undefined && !this.incoming.records.some((record) => record.tag === tag);
  }

  /** Of a header with blocks: those that may not come in go, those that are the folder's stay. */
  private withBlocks(record: DictionaryRecord, mine: OwnRecord | undefined): DictionaryRecord {
    const rule = this.type?.blocks;
    if (rule === undefined || record.tag !== this.type?.header.tag) return record;
    const merged = mergeBlocks(record.fields, mine?.fields, rule, (code) => isClosedBlock(code, this.type, this.context));
    this.movedBlocks = merged.moved;
    const place = (block: number): RecordPlace => ({ tag: record.tag, key: `${record.key} [${block + 1}]` });
    this.ignored.push(...merged.ignored.map(({ code, block }) => ({ code, ...place(block) })));
    this.kept.push(...merged.kept.map(({ code, block }) => ({ code, ...place(block) })));
    return { ...record, fields: merged.fields };
  }

  /** Set-up values are those of a block: they are compared where the block stands after the merge. */
  private withArrangedBlocks(mine: OwnRecord, merged: DictionaryRecord): OwnRecord {
    const rule = this.type?.blocks;
    if (rule === undefined || mine.fields === undefined || mine.tag !== this.type?.header.tag) return mine;
    return { ...mine, fields: arrangedBlocks(mine.fields, merged.fields, rule, this.movedBlocks) };
  }

  /** A line of a block that had to give way points at the block's new place. */
  private followBlock(record: OwnRecord): void {
    const rule = this.type?.blocks;
    const field = rule !== undefined && Object.hasOwn(rule.lines, record.tag) ? rule.lines[record.tag] : undefined;
    if (rule === undefined || field === undefined || record.fields === undefined) return;
    const to = this.movedBlocks.get(blockOf(rule, record.tag, record.fields) ?? -1);
    if (to === undefined) return;
    const slots = { ...record.fields.slots, [field]: [{ bare: String(to + 1) }] };
    const { tag, key, position, activity } = record;
    this.writes.push(written({ tag, key, position, activity, fields: record.fields }, { ...record.fields, slots }));
  }

  /** Why a line that is delivered too is the folder's own; a decision may open it. */
  private ownGuard(mine: OwnRecord, delivered: DictionaryRecord): string {
    const code = guardOf(mine, this.type, this.ownHeader, this.context);
    if (code === '' || this.context.decisions.size === 0) return code;
    const line = newRecord(delivered, this.context);
    const last = this.offered.get(placeOf(mine));
    const before = last === undefined ? null : last.meaning === line.meaning ? (last.before?.meaning ?? null) : last.meaning;
    const { type, name } = this.incoming;
    const id = caseId({ type, name, tag: mine.tag, key: mine.key, field: '' }, { before, now: line.meaning, own: mine.meaning });
    return this.context.decisions.get(id)?.choice === 'take' ? '' : code;
  }
}
