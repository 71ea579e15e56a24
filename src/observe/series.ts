/** The last hour of the process as points in time; pure, the time of each point is an argument. */
import type { Totals } from './totals.ts';

/** Counts are of the interval that ends at `atMs`, except `activeCalls`, which are those of that moment. */
export interface SeriesPoint {
  /** Wall clock in ms since 1970. */
  readonly atMs: number;
  readonly activeCalls: number;
  /** Attempts of callers, refused ones included: never fewer than those of them that failed. */
  readonly startedCalls: number;
  /** Failed or refused by us or the callee; busy, unanswered and cancelled calls left out. */
  readonly failedCalls: number;
  readonly deliveredDigits: number;
  readonly droppedDigits: number;
  /** Received from peers. */
  readonly rtpPackets: number;
  readonly rtpLostPackets: number;
  /** Mean of the legs that were read in the interval; 0 when none was. */
  readonly jitterMs: number;
  /** The worst in the interval. */
  readonly loopLagMs: number;
}

/** What is no count. */
export type SeriesMoment = Pick<SeriesPoint, 'atMs' | 'activeCalls' | 'jitterMs' | 'loopLagMs'>;

export class Series {
  readonly intervalMs: number;
  readonly #capacity: number;
  readonly #totals: Readonly<Totals>;
  #before: Readonly<Totals>;
  /** Oldest first; more than fit, until the surplus is worth cutting off. */
  #points: SeriesPoint[] = [];

  /** Keeps `windowMs` of points that are `intervalMs` apart. */
  constructor(
    totals: Readonly<Totals>,
    { intervalMs, windowMs }: { readonly intervalMs: number; readonly windowMs: number },
  ) {
    this.intervalMs = intervalMs;
    this.#capacity = Math.ceil(windowMs / intervalMs);
    this.#totals = totals;
    this.#before = { ...totals };
  }

  /** Ends an interval. */
  add(moment: SeriesMoment): SeriesPoint {
    const now = { ...this.#totals };
    const before = this.#before;
    this.#before = now;
    const point: SeriesPoint = {
      ...moment,
      startedCalls: now.startedCalls - before.startedCalls,
      failedCalls: now.failedCalls - before.failedCalls,
      deliveredDigits: now.deliveredDigits - before.deliveredDigits,
      droppedDigits: now.droppedDigits - before.droppedDigits,
      rtpPackets: now.rtpPackets - before.rtpPackets,
      rtpLostPackets: now.rtpLostPackets - before.rtpLostPackets,
    };
    this.#points.push(point);
    if (this.#points.length >= 2 * this.#capacity) this.#points = this.#kept();
    return point;
  }

  /** The points from `sinceMs` on. */
  since(sinceMs: number): readonly SeriesPoint[] {
    return this.#kept().filter(({ atMs }) => atMs >= sinceMs);
  }

  #kept(): SeriesPoint[] {
    return this.#points.slice(-this.#capacity);
  }
}
