/** Hears what other nodes and portals change in the database, over a connection that is renewed when it is lost. */

import type { PostgresListening } from '../postgres-client.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
/** A connection that is dead without a word is found out by then. */
const PING_MS = 15_000;

export interface WatchOptions {
  readonly listen: (
    heard: (payload: string) => void,
    ended: () => void,
  ) => Promise<PostgresListening>;
  readonly onNotification: (payload: string) => void;
  /** Lost: from now on nothing is heard. */
  readonly onLost: () => void;
  /** Heard again: whatever happened in between went unheard. */
  readonly onBack: () => void;
}

type State =
  | { readonly type: 'listening'; readonly connection: PostgresListening }
  | { readonly type: 'lost' }
  | { readonly type: 'closed' };

export class PostgresWatch {
  readonly #options: WatchOptions;
  #state: State = { type: 'lost' };
  #timer: NodeJS.Timeout | undefined;
  #trying: Promise<void> = Promise.resolve();

  private constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** @throws Error when the first connection fails. */
  static async start(options: WatchOptions): Promise<PostgresWatch> {
    const watch = new PostgresWatch(options);
    await watch.#connect();
    return watch;
  }

  async close(): Promise<void> {
    const before = this.#state;
    this.#state = { type: 'closed' };
    clearTimeout(this.#timer);
    await this.#trying;
    if (before.type === 'listening') await before.connection.close();
  }

  async #connect(): Promise<void> {
    let isLost = false;
    const connection = await this.#options.listen(this.#options.onNotification, () => {
      isLost = true;
      this.#lost();
    });
    if (this.#state.type === 'closed') {
      await connection.close();
      return;
    }
    if (isLost) throw new Error('the connection was lost at once');
    this.#state = { type: 'listening', connection };
    this.#pingLater();
  }

  #pingLater(): void {
    this.#timer = setTimeout(() => {
      void this.#ping();
    }, PING_MS);
    this.#timer.unref();
  }

  async #ping(): Promise<void> {
    const state = this.#state;
    if (state.type !== 'listening') return;
    try {
      await state.connection.ping();
      if (this.#state === state) this.#pingLater();
    } catch {
      if (this.#state !== state) return;
      void state.connection.close();
      this.#lost();
    }
  }

  #lost(): void {
    if (this.#state.type !== 'listening') return;
    this.#state = { type: 'lost' };
    clearTimeout(this.#timer);
    this.#options.onLost();
    this.#connectLater(FIRST_PAUSE_MS);
  }

  #connectLater(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.#trying = this.#tryAgain(pauseMs);
    }, pauseMs);
    this.#timer.unref();
  }

  async #tryAgain(pauseMs: number): Promise<void> {
    try {
      await this.#connect();
      if (this.#state.type === 'listening') this.#options.onBack();
    } catch {
      if (this.#state.type === 'lost') {
        this.#connectLater(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
      }
    }
  }
}
