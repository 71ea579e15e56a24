/**
 * The RTP/RTCP port pairs of one address range; an even port stands for itself and the next one.
 *
 *   free --acquire--> owned --release--> resting --quarantine over--> free
 *                       ^-- acquire, none free, rested for two seconds --'
 *
 * A closed port rests before reuse, so that a peer still sending to the old call cannot be heard in a
 * new one. A short rest is better than a refused call: when nothing else is free, the pair that has rested
 * longest is taken early. Ports are handed out in random order: the next one cannot be guessed. Time is an argument.
 */

export interface PortPoolOptions {
  readonly portMin: number;
  readonly portMax: number;
  /** How long a pair rests; 0 reuses it at once. */
  readonly quarantineMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

interface RestingPort {
  readonly port: number;
  readonly sinceMs: number;
  /** Another program was found to hold it. */
  readonly isTaken: boolean;
}

/** What a pair rests at least, unless the quarantine is shorter. */
const LEAST_REST_MS = 2000;

export class PortPool {
  readonly #options: PortPoolOptions;
  readonly #free: number[] = [];
  readonly #owned = new Set<number>();
  /** In the order they were given back, which is the order they become free. */
  #resting: RestingPort[] = [];

  /** @throws RangeError when the range is no part of 1–65535. */
  constructor(options: PortPoolOptions) {
    const { portMin, portMax } = options;
    if (!(portMin >= 1 && portMax <= 65_535)) {
      throw new RangeError(`port range ${portMin}-${portMax} is not within 1-65535`);
    }
    this.#options = options;
    const first = portMin + (portMin % 2);
    for (let port = first; port + 1 <= portMax; port += 2) this.#free.push(port);
  }

  /** Why `acquire` had nothing: our own streams, pairs at rest, or other programs. */
  shortage(nowMs: number): 'no-ports' | 'ports-resting' | 'ports-taken' {
    this.#wake(nowMs);
    const taken = this.#resting.filter(({ isTaken }) => isTaken).length;
    if (taken < this.#resting.length) return 'ports-resting';
    return taken > 0 ? 'ports-taken' : 'no-ports';
  }

  /** Pairs that can be acquired now, those that would be taken early included. */
  free(nowMs: number): number {
    this.#wake(nowMs);
    const early = this.#resting.findIndex((resting) => !this.#hasRested(resting, nowMs));
    return this.#free.length + (early === -1 ? this.#resting.length : early);
  }

  /** Pairs in use. */
  get owned(): number {
    return this.#owned.size;
  }

  /** Pairs given back that may not be used yet. */
  resting(nowMs: number): number {
    this.#wake(nowMs);
    return this.#resting.length;
  }

  /** The even port of a pair nobody else has; `undefined` when all are in use or have just been given back. */
  acquire(nowMs: number): number | undefined {
    this.#wake(nowMs);
    const index = Math.floor(this.#options.random() * this.#free.length);
    const port = this.#free[index];
    if (port === undefined) return this.#acquireEarly(nowMs);
    const last = this.#free.pop();
    if (last !== undefined && last !== port) this.#free[index] = last;
    this.#owned.add(port);
    return port;
  }

  /**
   * Gives a pair back.
   *
   * @throws Error when the pair is not in use: two owners would share it next.
   */
  release(port: number, nowMs: number): void {
    this.#rest({ port, sinceMs: nowMs, isTaken: false });
  }

  /**
   * Gives back a pair that another program holds: it is left alone for as long as a closed one.
   *
   * @throws Error when the pair is not in use.
   */
  markTaken(port: number, nowMs: number): void {
    this.#rest({ port, sinceMs: nowMs, isTaken: true });
  }

  #rest(resting: RestingPort): void {
    const { port } = resting;
    if (!this.#owned.delete(port)) throw new Error(`port ${port} released without an owner`);
    this.#resting.push(resting);
  }

  #acquireEarly(nowMs: number): number | undefined {
    const [oldest] = this.#resting;
    if (oldest === undefined || !this.#hasRested(oldest, nowMs)) return undefined;
    this.#resting.shift();
    this.#owned.add(oldest.port);
    return oldest.port;
  }

  #hasRested({ sinceMs }: RestingPort, nowMs: number): boolean {
    return sinceMs + Math.min(LEAST_REST_MS, this.#options.quarantineMs) <= nowMs;
  }

  #wake(nowMs: number): void {
    let awake = 0;
    for (const { port, sinceMs } of this.#resting) {
      if (sinceMs + this.#options.quarantineMs > nowMs) break;
      this.#free.push(port);
      awake += 1;
    }
    if (awake > 0) this.#resting = this.#resting.slice(awake);
  }
}
