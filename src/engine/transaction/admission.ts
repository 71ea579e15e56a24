import { DropJournal } from '../transport/drop-journal.ts';
import type { DropReason, DropReport } from '../transport/drop-journal.ts';
import { MessageGate } from '../transport/message-gate.ts';
import type { IsUnderWay } from '../transport/message-gate.ts';
import { TokenBucket } from '../transport/token-bucket.ts';
import type { TransportLimits } from '../transport/transport-limits.ts';
import { CallGate } from './call-gate.ts';

/** Bounds of transports and transactions. */
export interface EngineLimits extends TransportLimits {
  /**
   * Server transactions without final answer at the same time. Requests outside dialogs of peers that are not known
   * are refused from half as many on, those of known peers from here on, those inside dialogs from twice as many on.
   * Answered ones, which stay for 32 s to absorb repeats, are bounded by the twentyfold.
   */
  readonly serverTransactions: number;
}

/** 503 answers to overload; beyond this rate silence, so that nobody can aim our answers at somebody else. */
const REFUSALS = { perSecond: 20, burst: 100 };
/** What of the room for transactions everybody may take. */
const SHARE_OF_STRANGERS = 0.5;
const SHARE_OF_DIALOGS = 2;
/** Two answered transactions stay behind each call for half a minute: far more than are ever open. */
const KEPT_PER_PENDING = 20;
const NO_BYTES = Buffer.alloc(0);

/** Server transactions at this moment. */
export interface TransactionLoad {
  /** Without final answer. */
  readonly pending: number;
  /** Those and the answered ones that may see repeats. */
  readonly kept: number;
}

/** Who is let in, how far, and what became of the rest. */
export class Admission {
  readonly #limits: EngineLimits;
  readonly #gate: MessageGate;
  readonly #journal = new DropJournal();
  readonly #refusals: TokenBucket;
  readonly #nowMs: () => number;
  readonly #calls: CallGate;

  constructor(
    limits: EngineLimits,
    isUnderWay: IsUnderWay,
    nowMs: () => number,
    calls = new CallGate(),
  ) {
    this.#limits = limits;
    this.#calls = calls;
    this.#nowMs = nowMs;
    this.#gate = new MessageGate(limits.rates, isUnderWay, nowMs());
    this.#refusals = new TokenBucket(REFUSALS, nowMs());
  }

  /** Addresses and networks of known peers, in place of those named before. */
  setKnownPeers(networks: readonly string[]): void {
    this.#gate.setKnownPeers(networks);
  }

  /** Whether a message is worked on; one that is not has been counted. */
  isAdmitted(bytes: Buffer, remoteAddress: string): boolean {
    const reason = this.#gate.judge(bytes, remoteAddress, this.#nowMs());
    if (reason !== undefined) this.#journal.add(reason, remoteAddress);
    return reason === undefined;
  }

  /** Whether a stream connection may stay beside the `open` others of its peer; it counts as one message too. */
  isConnectionAdmitted(remoteAddress: string, open: number): boolean {
    const isWithin = open < this.#limits.connectionsPerSource || this.#gate.isAgent(remoteAddress);
    const isPaced = this.#gate.judge(NO_BYTES, remoteAddress, this.#nowMs()) === undefined;
    if (isWithin && isPaced) return true;
    this.#journal.add('connections', remoteAddress);
    return false;
  }

  /** Whether a request may begin a transaction beside those of `load`. */
  hasRoom(load: TransactionLoad, request: { isInDialog: boolean; remoteAddress: string }): boolean {
    if (request.isInDialog) return this.#isWithin(load, SHARE_OF_DIALOGS);
    if (this.#isWithin(load, SHARE_OF_STRANGERS)) return true;
    return this.#isWithin(load, 1) && this.#gate.isAgent(request.remoteAddress);
  }

  /** Whether the application can take one more call, of this peer. */
  mayCall(remoteAddress: string): boolean {
    return this.#calls.take(this.#gate.isAgent(remoteAddress), this.#nowMs());
  }

  #isWithin({ pending, kept }: TransactionLoad, share: number): boolean {
    const room = share * this.#limits.serverTransactions;
    return pending < room && kept < KEPT_PER_PENDING * room;
  }

  /** Whether one more 503 may be sent. */
  mayRefuse(): boolean {
    return this.#refusals.take(REFUSALS, this.#nowMs());
  }

  /** Takes note of a request that gets no answer. */
  drop(reason: DropReason, remoteAddress: string): void {
    this.#journal.add(reason, remoteAddress);
  }

  takeDropReport(): DropReport | undefined {
    return this.#journal.takeReport(this.#nowMs());
  }
}
