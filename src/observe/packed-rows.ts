/** Rows of a ladder in a tenth of their size, for calls that are silent. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { LadderRow } from './ladder.ts';

/** Higher levels save little on SIP and cost more. */
const LEVEL = 1;

/** Some consecutive rows of one call; about 50 us to pack and to read for the messages of one set-up. */
export class PackedRows {
  readonly count: number;
  /** Rows with a text. */
  readonly texts: number;
  readonly #bytes: Buffer;

  constructor(rows: readonly LadderRow[]) {
    this.count = rows.length;
    this.texts = rows.reduce((sum, { text }) => (text === undefined ? sum : sum + 1), 0);
    const packed = deflateRawSync(JSON.stringify(rows), { level: LEVEL });
    // The result stands in a chunk of 64 kB, which must not live as long as the call.
    this.#bytes = Buffer.allocUnsafeSlow(packed.length);
    packed.copy(this.#bytes);
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  rows(): LadderRow[] {
    const rows: LadderRow[] = JSON.parse(inflateRawSync(this.#bytes).toString());
    return rows;
  }
}
