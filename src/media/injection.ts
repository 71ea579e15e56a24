/**
 * Puts generated digits into one direction of a relayed stream: what `DigitSender` paces becomes RTP
 * packets with the stream's own SSRC, sequence numbers and time.
 *
 *   audio in      a50 a51 a52 a53 a54 a55 a56 a57 a58      while a digit plays audio is replaced;
 *   packets out   a50 e51 e52 e53 E54 E55 E56     a57 a58  see sequence-offset.ts for the numbers
 *
 * A digit before any media of the direction begins a stream of our own (own-stream.ts).
 */

import { addSequence32, sequenceDistance32 } from '../wire/sequence.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../wire/rtp.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../wire/telephone-event.ts';
import {
  DigitSender,
  MIN_GAP_MS,
  type DigitPacket,
  type QueuedDigit,
} from '../dtmf/digit-sender.ts';
import type { EventMedia, LegMedia } from './media-engine.ts';
import type { OwnStream } from './own-stream.ts';
import type { SequenceOffset } from './sequence-offset.ts';
import type { StreamClock } from './stream-clock.ts';

/** Tone level of generated events: -10 dBm0, what telephones send. */
export const EVENT_VOLUME = 10;

/** Pause between digits when neither leg nor engine says otherwise. */
export const DEFAULT_GAP_MS = 60;

/** Spacing of event packets when the packet time of the audio is unknown. */
const DEFAULT_PACKET_INTERVAL_MS = 20;
const MIN_PACKET_INTERVAL_MS = 10;
/** Longest spacing between reports of one event (RFC 4733 §2.5.1.2). */
const MAX_PACKET_INTERVAL_MS = 50;

/** A stream further back than this has started its timestamps anew. */
const MAX_CLOCK_JUMP_SECONDS = 5;

/** A packet of a digit, ready to send. */
export interface InjectedPacket {
  readonly bytes: Buffer;
  /** With the first packet of a digit: its id. */
  readonly started?: string;
  /** With the first end packet of a digit: the digit is sent once the socket has taken it. */
  readonly finished?: FinishedDigit;
}

export interface FinishedDigit {
  readonly digitId: string;
  readonly rtpTimestamp: number;
  readonly firstPacketAtMs: number;
}

/** When a digit was sent, by the wall clock and in stream time. */
interface SentDigitTimes {
  readonly ssrc: number;
  readonly startedAtMs: number;
  readonly startTimestamp: number;
  endTimestamp: number;
}

/** What digits are sent as, and the clock of the audio they replace. */
interface DigitFormat {
  readonly event: EventMedia | undefined;
  readonly audioClockRate: number;
}

export interface InjectionOptions {
  readonly numbers: SequenceOffset;
  readonly clock: StreamClock;
  readonly own: OwnStream;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly gapMs?: number | undefined;
  readonly packetIntervalMs?: number | undefined;
}

export class Injection {
  readonly #options: InjectionOptions;
  readonly #sender: DigitSender;
  #media: LegMedia | undefined;
  /** What digits are sent as from the next one on; a playing one keeps its own. */
  #nextFormat: DigitFormat = { event: undefined, audioClockRate: 8000 };
  #format = this.#nextFormat;
  /** The digit sent last, playing or over. */
  #digit: SentDigitTimes | undefined;
  #lastPacket: DigitPacket | undefined;

