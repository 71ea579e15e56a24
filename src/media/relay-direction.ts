/**
 * Packets from one leg of a stream to the other: the pure verdict per packet, and the digits put in.
 *
 *   RTP packet -> guard -> source lock -> count -> kind by payload type
 *
 *   any     measured and looked through for digits as it came, then moved into our own stream if a
 *           digit began one (own-stream.ts)
 *   audio   ends a silent press -> a digit plays? swallowed : number -> map payload type -> forward
 *   other   like audio, unless it looks like an event: taken out of the numbers
 *   event   detector -> relay?  number -> map payload type, rescale duration -> forward
 *                       absorb? taken out of the numbers
 *                       a generated digit plays or waits? taken out, generated again behind it
 *
 * A relayed event holds generated digits back until it is over, so that the two never interleave.
 * `forward` means: send the bytes, changed in place, to the other leg's destination, after the outputs.
 */

import {
  isTelephoneEventPayload,
  readTelephoneEvent,
  rescaleDuration,
  TELEPHONE_EVENT_BYTES,
} from '../wire/telephone-event.ts';
import {
  isRtp,
  readRtpPayload,
  rtpMarker,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  setRtpPayloadType,
  setRtpSequenceNumber,
} from '../wire/rtp.ts';
import { DigitDetector, QUIET_MS, type DetectorOutput } from '../dtmf/digit-detector.ts';
import { DivertedPresses } from './diverted-presses.ts';
import { DEFAULT_GAP_MS, Injection, type InjectedPacket } from './injection.ts';
import { PAYLOAD_AUDIO, PAYLOAD_EVENT, type RelayLeg } from './relay-leg.ts';
import { OwnStream } from './own-stream.ts';
import { LATE, SequenceOffset, SWALLOWED } from './sequence-offset.ts';
import { StreamClock } from './stream-clock.ts';
import type { DropReason } from './relay-counters.ts';
import type { DigitDropReason, EventHandling, LegMedia, PlayedDigit } from './media-engine.ts';
import type { PacketSource } from './source-lock.ts';
import type { RelayOutput } from './relay-output.ts';

export type RelayVerdict = 'forward' | 'drop';

/** Fixed payload types below this cannot be events (RFC 3551 §6). */
const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;

/** Digits generated again from the sender's own events are nobody's order: they are not reported. */
const DIVERTED_DIGIT_ID = '';

export interface DirectionOptions {
  readonly from: RelayLeg;
  readonly to: RelayLeg;
  readonly outputs: RelayOutput[];
  readonly random: () => number;
  readonly gapMs?: number | undefined;
  readonly packetIntervalMs?: number | undefined;
}

export class RelayDirection {
  readonly numbers = new SequenceOffset();
  readonly #from: RelayLeg;
  readonly #to: RelayLeg;
  readonly #outputs: RelayOutput[];
  readonly #clock = new StreamClock();
  readonly own: OwnStream;
  readonly #injection: Injection;
  #detector: DigitDetector | undefined;
  #handling: EventHandling = { mode: 'absorb', detect: false };
  readonly #diverted = new DivertedPresses();

