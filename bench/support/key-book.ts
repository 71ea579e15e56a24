/** What was pressed on each line of one direction and what came of it: delays, losses, doubles, order. */

interface PressedKey {
  readonly key: string;
  readonly atMs: number;
}

export class KeyBook {
  /** First packet or NOTIFY out of one peer's socket to that into the other's; keys pressed since `reset`. */
  delaysMs: number[] = [];
  /** Came before a key that was pressed earlier. */
  overtaking = 0;
  /** Came although nobody was waiting for it. */
  doubled = 0;

  readonly #expected: PressedKey[][];
  #countedFromMs = 0;

  constructor(lines: number) {
    this.#expected = Array.from({ length: lines }, () => []);
  }

  /** Keys that have not come yet. */
  get missing(): number {
    return this.#expected.reduce((sum, keys) => sum + keys.length, 0);
  }

  /** Delays of keys pressed before now are of no interest. */
  reset(): void {
    this.#countedFromMs = performance.now();
    this.delaysMs = [];
  }

  press(line: number, key: string, atMs: number): void {
    this.#expected[line]?.push({ key, atMs });
  }

  receive(line: number, key: string, atMs: number): void {
    const expected = this.#expected[line] ?? [];
    const index = expected.findIndex((pressed) => pressed.key === key);
    const [pressed] = index < 0 ? [] : expected.splice(index, 1);
    if (pressed === undefined) {
      this.doubled += 1;
      return;
    }
    if (index > 0) this.overtaking += 1;
    if (pressed.atMs >= this.#countedFromMs) this.delaysMs.push(atMs - pressed.atMs);
  }
}
