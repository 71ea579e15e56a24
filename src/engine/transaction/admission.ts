import { DropJournal } from '../transport/drop-journal.ts';
import type { DropReason, DropReport } from '../transport/drop-journal.ts';
import { MessageGate } from '../transport/message-gate.ts';
import type { IsUnderWay } from '../transport/message-gate.ts';
import { TokenBucket } from '../transport/token-bucket.ts';
import type { TransportLimits } from '../transport/transport-limits.ts';

/** Bounds of transports and transactions. */
export interface EngineLimits extends TransportLimits {
  /**
   * Server transactions at the same time. Requests outside dialogs of peers that are not known are refused from
   * half as many on, those of known peers from here on, those inside dialogs from twice as many on.
   */
  readonly serverTransactions: number;
}

/** 503 answers to overload; beyond this rate silence, so that nobody can aim our answers at somebody else. */
const REFUSALS = { perSecond: 20, burst: 100 };
/** What of the room for transactions everybody may take. */
const SHARE_OF_STRANGERS = 0.5;
const SHARE_OF_DIALOGS = 2;
const NO_BYTES = Buffer.alloc(0);

/** Who is let in, how far, and what became of the rest. */
export class Admission {
  readonly #limits: EngineLimits;
  readonly #gate: MessageGate;
  readonly #journal = new DropJournal();
  readonly #refusals: TokenBucket;
  readonly #nowMs: () => number;

  constructor(limits: EngineLimits, isUnderWay: IsUnderWay, nowMs: () => number) {
    this.#limits = limits;
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

  /** Whether a request may begin a transaction beside the `running` ones. */
  hasRoom(running: number, request: { isInDialog: boolean; remoteAddress: string }): boolean {
    const room = this.#limits.serverTransactions;
    if (request.isInDialog) return running < SHARE_OF_DIALOGS * room;
    if (running < SHARE_OF_STRANGERS * room) return true;
    return running < room && this.#gate.isAgent(request.remoteAddress);
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