  constructor(options: DirectionOptions) {
    const { from, to, outputs, random, gapMs, packetIntervalMs } = options;
    this.#from = from;
    this.#to = to;
    this.#outputs = outputs;
    const { numbers } = this;
    const clock = this.#clock;
    this.own = new OwnStream({ numbers, clock, random });
    this.#injection = new Injection({
      numbers,
      clock,
      own: this.own,
      random,
      gapMs,
      packetIntervalMs,
    });
  }

  /** When `poll` wants to be called; `undefined` when nothing is pending. */
  get nextAtMs(): number | undefined {
    const digitMs = this.#injection.nextAtMs;
    const detectorMs = this.#detector?.expiresAtMs;
    if (digitMs === undefined) return detectorMs;
    return detectorMs === undefined ? digitMs : Math.min(digitMs, detectorMs);
  }

  /** Before new legs take effect: ends what they no longer allow. */
  prepareUpdate(from: LegMedia, to: LegMedia, nowMs: number): void {
    if (!isSameEventStream(this.#to.media, to)) this.#send(this.#injection.finishNow(nowMs));
    if (!canDetectAlike(this.#from.media, from)) this.#finishDetector(nowMs);
  }

  /** After both legs have taken their new media. */
  update(handling: EventHandling): void {
    const { media: from } = this.#from;
    const { media: to } = this.#to;
    this.#handling = handling;
    if (from === undefined || to === undefined) return;
    this.#clock.clockRate = from.audio.clockRate;
    this.#injection.media = to;
    if (this.#detector === undefined && from.event !== undefined) {
      this.#detector = new DigitDetector({
        clockRate: from.event.clockRate,
        repairMovedEnd: from.repairMovedEnd ?? true,
        mergeWindowMs: from.mergeWindowMs ?? 0,
      });
    }
    for (const digit of this.#injection.clear()) {
      const reason = this.#obstacle(digit.eventCode);
      if (reason === undefined) this.#injection.enqueue(digit);
      else this.#dropDigit(digit.digitId, reason);
    }
  }

  /** The verdict on an RTP packet of the sending leg's peer. */
  receiveRtp(packet: Buffer, source: PacketSource, nowMs: number): RelayVerdict {
    const from = this.#from;
    if (!isRtp(packet)) return this.#drop('not-rtp');
    if (!from.lock.acceptRtp(source)) return this.#dropStranger(source);
    const { counters } = from;
    counters.receivedPackets += 1;
    counters.receivedBytes += packet.length;
    from.lastReceivedAtMs = nowMs;
    from.reception.count(rtpSsrc(packet), rtpSequenceNumber(packet));
    const kind = from.payloadKinds[rtpPayloadType(packet)];
    if (kind === PAYLOAD_EVENT) return this.#receiveEvent(packet, nowMs);
    if (kind === PAYLOAD_AUDIO || !isLikeEvent(packet)) return this.#receiveAudio(packet, nowMs);
    // Nobody negotiated this digit: to the other leg it would be a double one, or an unknown format.
    counters.unnegotiatedEventPackets += 1;
    this.#join(packet, nowMs);
    return this.#swallow(packet, nowMs, 'event-not-accepted');
  }

  /** Queues a digit towards the receiving leg, or reports why not. */
  playDigit(digit: PlayedDigit): void {
    const reason = this.#obstacle(digit.eventCode);
    if (reason !== undefined) this.#dropDigit(digit.digitId, reason);
    else if (!this.#injection.enqueue(digit)) this.#dropDigit(digit.digitId, 'queue-full');
  }

  /** Does what is due. */
  poll(nowMs: number): void {
    if (this.#detector !== undefined) this.#report(this.#detector.expire(nowMs), nowMs);
    this.#send(this.#injection.poll(nowMs));
  }

  /** Ends running event and press; waiting digits are dropped. */
  finish(nowMs: number): void {
    this.#send(this.#injection.finishNow(nowMs));
    this.#finishDetector(nowMs);
    for (const digit of this.#injection.clear()) this.#dropDigit(digit.digitId, 'stream-closed');
  }

  #receiveAudio(packet: Buffer, nowMs: number): RelayVerdict {
    const ssrc = rtpSsrc(packet);
    const timestamp = rtpTimestamp(packet);
    if (this.#detector?.isPressed === true) {
      this.#report(this.#detector.audio(ssrc, timestamp, nowMs), nowMs);
    }
    this.#from.reception.measure(timestamp, nowMs);
    if (this.own.hasBegun) this.own.carry(packet, nowMs);
    this.#clock.observe(packet, nowMs);
    if (this.#injection.isPlaying) return this.#swallow(packet, nowMs, 'replaced-by-digit');
    return this.#forward(packet, this.#from.payloadTypeMap[rtpPayloadType(packet)]);
  }

  #receiveEvent(packet: Buffer, nowMs: number): RelayVerdict {
    this.#from.counters.eventPackets += 1;
    const payload = readRtpPayload(packet);
    const isWhole = payload !== undefined && isTelephoneEventPayload(payload);
    const event = isWhole ? readTelephoneEvent(payload) : undefined;
    const isDiverted = isWhole && this.#detect(packet, payload, nowMs);
    this.#join(packet, nowMs);
    if (payload === undefined) return this.#swallow(packet, nowMs, 'malformed');
    if (event === undefined) return this.#swallow(packet, nowMs, 'bad-event-length');
    const obstacle = this.#obstacle(event.code);
    if (this.#handling.mode === 'absorb') return this.#swallow(packet, nowMs, 'event-absorbed');
    if (obstacle === 'event-not-negotiated') {
      return this.#swallow(packet, nowMs, 'event-not-accepted');
    }
    if (isDiverted || this.#injection.isPlaying) {
      return this.#swallow(packet, nowMs, 'replaced-by-digit');
    }
    this.#injection.holdUntil(nowMs + (event.isEnd ? DEFAULT_GAP_MS : QUIET_MS));
    this.#rescale(payload);
    return this.#forward(packet, this.#to.media?.event?.sendPayloadType);
  }

  /** Takes an event packet into our own stream, if there is one; it can be the first of the sender's. */
  #join(packet: Buffer, nowMs: number): void {
    this.own.carry(packet, nowMs);
    const ssrc = rtpSsrc(packet);
    if (ssrc !== this.#clock.ssrc) this.#clock.set(ssrc, rtpTimestamp(packet), nowMs);
  }

  /** Feeds the detector; whether the packet belongs to a press that is generated again. */
  #detect(packet: Buffer, payload: Buffer, nowMs: number): boolean {
    const detector = this.#detector;
    if (detector === undefined) return false;
    const timestamp = rtpTimestamp(packet);
    const outputs = detector.receive(
      {
        ssrc: rtpSsrc(packet),
        sequenceNumber: rtpSequenceNumber(packet),
        rtpTimestamp: timestamp,
        marker: rtpMarker(packet),
        payload,
      },
      nowMs,
    );
    if (outputs.some((output) => output.type === 'pressed')) {
      const isDiverted = this.#handling.mode === 'relay' && this.#injection.isBusy;
      this.#diverted.begin(timestamp, isDiverted);
    }
    const isDiverted = this.#diverted.takes(timestamp);
    this.#report(outputs, nowMs);
    return isDiverted;
  }

  #report(outputs: readonly DetectorOutput[], nowMs: number): void {
    for (const output of outputs) {
      if (this.#handling.detect) {
        this.#outputs.push({ type: 'digit', side: this.#from.side, output });
      }
      if (output.type === 'released' && this.#diverted.has(output.rtpTimestamp)) {
        const { eventCode, durationMs } = output;
        const digit = { digitId: DIVERTED_DIGIT_ID, eventCode, durationMs };
        if (this.#obstacle(eventCode) !== undefined) this.#count('media-inactive');
        else if (!this.#injection.enqueue(digit)) this.#count('digit-queue-full');
        else this.#send(this.#injection.poll(nowMs));
      }
    }
  }

  #finishDetector(nowMs: number): void {
    if (this.#detector === undefined) return;
    this.#report(this.#detector.finish(nowMs), nowMs);
    this.#detector = undefined;
  }

  #forward(packet: Buffer, payloadType: number | undefined): RelayVerdict {
    const sequenceNumber = rtpSequenceNumber(packet);
    const number = this.numbers.forward(rtpSsrc(packet), sequenceNumber);
    if (number === LATE) return this.#drop('late');
    if (number === SWALLOWED) return this.#drop('replaced-by-digit');
    const to = this.#to;
    if (!to.canSend) return this.#drop(to.lock.hasRemote ? 'media-inactive' : 'no-remote');
    if (number !== sequenceNumber) setRtpSequenceNumber(packet, number);
    if (payloadType !== undefined && payloadType !== rtpPayloadType(packet)) {
      setRtpPayloadType(packet, payloadType);
    }
    to.counters.sentPackets += 1;
    to.counters.sentBytes += packet.length;
    return 'forward';
  }

  /** Drops a packet so that the receiver sees no hole in the numbers. */
  #swallow(packet: Buffer, nowMs: number, reason: DropReason): RelayVerdict {
    const ssrc = rtpSsrc(packet);
    if (this.#injection.isPlaying) {
      this.numbers.swallow(ssrc, rtpSequenceNumber(packet));
      this.#send(this.#injection.catchUp(nowMs));
    } else {
      this.numbers.absorb(ssrc, rtpSequenceNumber(packet));
    }
    return this.#drop(reason);
  }

  #rescale(payload: Buffer): void {
    const fromRate = this.#from.media?.event?.clockRate;
    const toRate = this.#to.media?.event?.clockRate;
    if (fromRate === undefined || toRate === undefined || fromRate === toRate) return;
    for (let offset = 0; offset < payload.length; offset += TELEPHONE_EVENT_BYTES) {
      rescaleDuration(payload, offset, fromRate, toRate);
    }
  }

  /** Why event `code` cannot be sent to the receiving leg now. */
  #obstacle(code: number): 'event-not-negotiated' | 'media-inactive' | undefined {
    const { media, canSend } = this.#to;
    if (media !== undefined && media.event?.events.includes(code) !== true) {
      return 'event-not-negotiated';
    }
    return canSend ? undefined : 'media-inactive';
  }

  #send(packets: readonly InjectedPacket[]): void {
    const to = this.#to;
    const { destination } = to;
    for (const { bytes, finished } of packets) {
      if (destination === undefined) {
        if (finished !== undefined) this.#dropDigit(finished.digitId, 'media-inactive');
        continue;
      }
      to.counters.injectedPackets += 1;
      to.counters.sentPackets += 1;
      to.counters.sentBytes += bytes.length;
      this.#outputs.push({ type: 'packet', to: to.side, destination, bytes, finished });
    }
  }

  #dropDigit(digitId: string, reason: DigitDropReason): void {
    if (digitId === DIVERTED_DIGIT_ID) this.#count('media-inactive');
    else this.#outputs.push({ type: 'digitDropped', to: this.#to.side, digitId, reason });
  }

  #dropStranger(source: PacketSource): RelayVerdict {
    this.#from.lastStranger = source;
    return this.#drop(this.#from.lock.hasRemote ? 'unknown-source' : 'no-remote');
  }

  #drop(reason: DropReason): RelayVerdict {
    this.#count(reason);
    return 'drop';
  }

  #count(reason: DropReason): void {
    this.#from.counters.dropped[reason] += 1;
  }
}

/** Whether a packet of an unknown payload type looks like one event report. */
function isLikeEvent(packet: Buffer): boolean {
  if (rtpPayloadType(packet) < FIRST_DYNAMIC_PAYLOAD_TYPE) return false;
  return readRtpPayload(packet)?.length === TELEPHONE_EVENT_BYTES;
}

/** Whether a digit that is playing can go on under the new media. */
function isSameEventStream(before: LegMedia | undefined, after: LegMedia): boolean {
  if (before === undefined) return true;
  return (
    after.maySend &&
    before.remote?.address === after.remote?.address &&
    before.remote?.rtpPort === after.remote?.rtpPort &&
    before.event?.sendPayloadType === after.event?.sendPayloadType &&
    before.event?.clockRate === after.event?.clockRate
  );
}

/** Whether the detector of the media before serves the media after. */
function canDetectAlike(before: LegMedia | undefined, after: LegMedia): boolean {
  return (
    after.event !== undefined &&
    before?.event?.clockRate === after.event.clockRate &&
    before.repairMovedEnd === after.repairMovedEnd &&
    before.mergeWindowMs === after.mergeWindowMs
  );
}
