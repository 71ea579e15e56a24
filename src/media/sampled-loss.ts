/**
 * What is lost of a stream while most of its packets are counted elsewhere, and a few come here: pure.
 *
 *   here        x              x              x           a packet: so many are missing by its number …
 *   counts   |       |       |       |       |       |    … less all counts up to the first one asked for behind it
 *
 * That count tells of every packet before the one that came, and of some behind it. These make the loss less than it is,
 * never more, and the highest of all judgements is the nearest to it.
 */

/** Packets that the network has overtaken come within this. */
export const LATE_MS = 100;

/** Packets that wait for their count; of more the last one is judged. */
const MAX_MARKS = 8;

interface Mark {
  readonly atMs: number;
  /** By its number, less what has been counted since. */
  missing: number;
}

export class SampledLoss {
  readonly ssrc: number;
  #lost: number;
  #marks: Mark[] = [];

  /** @param lost so far, of the stream `ssrc`. */
  constructor(ssrc: number, lost: number) {
    this.ssrc = ssrc;
    this.#lost = lost;
  }

  /** Lost for certain. */
  get lost(): number {
    return this.#lost;
  }

  /** A packet came here that is ahead of all before; `missing` up to it. */
  came(missing: number, atMs: number): void {
    if (this.#marks.length === MAX_MARKS) this.#marks.pop();
    this.#marks.push({ atMs, missing });
  }

  /** One came that is behind another one. */
  cameLate(): void {
    for (const mark of this.#marks) mark.missing -= 1;
  }

  /** `packets` were counted elsewhere, in a count that was asked for at `askedAtMs`. */
  counted(packets: number, askedAtMs: number): void {
    for (const mark of this.#marks) mark.missing -= packets;
    const isTold = ({ atMs }: Mark): boolean => askedAtMs >= atMs + LATE_MS;
    for (const { missing } of this.#marks.filter(isTold))
      this.#lost = Math.max(this.#lost, missing);
    this.#marks = this.#marks.filter((mark) => !isTold(mark));
  }

  /** The stream has begun its numbers anew. */
  restart(): void {
    this.#lost = 0;
    this.#marks = [];
  }
}
