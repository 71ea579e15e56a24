/** Turns the steady clock of `performance.now()` into wall-clock time with fractions. */

/** A step of the wall clock beyond this is followed; less is the resolution of Date.now(). */
const MAX_DRIFT_MS = 5;

export class WallClock {
  #originMs = performance.timeOrigin;

  /** Wall-clock time (scale of Date.now) at `steadyMs` of performance.now. */
  at(steadyMs: number): number {
    return this.#originMs + steadyMs;
  }

  /** Follows the wall clock where it was set or has drifted. */
  adjust(): void {
    const originMs = Date.now() - performance.now();
    if (Math.abs(originMs - this.#originMs) > MAX_DRIFT_MS) this.#originMs = originMs;
  }
}
