import type { DetectedDigit } from '../../media/media-engine.ts';
import type { Side } from '../../wire/side.ts';

/** A key whose events have begun and not ended. */
export interface HeldKey {
  readonly pressId: string;
  /** The press goes to the other leg once it is over. */
  readonly isForInfo: boolean;
}

/** The keys held at the ends of a call, found again by side, SSRC, RTP timestamp and event. */
export class HeldKeys {
  #held: Map<string, HeldKey> | undefined;
  readonly #last: Partial<Record<Side, DetectedDigit>> = {};

  press(detected: DetectedDigit, key: HeldKey): void {
    this.#held ??= new Map();
    this.#held.set(nameOf(detected), key);
    this.#last[detected.side] = detected;
  }

  /** The key of `side` that was pressed last, held or not. */
  last(side: Side): DetectedDigit | undefined {
    return this.#last[side];
  }

  /** Takes the key out that went up; `undefined` when its press was not noticed. */
  release(detected: DetectedDigit): HeldKey | undefined {
    const name = nameOf(detected);
    const key = this.#held?.get(name);
    this.#held?.delete(name);
    return key;
  }

  /** Takes out all that are still held. */
  clear(): HeldKey[] {
    const keys = [...(this.#held?.values() ?? [])];
    this.#held = undefined;
    return keys;
  }
}

function nameOf({ side, ssrc, rtpTimestamp, eventCode }: DetectedDigit): string {
  return `${side}:${ssrc}:${rtpTimestamp}:${eventCode}`;
}
