export interface KeepAliveOptions {
  readonly intervalMs: number;
  readonly pongTimeoutMs: number;
  ping(): void;
  giveUp(): void;
}

const PONG = Buffer.from('\r\n');
/** RFC 5626 §4.4.1: each pause is chosen between 80 % and all of the interval, so that peers do not ping in step. */
const SHORTEST_SHARE = 0.8;

/**
 * Pings one connection (RFC 5626 §4.4.1). Only a peer that has answered once is held to it: nothing was negotiated,
 * and many do not answer at all.
 *
 *   resting -- interval over: ping --> waiting -- any bytes --> resting
 *                                      waiting -- time over, answered before --> gone
 *                                      waiting -- time over, never answered --> resting
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #state: 'resting' | 'waiting' = 'resting';
  #hasPinged = false;
  #hasAnswered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#rest();
  }

  /** What has arrived: a peer that sends anything lives, a line break alone is its pong (RFC 5626 §3.5.1). */
  onBytes(bytes: Buffer): void {
    // A pong that comes late is one all the same; a line break that nobody asked for is none.
    if (this.#hasPinged && bytes.equals(PONG)) this.#hasAnswered = true;
    if (this.#state === 'waiting') this.#rest();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #rest(): void {
    const { intervalMs } = this.#options;
    const pauseMs = intervalMs * (SHORTEST_SHARE + Math.random() * (1 - SHORTEST_SHARE));
    this.#state = 'resting';
    this.#arm(pauseMs, () => this.#ping());
  }

  #ping(): void {
    this.#state = 'waiting';
    this.#hasPinged = true;
    this.#arm(this.#options.pongTimeoutMs, () => {
      if (this.#hasAnswered) this.#options.giveUp();
      else this.#rest();
    });
    this.#options.ping();
  }

  #arm(delayMs: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, delayMs);
  }
}
