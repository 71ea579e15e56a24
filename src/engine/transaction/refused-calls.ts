import { ownText } from '../../wire/own-bytes.ts';
import { getHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest } from '../../wire/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { RemotePoint } from '../transport/transport-events.ts';
import type { TimerValues } from './transaction-user.ts';

/** A new INVITE that the engine refused; what its record needs. */
export interface RefusedCall {
  /** Wall clock in milliseconds since 1970. */
  readonly atMs: number;
  readonly uri: string;
  /** Those that name the parties and the call. */
  readonly headers: readonly SipHeader[];
  readonly source: { readonly address: string; readonly port: number; readonly protocol: string };
}

/** The answer to an INVITE, for its repeats. */
export interface Refusal {
  readonly bytes: Buffer;
  readonly flow: Flow;
  readonly target: RemotePoint;
}

interface Kept {
  /** `undefined` once its ACK is there. */
  readonly refusal: Refusal | undefined;
  readonly untilMs: number;
}

const RECORDED = ['From', 'To', 'Call-ID', 'P-Asserted-Identity'];
/** Times T1, as in a transaction (RFC 3261 §17.2.1). */
const KEPT_T1 = 64;
/** Honest callers acknowledge at once: more than this are there in a flood only. */
const MOST_UNCONFIRMED = 20_000;
/** Between two reports. */
const MOST_REPORTED = 5_000;

/**
 * Calls refused for the load: a few hundred bytes each in place of a transaction, so that refusing costs little.
 *
 * The 503 is repeated when the INVITE is, not by a timer of ours (RFC 3261 §8.2.7); repeats of the INVITE and the ACK
 * end here. Each call stands in the report once. Time is an argument.
 */
export class RefusedCalls {
  readonly #timers: Pick<TimerValues, 't1Ms' | 't4Ms'>;
  /** By transaction key, in the order in which they are forgotten. */
  readonly #unconfirmed = new Map<string, Kept>();
  readonly #confirmed = new Map<string, Kept>();
  #report: RefusedCall[] = [];

  constructor(timers: Pick<TimerValues, 't1Ms' | 't4Ms'>) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#unconfirmed.size + this.#confirmed.size;
  }

  /** Whether one more call can be recorded; one that cannot gets no answer. */
  get hasRoom(): boolean {
    return this.#report.length < MOST_REPORTED;
  }

  /** Takes note of a refusal. */
  add(key: string, request: SipRequest, refusal: Refusal, now: Now): void {
    forget(this.#unconfirmed, now.monotonicMs);
    const untilMs = now.monotonicMs + KEPT_T1 * this.#timers.t1Ms;
    // The key is a part of the message, which it would keep whole.
    this.#unconfirmed.set(ownText(key), { refusal, untilMs });
    if (this.#unconfirmed.size > MOST_UNCONFIRMED) forgetFirst(this.#unconfirmed);
    this.#report.push(recordOf(request, refusal.flow, now.wallMs));
  }

  /** What became of the INVITE with this key; `undefined` when it was not refused here. */
  find(key: string): { readonly refusal: Refusal | undefined } | undefined {
    if (this.size === 0) return undefined;
    return this.#unconfirmed.get(key) ?? this.#confirmed.get(key);
  }

  /** @returns whether the ACK with the INVITE's `key` belongs to a refusal. */
  acknowledge(key: string, monotonicMs: number): boolean {
    if (this.size === 0) return false;
    forget(this.#confirmed, monotonicMs);
    if (!this.#unconfirmed.delete(key)) return this.#confirmed.has(key);
    const untilMs = monotonicMs + this.#timers.t4Ms;
    this.#confirmed.set(ownText(key), { refusal: undefined, untilMs });
    return true;
  }

  /** Calls refused since the report before. */
  takeReport(): readonly RefusedCall[] {
    const report = this.#report;
    this.#report = [];
    return report;
  }
}

export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** All entries of a map live equally long, so the first ones are the oldest. */
function forget(kept: Map<string, Kept>, monotonicMs: number): void {
  for (const [key, { untilMs }] of kept) {
    if (untilMs > monotonicMs) return;
    kept.delete(key);
  }
}

function forgetFirst(kept: Map<string, Kept>): void {
  for (const key of kept.keys()) {
    kept.delete(key);
    return;
  }
}

function recordOf(request: SipRequest, flow: Flow, atMs: number): RefusedCall {
  const headers = RECORDED.flatMap((name) => {
    const value = getHeader(request, name);
    return value === undefined ? [] : [{ name, value }];
  });
  const { protocol, remoteAddress: address, remotePort: port } = flow;
  return { atMs, uri: request.uri, headers, source: { address, port, protocol } };
}
