/**
 * What hardware may use: the current tables, and everything that it may have cached and that no completed invalidation has covered
 * since. Source: VT-d Architecture Specification, 6.2 (caches and tags) and 6.5 (invalidation).
 *
 * This is the same specification as machine `vtd` (its walker, its coverage rules), but it keeps the set of all possible caches instead of
 * one choice of them: an oracle for a unit whose caches cannot be seen. Its looseness, explicitly:
 *   - hardware may cache any entry or translation at any moment at which it could see it, whether a request asked for it or not;
 *   - it may use what it has cached, or walk anew from the root table or from any paging-structure entry that it may hold;
 *   - entries that are not present are not cached (CAP.CM is 0);
 *   - translations are tagged by domain id and page (6.2.1), not by requester.
 */
import {
  frameOf,
  isLeaf,
  isPresent,
  leafMask,
  PASS_THROUGH,
  READ,
  READ_WRITE,
  secondLevelReserved,
  type UnitCapability,
  WRITE,
} from './entries.js';
import { coversContext, coversPage, coversStructure, type Request } from './invalidation.js';
import { isQualified, REASON } from './reasons.js';
import {
  beyondWidth,
  fetchContext,
  INTERRUPT_FRAME,
  INTERRUPT_FRAMES,
  indexAt,
  type TableMemory,
  Walk,
  walkTables,
} from './walk.js';

/** A page number in two halves. */
export interface PageNumber {
  readonly lo: number;
  readonly hi: number;
}

interface ContextEntry {
  readonly sourceId: number;
  readonly did: number;
  readonly table: number;
  readonly levels: number;
  readonly type: number;
  readonly faultDisable: boolean;
}

/** A table that a paging-structure entry points to: of `level`, for the pages `start` to `start + span`. */
interface Structure {
  readonly did: number;
  readonly start: number;
  readonly startHi: number;
  readonly span: number;
  readonly frame: number;
  readonly level: number;
  readonly rights: number;
}

interface Translation {
  readonly did: number;
  readonly start: number;
  readonly startHi: number;
  readonly span: number;
  readonly frame: number;
  readonly rights: number;
  /** Requesters that have asked for a page of it while it may have been cached. */
  readonly askedBy: Set<number>;
}

/** Ways in which a unit may be looser than the manual; each is a known disagreement when it is needed. */
export interface Relaxations {
  /** Cached translations are found by requester and page, whatever domain id they were made under. */
  readonly untagged?: boolean;
  /** A denial by a cached translation leaves no fault record. */
  readonly silentDenial?: boolean;
  /** Requests that are passed through are not checked against the width of addresses. */
  readonly passThroughWidth?: boolean;
}

/** What a request may meet. */
export interface MayMeet {
  /** Frames that it may reach. */
  readonly frames: readonly number[];
  /** It may be blocked. */
  readonly blocked: boolean;
  /** Reasons that a fault record may give: bit n for reason n. */
  readonly reasons: number;
  /** A block may go without a record: faults disabled by the context entry, or the interrupt window. */
  readonly silent: boolean;
  /** A block may be recorded: there is a way to be blocked for which faults are not disabled. */
  readonly recorded: boolean;
}

/** Notes a way to be blocked: reasons, whether faults are disabled, whether it may go without a record. */
type Block = (reasons: number, disabled: boolean, silent?: boolean) => void;

/** The set of translations that a unit may use. */
export class MayUse {
  /** Root table that was latched last. */
  root = 0;
  translating = true;
  private contexts: ContextEntry[] = [];
  private structures: Structure[] = [];
  private translations: Translation[] = [];
  private readonly walk = new Walk();

  /**
   * @param pages every page that requests will ask for; hardware may cache others, but nobody would notice.
   */
  constructor(
    private readonly unit: UnitCapability,
    private readonly memory: TableMemory,
    private readonly sourceIds: readonly number[],
    private readonly pages: readonly PageNumber[],
  ) {}

  /** As at power-on. */
  clear(root: number, translating: boolean): void {
    this.root = root;
    this.translating = translating;
    this.contexts = [];
    this.structures = [];
    this.translations = [];
  }

