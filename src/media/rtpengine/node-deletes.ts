/** Ends calls on one node whose `delete` was not answered, and goes on until it is. */

import { OwedDeletes } from './owed-deletes.ts';
import type { EngineNode } from './rtpengine-node.ts';

/** A second: rtpengine does thousands, and it has calls to carry. */
const DELETES_AT_ONCE = 50;
const ROUND_MS = 1000;

export class NodeDeletes {
  readonly #node: EngineNode;
  readonly #owed = new OwedDeletes();
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;

  constructor(node: EngineNode) {
    this.#node = node;
    this.#timer = setInterval(() => void this.#send(), ROUND_MS);
  }

  /** @param sureAtMs only an answer from then on settles it; by `performance.now()`. */
  owe(engineCallId: string, sureAtMs?: number): void {
    this.#owed.owe(engineCallId, performance.now(), sureAtMs);
  }

  /** The node is back. */
  hurry(): void {
    this.#owed.hurry();
    void this.#send();
  }

  /** Tries once more, and gives up what is not answered then. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
    this.#owed.hurry();
    await this.#send();
  }

  #send(): Promise<void> {
    this.#round ??= this.#sendDue().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #sendDue(): Promise<void> {
    if (!this.#node.isUp) return;
    const sentAtMs = performance.now();
    const due = this.#owed.due(sentAtMs, DELETES_AT_ONCE);
    await Promise.all(
      due.map(async (engineCallId) => {
        // Without a tag: also what a late offer has begun.
        const result = await this.#node.delete({ 'call-id': engineCallId, 'delete-delay': 0 });
        // Of a call that it does not know an rtpengine says so in a warning.
        if (result.type === 'ok') this.#owed.answered(engineCallId, sentAtMs);
        else this.#owed.unanswered(engineCallId, performance.now());
      }),
    );
  }
}
