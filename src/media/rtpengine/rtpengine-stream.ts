/** One stream whose packets rtpengine carries: what was agreed goes there, digits and counts come from there. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaCounters } from '../relay-counters.ts';
import type {
  LocalMedia,
  MediaListener,
  MediaStream,
  PlayedDigit,
  StreamUpdate,
} from '../media-engine.ts';
import { withUsableRemote } from '../remote-address.ts';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import { digitOfEvent, FLASH_EVENT_CODE } from '../../wire/telephone-event.ts';
import { DigitPlayer, MAX_PLAYED_MS, type PlayOutcome } from './digit-player.ts';
import type { DtmfReport } from './dtmf-report.ts';
import type { EngineCall, EngineOutcome } from './engine-call.ts';
import { countersOf, type EngineView, type OwnCounts } from './engine-view.ts';
import { blockedSides, coderKey, needsInjection } from './event-numbers.ts';
import { OwnReports } from './own-reports.ts';
import { RelayedDurations } from './relayed-durations.ts';
import { StreamWatch, type WatchLimits } from './stream-watch.ts';

/**
 *   open --close()--> closing --rtpengine has deleted it--> closed
 *     '--rtpengine does not know it, is down, or has moved its ports (listener.lost)--^
 */
type StreamState = 'open' | 'closing' | 'closed';

/** How often an update is tried that was not answered, and the pause before. */
const UPDATE_ATTEMPTS = 3;
const UPDATE_PAUSE_MS = 300;

/** An event is reported with its first end packet; the repeats come within this time. */
const LAST_REPEATS_MS = 150;

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
  readonly onClosed: () => void;
}

export class RtpengineStream implements MediaStream {
  readonly type = 'stream';
  readonly streamId: string;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly #options: RtpengineStreamOptions;
  readonly #players: Readonly<Record<Side, DigitPlayer>>;
  readonly #watch: StreamWatch;
  readonly #relayed = new RelayedDurations();
  readonly #ownReports = new OwnReports();
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

  /** A digit that rtpengine has found. */
  reported(report: DtmfReport): void {
    const { side, eventCode, durationMs } = report;
    const update = this.#wanted;
    if (this.#ownReports.isOwn(report, performance.now())) return;
    if (update === undefined || this.#state !== 'open') return;
    this.#reportedAtMs = performance.now();
    if (!blockedSides(update).includes(side)) {
      this.#relayed.add(side, durationMs, this.#view?.[side].ssrc);
    }
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

  /** Looks whether media flows; now and then. */
  async poll(): Promise<void> {
    if (this.#state !== 'open') return;
    const view = await this.#look();
    if (view === undefined || this.#state !== 'open') return;
    this.#watch.looked(view, this.#wanted, performance.now());
  }

  /** rtpengine has no such stream any more, or cannot be asked. Idempotent. */
  lose(): void {
    const wasOpen = this.#state === 'open';
    if (this.#state === 'closed') return;
    this.#closeWith('relay-restart');
    // In case it lives and only nobody hears it.
    void this.#options.call.delete();
    if (wasOpen) this.#options.listener.lost('engine-lost');
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
      const outcome = await this.#options.call.agree(update, canPlay);
      if (outcome.type === 'ok') {
        this.#agreed = update;
        this.#relayed.coder(coderKey(update, canPlay));
        attempts = 0;
        continue;
      }
      attempts += 1;
      if (!isUnanswered(outcome) || attempts >= UPDATE_ATTEMPTS) return this.lose();
      await sleep(UPDATE_PAUSE_MS);
    }
  }

  /** The newest view; `undefined` when there is none, and the stream may be lost. */
  async #look(): Promise<EngineView | undefined> {
    const looked = await this.#options.call.look();
    if (looked.type === 'view') {
      this.#view = looked.view;
      this.#watch.seen(looked.view, performance.now());
      for (const side of SIDES) this.#relayed.source(side, looked.view[side].ssrc);
      return looked.view;
    }
    if (looked.type === 'gone') this.lose();
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
    const leg = this.#wanted?.legs[to];
    const key = digitOfEvent(digit.eventCode);
    const isAccepted = leg?.event?.events.includes(digit.eventCode) === true;
    if (!isAccepted || key === undefined) return 'event-not-negotiated';
    if (!leg?.maySend || leg.remote === undefined) return 'media-inactive';
    await this.#preparePlaying();
    const from = otherSide(to);
    const view = await this.#look();
    if (this.#state === 'closed') return 'relay-restart';
    if (view === undefined || !this.#watch.isTalking(from, performance.now())) return 'not-heard';
    const own = { side: from, eventCode: digit.eventCode };
    const askedMs = Math.min(MAX_PLAYED_MS, durationMs + this.#relayed.of(from));
    this.#ownReports.expect({ ...own, durationMs: askedMs }, performance.now());
    const outcome = await this.#options.call.play(from, key, askedMs);
    if (outcome.type === 'ok') return 'taken';
    if (outcome.type === 'not-heard') {
      this.#ownReports.isOwn({ ...own, durationMs: askedMs }, performance.now());
      return 'not-heard';
    }
    if (outcome.type === 'gone') this.lose();
    // Not answered: it may have been played, so it is not asked for again.
    return 'relay-restart';
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

function isUnanswered(outcome: EngineOutcome): boolean {
  return (
    outcome.type === 'failed' && (outcome.reason === 'timeout' || outcome.reason === 'node-down')
  );
}
