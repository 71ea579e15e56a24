/** How long nft is waited for: less while flows are to come back, whose calls wait for them. Pure. */

/** An nft that takes longer than this for a batch hangs. */
const BATCH_LIMIT_MS = 5000;

/** The same while a flow is to come back; shorter than ports of closed calls rest. */
const RETURN_LIMIT_MS = 1000;

export class NftPatience {
  /** Flows that are to come back and since when, the oldest first. */
  readonly #awaited = new Map<number, number>();

  /** A flow is wanted back. */
  released(id: number, nowMs: number): void {
    if (!this.#awaited.has(id)) this.#awaited.set(id, nowMs);
  }

  /** A flow is back. */
  gone(id: number): void {
    this.#awaited.delete(id);
  }

  /** Until when an answer to the batch that nft has had since `busySinceMs` is waited for. */
  endMs(busySinceMs: number): number {
    const [oldestMs] = this.#awaited.values();
    const patientMs = busySinceMs + BATCH_LIMIT_MS;
    if (oldestMs === undefined) return patientMs;
    // An nft that answers is not ended for having much to do.
    return Math.min(patientMs, Math.max(busySinceMs, oldestMs) + RETURN_LIMIT_MS);
  }
}
