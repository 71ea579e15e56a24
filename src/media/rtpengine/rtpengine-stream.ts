/** One stream whose packets rtpengine carries: what was agreed goes there, digits and counts come from there. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaCounters } from '../relay-counters.ts';
import type {
  DigitDropReason,
  LocalMedia,
  MediaListener,
  MediaStream,
  PlayedDigit,
  StreamUpdate,
} from '../media-engine.ts';
import { withUsableRemote } from '../remote-address.ts';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import { digitOfEvent, FLASH_EVENT_CODE } from '../../wire/telephone-event.ts';
import { DigitPlayer, type PlayOutcome } from './digit-player.ts';
import type { DtmfReport } from './dtmf-report.ts';
import type { EngineCall, EngineOutcome } from './engine-call.ts';
import { countersOf, type EngineView, type OwnCounts } from './engine-view.ts';
import { blockedSides, coderKey, needsInjection } from './event-numbers.ts';
import { OwnReports } from './own-reports.ts';
import { LAST_REPEATS_MS, OrderedDigits } from './ordered-digits.ts';
import type { EngineFailureReason } from './rtpengine-node.ts';
import { ReportCopies } from './report-copies.ts';
import { StreamWatch, type WatchLimits } from './stream-watch.ts';

/**
 *   open --close()--> closing --rtpengine has deleted it--> closed
 *     '--rtpengine does not know it, is down, or has moved its ports (listener.lost)--^
 */
type StreamState = 'open' | 'closing' | 'closed';

/** How often an update is tried that was not answered, and the pause before: about until the node counts as down. */
const UPDATE_ATTEMPTS = 5;
const UPDATE_PAUSE_MS = 300;

/** How long a new coder waits for the digit that sounds: most are over by then. */
const SOUNDING_LIMIT_MS = 500;

/** A digit that has waited longer for rtpengine, as behind an update it did not answer, would leave too late. */
const PREPARATION_LIMIT_MS = 2000;

const DEFAULT_PACKET_TIME_MS = 20;

/** From here on a payload type means what SDP says, which rtpengine is not told; below it has a fixed meaning. */
const FIRST_DYNAMIC = 96;

/** A digit of 100 ms is 7 packets: six reports 20 ms apart, the last one three times. */
const PACKETS_OF_DIGIT = 8;

export interface RtpengineStreamOptions {
  readonly streamId: string;
  /** Open. */
  readonly call: EngineCall;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly listener: MediaListener;
  readonly limits: WatchLimits;
  readonly digitGapMs?: number | undefined;
  /** Wall-clock time. */
  readonly nowMs: () => number;
  /** rtpengine will not go on with it. */
  readonly onGivenUp?: (why: GivenUp) => void;
  readonly onClosed: () => void;
}

/** `gone`: rtpengine does not know it any more. */
export interface GivenUp {
  readonly reason: EngineFailureReason | 'gone';
  /** Neither digits nor SDP in it. */
  readonly detail: string;
}

export class RtpengineStream implements MediaStream {
  readonly type = 'stream';
  readonly streamId: string;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly #options: RtpengineStreamOptions;
  readonly #players: Readonly<Record<Side, DigitPlayer>>;
  readonly #watch: StreamWatch;
  readonly #ownReports = new OwnReports();
  readonly #ordered: OrderedDigits;
  readonly #copies = new ReportCopies();
  readonly #closed = Promise.withResolvers<MediaCounters>();
  #state: StreamState = 'open';
  #wanted: StreamUpdate | undefined;
  #agreed: StreamUpdate | undefined;
  /** Whether rtpengine is told that digits will be played; once so, for good. */
  #canPlay = false;
  #agreeing: Promise<void> | undefined;
  #view: EngineView | undefined;
  #reportedAtMs = -Infinity;

