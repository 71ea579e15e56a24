/**
 * The peer's presses that come while a generated digit plays or waits: their packets are taken out of
 * the stream and the presses generated again behind the digit, so that the two never interleave.
 *
 * A press is known by its timestamps; late repeats of a diverted press must not come through.
 */

/** Timestamps remembered; a press has several when it is long. */
const REMEMBERED = 16;

export class DivertedPresses {
  #isDiverting = false;
  #timestamps: number[] = [];

  /** A press with `timestamp` begins; the one before it is over. */
  begin(timestamp: number, isDiverted: boolean): void {
    this.#isDiverting = isDiverted;
    if (!isDiverted) this.#timestamps = this.#timestamps.filter((known) => known !== timestamp);
  }

  /** Takes a packet of the press under way or of an earlier one; whether that one is diverted. */
  takes(timestamp: number): boolean {
    const isKnown = this.has(timestamp);
    if (!this.#isDiverting || isKnown) return isKnown;
    this.#timestamps.push(timestamp);
    if (this.#timestamps.length > REMEMBERED) this.#timestamps.shift();
    return true;
  }

  /** Whether a press with `timestamp` is diverted. */
  has(timestamp: number): boolean {
    return this.#timestamps.includes(timestamp);
  }
}
