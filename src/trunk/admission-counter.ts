import type { Constraints } from '../config/config.ts';
import { RateWindow } from './rate-window.ts';

/** Inbound: the peer calls us; outbound: we call the peer. */
export type CallDirection = 'inbound' | 'outbound';

/** In the order in which they are looked at. */
export type ConstraintName =
  | 'max-sessions'
  | 'max-inbound-sessions'
  | 'max-outbound-sessions'
  | 'max-burst-rate'
  | 'max-sustain-rate';

const MS_PER_SECOND = 1000;

/**
 * The calls of one agent, one interface or the whole SBC, held against its constraints.
 *
 *   max-sessions, max-inbound-sessions, max-outbound-sessions   calls that are up
 *   max-burst-rate     calls per second, measured over burst-rate-window
 *   max-sustain-rate   calls per second, measured over sustain-rate-window
 *
 * Only calls that were let in count towards the rates. Pure: time is an argument.
 */
export class AdmissionCounter {
  #constraints: Constraints;
  #burst: RateWindow;
  #sustain: RateWindow;
  readonly #up = { inbound: 0, outbound: 0 };
  #lastOpenMs: number | undefined;

  constructor(constraints: Constraints) {
    this.#constraints = constraints;
    this.#burst = new RateWindow(constraints.burstRateWindowMs);
    this.#sustain = new RateWindow(constraints.sustainRateWindowMs);
  }

  /** Takes over new limits; the calls that are up and, where a window keeps its length, its history stay. */
  reconfigure(constraints: Constraints): void {
    const { burstRateWindowMs, sustainRateWindowMs } = constraints;
    if (burstRateWindowMs !== this.#burst.windowMs) this.#burst = new RateWindow(burstRateWindowMs);
    if (sustainRateWindowMs !== this.#sustain.windowMs) {
      this.#sustain = new RateWindow(sustainRateWindowMs);
    }
    this.#constraints = constraints;
  }

  /** Calls that are up, both directions. */
  get sessions(): number {
    return this.#up.inbound + this.#up.outbound;
  }

  /** When the last call was let in: since then the counter has been as full as it is. */
  get lastOpenMs(): number | undefined {
    return this.#lastOpenMs;
  }

  /** The constraint that stands against one more call, if any. */
  obstacle(direction: CallDirection, nowMs: number): ConstraintName | undefined {
    const { sessions } = this;
    const { inbound, outbound } = this.#up;
    const limits = this.#constraints;
    if (isFull(sessions, limits.maxSessions)) return 'max-sessions';
    if (direction === 'inbound' && isFull(inbound, limits.maxInboundSessions)) {
      return 'max-inbound-sessions';
    }
    if (direction === 'outbound' && isFull(outbound, limits.maxOutboundSessions)) {
      return 'max-outbound-sessions';
    }
    if (isFast(this.#burst, limits.maxBurstRate, nowMs)) return 'max-burst-rate';
    return isFast(this.#sustain, limits.maxSustainRate, nowMs) ? 'max-sustain-rate' : undefined;
  }

  /**
   * Counts a call; whether it may come in is asked before.
   *
   * @returns what takes it off again, which may be called more than once.
   */
  open(direction: CallDirection, nowMs: number): () => void {
    this.#up[direction] += 1;
    this.#lastOpenMs = nowMs;
    if (this.#constraints.maxBurstRate > 0) this.#burst.add(nowMs);
    if (this.#constraints.maxSustainRate > 0) this.#sustain.add(nowMs);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#up[direction] -= 1;
    };
  }
}

/** 0 is no limit. */
function isFull(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}

function isFast(window: RateWindow, perSecond: number, nowMs: number): boolean {
  if (perSecond === 0) return false;
  // A window shorter than a second still lets one call through.
  const limit = Math.max(1, Math.floor((perSecond * window.windowMs) / MS_PER_SECOND));
  return window.count(nowMs) >= limit;
}
