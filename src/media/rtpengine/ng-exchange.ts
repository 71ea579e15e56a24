/**
 * The requests to one engine that wait for their answers.
 *
 *   ms after the request     0      200     500     1000     1500
 *                          send   again   again    again   deadline
 *
 * Every repetition is the same bytes: under the same cookie the engine answers from its memory and does nothing twice.
 * Of the datagrams that come, only the first whole answer from where the request went is passed on; each of the others
 * could end the process in the library behind it.
 *
 * Pure: bytes and time are arguments.
 */

import { Deadlines } from '../deadlines.ts';
import { isNgDictionary } from './ng-bencode.ts';

export const COOKIE_LENGTH = 36;
/** After the request. */
export const REPEAT_AFTER_MS: readonly number[] = [200, 500, 1000];
export const DEADLINE_MS = 1500;

const SPACE = 0x20;

export interface NgTarget {
  /** IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface NgPending {
  readonly cookie: string;
  readonly bytes: Buffer;
  readonly target: NgTarget;
  readonly sentAtMs: number;
  /** How often it was sent again. */
  readonly repeats: number;
  /** Answers to it that were no dictionary. */
  readonly malformed: number;
  /** Where an answer came from that was not the target: an engine with several addresses. */
  readonly strangeSource?: NgTarget;
}

/**
 * Why a datagram was not passed on: from elsewhere, no cookie in front, nobody waits for it (any more), no dictionary
 * behind a cookie that is waited for.
 */
export type NgDropReason = 'stranger' | 'no-cookie' | 'not-awaited' | 'malformed';

export type NgArrival =
  | { readonly type: 'answer'; readonly pending: NgPending }
  | { readonly type: 'dropped'; readonly reason: NgDropReason };

export interface NgDue {
  readonly repeat: readonly NgPending[];
  readonly expired: readonly NgPending[];
}

export class NgExchange {
  readonly #pending = new Map<string, NgPending>();
  readonly #deadlines = new Deadlines<string>();

  /** Requests that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** When `due` has something to say next. */
  get nextAtMs(): number | undefined {
    return this.#deadlines.nextAtMs;
  }

  /** A request that is sent now. @throws Error when its cookie is in use. */
  begin(cookie: string, bytes: Buffer, target: NgTarget, nowMs: number): void {
    if (this.#pending.has(cookie)) throw new Error('a cookie is used twice');
    this.#wait({ cookie, bytes, target, sentAtMs: nowMs, repeats: 0, malformed: 0 });
  }

  /** A datagram from `source`. */
  arrived(bytes: Buffer, source: NgTarget): NgArrival {
    if (bytes.length <= COOKIE_LENGTH + 1 || bytes[COOKIE_LENGTH] !== SPACE) {
      return { type: 'dropped', reason: 'no-cookie' };
    }
    const pending = this.#pending.get(bytes.toString('latin1', 0, COOKIE_LENGTH));
    if (pending === undefined) return { type: 'dropped', reason: 'not-awaited' };
    const { target, cookie } = pending;
    if (source.port !== target.port || source.address !== target.address) {
      this.#pending.set(cookie, { ...pending, strangeSource: source });
      return { type: 'dropped', reason: 'stranger' };
    }
    if (!isNgDictionary(bytes, COOKIE_LENGTH + 1)) {
      this.#pending.set(cookie, { ...pending, malformed: pending.malformed + 1 });
      return { type: 'dropped', reason: 'malformed' };
    }
    this.#forget(cookie);
    return { type: 'answer', pending };
  }

  /** What is to be sent again, and what nobody waits for any longer. */
  due(nowMs: number): NgDue {
    const repeat: NgPending[] = [];
    const expired: NgPending[] = [];
    for (;;) {
      const cookie = this.#deadlines.takeDue(nowMs)?.item;
      const pending = cookie === undefined ? undefined : this.#pending.get(cookie);
      if (pending === undefined) return { repeat, expired };
      if (nowMs >= pending.sentAtMs + DEADLINE_MS) {
        this.#forget(pending.cookie);
        expired.push(pending);
      } else {
        repeat.push(pending);
        this.#wait({ ...pending, repeats: repeatsBy(nowMs - pending.sentAtMs) });
      }
    }
  }

  /** Ends all waiting; the requests that waited. */
  abandon(): readonly NgPending[] {
    const all = [...this.#pending.values()];
    for (const { cookie } of all) this.#forget(cookie);
    return all;
  }

  #wait(pending: NgPending): void {
    const { cookie, sentAtMs, repeats } = pending;
    this.#pending.set(cookie, pending);
    this.#deadlines.set(cookie, sentAtMs + (REPEAT_AFTER_MS[repeats] ?? DEADLINE_MS));
  }

  #forget(cookie: string): void {
    this.#pending.delete(cookie);
    this.#deadlines.delete(cookie);
  }
}

/** Repetitions that are due by then; those that were slept through are not made up for. */
function repeatsBy(elapsedMs: number): number {
  return REPEAT_AFTER_MS.filter((afterMs) => afterMs <= elapsedMs).length;
}