  constructor(options: InjectionOptions) {
    this.#options = options;
    this.#sender = new DigitSender({
      clockRate: 8000,
      packetIntervalMs: DEFAULT_PACKET_INTERVAL_MS,
      gapMs: DEFAULT_GAP_MS,
    });
  }

  /** Whether audio of this direction is being replaced now. */
  get isPlaying(): boolean {
    return this.#sender.isPlaying;
  }

  /** Whether a digit is playing or waiting. */
  get isBusy(): boolean {
    return this.#sender.isBusy;
  }

  get nextAtMs(): number | undefined {
    return this.#sender.nextAtMs;
  }

  /** The leg the digits go to, as negotiated now. */
  set media(media: LegMedia) {
    this.#media = media;
  }

  /** The telephone-event that digits are sent as from the next one on, beside audio of `audioClockRate`. */
  useFormat(event: EventMedia | undefined, audioClockRate: number): void {
    this.#nextFormat = { event, audioClockRate };
  }

  /** Queues a digit; `false` when the queue is full. */
  enqueue(digit: QueuedDigit): boolean {
    return this.#sender.enqueue(digit);
  }

  /** Lets no digit begin before `notBeforeMs`: a relayed event is on the stream. */
  holdUntil(notBeforeMs: number): void {
    this.#sender.holdUntil(notBeforeMs);
  }

  /** The waiting digits, which are waiting no more. */
  clear(): QueuedDigit[] {
    return this.#sender.clear();
  }

  /** The packets due at `nowMs`. */
  poll(nowMs: number): InjectedPacket[] {
    const packets: InjectedPacket[] = [];
    for (;;) {
      if (!this.#sender.isPlaying) {
        this.#format = this.#nextFormat;
        this.#sender.configure(this.#senderOptions());
      }
      const packet = this.#sender.poll(nowMs, this.#streamTime(nowMs));
      if (packet === undefined) break;
      if (packet.isFirstEnd) this.#fillBeforeEnd(packets, packet, nowMs);
      packets.push(this.#build(packet, nowMs));
      if (!this.#sender.isPlaying) this.#fillDeficit(packets, nowMs);
    }
    return packets;
  }

  /** Audio was swallowed faster than event packets left: one more of them before the gap grows. */
  catchUp(nowMs: number): InjectedPacket[] {
    if (!this.#options.numbers.isDeficitFull) return [];
    const packet = this.#sender.extra(nowMs);
    return packet === undefined ? [] : [this.#build(packet, nowMs)];
  }

  /** Ends the playing digit at once with its end packets back to back. */
  finishNow(nowMs: number): InjectedPacket[] {
    const packets: InjectedPacket[] = [];
    for (const packet of this.#sender.finishNow(nowMs)) {
      if (packet.isFirstEnd) this.#fillBeforeEnd(packets, packet, nowMs);
      packets.push(this.#build(packet, nowMs));
    }
    if (packets.length > 0) this.#fillDeficit(packets, nowMs);
    return packets;
  }

  /** What is missing when the tone is over goes out as updates: the end is to be said three times, not more. */
  #fillBeforeEnd(packets: InjectedPacket[], end: DigitPacket, nowMs: number): void {
    const sentTicks = this.#lastPacket?.durationTicks ?? 0;
    if (end.marker || this.#lastPacket?.rtpTimestamp !== end.rtpTimestamp) return;
    // One may be missing in the normal course: the audio of this interval came before the packet that replaces it.
    const missing = this.#options.numbers.deficit - 1;
    for (let count = 1; count <= missing; count++) {
      const durationTicks = Math.min(sentTicks + count, end.durationTicks);
      const update = { ...end, isEnd: false, isFirstEnd: false, durationTicks };
      packets.push(this.#build(update, nowMs));
    }
  }

  /** What goes missing while the end is being said can only say it again, which tells a receiver nothing new. */
  #fillDeficit(packets: InjectedPacket[], nowMs: number): void {
    const last = this.#lastPacket;
    if (last === undefined) return;
    while (this.#options.numbers.deficit > 0) {
      packets.push(this.#build({ ...last, isFirstEnd: false }, nowMs));
    }
  }

  #senderOptions(): { clockRate: number; packetIntervalMs: number; gapMs: number } {
    const media = this.#media;
    const audioTimeMs = this.#options.clock.packetTimeMs ?? media?.audio.packetTimeMs;
    const intervalMs =
      media?.digitPacketIntervalMs ?? this.#options.packetIntervalMs ?? audioTimeMs;
    return {
      clockRate: this.#format.event?.clockRate ?? 8000,
      packetIntervalMs: clampInterval(intervalMs),
      gapMs: media?.digitGapMs ?? this.#options.gapMs ?? DEFAULT_GAP_MS,
    };
  }

  /** Timestamp of a digit that begins at `nowMs`: stream time, but a whole pause behind the digit before. */
  #streamTime(nowMs: number): number {
    const { clock, numbers, random } = this.#options;
    const rate = this.#format.audioClockRate;
    const last = this.#digit?.ssrc === numbers.ssrc ? this.#digit : undefined;
    let timestamp: number;
    if (clock.ssrc !== undefined && clock.ssrc === numbers.ssrc) {
      timestamp = clock.at(nowMs);
    } else if (last !== undefined) {
      const elapsedTicks = Math.round(((nowMs - last.startedAtMs) * rate) / 1000);
      timestamp = addSequence32(last.startTimestamp, elapsedTicks);
    } else {
      timestamp = Math.floor(random() * 2 ** 32);
    }
    if (last === undefined) return timestamp;
    // Audio that comes unevenly makes its clock jump; the pause states its full length all the same.
    const gapMs = Math.max(this.#senderOptions().gapMs, MIN_GAP_MS);
    const least = addSequence32(last.endTimestamp, Math.round((gapMs * rate) / 1000));
    const shortTicks = sequenceDistance32(timestamp, least);
    return shortTicks > 0 && shortTicks < MAX_CLOCK_JUMP_SECONDS * rate ? least : timestamp;
  }

  #build(packet: DigitPacket, nowMs: number): InjectedPacket {
    const { numbers, own } = this.#options;
    const ssrc = numbers.ssrc ?? own.begin(packet.rtpTimestamp, nowMs);
    const sequenceNumber = numbers.next();
    const bytes = Buffer.alloc(RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES);
    writeRtpHeader(
      {
        marker: packet.marker,
        payloadType: this.#format.event?.sendPayloadType ?? 0,
        sequenceNumber,
        timestamp: packet.rtpTimestamp,
        ssrc,
      },
      bytes,
    );
    const { eventCode: code, isEnd, durationTicks } = packet;
    writeTelephoneEvent(
      { code, isEnd, volume: EVENT_VOLUME, durationTicks },
      bytes,
      RTP_HEADER_BYTES,
    );
    return { bytes, ...this.#note(packet, ssrc, nowMs) };
  }

  /** Keeps the times of the digit; its first packet and its first end packet are reported. */
  #note(packet: DigitPacket, ssrc: number, nowMs: number): Omit<InjectedPacket, 'bytes'> {
    const { digitId, digitTimestamp, rtpTimestamp, durationTicks } = packet;
    const endTimestamp = addSequence32(rtpTimestamp, durationTicks);
    this.#lastPacket = packet;
    if (packet.marker || this.#digit === undefined) {
      this.#digit = { ssrc, startedAtMs: nowMs, startTimestamp: digitTimestamp, endTimestamp };
    } else {
      this.#digit.endTimestamp = endTimestamp;
    }
    if (!packet.isFirstEnd) return packet.marker ? { started: digitId } : {};
    const firstPacketAtMs = this.#digit.startedAtMs;
    return { finished: { digitId, rtpTimestamp: digitTimestamp, firstPacketAtMs } };
  }
}

function clampInterval(intervalMs: number | undefined): number {
  if (intervalMs === undefined || !(intervalMs > 0)) return DEFAULT_PACKET_INTERVAL_MS;
  return Math.min(Math.max(intervalMs, MIN_PACKET_INTERVAL_MS), MAX_PACKET_INTERVAL_MS);
}
