/**
 * The loop of a relay thread that has its own sockets: it waits for packets, the relay's timer and the main thread, and
 * lets Node have a turn in between (messages, other timers).
 *
 *   turn:  due timer -> wait -> due timer -> wait … until woken or for 4 ms  -> Node -> turn …
 */

import type { FfiIo } from './ffi-io.ts';

/** How long a thread with packets leaves Node alone. */
const TURN_MS = 4;

/** How long a thread without packets does: timers of Node may be late by that. */
const MAX_WAIT_MS = 50;

/** Waits are whole milliseconds: a timer may be early or late by half of one. */
const TIMER_SLACK_MS = 0.5;

export class FfiLoop {
  readonly #io: FfiIo;
  readonly #runTurn = (): void => this.#turn();
  #immediate: NodeJS.Immediate | undefined;
  #isRunning = false;
  #timerAtMs = Infinity;
  #runTimer: () => void = () => undefined;

  constructor(io: FfiIo) {
    this.#io = io;
  }

  /** Calls `run` once at `atMs` of `performance.now()`, instead of what was to be called before. */
  setTimer(atMs: number, run: () => void): void {
    this.#timerAtMs = atMs;
    this.#runTimer = run;
  }

  start(): void {
    this.#isRunning = true;
    this.#immediate = setImmediate(this.#runTurn);
  }

  /** Ends behind the turn that is running. */
  stop(): void {
    this.#isRunning = false;
    clearImmediate(this.#immediate);
  }

  #turn(): void {
    // Behind an error as well: what becomes of the thread is not decided here.
    this.#immediate = setImmediate(this.#runTurn);
    let nowMs = performance.now();
    const untilMs = nowMs + TURN_MS;
    while (this.#isRunning) {
      this.#runDue(nowMs);
      const leftMs = Math.ceil(this.#timerAtMs - performance.now() - TIMER_SLACK_MS);
      if (this.#io.wait(Math.max(0, Math.min(MAX_WAIT_MS, leftMs)))) return;
      nowMs = performance.now();
      if (nowMs >= untilMs) break;
    }
    this.#runDue(nowMs);
  }

  #runDue(nowMs: number): void {
    if (this.#timerAtMs > nowMs + TIMER_SLACK_MS) return;
    this.#timerAtMs = Infinity;
    this.#runTimer();
  }
}