  constructor(options: RtpengineStreamOptions) {
    this.#options = options;
    this.streamId = options.streamId;
    this.local = options.local;
    this.#watch = new StreamWatch(options.limits, options.listener);
    this.#ordered = new OrderedDigits({
      call: options.call,
      reports: this.#ownReports,
      look: () => this.#look(),
      agreed: async () => this.#agreeing,
    });
    this.#players = { caller: this.#player('caller'), callee: this.#player('callee') };
  }

  get engineCallId(): string {
    return this.#options.call.engineCallId;
  }

  get nodeName(): string {
    return this.#options.call.node.name;
  }

  update({ legs, events }: StreamUpdate): void {
    const { caller, callee } = this.local;
    this.#wanted = {
      legs: {
        caller: withUsableRemote(legs.caller, caller.address),
        callee: withUsableRemote(legs.callee, callee.address),
      },
      events,
    };
    this.#canPlay ||= needsInjection(this.#wanted);
    this.#agree();
  }

  playDigit(to: Side, digit: PlayedDigit): void {
    if (this.#state === 'open') this.#players[to].add(digit);
    else {
      const { digitId } = digit;
      this.#options.listener.digitDropped({ to, digitId, reason: 'stream-closed' });
    }
  }

  async counters(): Promise<MediaCounters> {
    if (this.#state === 'open') await this.#look();
    return this.#counted();
  }

  close(): Promise<MediaCounters> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      void this.#finish();
    }
    return this.#closed.promise;
  }

  /** A digit that rtpengine has found; `copy`: the same report has come before. */
  reported(report: DtmfReport): 'taken' | 'copy' {
    const nowMs = performance.now();
    if (this.#copies.isCopy(report, nowMs)) return 'copy';
    if (!this.#ownReports.isOwn(report, nowMs)) this.#pressed(report, nowMs);
    return 'taken';
  }

  /** Looks whether media flows; now and then. */
  async poll(): Promise<void> {
    if (this.#state !== 'open') return;
    const view = await this.#look();
    if (view === undefined || this.#state !== 'open') return;
    this.#watch.looked(view, this.#wanted, performance.now());
  }

  /** rtpengine has no such stream any more, or cannot be asked. Idempotent. */
  lose(outcome?: EngineOutcome): void {
    const wasOpen = this.#state === 'open';
    if (this.#state === 'closed') return;
    if (wasOpen && outcome !== undefined) this.#options.onGivenUp?.(whyGivenUp(outcome));
    this.#closeWith('relay-restart');
    // In case it lives and only nobody hears it.
    void this.#options.call.delete();
    if (wasOpen) this.#options.listener.lost('engine-lost');
  }

  #pressed({ side, eventCode, durationMs }: DtmfReport, reportedAtMs: number): void {
    const update = this.#wanted;
    if (update === undefined || this.#state !== 'open') return;
    this.#reportedAtMs = reportedAtMs;
    if (!blockedSides(update).includes(side)) this.#ordered.passedOn(side);
    const digit = eventCode === FLASH_EVENT_CODE ? 'R' : digitOfEvent(eventCode);
    const isKnown = update.legs[side].event !== undefined;
    if (digit === undefined || !isKnown || !update.events[side].detect) return;
    const { listener, nowMs } = this.#options;
    const atMs = nowMs() - durationMs;
    const ssrc = this.#view?.[side].ssrc ?? 0;
    // rtpengine does not tell the time stamp: one of our own, so that two presses differ.
    const rtpTimestamp = Math.trunc(atMs * 8) % 4_294_967_296;
    const press = { side, digit, eventCode, ssrc, rtpTimestamp, atMs } as const;
    listener.digitPressed(press);
    listener.digitReleased({ ...press, durationMs });
  }

  /** Hands over the last update, one exchange at a time. */
  #agree(): void {
    this.#agreeing ??= this.#agreeAll().finally(() => {
      this.#agreeing = undefined;
    });
  }

  async #agreeAll(): Promise<void> {
    let attempts = 0;
    while (this.#state === 'open' && this.#wanted !== undefined) {
      const update = this.#wanted;
      if (update === this.#agreed) return;
      const canPlay = this.#canPlay;
      const isNewCoder =
        this.#agreed !== undefined && coderKey(update, canPlay) !== coderKey(this.#agreed, canPlay);
      if (isNewCoder) await this.#ordered.quiet(SOUNDING_LIMIT_MS);
      const outcome = await this.#options.call.agree(update, canPlay);
      if (outcome.type === 'ok') {
        this.#agreed = update;
        this.#ordered.agreedOn(update);
        attempts = 0;
        continue;
      }
      // While the node is down, until it is back or has lost its streams.
      if (!isFailure(outcome, 'node-down')) attempts += 1;
      const isOver = attempts >= UPDATE_ATTEMPTS || !isUnanswered(outcome);
      if (isOver) return this.lose(outcome);
      await sleep(UPDATE_PAUSE_MS);
    }
  }

  /** The newest view; `undefined` when there is none, and the stream may be lost. */
  async #look(): Promise<EngineView | undefined> {
    const looked = await this.#options.call.look();
    if (looked.type === 'view') {
      this.#view = looked.view;
      this.#watch.seen(looked.view, performance.now());
      return looked.view;
    }
    if (looked.type === 'gone') this.lose(looked);
    return undefined;
  }

  #player(to: Side): DigitPlayer {
    const { listener, nowMs, digitGapMs } = this.#options;
    return new DigitPlayer({
      to,
      nowMs,
      gapMs: () => this.#wanted?.legs[to].digitGapMs ?? digitGapMs,
      play: (digit, durationMs) => this.#play(to, digit, durationMs),
      onSent: (sent) => listener.digitSent(sent),
      onDropped: (dropped) => listener.digitDropped(dropped),
    });
  }

  async #play(to: Side, digit: PlayedDigit, durationMs: number): Promise<PlayOutcome> {
    const from = otherSide(to);
    const { eventCode } = digit;
    const why = whyNotPlayed(this.#wanted, to, eventCode);
    if (why !== undefined) return why;
    const startedAtMs = performance.now();
    const view = await this.#preparedView(from);
    if (this.#state === 'closed') return 'relay-restart';
    if (performance.now() - startedAtMs > PREPARATION_LIMIT_MS) return 'media-inactive';
    const whyNow = whyNotPlayed(this.#wanted, to, eventCode);
    if (whyNow !== undefined) return whyNow;
    if (view === undefined || !this.#watch.isTalking(from, performance.now())) return 'not-heard';
    const key = digitOfEvent(eventCode) ?? '';
    const packetTimeMs = this.#wanted?.legs[from].audio.packetTimeMs ?? DEFAULT_PACKET_TIME_MS;
    const order = { from, eventCode, key, durationMs, packetTimeMs, before: view[from] };
    const outcome = await this.#ordered.order(order);
    if (outcome !== 'gone') return outcome;
    this.lose({ type: 'gone' });
    return 'relay-restart';
  }

  /** A look of just now, with rtpengine ready to play digits in the place of `from`. */
  async #preparedView(from: Side): Promise<EngineView | undefined> {
    for (;;) {
      await this.#preparePlaying();
      await this.#ordered.prepare(from);
      const view = await this.#look();
      if (this.#agreeing === undefined || view === undefined) return view;
    }
  }

  /** Sees to it that rtpengine knows that digits will be played; not in the middle of an event that it passes on. */
  async #preparePlaying(): Promise<void> {
    if (!this.#canPlay) {
      await sleep(Math.max(0, this.#reportedAtMs + LAST_REPEATS_MS - performance.now()));
      this.#canPlay = true;
      this.#agreed = undefined;
      this.#agree();
    }
    await this.#agreeing;
  }

  async #finish(): Promise<void> {
    await Promise.all(SIDES.map((side) => this.#players[side].stop('stream-closed')));
    await this.#agreeing;
    this.#view = (await this.#options.call.delete()) ?? this.#view;
    this.#closeWith('stream-closed');
  }

  #closeWith(reason: 'relay-restart' | 'stream-closed'): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const side of SIDES) this.#players[side].cut(reason);
    this.#options.onClosed();
    this.#closed.resolve(this.#counted());
  }

  #counted(): MediaCounters {
    const nowMs = performance.now();
    const own = (side: Side): OwnCounts => ({
      ...this.#watch.counts(side, nowMs),
      injectedPackets: this.#players[side].played * PACKETS_OF_DIGIT,
      isSourceLearnt: this.#wanted?.legs[side].mediaSource === 'learn-once',
    });
    return countersOf(this.#view, { caller: own('caller'), callee: own('callee') });
  }
}

function whyNotPlayed(
  update: StreamUpdate | undefined,
  to: Side,
  eventCode: number,
): DigitDropReason | undefined {
  const leg = update?.legs[to];
  const isAccepted = leg?.event?.events.includes(eventCode) === true;
  if (!isAccepted || digitOfEvent(eventCode) === undefined) return 'event-not-negotiated';
  if (!leg?.maySend || leg.remote === undefined) return 'media-inactive';
  const numbers = update?.legs[otherSide(to)].audio.payloadTypes ?? [];
  return numbers.some((number) => number < FIRST_DYNAMIC) ? undefined : 'media-inactive';
}

function whyGivenUp(outcome: EngineOutcome): GivenUp {
  if (outcome.type === 'failed') return { reason: outcome.reason, detail: outcome.detail };
  return { reason: 'gone', detail: 'begun anew, unknown or on other ports' };
}

function isUnanswered(outcome: EngineOutcome): boolean {
  return isFailure(outcome, 'timeout') || isFailure(outcome, 'node-down');
}

function isFailure(outcome: EngineOutcome, reason: EngineFailureReason): boolean {
  return outcome.type === 'failed' && outcome.reason === reason;
}