  /**
   * To be called after every change of tables, root, or caches: hardware may cache whatever it can see now.
   * @param first, last the pages whose translation the change can have touched; without them, any.
   */
  refill(first = 0, last = -1): void {
    if (!this.translating) return;
    const pages = last < first ? this.pages : this.pages.filter((p) => p.hi === 0 && p.lo >= first && p.lo <= last);
    for (const sourceId of this.sourceIds) {
      const now = this.currentContext(sourceId);
      if (typeof now === 'object' && !this.contexts.some((c) => sameContext(c, now))) this.contexts.push(now);
    }
    const seen = new Set<string>();
    for (const c of this.contexts) {
      if (c.type === PASS_THROUGH) continue;
      const key = `${c.did} ${c.table} ${c.levels}`;
      if (seen.has(key)) continue;
      seen.add(key);
      for (const page of pages) {
        if (beyondWidth(this.unit, c.levels, page.lo, page.hi)) continue;
        this.keep(c.did, c.table, c.levels, page, READ_WRITE);
      }
    }
    // Structures that are held may be walked on from, too; those just added lead to what has been kept already.
    for (const s of this.structures.slice()) {
      for (const page of pages) if (within(s, page)) this.keep(s.did, s.frame, s.level, page, s.rights);
    }
  }

  /** Software has seen the completion of an invalidation. */
  invalidate(q: Request): void {
    const held = this.contexts.length + this.structures.length + this.translations.length;
    this.contexts = this.contexts.filter((c) => !coversContext(q, c.sourceId, c.did));
    this.structures = this.structures.filter((s) => !coversStructure(q, s.did, s.start, s.startHi, s.span));
    this.translations = this.translations.filter((t) => !coversPage(q, t.did, t.start, t.startHi, t.span));
    if (this.contexts.length + this.structures.length + this.translations.length !== held) this.refill();
  }

  /** What a request may meet now. */
  request(sourceId: number, page: PageNumber, write: boolean, relaxed: Relaxations = {}): MayMeet {
    if (!this.translating) return { frames: [page.lo], blocked: false, reasons: 0, silent: false, recorded: false };
    if (page.hi === 0 && (page.lo - INTERRUPT_FRAME) >>> 0 < INTERRUPT_FRAMES) {
      return { frames: [], blocked: true, reasons: -1, silent: true, recorded: true };
    }
    const meet = { frames: new Set<number>(), blocked: false, reasons: 0, silent: false, recorded: false };
    const denied = write ? REASON.NO_WRITE : REASON.NO_READ;
    const needed = write ? WRITE : READ;
    const block: Block = (reasons, disabled, silent = disabled) => {
      meet.blocked = true;
      meet.reasons |= reasons;
      if (silent) meet.silent = true;
      if (!disabled) meet.recorded = true;
    };
    const now = this.currentContext(sourceId);
    if (typeof now === 'number') block(this.walk.alternatives, this.walk.faultDisable && isQualified(now));
    const entries = this.contexts.filter((c) => c.sourceId === sourceId);
    for (const c of entries) {
      const passed = c.type === PASS_THROUGH;
      if (beyondWidth(this.unit, c.levels, page.lo, page.hi)) {
        block(
          1 << REASON.ADDRESS_BEYOND_WIDTH,
          c.faultDisable,
          c.faultDisable || (passed && relaxed.passThroughWidth === true),
        );
        continue;
      }
      if (passed) {
        meet.frames.add(page.lo);
        continue;
      }
      this.walkFrom(c, c.table, c.levels, page, READ_WRITE, write, meet.frames, block);
      for (const s of this.structures) {
        if (s.did === c.did && within(s, page))
          this.walkFrom(c, s.frame, s.level, page, s.rights, write, meet.frames, block);
      }
    }
    for (const t of this.translations) {
      if (!within(t, page)) continue;
      const tagged = entries.filter((c) => c.did === t.did && c.type !== PASS_THROUGH);
      const untagged = relaxed.untagged === true && t.askedBy.has(sourceId);
      if (tagged.length === 0 && !untagged) continue;
      if ((t.rights & needed) !== 0) meet.frames.add((t.frame + ((page.lo - t.start) >>> 0)) >>> 0);
      else {
        const disabled = tagged.some((c) => c.faultDisable);
        block(1 << denied, disabled, disabled || (relaxed.silentDenial === true && t.askedBy.has(sourceId)));
      }
    }
    return { ...meet, frames: [...meet.frames] };
  }

