/**
 * Puts the running thread into virtual time: its timers, clocks and random numbers come from here, so that the rooms of
 * the SBC run as they are and a call of minutes takes milliseconds, the same way each time.
 *
 *   setTimeout, setInterval, setImmediate, node:timers/promises   ->  VirtualClock
 *   Date.now, performance                                         ->  VirtualClock
 *   Math.random, node:crypto                                      ->  SeededRandom
 *
 * For a thread that does nothing else: there is no way back.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Milliseconds of virtual time after which a simulation has lost its way. */
const MAX_VIRTUAL_MS = 6 * 3_600_000;

type Action = (...args: readonly unknown[]) => void;

/** What stands for a timer of the system. */
class VirtualTimer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

export class VirtualThread {
  readonly #clock = new VirtualClock();
  readonly #random = new SeededRandom(1);
  /** The system's own: lets what is under way in promises come to its end. */
  readonly #afterMicrotasks = setImmediate;
  #originMs = 0;

  private constructor() {
    this.#replaceTimers();
    this.#replaceClocks();
    this.#replaceRandom();
    syncBuiltinESMExports();
  }

  /** Takes the thread over; once. */
  static enter(): VirtualThread {
    return new VirtualThread();
  }

  /** Runs `play` from `startMs` (ms since 1970) on until it is done, with the same random numbers each time. */
  async run<T>(startMs: number, play: () => Promise<T>): Promise<T> {
    this.#clock.reset();
    this.#random.reset(1);
    this.#originMs = startMs;
    let state: 'playing' | 'done' = 'playing';
    const result = play().finally(() => {
      state = 'done';
    });
    // Its failure is told by the caller's await.
    result.catch(() => undefined);
    for (;;) {
      await this.#turn();
      if (this.#isDone(state)) break;
      const isLost = !this.#clock.step() || this.#clock.nowMs > MAX_VIRTUAL_MS;
      if (isLost) throw new Error('the simulated call never came to an end');
    }
    return result;
  }

  #isDone(state: 'playing' | 'done'): boolean {
    return state === 'done';
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#afterMicrotasks(resolve);
    });
  }

  #replaceTimers(): void {
    const clock = this.#clock;
    const later = (action: Action, delayMs = 0, ...args: readonly unknown[]): VirtualTimer => {
      const number = clock.schedule(delayMs, () => action(...args));
      return new VirtualTimer(() => clock.cancel(number));
    };
    const every = (action: Action, intervalMs = 0, ...args: readonly unknown[]): VirtualTimer => {
      let number = 0;
      const again = (): void => {
        number = clock.schedule(Math.max(1, intervalMs), () => {
          again();
          action(...args);
        });
      };
      again();
      return new VirtualTimer(() => clock.cancel(number));
    };
    Object.assign(globalThis, {
      setTimeout: later,
      setInterval: every,
      setImmediate: (action: Action, ...args: readonly unknown[]) => later(action, 0, ...args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    });
    const sleep = (delayMs = 0, value?: unknown): Promise<unknown> =>
      new Promise((resolve) => {
        clock.schedule(delayMs, () => resolve(value));
      });
    Object.assign(timersPromises, {
      setTimeout: sleep,
      setImmediate: (value?: unknown) => sleep(0, value),
    });
  }

  #replaceClocks(): void {
    const clock = this.#clock;
    const originMs = (): number => this.#originMs;
    const performance = {
      now: () => clock.nowMs,
      get timeOrigin() {
        return originMs();
      },
    };
    Object.defineProperty(globalThis, 'performance', { value: performance });
    Object.assign(Date, { now: () => Math.floor(originMs() + clock.nowMs) });
  }

  #replaceRandom(): void {
    const random = this.#random;
    Object.assign(Math, { random: () => random.next() });
    Object.assign(crypto, {
      randomBytes: (count: number) => random.bytes(count),
      randomInt: (first: number, end?: number) => {
        const [from, to] = end === undefined ? [0, first] : [first, end];
        return from + Math.floor(random.next() * (to - from));
      },
      randomUUID: () => uuidOf(random.bytes(16)),
    });
  }
}

function clear(timer: unknown): void {
  if (timer instanceof VirtualTimer) timer.cancel();
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20]]
    .map(([start, end]) => hex.slice(start, end))
    .join('-');
}
