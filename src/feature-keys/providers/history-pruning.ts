/** Deletes the history that is older than it is kept: at the start and then every hour, in small steps. */

import { PRUNE_ROWS } from './prune-step.ts';

const EVERY_MS = 3_600_000;

export interface PruningOptions {
  /** 0: history is kept for ever. */
  readonly keepMs: number;
  readonly nowMs: () => number;
  /** Deletes up to PRUNE_ROWS rows of before that time; gives how many. */
  readonly step: (before: string) => Promise<number>;
  readonly onFailure: (error: unknown) => void;
}

export class HistoryPruning {
  readonly #options: PruningOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: PruningOptions) {
    this.#options = options;
    if (options.keepMs === 0) return;
    this.#timer = setInterval(() => this.#start(), EVERY_MS);
    this.#timer.unref();
    this.#start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  #start(): void {
    this.#round = this.#round.then(() => this.#prune()).catch(this.#options.onFailure);
  }

  async #prune(): Promise<void> {
    const { keepMs, nowMs, step } = this.#options;
    const before = new Date(nowMs() - keepMs).toISOString();
    let deleted = PRUNE_ROWS;
    while (deleted === PRUNE_ROWS && !this.#isClosed) {
      // One step after the other, so that sets get in between.
      deleted = await step(before);
    }
  }
}
