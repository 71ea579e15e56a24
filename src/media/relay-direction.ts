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
import { isLikeEvent, payloadOctets, rescale } from './event-payload.ts';
import type { DirectionOptions } from './direction-options.ts';
import { DivertedPresses } from './diverted-presses.ts';
import { canDetectAlike, isSameEventStream } from './leg-changes.ts';
import { DEFAULT_GAP_MS, Injection, type InjectedPacket } from './injection.ts';
import { PAYLOAD_AUDIO, PAYLOAD_EVENT, type RelayLeg } from './relay-leg.ts';
import { OwnStream } from './own-stream.ts';
import { RelayedEvent } from './relayed-event.ts';
import { LATE, SequenceOffset, SWALLOWED } from './sequence-offset.ts';
import { SentOctets } from './sent-octets.ts';
import { StreamClock } from './stream-clock.ts';
import type { DropReason } from './relay-counters.ts';
import type {
  DigitDropReason,
  EventHandling,
  EventMedia,
  LegMedia,
  PlayedDigit,
} from './media-engine.ts';
import type { PacketSource } from './source-lock.ts';
import type { RelayOutput } from './relay-output.ts';
import type { DirectionState } from './kernel/plain-stream.ts';

export type RelayVerdict = 'forward' | 'drop';

/** Digits generated again from the sender's own events are nobody's order: they are not reported. */
const DIVERTED_DIGIT_ID = '';

export class RelayDirection {
  readonly numbers = new SequenceOffset();
  readonly #from: RelayLeg;
  readonly #to: RelayLeg;
  readonly #outputs: RelayOutput[];
  readonly #clock = new StreamClock();
  readonly own: OwnStream;
  readonly octets: SentOctets;
  readonly #injection: Injection;
  #detector: DigitDetector | undefined;
  #handling: EventHandling = { mode: 'absorb', detect: false };
  readonly #diverted = new DivertedPresses();
  readonly #relayed = new RelayedEvent();

