/**
 * The media of one call: one relayed stream per m-line that carries RTP, opened when the first offer names it.
 *
 *   m-line 0 ── stream 0: caller port pair ⇄ callee port pair
 *   m-line 1 ── stream 1 …
 *
 * Ports of a leg never change while the call lives (forked 18x and re-INVITEs included), unless the media server that
 * has them is lost (`reopen`).
 */
import type {
  DetectedDigit,
  DroppedDigit,
  LegPorts,
  MediaEngine,
  MediaFailure,
  MediaListener,
  MediaObservation,
  MediaStream,
  ReleasedDigit,
  SentDigit,
  StreamUpdate,
} from '../media/media-engine.ts';
import { addCounters, type MediaCounters } from '../media/relay-counters.ts';
import { newNameKey } from '../media/source-name.ts';
import type { Side } from '../wire/side.ts';
import { DigitDrain } from './digits/digit-drain.ts';
import type { EndCause, EndCauseName } from './end-cause.ts';
import type { MediaRows } from './media-rows.ts';
import { MAX_STREAMS } from './offer/offer-answer-rewrite.ts';

/** An address and port pair of ours, as written in SDP. */
export type LocalPorts = MediaStream['local'][Side];

/** What opening can come to; a cause when the call cannot go on. */
export type OpenOutcome =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly cause: EndCauseName; readonly text?: string };

/** The cause that a call ends with whose media could not be opened. */
export function endCauseOf(failed: {
  readonly cause: EndCauseName;
  readonly text?: string;
}): EndCause {
  const { cause: name, text } = failed;
  return { name, by: 'sbc', ...(text === undefined ? {} : { text }) };
}

/** The causes that a media engine can be the reason of; also the labels in the metrics. */
const CAUSES = {
  'no-ports': 'no-ports',
  'ports-resting': 'ports-resting',
  'ports-taken': 'ports-taken',
  'address-unavailable': 'media-address-unavailable',
  'no-descriptors': 'no-descriptors',
  'worker-lost': 'media-lost',
  'engine-down': 'media-engine-down',
  'engine-refused': 'media-engine-refused',
} as const satisfies Record<MediaFailure['reason'], EndCauseName>;

export type MediaCause = (typeof CAUSES)[keyof typeof CAUSES];
export const MEDIA_CAUSES: readonly MediaCause[] = Object.values(CAUSES);

export class CallMedia {
  readonly #engine: MediaEngine;
  readonly #callId: string;
  readonly #ports: Record<Side, LegPorts>;
  readonly #listener: MediaListener;
  readonly #onCounters: (counters: readonly MediaCounters[]) => void;
  readonly #onAnswered: () => void;
  readonly #onBug: (error: unknown) => void;
  readonly #onFailure: (cause: MediaCause) => void;
  readonly #rows: MediaRows | undefined;
  readonly #signalledFrom: Partial<Record<Side, string>>;
  readonly #nameKey = newNameKey();
  #streams: readonly MediaStream[] = [];
  readonly #drain = new DigitDrain();
  /** The m-line whose audio carries digits. */
  #digitStream = 0;
  #state: 'open' | 'closed' = 'open';
  /** What each stream was told last. */
  #told: readonly (StreamUpdate | undefined)[] = [];
  /** What streams that were lost have counted, by m-line. */
  #countedBefore: readonly MediaCounters[] = [];
  /** Of the streams that are not replaced. */
  #listenerNow: DrainingListener;

  constructor(options: {
    readonly engine: MediaEngine;
    readonly callId: string;
    readonly ports: Record<Side, LegPorts>;
    readonly listener: MediaListener;
    /** Hears of every reading of the counters, the last one at the end. */
    readonly onCounters: (counters: readonly MediaCounters[]) => void;
    /** The call is answered; a reading follows. */
    readonly onAnswered?: () => void;
    /** IP addresses that the signalling of the legs comes from. */
    readonly signalledFrom?: Partial<Record<Side, string>>;
    /** Hears what should never have been thrown. */
    readonly onBug?: (error: unknown) => void;
    /** Hears why a stream could not be opened. */
    readonly onFailure?: (cause: MediaCause) => void;
    /** Hears what is worth a row of the ladder. */
    readonly rows?: MediaRows;
  }) {
    this.#engine = options.engine;
    this.#callId = options.callId;
    this.#ports = options.ports;
    this.#listener = options.listener;
    this.#listenerNow = new DrainingListener(options.listener, this.#drain);
    this.#onCounters = options.onCounters;
    this.#onAnswered = options.onAnswered ?? (() => undefined);
    this.#signalledFrom = options.signalledFrom ?? {};
    this.#onBug = options.onBug ?? (() => undefined);
    this.#onFailure = options.onFailure ?? (() => undefined);
    this.#rows = options.rows;
  }

