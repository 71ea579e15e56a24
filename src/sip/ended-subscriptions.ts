/**
 * Dialogs that have ended and in which the peer may still say that our subscription is over (RFC 6665 §4.5.2).
 *
 *   BYE, 200      the dialog is gone
 *   NOTIFY        200 for 32 s, 481 afterwards
 */

/** As long as a transaction may last (64 * T1). */
const KEPT_MS = 32_000;

/** More dialogs than end in that time; the oldest is forgotten first. */
const MAX_KEPT = 10_000;

/** The tags and Call-ID of a dialog, seen from us. */
export interface EndedDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

export class EndedSubscriptions {
  /** When each is to be forgotten, oldest first. */
  readonly #untilMs = new Map<string, number>();

  get size(): number {
    return this.#untilMs.size;
  }

  add(dialog: EndedDialog, nowMs: number): void {
    this.#forgetOld(nowMs);
    const key = keyOf(dialog);
    this.#untilMs.delete(key);
    this.#untilMs.set(key, nowMs + KEPT_MS);
    if (this.#untilMs.size <= MAX_KEPT) return;
    for (const oldest of this.#untilMs.keys()) {
      this.#untilMs.delete(oldest);
      break;
    }
  }

  has(dialog: EndedDialog, nowMs: number): boolean {
    return (this.#untilMs.get(keyOf(dialog)) ?? 0) > nowMs;
  }

  #forgetOld(nowMs: number): void {
    for (const [key, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(key);
    }
  }
}

function keyOf({ callId, localTag, remoteTag }: EndedDialog): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}
