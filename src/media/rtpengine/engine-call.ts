/**
 * One stream as rtpengine has it: a call of its own with the tags `caller` and `callee`. An offer and an answer with
 * nothing but placeholders make both port pairs known before any SDP leaves; every update is another offer and answer
 * with the same tags, after which the ports must be the same.
 */

import type { LegPorts, LocalMedia, StreamUpdate } from '../media-engine.ts';
import type { AddressFamily } from '../../wire/sdp-address.ts';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import {
  engineLeg,
  engineSdp,
  isSamePorts,
  isSomewhere,
  numbersFor,
  readEnginePorts,
} from './engine-sdp.ts';
import { type EngineView, readIdentity, readEngineView } from './engine-view.ts';
import { blockedSides, type EventNumbers, eventNumbers } from './event-numbers.ts';
import type {
  EngineFailure,
  EngineFailureReason,
  EngineNode,
  EngineSdpRequest,
  EngineSdpResult,
} from './rtpengine-node.ts';

export interface EngineCallOptions {
  readonly node: EngineNode;
  /** What rtpengine calls this stream: nobody else's, and not to be guessed. */
  readonly engineCallId: string;
  readonly ports: Readonly<Record<Side, LegPorts>>;
  /**
   * rtpengine may have the call still, though it was deleted.
   *
   * @param sureAtMs when no offer can be on its way any more, by `performance.now()`; absent: none is.
   */
  readonly onOwed?: (engineCallId: string, sureAtMs?: number) => void;
}

/** `gone`: rtpengine does not know the call, has begun it anew, or has given it other ports. */
export type EngineOutcome = { readonly type: 'ok' } | { readonly type: 'gone' } | EngineFailure;

type Ports = Readonly<Record<Side, LocalMedia>>;
type Exchanged = { readonly type: 'ports'; readonly ports: Ports } | EngineFailure;

const OK: EngineOutcome = { type: 'ok' };
const GONE: EngineOutcome = { type: 'gone' };

/** What an offer comes to whose call is over. */
const DELETED: EngineFailure = { type: 'failed', reason: 'engine-error', detail: 'deleted' };

const UNANSWERED: readonly EngineFailureReason[] = ['timeout', 'bad-answer'];

/** An offer that nobody waits for any more may be in a queue for so long. */
const LATE_OFFER_MS = 20_000;

const UNKNOWN_CALL = /unknown call-?id/i;

/** rtpengine plays digits into a stream it has heard, and into no other. */
const NOT_HEARD =
  /no ssrc context|no rtp payload type|no (matching|suitable) codec|no output ssrc/i;

export class EngineCall {
  readonly #options: EngineCallOptions;
  readonly #blocked = new Set<Side>();
  #ports: Ports | undefined;
  #isPrepared = false;
  /** What rtpengine said of the call at the first look. */
  #identity: string | undefined;
  #isDeleted = false;
  /** When the last offer that was not answered cannot arrive any more. */
  #sureAtMs = -Infinity;

  constructor(options: EngineCallOptions) {
    this.#options = options;
  }

  get engineCallId(): string {
    return this.#options.engineCallId;
  }

  get node(): EngineNode {
    return this.#options.node;
  }

  /** Our ends of both legs, once open. */
  get local(): Ports | undefined {
    return this.#ports;
  }

  async open(): Promise<EngineOutcome> {
    const exchanged = await this.#exchange(undefined);
    if (exchanged.type === 'failed') return exchanged;
    const { caller, callee } = exchanged.ports;
    if (!isSomewhere(caller.address) || !isSomewhere(callee.address)) {
      return { type: 'failed', reason: 'bad-answer', detail: 'no address' };
    }
    this.#ports = exchanged.ports;
    return OK;
  }

