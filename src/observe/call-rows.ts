/** The rows of one call within their bounds: older ones are packed, the latest are as they came. */
import type { Ladder, LadderEnd, LadderLeg, LadderRow } from './ladder.ts';
import { PackedRows } from './packed-rows.ts';

export interface RowBounds {
  readonly rows: number;
  /** Bytes of packed rows, and characters of texts that are not packed. */
  readonly text: number;
}

/** Less text than this is not worth packing. */
const PACKABLE_TEXT = 2_000;
/** Texts of a call that goes on speaking are packed from here on, as are its rows. */
const OPEN_TEXT = 12_000;
const OPEN_ROWS = 64;
/** The rows of the set-up stay: without them nothing later can be explained. */
const SETUP_ROWS = 40;
/** Of the bounds, what the set-up may take at most. */
const SETUP_SHARE = 0.5;
/** Of the bound for rows, what leaves at once: rows that are packed are dear to take apart. */
const DROPPED_SHARE = 1 / 16;
/** A call tries some callees, each of which may answer from another address. */
const MAX_ENDS = 32;
/** Messages that cross are recorded a few rows too late at most. */
const LATE_ROWS = 8;

/**
 *   set-up | gap, once rows were dropped | latest         oldest packed, the last ones open
 */
export class CallRows {
  readonly #bounds: RowBounds;
  #packed: PackedRows[] = [];
  #open: LadderRow[] = [];
  #ends: readonly LadderEnd[] = [];
  /** Of {@link #open}. */
  #openText = 0;
  #droppedRows = 0;
  #droppedTexts = 0;
  /** The first texts of the set-up, all of which stay; `isOver` once one did not fit. */
  readonly #setup = { rows: 0, text: 0, isOver: false };

  constructor(bounds: RowBounds) {
    this.#bounds = bounds;
  }

  add(row: LadderRow): void {
    this.#insert(row);
    this.#openText += textLengthOf(row);
    this.#noteSetup(textLengthOf(row));
    if (this.#openText > OPEN_TEXT || this.#open.length > OPEN_ROWS) this.#packOpen();
    this.#dropRows(this.#packedRows + this.#open.length - this.#bounds.rows);
    while (this.#weight > this.#bounds.text && this.#dropTexts());
  }

  /** Packs what came since the last time, if it is worth it. */
  pack(): void {
    if (this.#openText >= PACKABLE_TEXT) this.#packOpen();
  }

  ladder(): Ladder {
    const rows = [...this.#packed.flatMap((each) => each.rows()), ...this.#open];
    return {
      rows,
      droppedRows: this.#droppedRows,
      gapAt: this.#droppedRows === 0 ? 0 : this.#setupRows,
      droppedTexts: this.#droppedTexts,
      ends: this.#ends,
    };
  }

  /** Says who stands at the end of a leg from then on; beyond the bound nobody further is known. */
  place(end: LadderEnd): void {
    if (this.#ends.length < MAX_ENDS) this.#ends = this.#ends.concat(end);
  }

  endOf(leg: LadderLeg): LadderEnd | undefined {
    return this.#ends.findLast((end) => end.leg === leg);
  }

  get #packedRows(): number {
    return this.#packed.reduce((sum, { count }) => sum + count, 0);
  }

  get #weight(): number {
    return this.#packed.reduce((sum, { byteLength }) => sum + byteLength, this.#openText);
  }

  /** Rows that never leave. */
  get #setupRows(): number {
    return Math.min(SETUP_ROWS, Math.floor(this.#bounds.rows * SETUP_SHARE));
  }

  /** Behind the rows that are not later. */
  #insert(row: LadderRow): void {
    const open = this.#open;
    const earliest = Math.max(0, open.length - LATE_ROWS);
    let at = open.length;
    while (at > earliest && (open[at - 1]?.atMs ?? 0) > row.atMs) at -= 1;
    open.splice(at, 0, row);
  }

  #noteSetup(textLength: number): void {
    const setup = this.#setup;
    const isRoom = setup.text + textLength <= this.#bounds.text * SETUP_SHARE;
    setup.isOver ||= !isRoom || setup.rows === this.#setupRows;
    if (setup.isOver) return;
    setup.rows += 1;
    setup.text += textLength;
  }

  #packOpen(): void {
    this.#packed = this.#packed.concat(new PackedRows(this.#open));
    this.#open = [];
    this.#openText = 0;
  }

  /** Drops the oldest rows behind the set-up, `excess` of them and some more. */
  #dropRows(excess: number): void {
    if (excess <= 0) return;
    let left = Math.max(excess, Math.floor(this.#bounds.rows * DROPPED_SHARE));
    let first = 0;
    const packed: PackedRows[] = [];
    for (const part of this.#packed) {
      const kept = Math.max(0, Math.min(part.count, this.#setupRows - first));
      first += part.count;
      if (left === 0 || kept === part.count) {
        packed.push(part);
        continue;
      }
      const rows = part.rows();
      left -= this.#count(rows.splice(kept, left));
      if (rows.length > 0) packed.push(new PackedRows(rows));
    }
    this.#packed = packed;
    const dropped = this.#open.splice(Math.max(0, this.#setupRows - first), left);
    this.#openText -= dropped.reduce((sum, row) => sum + textLengthOf(row), 0);
    this.#count(dropped);
  }

  /** Counts rows that leave. */
  #count(dropped: readonly LadderRow[]): number {
    this.#droppedRows += dropped.length;
    this.#droppedTexts += dropped.filter(({ text }) => text !== undefined).length;
    return dropped.length;
  }

  /**
   * Drops the oldest texts behind those of the set-up: of one packed part, or one that is not packed.
   *
   * @returns false when there is none
   */
  #dropTexts(): boolean {
    let first = 0;
    for (const [index, part] of this.#packed.entries()) {
      const kept = Math.max(0, this.#setup.rows - first);
      first += part.count;
      if (kept >= part.count || part.texts === 0) continue;
      const rows = part.rows().map((row, at) => (at < kept ? row : withoutText(row)));
      const without = new PackedRows(rows);
      if (without.texts === part.texts) continue;
      this.#droppedTexts += part.texts - without.texts;
      this.#packed[index] = without;
      return true;
    }
    const kept = Math.max(0, this.#setup.rows - first);
    const at = this.#open.findIndex(({ text }, index) => index >= kept && text !== undefined);
    const row = this.#open[at];
    if (row === undefined) return false;
    this.#open[at] = withoutText(row);
    this.#openText -= textLengthOf(row);
    this.#droppedTexts += 1;
    return true;
  }
}

function withoutText({ text: _text, ...rest }: LadderRow): LadderRow {
  return rest;
}

function textLengthOf({ text }: LadderRow): number {
  return text?.length ?? 0;
}
