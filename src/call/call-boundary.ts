import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** The per-call boundary: a broken invariant ends this call and nothing else. */
export class CallBoundary {
  readonly #metrics: Pick<Metrics, 'bug'>;
  readonly #log: Pick<Log, 'error'>;
  readonly #end: () => void;

  /** @param end ends the call with the cause `bug`. */
  constructor(metrics: Pick<Metrics, 'bug'>, log: Pick<Log, 'error'>, end: () => void) {
    this.#metrics = metrics;
    this.#log = log;
    this.#end = end;
  }

  /** Runs `action`, whose error, thrown or rejected, is a bug. */
  run(action: () => void | Promise<void>): void {
    try {
      const running = action();
      if (running instanceof Promise) running.catch((error: unknown) => this.bug(error));
    } catch (error) {
      this.bug(error);
    }
  }

  bug(error: unknown): void {
    this.report(error);
    this.#end();
  }

  report(error: unknown): void {
    this.#metrics.bug();
    this.#log.error({ err: error }, 'broken invariant');
  }
}
