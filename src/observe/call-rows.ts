/** The rows of one call within their bounds: older ones may be packed, the latest are as they came. */
import type { Ladder, LadderEnd, LadderLeg, LadderRow } from './ladder.ts';
import { PackedRows } from './packed-rows.ts';

export interface RowBounds {
  readonly rows: number;
  /** Characters of text. */
  readonly text: number;
}

/** Less text than this is not worth packing. */
const PACKABLE_TEXT = 2_000;
/** Part of the room for text that the messages of the set-up keep: without them nothing later can be explained. */
const SETUP_SHARE = 0.5;
/** A call tries some callees, each of which may answer from another address. */
const MAX_ENDS = 32;

/**
 *   oldest                                                             latest
 *   rows unpacked again to lose the first of them | packed rows … | open rows
 */
export class CallRows {
  readonly #bounds: RowBounds;
  #oldest: LadderRow[] = [];
  #packed: PackedRows[] = [];
  #open: LadderRow[] = [];
  readonly #ends: LadderEnd[] = [];
  #count = 0;
  #textLength = 0;
  #droppedRows = 0;
  /** The first rows of the call, dropped ones included, whose texts stay; `isOver` once one did not fit. */
  readonly #setup = { rows: 0, text: 0, isOver: false };

  constructor(bounds: RowBounds) {
    this.#bounds = bounds;
  }

  add(row: LadderRow): void {
    this.#open.push(row);
    this.#count += 1;
    this.#textLength += row.text?.length ?? 0;
    this.#noteSetup(row.text?.length ?? 0);
    while (this.#count > this.#bounds.rows) this.#dropRow();
    while (this.#textLength > this.#bounds.text) this.#dropTexts();
  }

  /** Packs what came since the last time, if it is worth it. */
  pack(): void {
    if (textLengthOf(this.#open) < PACKABLE_TEXT) return;
    this.#packed.push(new PackedRows(this.#open));
    this.#open = [];
  }

  ladder(): Ladder {
    const packed = this.#packed.flatMap((each) => each.rows());
    const rows = [...this.#oldest, ...packed, ...this.#open];
    return { rows, droppedRows: this.#droppedRows, ends: [...this.#ends] };
  }

  /** Says who stands at the end of a leg from then on; beyond the bound nobody further is known. */
  place(end: LadderEnd): void {
    if (this.#ends.length < MAX_ENDS) this.#ends.push(end);
  }

  endOf(leg: LadderLeg): LadderEnd | undefined {
    return this.#ends.findLast((end) => end.leg === leg);
  }

  #dropRow(): void {
    if (this.#oldest.length === 0) this.#unpackOldest();
    const row = this.#oldest.shift();
    this.#count -= 1;
    this.#textLength -= row?.text?.length ?? 0;
    this.#droppedRows += 1;
  }

  #noteSetup(textLength: number): void {
    const setup = this.#setup;
    setup.isOver ||= setup.text + textLength > this.#bounds.text * SETUP_SHARE;
    if (setup.isOver) return;
    setup.rows += 1;
    setup.text += textLength;
  }

  /** Drops texts from the oldest behind the set-up on, as many as needed or as stand in the oldest part. */
  #dropTexts(): void {
    const setupRows = Math.max(0, this.#setup.rows - this.#droppedRows);
    if (textLengthOf(this.#oldest.slice(setupRows)) === 0) this.#unpackOldest();
    this.#oldest = this.#oldest.map((row, index) => {
      const isKept = index < setupRows || this.#textLength <= this.#bounds.text;
      if (row.text === undefined || isKept) return row;
      const { text, ...rest } = row;
      this.#textLength -= text.length;
      return rest;
    });
  }

  #unpackOldest(): void {
    const [first, ...others] = this.#packed;
    this.#packed = others;
    this.#oldest.push(...(first?.rows() ?? this.#open.splice(0)));
  }
}

/** Characters of text in `rows`. */
function textLengthOf(rows: readonly LadderRow[]): number {
  return rows.reduce((sum, row) => sum + (row.text?.length ?? 0), 0);
}
