import type { Constraints } from '../config/config.ts';
import { RateWindow } from './rate-window.ts';

/** Inbound: the peer calls us; outbound: we call the peer. */
export type CallDirection = 'inbound' | 'outbound';

/** In the order in which they are looked at. */
export type ConstraintName =
  | 'max-sessions'
  | 'max-inbound-sessions'
  | 'max-outbound-sessions'
  | RateName;

type RateName =
  | 'max-inbound-burst-rate'
  | 'max-outbound-burst-rate'
  | 'max-burst-rate'
  | 'max-inbound-sustain-rate'
  | 'max-outbound-sustain-rate'
  | 'max-sustain-rate';

const MS_PER_SECOND = 1000;

/**
 * The calls of one agent, one interface or the whole SBC, held against its constraints.
 *
 *   max-sessions, max-inbound-sessions, max-outbound-sessions   calls that are up
 *   max-burst-rate     calls per second, measured over burst-rate-window
 *   max-sustain-rate   calls per second, measured over sustain-rate-window
 *   max-inbound-burst-rate and the like: the same of one direction
 *
 * Only calls that were let in count towards the rates. Pure: time is an argument.
 */
export class AdmissionCounter {
  #constraints: Constraints;
  #rates: readonly MeasuredRate[];
  readonly #up = { inbound: 0, outbound: 0 };
  #lastOpenMs: number | undefined;

  constructor(constraints: Constraints) {
    this.#constraints = constraints;
    this.#rates = measuredRates(constraints, []);
  }

  /** Takes over new limits; the calls that are up and, where a window keeps its length, its history stay. */
  reconfigure(constraints: Constraints): void {
    this.#rates = measuredRates(constraints, this.#rates);
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
    return this.#rates.find(
      (rate) => concerns(rate, direction) && rate.window.count(nowMs) >= limitOf(rate),
    )?.name;
  }

  /** When a rate that stands against a call lets the next one in, after `nowMs`; `undefined` for other constraints. */
  freeAfterMs(name: ConstraintName, nowMs: number): number | undefined {
    const rate = this.#rates.find((each) => each.name === name);
    return rate?.window.freeAfterMs(limitOf(rate), nowMs);
  }

  /**
   * Counts a call; whether it may come in is asked before.
   *
   * @returns what takes it off again, which may be called more than once.
   */
  open(direction: CallDirection, nowMs: number): () => void {
    this.#up[direction] += 1;
    this.#lastOpenMs = nowMs;
    for (const rate of this.#rates) if (concerns(rate, direction)) rate.window.add(nowMs);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#up[direction] -= 1;
    };
  }
}

/** A rate that is limited. */
interface MeasuredRate {
  readonly name: RateName;
  readonly direction: CallDirection | 'both';
  readonly perSecond: number;
  readonly window: RateWindow;
}

/** The limited rates in the order in which they are looked at; a window of the same length is taken from `known`. */
function measuredRates(limits: Constraints, known: readonly MeasuredRate[]): MeasuredRate[] {
  const { burstRateWindowMs: burst, sustainRateWindowMs: sustain } = limits;
  const rates: readonly [RateName, MeasuredRate['direction'], number, number][] = [
    ['max-inbound-burst-rate', 'inbound', limits.maxInboundBurstRate, burst],
    ['max-outbound-burst-rate', 'outbound', limits.maxOutboundBurstRate, burst],
    ['max-burst-rate', 'both', limits.maxBurstRate, burst],
    ['max-inbound-sustain-rate', 'inbound', limits.maxInboundSustainRate, sustain],
    ['max-outbound-sustain-rate', 'outbound', limits.maxOutboundSustainRate, sustain],
    ['max-sustain-rate', 'both', limits.maxSustainRate, sustain],
  ];
  return rates.flatMap(([name, direction, perSecond, windowMs]) => {
    if (perSecond === 0) return [];
    const before = known.find((rate) => rate.name === name)?.window;
    const window = before?.windowMs === windowMs ? before : new RateWindow(windowMs);
    return [{ name, direction, perSecond, window }];
  });
}

function concerns(rate: MeasuredRate, direction: CallDirection): boolean {
  return rate.direction === 'both' || rate.direction === direction;
}

/** 0 is no limit. */
function isFull(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}

function limitOf({ window, perSecond }: MeasuredRate): number {
  // A window shorter than a second still lets one call through.
  return Math.max(1, Math.floor((perSecond * window.windowMs) / MS_PER_SECOND));
}