  /** Makes sure that streams for the first `count` m-lines are open. */
  async open(count: number): Promise<OpenOutcome> {
    if (count > MAX_STREAMS) return { type: 'failed', cause: 'bad-sdp' };
    while (this.#streams.length < count) {
      const streamId = `${this.#callId}:${this.#streams.length}`;
      const stream = await this.#engine.openStream({
        streamId,
        caller: this.#ports.caller,
        callee: this.#ports.callee,
        listener: this.#listenerNow,
        nameKey: this.#nameKey,
      });
      if (stream.type === 'failure') {
        const cause = CAUSES[stream.reason];
        this.#onFailure(cause);
        const { detail } = stream;
        return { type: 'failed', cause, ...(detail === undefined ? {} : { text: detail }) };
      }
      this.#streams = this.#streams.concat(stream);
      this.#rows?.opened(stream.local);
      if (this.#state === 'closed') await stream.close();
    }
    return { type: 'open' };
  }

  /**
   * Opens every stream anew, on other ports: the old ones are lost, and say so no more. Nothing flows until the legs have
   * agreed on them.
   */
  async reopen(): Promise<OpenOutcome> {
    const lost = this.#streams;
    this.#listenerNow.isReplaced = true;
    this.#listenerNow = new DrainingListener(this.#listener, this.#drain);
    this.#countedBefore = await this.#countFrom((stream) => stream.close());
    this.#streams = [];
    this.#told = [];
    return await this.open(lost.length);
  }

  /** Our ports towards `side`, by m-line. */
  local(side: Side): readonly LocalPorts[] {
    return this.#streams.map((stream) => stream.local[side]);
  }

  /** Hands the result of an offer/answer exchange to the streams; `undefined` leaves a stream as it is. */
  update(updates: readonly (StreamUpdate | undefined)[]): void {
    const told = updates.map((update, index) =>
      update === undefined ? this.#told[index] : this.#withSignalling(update),
    );
    this.#told = [...told, ...this.#told.slice(told.length)];
    for (const [index, update] of updates.entries()) {
      if (update === undefined) continue;
      this.#rows?.agreed(index, update);
      this.#streams[index]?.update(told[index] ?? update);
    }
  }

  /** Nothing is taken from `side` any more, nor sent there, until the next answer. */
  silence(side: Side): void {
    this.update(
      this.#told.map(
        (told) =>
          told && {
            ...told,
            legs: { ...told.legs, [side]: { ...told.legs[side], remote: undefined } },
          },
      ),
    );
  }

  #withSignalling({ legs, events }: StreamUpdate): StreamUpdate {
    const { caller, callee } = this.#signalledFrom;
    return {
      legs: {
        caller: { ...legs.caller, signalledFrom: caller },
        callee: { ...legs.callee, signalledFrom: callee },
      },
      events,
    };
  }

  /** Names the m-line whose audio carries digits from now on. */
  useForDigits(index: number): void {
    this.#digitStream = index;
  }

  /** Plays a digit as telephone-event towards `to`; false when there is no stream for it. */
  playDigit(to: Side, digit: Parameters<MediaStream['playDigit']>[1]): boolean {
    const stream = this.#streams[this.#digitStream];
    if (stream === undefined || this.#state === 'closed') return false;
    this.#drain.queued(to, digit.digitId);
    stream.playDigit(to, digit);
    return true;
  }

  /** Whether digits wait or play towards `to`. */
  hasDigits(to: Side): boolean {
    return !this.#drain.isEmpty(to);
  }

  /** Resolves when the digits towards `to` have left, or the media is closed; at the latest after `limitMs`. */
  drained(to: Side, limitMs: number): Promise<void> {
    return this.#drain.wait(to, limitMs);
  }

  /** The call is answered. Never rejects. */
  async answered(): Promise<void> {
    this.#onAnswered();
    await this.counters().catch(this.#onBug);
  }

  /** Counters of every stream so far. */
  async counters(): Promise<readonly MediaCounters[]> {
    return this.#read((stream) => stream.counters());
  }

  /** Closes every stream once; a running event is finished first. Never rejects: a call must come to its end. */
  async close(): Promise<readonly MediaCounters[]> {
    if (this.#state === 'closed') return [];
    this.#state = 'closed';
    this.#drain.end();
    try {
      const counters = await this.#read((stream) => stream.close());
      this.#rows?.closed(counters);
      return counters;
    } catch (error) {
      this.#onBug(error);
      return [];
    }
  }

  async #read(
    from: (stream: MediaStream) => Promise<MediaCounters>,
  ): Promise<readonly MediaCounters[]> {
    const counters = await this.#countFrom(from);
    this.#onCounters(counters);
    return counters;
  }

  async #countFrom(
    from: (stream: MediaStream) => Promise<MediaCounters>,
  ): Promise<readonly MediaCounters[]> {
    const counters = await Promise.all(this.#streams.map((stream) => from(stream)));
    const before = this.#countedBefore;
    const sums = counters.map((counted, index) => addCounters(before[index], counted));
    // A stream that could not be opened anew has still counted what it has.
    return [...sums, ...before.slice(sums.length)];
  }
}

/** `drain` hears as well what becomes of digits. */
class DrainingListener implements MediaListener {
  /** Its streams have given way to others: they cannot be lost any more. */
  isReplaced = false;
  readonly #listener: MediaListener;
  readonly #drain: DigitDrain;

  constructor(listener: MediaListener, drain: DigitDrain) {
    this.#listener = listener;
    this.#drain = drain;
  }

  digitPressed(digit: DetectedDigit): void {
    this.#listener.digitPressed(digit);
  }

  digitReleased(digit: ReleasedDigit): void {
    this.#listener.digitReleased(digit);
  }

  digitSent(sent: SentDigit): void {
    this.#listener.digitSent(sent);
    this.#drain.settled(sent.to, sent.digitId);
  }

  digitDropped(dropped: DroppedDigit): void {
    this.#listener.digitDropped(dropped);
    this.#drain.settled(dropped.to, dropped.digitId);
  }

  inactive(info: Parameters<MediaListener['inactive']>[0]): void {
    this.#listener.inactive(info);
  }

  observed(observation: MediaObservation): void {
    this.#listener.observed?.(observation);
  }

  lost(reason: Parameters<MediaListener['lost']>[0]): void {
    if (!this.isReplaced) this.#listener.lost(reason);
  }
}