  /**
   * Hands over what was agreed.
   *
   * @param canPlay whether digits may be played from now on: rtpengine then decodes the audio and gives it a source
   *   name (SSRC) of its own
   */
  async agree(update: StreamUpdate, canPlay: boolean): Promise<EngineOutcome> {
    const blocked = blockedSides(update);
    // Before the other side's number is known, and after it is of no use any more: no event slips through.
    for (const side of blocked) {
      const outcome = await this.#setBlocked(side, true);
      if (outcome.type !== 'ok') return outcome;
    }
    this.#isPrepared = canPlay;
    const exchanged = await this.#exchange(update);
    if (exchanged.type === 'failed') return exchanged;
    if (this.#ports === undefined || !isSamePorts(this.#ports, exchanged.ports)) return GONE;
    // Started anew, rtpengine takes the offer for a new call, often with the same ports and without what was blocked.
    const looked = await this.look();
    if (looked.type === 'gone') return GONE;
    for (const side of SIDES) {
      if (blocked.includes(side)) continue;
      const outcome = await this.#setBlocked(side, false);
      if (outcome.type !== 'ok') return outcome;
    }
    return OK;
  }

  /** Plays a key in the place of `from`, towards the other side; `not-heard`: `from` has sent nothing yet. */
  async play(
    from: Side,
    code: string,
    durationMs: number,
  ): Promise<EngineOutcome | { readonly type: 'not-heard' }> {
    const result = await this.node.playDtmf({
      'call-id': this.engineCallId,
      'from-tag': from,
      code,
      duration: durationMs,
      volume: PLAYED_VOLUME,
    });
    if (result.type === 'ok') return OK;
    return NOT_HEARD.test(result.detail) ? { type: 'not-heard' } : asGone(result);
  }

  /**
   * Lets rtpengine forget the digits that it has not played yet in the place of `from`, and begin with a new coder: it
   * makes one whenever that side is blocked and not any more.
   */
  async forgetDigits(from: Side): Promise<EngineOutcome> {
    if (this.#blocked.has(from)) return OK;
    const blocked = await this.#setBlocked(from, true);
    return blocked.type === 'ok' ? this.#setBlocked(from, false) : blocked;
  }

  /** What rtpengine has counted; `gone` when it does not know the call, or has begun it anew. */
  async look(): Promise<{ readonly type: 'view'; readonly view: EngineView } | EngineOutcome> {
    const result = await this.node.query({ 'call-id': this.engineCallId });
    if (result.type === 'failed') return asGone(result);
    const identity = readIdentity(result.answer);
    this.#identity ??= identity;
    if (identity !== this.#identity) return GONE;
    const view = readEngineView(result.answer);
    if (view === undefined) return { type: 'failed', reason: 'bad-answer', detail: 'no such call' };
    return { type: 'view', view };
  }

  /** Ends it; gives the last counters when rtpengine has any. What was not answered is owed. */
  async delete(): Promise<EngineView | undefined> {
    this.#isDeleted = true;
    // With a tag rtpengine answers with what it has counted.
    const request = { 'call-id': this.engineCallId, 'from-tag': 'caller' };
    const result = await this.node.delete({ ...request, 'delete-delay': 0 });
    const isOver = result.type === 'ok' || asGone(result).type === 'gone';
    if (this.#sureAtMs > performance.now()) this.#owe(this.#sureAtMs);
    else if (!isOver) this.#owe();
    return result.type === 'ok' ? readEngineView(result.answer) : undefined;
  }

  async #setBlocked(side: Side, isBlocked: boolean): Promise<EngineOutcome> {
    if (this.#blocked.has(side) === isBlocked) return OK;
    const request = { 'call-id': this.engineCallId, 'from-tag': side };
    const { node } = this;
    // Silence in their place: packets that were only left out would look lost.
    const result = await (isBlocked
      ? node.blockDtmf({ ...request, 'DTMF-security': 'silence' })
      : node.unblockDtmf(request));
    if (result.type === 'failed') return asGone(result);
    if (isBlocked) this.#blocked.add(side);
    else this.#blocked.delete(side);
    return OK;
  }

  async #exchange(update: StreamUpdate | undefined): Promise<Exchanged> {
    const { ports } = this.#options;
    const events = update === undefined ? undefined : eventNumbers(update);
    const offerer = events?.offerer ?? 'caller';
    const answerer = otherSide(offerer);
    const toAnswerer = await this.#offer(this.#request(offerer, update, events));
    const offered = readPorts(toAnswerer, familyOf(ports[answerer]));
    if (offered.type === 'failed') return offered;
    const toOfferer = await this.node.answer(this.#request(answerer, update, events));
    const answered = readPorts(toOfferer, familyOf(ports[offerer]));
    if (answered.type === 'failed') return answered;
    // An offer is answered with what its receiver is to see, and the other way round.
    const [callee, caller] =
      offerer === 'caller' ? [offered.local, answered.local] : [answered.local, offered.local];
    return { type: 'ports', ports: { callee, caller } };
  }

  /** An offer begins a call that rtpengine does not know; behind its `delete` nobody would end that. */
  async #offer(request: EngineSdpRequest): Promise<EngineSdpResult> {
    if (this.#isDeleted) return DELETED;
    const result = await this.node.offer(request);
    const isAnswered = result.type === 'ok' || !UNANSWERED.includes(result.reason);
    if (!isAnswered) this.#sureAtMs = performance.now() + LATE_OFFER_MS;
    if (!this.#isDeleted) return result;
    if (isAnswered) this.#owe();
    else this.#owe(this.#sureAtMs);
    return DELETED;
  }

  #owe(sureAtMs?: number): void {
    this.#options.onOwed?.(this.engineCallId, sureAtMs);
  }

  #request(
    from: Side,
    update: StreamUpdate | undefined,
    events: EventNumbers | undefined,
  ): EngineSdpRequest {
    const { ports } = this.#options;
    const media = update?.legs[from];
    const offerer = events?.offerer ?? 'caller';
    const flags = ['port latching', 'strict source'];
    if (media?.mediaSource !== 'learn-once') flags.push('asymmetric');
    if (this.#isPrepared) flags.push('inject DTMF');
    const isFirst = this.#ports === undefined;
    return {
      'call-id': this.engineCallId,
      'from-tag': offerer,
      ...(isFirst && from === 'caller' ? {} : { 'to-tag': otherSide(offerer) }),
      sdp: engineSdp(engineLeg(media, familyOf(ports[from])), numbersFor(events, from)),
      flags,
      codec: { accept: ['telephone-event'] },
      ICE: 'remove',
      DTLS: 'off',
      'address family': familyOf(ports[otherSide(from)]),
      ...(media?.mediaSource === 'learn-once' ? { 'endpoint-learning': 'heuristic' } : {}),
      ...(isFirst && from === 'caller'
        ? { direction: [ports.caller.realm, ports.callee.realm], label: FIRST_OFFER }
        : {}),
    };
  }
}

/** Only the first offer says it: a call that rtpengine began with a later one has no label. */
const FIRST_OFFER = 'first-offer';

/** -10 dBm0, what telephones send. */
const PLAYED_VOLUME = -10;

function readPorts(
  result: EngineSdpResult,
  family: AddressFamily,
): { readonly type: 'local'; readonly local: LocalMedia } | EngineFailure {
  if (result.type === 'failed') return result;
  const local = readEnginePorts(result.sdp, family);
  if (local === undefined) return { type: 'failed', reason: 'bad-answer', detail: 'no ports' };
  return { type: 'local', local };
}

function asGone(failure: EngineFailure): EngineOutcome {
  const isUnknown = failure.reason === 'engine-error' && UNKNOWN_CALL.test(failure.detail);
  return isUnknown ? GONE : failure;
}

function familyOf({ address }: LegPorts): AddressFamily {
  return address.includes(':') ? 'IP6' : 'IP4';
}
