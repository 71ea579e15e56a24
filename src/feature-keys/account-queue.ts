/** One queue per account: jobs of one account run in turn, those of different accounts side by side. */

interface Line {
  tail: Promise<void>;
  length: number;
}

export class AccountQueue {
  readonly #lines = new Map<string, Line>();

  /** Jobs of this account that run or wait. */
  lengthOf(account: string): number {
    return this.#lines.get(account)?.length ?? 0;
  }

  /** Runs `job` after all that were given before it; one that fails does not stop the next. */
  run(account: string, job: () => Promise<void>): Promise<void> {
    const line = this.#lines.get(account) ?? { tail: Promise.resolve(), length: 0 };
    this.#lines.set(account, line);
    line.length += 1;
    const run = line.tail.then(job);
    line.tail = this.#ended(account, line, run);
    return run;
  }

  async #ended(account: string, line: Line, run: Promise<void>): Promise<void> {
    try {
      await run;
    } catch {
      // Whoever gave the job hears of it.
    }
    line.length -= 1;
    if (line.length === 0) this.#lines.delete(account);
  }

  /** Settles when every job given so far has ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.tail));
  }
}