  constructor(options: DirectionOptions) {
    const { from, to, outputs, random, gapMs, packetIntervalMs } = options;
    this.#from = from;
    this.#to = to;
    this.#outputs = outputs;
    const { numbers } = this;
    const clock = this.#clock;
    this.own = new OwnStream({ numbers, clock, random });
    this.octets = new SentOctets(numbers, this.own);
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

  /** What it is doing now. */
  get state(): DirectionState {
    const isPressed = this.#detector?.isPressed === true;
    const absorbs = this.#handling.mode === 'absorb';
    return { clock: this.#clock, isBusy: this.#injection.isBusy, isPressed, absorbs };
  }

  /** Before new legs take effect: ends what they no longer allow. */
  prepareUpdate(from: LegMedia, to: LegMedia, nowMs: number): void {
    if (!isSameEventStream(this.#to.media, to)) this.#endEvents(nowMs);
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
    this.#injection.useFormat(this.#formatInUse, this.#clock.clockRate);
    if (this.#detector === undefined && from.event !== undefined) {
      this.#detector = new DigitDetector({
        clockRate: from.event.clockRate,
        repairMovedEnd: from.repairMovedEnd ?? true,
        mergeWindowMs: from.mergeWindowMs ?? 0,
      });
    }
    for (const digit of this.#injection.clear()) {
      const reason = this.#to.obstacle(digit.eventCode, this.#formatInUse);
      if (reason === undefined) this.#injection.enqueue(digit);
      else this.#dropDigit(digit.digitId, reason);
    }
  }

  /** The verdict on an RTP packet of the sending leg's peer. */
  receiveRtp(packet: Buffer, source: PacketSource, nowMs: number): RelayVerdict {
    const from = this.#from;
    if (!isRtp(packet)) return this.#drop('not-rtp');
    if (!from.lock.acceptRtp(source, nowMs)) return this.#drop(from.refuse(source));
    const { counters } = from;
    counters.receivedPackets += 1;
    counters.receivedBytes += packet.length;
    from.lastReceivedAtMs = nowMs;
    from.reception.count(rtpSsrc(packet), rtpSequenceNumber(packet), nowMs);
    const kind = from.payloadKinds[rtpPayloadType(packet)];
    if (kind === PAYLOAD_EVENT) {
      // A source that is not proven yet may talk, but not press keys.
      if (!from.lock.isLocked) return this.#swallow(packet, nowMs, 'event-not-accepted');
      return this.#receiveEvent(packet, nowMs);
    }
    if (kind === PAYLOAD_AUDIO || !isLikeEvent(packet)) return this.#receiveAudio(packet, nowMs);
    // Nobody negotiated this digit: to the other leg it would be a double one, or an unknown format.
    counters.unnegotiatedEventPackets += 1;
    this.#join(packet, nowMs);
    return this.#swallow(packet, nowMs, 'event-not-accepted');
  }

  /** Queues a digit towards the receiving leg, or reports why not. */
  playDigit(digit: PlayedDigit): void {
    const reason = this.#to.obstacle(digit.eventCode, this.#formatInUse);
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
    this.#endEvents(nowMs);
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
    this.#followCodec(rtpPayloadType(packet));
    this.#clock.observe(packet, nowMs);
    if (this.#injection.isPlaying) return this.#swallow(packet, nowMs, 'replaced-by-digit');
    return this.#forward(packet, this.#from.payloadTypeMap[rtpPayloadType(packet)]);
  }

  #receiveEvent(packet: Buffer, nowMs: number): RelayVerdict {
    this.#from.counters.eventPackets += 1;
    const payload = readRtpPayload(packet);
    const isWhole = payload !== undefined && isTelephoneEventPayload(payload);
    const event = isWhole ? readTelephoneEvent(payload) : undefined;
    const format = this.#from.eventFormats.get(rtpPayloadType(packet));
    const isOld = this.#from.hadPress(packet, event?.code);
    const isDiverted = isWhole && !isOld && this.#detect(packet, payload, nowMs);
    this.#join(packet, nowMs);
    if (payload === undefined) return this.#swallow(packet, nowMs, 'malformed');
    if (event === undefined) return this.#swallow(packet, nowMs, 'bad-event-length');
    const target = this.#to.eventFor(format?.clockRate ?? 0);
    const obstacle = this.#to.obstacle(event.code, target);
    const isAbsorbed = isOld || this.#handling.mode === 'absorb';
    if (isAbsorbed) return this.#swallow(packet, nowMs, 'event-absorbed');
    if (obstacle === 'event-not-negotiated') {
      return this.#swallow(packet, nowMs, 'event-not-accepted');
    }
    if (isDiverted || this.#injection.isPlaying || this.#relayed.isEnded(packet, event.code)) {
      return this.#swallow(packet, nowMs, 'replaced-by-digit');
    }
    this.#injection.holdUntil(nowMs + (event.isEnd ? DEFAULT_GAP_MS : QUIET_MS));
    rescale(payload, format, target);
    const verdict = this.#forward(packet, target?.sendPayloadType);
    if (verdict === 'forward') this.#relayed.note(packet, payload, target?.clockRate ?? 0, nowMs);
    return verdict;
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
        clockRate: this.#from.eventFormats.get(rtpPayloadType(packet))?.clockRate,
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
        if (this.#to.obstacle(eventCode, this.#formatInUse) !== undefined)
          this.#count('media-inactive');
        else if (!this.#injection.enqueue(digit)) this.#count('digit-queue-full');
        else this.#send(this.#injection.poll(nowMs));
      }
    }
  }

  /** Ends what is on its way to the receiver: a digit of ours, or an event of the sender. */
  #endEvents(nowMs: number): void {
    this.#send(this.#injection.finishNow(nowMs));
    this.#send(this.#relayed.end(this.numbers, nowMs).map((bytes) => ({ bytes })));
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
    if (number === SWALLOWED) {
      this.octets.removed(payloadOctets(packet));
      return this.#drop('replaced-by-digit');
    }
    if (this.own.hasBegun) this.octets.forwarded(payloadOctets(packet));
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
    this.octets.removed(payloadOctets(packet));
    return this.#drop(reason);
  }

  /** Events follow the clock of the voice codec that is in use (RFC 4733 §2.1). */
  #followCodec(payloadType: number): void {
    const clockRate = this.#from.voiceClockRates[payloadType] ?? 0;
    if (clockRate === 0 || clockRate === this.#clock.clockRate) return;
    this.#clock.clockRate = clockRate;
    this.#injection.useFormat(this.#formatInUse, clockRate);
  }

  /** What digits are sent as now. */
  get #formatInUse(): EventMedia | undefined {
    return this.#to.eventFor(this.#clock.clockRate);
  }

  #send(packets: readonly InjectedPacket[]): void {
    const to = this.#to;
    const { destination } = to;
    for (const { bytes, started, finished } of packets) {
      if (destination === undefined) {
        if (finished !== undefined) this.#dropDigit(finished.digitId, 'media-inactive');
        continue;
      }
      this.octets.injected(TELEPHONE_EVENT_BYTES);
      to.counters.injectedPackets += 1;
      to.counters.sentPackets += 1;
      to.counters.sentBytes += bytes.length;
      this.#outputs.push({ type: 'packet', to: to.side, destination, bytes, started, finished });
    }
  }

  #dropDigit(digitId: string, reason: DigitDropReason): void {
    if (digitId === DIVERTED_DIGIT_ID) this.#count('media-inactive');
    else this.#outputs.push({ type: 'digitDropped', to: this.#to.side, digitId, reason });
  }

  #drop(reason: DropReason): RelayVerdict {
    this.#count(reason);
    return 'drop';
  }

  #count(reason: DropReason): void {
    this.#from.counters.dropped[reason] += 1;
  }
}
