/** The rows of one call within their bounds: older ones may be packed, the latest are as they came. */
import type { Ladder, LadderRow } from './ladder.ts';
import { PackedRows } from './packed-rows.ts';

export interface RowBounds {
  readonly rows: number;
  /** Characters of text. */
  readonly text: number;
}

/** Less text than this is not worth packing. */
const PACKABLE_TEXT = 2_000;

/**
 *   oldest                                                             latest
 *   rows unpacked again to lose the first of them | packed rows … | open rows
 */
export class CallRows {
  readonly #bounds: RowBounds;
  #oldest: LadderRow[] = [];
  #packed: PackedRows[] = [];
  #open: LadderRow[] = [];
  #count = 0;
  #textLength = 0;
  #droppedRows = 0;

  constructor(bounds: RowBounds) {
    this.#bounds = bounds;
  }

  add(row: LadderRow): void {
    this.#open.push(row);
    this.#count += 1;
    this.#textLength += row.text?.length ?? 0;
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
    return { rows: [...this.#oldest, ...packed, ...this.#open], droppedRows: this.#droppedRows };
  }

  #dropRow(): void {
    if (this.#oldest.length === 0) this.#unpackOldest();
    const row = this.#oldest.shift();
    this.#count -= 1;
    this.#textLength -= row?.text?.length ?? 0;
    this.#droppedRows += 1;
  }

  /** Drops texts from the oldest on, as many as needed or as stand in the oldest part. */
  #dropTexts(): void {
    if (textLengthOf(this.#oldest) === 0) this.#unpackOldest();
    this.#oldest = this.#oldest.map((row) => {
      if (row.text === undefined || this.#textLength <= this.#bounds.text) return row;
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