  /** Notes that a requester has asked for a page: what it may have used may have been cached for it. */
  noteRequest(sourceId: number, page: PageNumber): void {
    const dids = new Set(this.contexts.filter((c) => c.sourceId === sourceId).map((c) => c.did));
    for (const t of this.translations) if (within(t, page) && dids.has(t.did)) t.askedBy.add(sourceId);
  }

  /** Whether hardware may take this frame for a table of a second-level walk. */
  mayWalk(frame: number): boolean {
    return this.structures.some((s) => s.frame === frame) || this.contexts.some((c) => c.table === frame);
  }

  /** The context entry in memory, or the reason why there is none; details stay in `walk`. */
  private currentContext(sourceId: number): ContextEntry | number {
    const { walk } = this;
    const reason = fetchContext(this.unit, this.memory, this.root, sourceId, walk);
    if (reason !== 0) return reason;
    const { did, table, levels, type, faultDisable } = walk;
    return { sourceId, did, table, levels, type, faultDisable };
  }

  private walkFrom(
    c: ContextEntry,
    table: number,
    level: number,
    page: PageNumber,
    rights: number,
    write: boolean,
    frames: Set<number>,
    block: Block,
  ): void {
    const { walk } = this;
    const broken = walkTables(this.unit, this.memory, table, level, page.lo, page.hi, rights, walk);
    const allowed = (walk.rights & (write ? WRITE : READ)) !== 0;
    if (broken === 0 && allowed) frames.add(walk.frame >>> 0);
    else block(walk.alternatives | (allowed ? 0 : 1 << (write ? REASON.NO_WRITE : REASON.NO_READ)), c.faultDisable);
  }

  /** Keeps everything that a walk to the page from this table comes by. */
  private keep(did: number, table: number, from: number, page: PageNumber, rights: number): void {
    const { unit, memory } = this;
    let frame = table;
    let allowed = rights;
    for (let level = from; level >= 1; level--) {
      if (!memory.reaches(frame)) return;
      const at = indexAt(level, page.lo, page.hi) << 1;
      const lo = memory.word(frame, at);
      const hi = memory.word(frame, at + 1);
      allowed &= lo;
      if (!isPresent(lo) || secondLevelReserved(unit, lo, hi, level)) return;
      frame = frameOf(lo, hi);
      // An entry of level n covers 512^(n-1) pages; level 4 only for one of four tables, so its span stays within 32 bits.
      const span = level === 4 ? 0x7ffffff : leafMask(level);
      const start = (page.lo & ~span) >>> 0;
      if (isLeaf(lo, level)) {
        const base = (frame & ~leafMask(level)) >>> 0;
        if (base <= INTERRUPT_FRAME + INTERRUPT_FRAMES && base + span >= INTERRUPT_FRAME) return;
        this.addTranslation(did, start, page.hi, span, base, allowed);
        return;
      }
      if (allowed === 0) return;
      this.addStructure(did, start, page.hi, span, frame, level - 1, allowed);
    }
  }

  private addStructure(
    did: number,
    start: number,
    startHi: number,
    span: number,
    frame: number,
    level: number,
    rights: number,
  ): void {
    for (const o of this.structures) {
      if (o.frame === frame && o.start === start && o.did === did && o.level === level && o.rights === rights) {
        if (o.startHi === startHi && o.span === span) return;
      }
    }
    this.structures.push({ did, start, startHi, span, frame, level, rights });
  }

  private addTranslation(
    did: number,
    start: number,
    startHi: number,
    span: number,
    frame: number,
    rights: number,
  ): void {
    for (const o of this.translations) {
      if (o.frame === frame && o.start === start && o.did === did && o.rights === rights) {
        if (o.startHi === startHi && o.span === span) return;
      }
    }
    this.translations.push({ did, start, startHi, span, frame, rights, askedBy: new Set() });
  }
}

const within = (s: { start: number; startHi: number; span: number }, page: PageNumber): boolean =>
  s.startHi === page.hi && (page.lo & ~s.span) >>> 0 === s.start;
const sameContext = (a: ContextEntry, b: ContextEntry): boolean =>
  a.sourceId === b.sourceId &&
  a.did === b.did &&
  a.table === b.table &&
  a.levels === b.levels &&
  a.type === b.type &&
  a.faultDisable === b.faultDisable;
