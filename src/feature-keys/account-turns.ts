/** Gives every request its turn in the queue of its account, and its answer by the deadline at the latest. */

import { AccountQueue } from './account-queue.ts';
import type { StoreFailed } from './feature-store.ts';
import { Turn } from './feature-turn.ts';

/** Requests of one account that may wait; further ones fail at once. */
const QUEUE_LIMIT = 1000;

const TIMEOUT: StoreFailed = { type: 'failed', cause: 'timeout', error: undefined };

export class AccountTurns {
  readonly #queue = new AccountQueue();
  readonly #deadlineMs: () => number;

  constructor(deadlineMs: () => number) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Runs `job` when its turn has come. One whose deadline passes before is never started.
   *
   * The next request waits for whatever the job has the turn hold, 10 s at most.
   */
  run<T>(account: string, job: (turn: Turn) => Promise<T>): Promise<T | StoreFailed> {
    if (this.#queue.lengthOf(account) >= QUEUE_LIMIT) return Promise.resolve(TIMEOUT);
    const { promise, resolve, reject } = Promise.withResolvers<T | StoreFailed>();
    const turn = new Turn(this.#deadlineMs());
    let hasBegun = false;
    void turn.deadline.then(() => {
      // A job that has begun keeps to the deadline itself, and knows better what has failed.
      if (!hasBegun) resolve(TIMEOUT);
      return undefined;
    });
    void this.#queue.run(account, async () => {
      if (turn.isOver) return;
      hasBegun = true;
      await job(turn).then(resolve, reject);
      await turn.finished();
    });
    return promise;
  }

  /** Requests of this account run or wait. */
  isBusy(account: string): boolean {
    return this.#queue.lengthOf(account) > 0;
  }

  /** Settles when nothing is under way. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }
}
