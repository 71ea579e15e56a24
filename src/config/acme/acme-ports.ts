/** Ports that parts of the new configuration take, so that no two take the same. */

interface Span {
  readonly low: number;
  readonly high: number;
}

/** Where a range of media ports is looked for when the old configuration names none. */
const FIRST_MEDIA_PORT = 20_000;
const LAST_MEDIA_PORT = 59_999;
const BLOCK = 2000;

export class PortClaims {
  /** Per protocol and address, in order and without overlap. */
  readonly #spans = new Map<string, Span[]>();

  /** Takes the ports of `place` (`udp 192.0.2.1`), or gives false where one of them is taken. */
  claim(place: string, low: number, high: number): boolean {
    const spans = this.#spans.get(place) ?? [];
    const index = firstFrom(spans, low);
    const next = spans[index];
    if (next !== undefined && next.low <= high) return false;
    spans.splice(index, 0, { low, high });
    this.#spans.set(place, spans);
    return true;
  }

  /** A free block of media ports. */
  claimBlock(place: string): Span | undefined {
    for (let low = FIRST_MEDIA_PORT; low + BLOCK - 1 <= LAST_MEDIA_PORT; low += BLOCK) {
      if (this.claim(place, low, low + BLOCK - 1)) return { low, high: low + BLOCK - 1 };
    }
    return undefined;
  }
}

/** Index of the first span that ends at `low` or later. */
function firstFrom(spans: readonly Span[], low: number): number {
  let from = 0;
  let until = spans.length;
  while (from < until) {
    const middle = Math.floor((from + until) / 2);
    if ((spans[middle]?.high ?? 0) < low) from = middle + 1;
    else until = middle;
  }
  return from;
}
