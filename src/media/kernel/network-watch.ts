/**
 * When our devices and the ways of flows are looked at: as soon as the system says that something has changed, and
 * from time to time in case it did not.
 *
 *   idle --change--> looking --> resting --nothing new--> idle
 *                       ^           |
 *                       +--changed meanwhile
 */

import { RouteMonitor } from './route-monitor.ts';

/** Without word of a change; a monitor that has ended is started anew then. */
const INTERVAL_MS = 30_000;

/** Changes come in bursts, or without end: looking has a share of the time. */
const MIN_REST_MS = 250;
const MAX_REST_MS = 5000;
const REST_PER_LOOK = 10;

export interface NetworkWatchOptions {
  /** Never rejects. */
  readonly look: () => Promise<void>;
  readonly intervalMs?: number | undefined;
  /** In place of `ip`, see RouteMonitor. */
  readonly command?: readonly string[] | undefined;
}

export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  #monitor: RouteMonitor | undefined;
  #intervalTimer: NodeJS.Timeout | undefined;
  #restTimer: NodeJS.Timeout | undefined;
  #isBusy = false;
  #isStale = false;
  #isClosed = false;

  constructor(options: NetworkWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#listen();
    this.#intervalTimer = setInterval(() => {
      this.#listen();
      this.changed();
    }, this.#options.intervalMs ?? INTERVAL_MS);
  }

  /** What was looked at last may be so no more. */
  changed(): void {
    this.#isStale = true;
    if (!this.#isBusy && !this.#isClosed) void this.#look();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#intervalTimer);
    clearTimeout(this.#restTimer);
    await this.#monitor?.close();
  }

  #listen(): void {
    this.#monitor ??= new RouteMonitor({
      onChange: () => this.changed(),
      onEnd: () => {
        if (!this.#isClosed) this.#monitor = undefined;
      },
      command: this.#options.command,
    });
  }

  async #look(): Promise<void> {
    this.#isBusy = true;
    this.#isStale = false;
    const beganMs = performance.now();
    await this.#options.look();
    const tookMs = performance.now() - beganMs;
    const restMs = Math.min(Math.max(REST_PER_LOOK * tookMs, MIN_REST_MS), MAX_REST_MS);
    if (!this.#isClosed) this.#restTimer = setTimeout(() => this.#rested(), restMs);
  }

  #rested(): void {
    this.#isBusy = false;
    if (this.#isStale) this.changed();
  }
}
