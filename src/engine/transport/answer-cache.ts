import { RecentMap } from './recent-map.ts';

/** An answer and how long it may be used. */
export interface Answer<Value> {
  readonly value: Value;
  readonly lifeMs: number;
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  expiresAtMs: number;
}

const MAX_ANSWERS = 1024;

/** Answers of a name server for as long as they hold; whoever asks while a question is out waits for its answer. */
export class AnswerCache<Value> {
  readonly #entries = new RecentMap<Entry<Value>>(MAX_ANSWERS);
  readonly #ask: (key: string) => Promise<Answer<Value>>;

  /** @param ask resolves always, and in bounded time. */
  constructor(ask: (key: string) => Promise<Answer<Value>>) {
    this.#ask = ask;
  }

  async get(key: string): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAtMs > performance.now()) return await known.value;
    const answer = this.#ask(key);
    const value = answer.then((given) => given.value);
    const entry = { value, expiresAtMs: Number.POSITIVE_INFINITY };
    this.#entries.set(key, entry);
    const { lifeMs } = await answer;
    entry.expiresAtMs = performance.now() + lifeMs;
    return await value;
  }
}
