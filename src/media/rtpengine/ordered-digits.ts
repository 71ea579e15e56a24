/**
 * Digits that rtpengine was told to play. It takes an order at any time and carries it out packet by packet of the audio
 * that the digit replaces; whether it has, only the packets tell that came since:
 *
 *   order --> waiting --as many packets of audio as the digit has--> out
 *               '-- they do not come, the coder is a new one, or there is none for that audio: it will not leave
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Side, SIDES } from '../../wire/side.ts';
import type { StreamUpdate } from '../media-engine.ts';
import type { DigitState, PlayOutcome } from './digit-player.ts';
import type { EngineCall } from './engine-call.ts';
import type { EngineView } from './engine-view.ts';
import type { ExpectedReport, OwnReports } from './own-reports.ts';

/** RTP header and the ten octets that no codec has less than in a packet; comfort noise mostly does. */
const MIN_AUDIO_BYTES = 22;

/** rtpengine takes the coder that most of so many packets had. */
const REMEMBERED_PACKETS = 32;

/** An event is reported with its first end packet; the repeats come within this time. */
export const LAST_REPEATS_MS = 150;

export interface DigitOrder {
  /** In whose place. */
  readonly from: Side;
  readonly eventCode: number;
  readonly key: string;
  readonly durationMs: number;
  /** Of the audio that it replaces. */
  readonly packetTimeMs: number;
  /** What had come of it by the last look. */
  readonly before: EngineView[Side];
}

interface Order extends DigitOrder {
  readonly report: ExpectedReport;
  readonly over: () => void;
  isCut: boolean;
}

export interface OrderedDigitsOptions {
  readonly call: EngineCall;
  readonly reports: OwnReports;
  readonly look: () => Promise<EngineView | undefined>;
  /** Resolves when nothing is being agreed. */
  readonly agreed: () => Promise<void>;
}

export class OrderedDigits {
  readonly #options: OrderedDigitsOptions;
  readonly #orders = new Set<Order>();
  /** When the last event of each side was passed on, since that side has its coder. */
  readonly #passedOnAtMs = new Map<Side, number>();
  /** The payload types of each side, and until when packets of others may be the most. */
  readonly #audio: Partial<Record<Side, string>> = {};
  readonly #mixedUntilMs: Record<Side, number> = { caller: 0, callee: 0 };
  #idle = Promise.withResolvers<void>();

  constructor(options: OrderedDigitsOptions) {
    this.#options = options;
  }

  /** An event of `from` was passed on. */
  passedOn(from: Side): void {
    this.#passedOnAtMs.set(from, performance.now());
  }

  /** rtpengine knows of this. */
  agreedOn({ legs }: StreamUpdate): void {
    for (const side of SIDES) {
      const { payloadTypes, packetTimeMs } = legs[side].audio;
      const audio = payloadTypes.join(' ');
      const before = this.#audio[side];
      this.#audio[side] = audio;
      if (before === undefined || before === audio) continue;
      this.#mixedUntilMs[side] = performance.now() + REMEMBERED_PACKETS * packetTimeMs;
    }
  }

  /**
   * rtpengine ends a digit too early by the length of all events that it has passed on in its direction before: the clock
   * of its coder moves with them, the one that digits start from does not. Behind an event it gets a new coder.
   */
  async prepare(from: Side): Promise<void> {
    const waitMs = this.#mixedUntilMs[from] - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const passedOnAtMs = this.#passedOnAtMs.get(from);
    if (passedOnAtMs === undefined) return;
    const repeatsMs = passedOnAtMs + LAST_REPEATS_MS - performance.now();
    if (repeatsMs > 0) await sleep(repeatsMs);
    const outcome = await this.#options.call.forgetDigits(from);
    const isLast = this.#passedOnAtMs.get(from) === passedOnAtMs;
    if (outcome.type === 'ok' && isLast) this.#passedOnAtMs.delete(from);
  }

  /** @returns what rtpengine says of it; `gone` as of any other order */
  async order(digit: DigitOrder): Promise<PlayOutcome | 'gone'> {
    const { call, reports } = this.#options;
    const { from, eventCode, key, durationMs } = digit;
    const expected = { side: from, eventCode, durationMs };
    const report = reports.expect(expected, performance.now());
    const order: Order = { ...digit, report, isCut: false, over: () => this.#over(order) };
    this.#orders.add(order);
    const outcome = await call.play(from, key, durationMs);
    if (outcome.type === 'ok') {
      return {
        state: () => this.#stateOf(order),
        takeBack: () => this.#takeBack(from),
        over: order.over,
      };
    }
    order.over();
    if (outcome.type === 'not-heard') reports.isOwn(expected, performance.now());
    if (outcome.type !== 'failed') return outcome.type;
    // Not answered: it may have been played, so it is not asked for again.
    return 'relay-restart';
  }

  /** Resolves when no digit sounds any more, `limitMs` later at most; what sounds then is cut by a new coder. */
  async quiet(limitMs: number): Promise<void> {
    if (this.#orders.size === 0) return;
    const late = new AbortController();
    const limit = sleep(limitMs, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([this.#idle.promise, limit]);
    late.abort();
    for (const order of this.#orders) order.isCut = true;
  }

  async #stateOf(order: Order): Promise<DigitState> {
    if (order.isCut) return this.#lost(order);
    if (order.report.isVoid) return 'media-inactive';
    const view = await this.#options.look();
    if (view === undefined) return 'waiting';
    const { from, before, durationMs, packetTimeMs } = order;
    // Each source has a coder of its own.
    if (view[from].ssrc !== before.ssrc) return this.#lost(order);
    const needed = Math.ceil(durationMs / packetTimeMs) + 1;
    return audioPackets(before, view[from]) >= needed ? 'out' : 'waiting';
  }

  /** Whatever of it is left does not leave any more. */
  async #lost({ from }: Order): Promise<DigitState> {
    await this.#takeBack(from);
    return 'media-inactive';
  }

  async #takeBack(from: Side): Promise<void> {
    await this.#options.agreed();
    await this.#options.call.forgetDigits(from);
  }

  #over(order: Order): void {
    this.#orders.delete(order);
    if (this.#orders.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}

type Counted = Pick<EngineView[Side], 'packets' | 'bytes'>;

/** Packets from one look to the next; none when they are comfort noise. */
export function audioPackets(before: Counted, now: Counted): number {
  const packets = now.packets - before.packets;
  const bytes = now.bytes - before.bytes;
  return bytes >= packets * MIN_AUDIO_BYTES ? packets : 0;
}
