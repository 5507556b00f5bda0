// An element that may be written, line by line: created, updated, kept, ignored or removed, as the tables of `verdicts` say. Pure.
import { arrangedBlocks, blockOf, mergeBlocks } from './blocks.ts';
import { caseId } from './cases.ts';
import type { DictionaryElement, DictionaryRecord, InitialRecord } from './element.ts';
import { headerOf } from './element.ts';
import type { ElementType } from './element-types.ts';
import { ELEMENT_TYPES } from './element-types.ts';
import type { Fields } from './fields.ts';
import { exactDigest, fieldValue, inLanguages } from './fields.ts';
import type { Side } from './guards.ts';
import { closingCode, guardOf, isClosedBlock } from './guards.ts';
import type { MergeContext, Offer, OwnOffer, OwnRecord, RecordWrite, SetUpCase } from './merge-record.ts';
import { lineSetUp, mergeRecord, newRecord, offeredBefore, offerOf, written } from './merge-record.ts';
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
  /** Both sides, for what guards their lines. */
  private readonly theirs: Side;
  private readonly mine: Side;
  private readonly headRecord: DictionaryRecord | undefined;
  private readonly writes: RecordWrite[] = [];
  private readonly moves: RecordMove[] = [];
  private readonly offers: Offer[] = [];
  private readonly ignored: GuardedPlace[] = [];
  private readonly kept: GuardedPlace[] = [];
  private readonly setUp: SetUpCase[] = [];
  private readonly changed: (RecordPlace & { fields: readonly string[] })[] = [];
  private readonly lines: Record<LineVerdict, number> = { ...NO_LINES };
  private readonly settled = new Set<string>();
  private readonly overwritten: (RecordPlace & { fields: readonly string[] })[] = [];
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
    this.ownHeader = folder?.records.find((record) => record.tag === tag)?.fields;
    const { type } = this;
    const delivered = new Map(incoming.records.map((record) => [placeOf(record), record]));
    const header = incoming.records.find((record) => record.tag === tag)?.fields;
    this.theirs = { type, header, line: (line, key) => delivered.get(placeOf({ tag: line, key })) };
    this.mine = { type, header: this.ownHeader, line: (line, key) => this.own.get(placeOf({ tag: line, key })) };
  }

  result(): MergeResult {
    // A header with blocks comes first: lines follow where its blocks go.
    for (const record of this.incoming.records) if (record === this.headRecord) this.mergeLine(record);
    for (const record of this.incoming.records) if (record !== this.headRecord && this.isWanted(record)) this.mergeLine(record);
    const headless = this.isHeadless();
    const removes = this.missing(headless);
    const gone = new Set(removes.map(placeOf));
    // What was neither delivered nor removed still waits for a decision.
    const withdraws = [...this.offered.values()]
      .filter((offer) => offer.scope === 'element' || this.settled.has(placeOf(offer)) || gone.has(placeOf(offer)))
      .filter((offer) => !this.offers.some((each) => placeOf(each) === placeOf(offer)))
      .map(({ tag, key }) => ({ tag, key }));
    const changes = this.writes.length + this.moves.length + removes.length > 0;
    const keeps = this.setUp.some((each) => each.verdict === 'kept');
    const verdict = this.folder === undefined ? 'created' : changes ? 'updated' : keeps ? 'kept' : 'identical';
    const { writes, moves, offers, ignored, kept, setUp, changed, overwritten, lines } = this;
    return { verdict, writes, moves, removes, offers, withdraws, ignored, kept, setUp, changed, overwritten, lines, headless };
  }

  private mergeLine(given: DictionaryRecord): void {
    const mine = this.own.get(placeOf(given));
    const code = this.context.replay ? '' : closingCode(given, this.theirs, this.context);
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
    const { initial } = given;
    const guarded = initial !== undefined && initial.scope !== 'fields';
    if (verdict === 'kept' && mine !== undefined) {
      this.keepLine(guarded ? { ...record, fields: initial.offered } : record, mine, ownCode);
      return;
    }
    if (mine === undefined) {
      this.lines.created += 1;
      this.createLine(record);
      return;
    }
    this.updateLine(record, mine);
    if (guarded) this.offerLine({ ...record, fields: initial.offered }, initial);
  }

  /** The other folder guards what it has: it comes, and then what was delivered against it. */
  private offerLine(record: DictionaryRecord, { scope, code }: InitialRecord): void {
    const line = newRecord(record, this.context);
    const last = this.offered.get(placeOf(record));
    const before = offeredBefore(line.meaning, last);
    const { offer } = offerOf({ ...line, scope, code, ...(before === undefined ? {} : { before }) }, last);
    if (offer !== undefined) this.offers.push(offer);
    this.settled.delete(placeOf(record));
  }

  private createLine(record: DictionaryRecord): void {
    const { initial, tag, key } = record;
    this.writes.push(newRecord(initial === undefined ? record : { ...record, fields: initial.fields }, this.context));
    if (initial === undefined) return;
    const { languages, patchLanguages } = this.context;
    const before = initial.before === undefined ? undefined : inLanguages(initial.before, languages, patchLanguages);
    const offered = newRecord({ ...record, fields: initial.offered }, this.context);
    this.offers.push({
      ...offered,
      scope: initial.scope,
      code: initial.code,
      ...(before === undefined ? {} : { before: { digest: exactDigest(before), fields: before } }),
    });
    if (initial.changed.length > 0) this.changed.push({ tag, key, fields: initial.changed });
  }

  private updateLine(record: DictionaryRecord, mine: OwnRecord): void {
    const offer = this.offered.get(placeOf(record));
    const setUp = this.setUpOf(record.tag);
    const own = this.withArrangedBlocks(mine, record);
    const merged = mergeRecord(this.incoming, this.type, record, own, offer, setUp, this.context);
    this.setUp.push(...merged.setUp);
    if (merged.changed !== undefined) this.changed.push({ tag: record.tag, key: record.key, fields: merged.changed });
    if (merged.overwritten.length > 0) this.overwritten.push({ tag: record.tag, key: record.key, fields: merged.overwritten });
    if (merged.setUp.every((each) => each.verdict === 'taken')) this.settled.add(placeOf(record));
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
    this.followBlock(mine);
    const line = newRecord(record, this.context);
    if (line.meaning === mine.meaning) {
      this.settled.add(placeOf(record));
      return;
    }
    const last = this.offered.get(placeOf(record));
    const before = offeredBefore(line.meaning, last);
    const offer = offerOf({ ...line, scope: 'line', code, ...(before === undefined ? {} : { before }) }, last).offer;
    if (offer !== undefined) this.offers.push(offer);
  }

  /** Lines of the folder's that the delivery lacks (R21). */
  private missing(headless: boolean): readonly RecordPlace[] {
    const delivered = new Set(this.incoming.records.map(placeOf));
    const removes: RecordPlace[] = [];
    for (const record of this.own.values()) {
      if (delivered.has(placeOf(record))) continue;
      const code = guardOf(record, this.mine, this.context);
      const stays = (headless && record.tag === this.type?.header.tag) || this.isOtherLanguage(record);
      const verdict: UnitVerdict =
        stays || this.isKeptTag(record.tag) ? 'untouched' : LINE_VERDICTS.absent[code === '' ? 'standard' : 'protected'];
      if (verdict === 'removed') {
        this.lines.removed += 1;
        removes.push({ tag: record.tag, key: record.key });
      } else if (verdict === 'kept') {
        this.kept.push({ code, tag: record.tag, key: record.key });
        // The delivery no longer has what stood against the folder's line.
        this.settled.add(placeOf(record));
        this.followBlock(record);
      }
    }
    return removes;
  }

  /** A line in a language follows the rule for texts (R23): the folder's languages, or the first one of the patch. */
  private isWanted(record: DictionaryRecord): boolean {
    const language = this.languageOf(record);
    if (language === undefined) return true;
    const { languages, patchLanguages } = this.context;
    const wanted = languages.some((each) => patchLanguages.includes(each)) ? languages : patchLanguages.slice(0, 1);
    return wanted.includes(language) || !patchLanguages.includes(language);
  }

  /** A line in a language that the patch does not carry: it says nothing about it. */
  private isOtherLanguage(record: OwnRecord): boolean {
    const language = this.languageOf(record);
    return language !== undefined && !this.context.patchLanguages.includes(language);
  }

  private languageOf({ tag, fields }: { readonly tag: string; readonly fields?: Fields }): string | undefined {
    const field = this.type !== undefined && Object.hasOwn(this.type.language, tag) ? this.type.language[tag] : undefined;
    const language = field === undefined || fields === undefined ? '' : (fieldValue(fields, field) ?? '');
    return language === '' ? undefined : language;
  }

  private isKeptTag(tag: string): boolean {
    if (this.type === undefined || this.context.exactly === true) return false;
    return this.type.keptLines.includes(tag) || (Object.hasOwn(this.type.setUpWhen, tag) && this.setUpOf(tag).includes('*'));
  }

  /** What the delivered header takes from the folder's people is theirs no longer: merged once more, nothing would change. */
  private setUpOf(tag: string): readonly string[] {
    const own = lineSetUp(this.type, tag, this.ownHeader);
    return own.includes('*') && this.headRecord !== undefined ? lineSetUp(this.type, tag, this.headRecord.fields) : own;
  }

  private isHeadless(): boolean {
    const tag = this.type?.header.tag;
    return tag !== undefined && this.ownHeader !== undefined && !this.incoming.records.some((record) => record.tag === tag);
  }

  /** Of a header with blocks: those that may not come in go, those that are the folder's stay. */
  private withBlocks(record: DictionaryRecord, mine: OwnRecord | undefined): DictionaryRecord {
    const rule = this.type?.blocks;
    if (rule === undefined || record.tag !== this.type?.header.tag) return record;
    const merged = mergeBlocks(
      record.fields,
      mine?.fields,
      rule,
      (code) => !this.context.replay && isClosedBlock(code, this.type, this.context),
    );
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
    const last = this.offered.get(placeOf(mine));
    const code = this.context.replay ? (last?.scope === 'line' ? last.code : '') : guardOf(mine, this.mine, this.context);
    if (code === '' || this.context.decisions.size === 0) return code;
    const line = newRecord(delivered, this.context);
    const before = offeredBefore(line.meaning, last)?.meaning ?? null;
    const { type, name } = this.incoming;
    const id = caseId({ type, name, tag: mine.tag, key: mine.key, field: '' }, { before, now: line.meaning, own: mine.meaning });
    return this.context.decisions.get(id)?.choice === 'take' ? '' : code;
  }
}
