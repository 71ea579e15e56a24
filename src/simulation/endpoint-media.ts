/** RTP of a simulated end: audio every 20 ms, keys as telephone-events in between, and what comes from the other side. */
import { DigitDetector } from '../dtmf/digit-detector.ts';
import { DigitSender } from '../dtmf/digit-sender.ts';
import type { PacketSource } from '../media/source-lock.ts';
import {
  readRtpPayload,
  RTP_HEADER_BYTES,
  rtpMarker,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  writeRtpHeader,
} from '../wire/rtp.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../wire/telephone-event.ts';
import type { MediaAgreement } from './endpoint-sdp.ts';
import type { MemoryNetwork } from './memory-network.ts';

const PACKET_MS = 20;
const AUDIO_BYTES = 160;
const EVENT_CLOCK = 8000;

export interface EndpointMediaOptions {
  readonly network: MemoryNetwork;
  readonly place: PacketSource;
  /** Share of the packets that get lost on their way, 0 to 1. */
  readonly loss: number;
  readonly onSent: (keyId: string) => void;
  readonly onHeard: (digit: string) => void;
}

/** Counts of one end. */
export interface EndpointPackets {
  readonly sent: number;
  readonly received: number;
}

export class EndpointMedia {
  readonly #options: EndpointMediaOptions;
  readonly #sender = new DigitSender({
    clockRate: EVENT_CLOCK,
    packetIntervalMs: PACKET_MS,
    gapMs: PACKET_MS,
  });
  readonly #detector = new DigitDetector({
    clockRate: EVENT_CLOCK,
    repairMovedEnd: true,
    mergeWindowMs: 0,
  });
  readonly #ssrc = Math.floor(Math.random() * 2 ** 32);
  #agreement: MediaAgreement | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timestamp = 0;
  #sequenceNumber = 1;
  #loss: number;
  #packets: EndpointPackets = { sent: 0, received: 0 };

  constructor(options: EndpointMediaOptions) {
    this.#options = options;
    this.#loss = options.loss;
    options.network.bind(options.place, (packet) => this.#receive(packet));
  }

  get packets(): EndpointPackets {
    return this.#packets;
  }

  /** From now on this share of the packets is lost. */
  set loss(ratio: number) {
    this.#loss = ratio;
  }

  /** Begins to send as agreed, or goes on so. */
  agree(agreement: MediaAgreement): void {
    this.#agreement = agreement;
    this.#timer ??= setInterval(() => this.#tick(), PACKET_MS);
  }

  /** Why no key can be sent as a telephone-event now; `undefined` if it can. */
  get obstacle(): string | undefined {
    if (this.#agreement?.sentEvents === undefined) return 'no telephone-event agreed';
    return this.#agreement.remote === undefined ? 'no audio may be sent' : undefined;
  }

  /** Queues a key, with a pause behind it. */
  press(key: {
    readonly keyId: string;
    readonly eventCode: number;
    readonly durationMs: number;
    readonly gapMs: number;
  }): void {
    const { keyId, eventCode, durationMs, gapMs } = key;
    this.#sender.configure({ clockRate: EVENT_CLOCK, packetIntervalMs: PACKET_MS, gapMs });
    this.#sender.enqueue({ digitId: keyId, eventCode, durationMs });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#options.network.release(this.#options.place);
  }

  #tick(): void {
    const agreement = this.#agreement;
    if (agreement === undefined) return;
    const nowMs = performance.now();
    for (const output of this.#detector.expire(nowMs)) this.#hear(output.type, output.digit);
    this.#timestamp += (agreement.clockRate * PACKET_MS) / 1000;
    const { remote, sentEvents } = agreement;
    if (remote === undefined) return;
    const event = sentEvents === undefined ? undefined : this.#sender.poll(nowMs, this.#timestamp);
    if (event === undefined || sentEvents === undefined) {
      if (!this.#sender.isPlaying) this.#sendAudio(remote, agreement.payloadType);
      return;
    }
    if (event.marker) this.#options.onSent(event.digitId);
    const packet = Buffer.alloc(RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES);
    const { eventCode: code, isEnd, durationTicks } = event;
    writeTelephoneEvent({ code, isEnd, volume: 10, durationTicks }, packet, RTP_HEADER_BYTES);
    const { marker, rtpTimestamp: timestamp } = event;
    this.#send(packet, remote, { marker, payloadType: sentEvents, timestamp });
  }

  #sendAudio(remote: PacketSource, payloadType: number): void {
    const packet = Buffer.alloc(RTP_HEADER_BYTES + AUDIO_BYTES, 0xff);
    this.#send(packet, remote, { marker: false, payloadType, timestamp: this.#timestamp });
  }

  #send(
    packet: Buffer,
    remote: PacketSource,
    fields: { readonly marker: boolean; readonly payloadType: number; readonly timestamp: number },
  ): void {
    const { network, place } = this.#options;
    const sequenceNumber = this.#sequenceNumber % 2 ** 16;
    this.#sequenceNumber += 1;
    writeRtpHeader({ ...fields, sequenceNumber, ssrc: this.#ssrc }, packet);
    this.#packets = { ...this.#packets, sent: this.#packets.sent + 1 };
    if (Math.random() >= this.#loss) network.sendPacket(place, remote, packet);
  }

  #receive(packet: Buffer): void {
    this.#packets = { ...this.#packets, received: this.#packets.received + 1 };
    const payload = readRtpPayload(packet);
    if (payload === undefined) return;
    const isEvent = this.#agreement?.receivedEvents.includes(rtpPayloadType(packet)) === true;
    const common = { ssrc: rtpSsrc(packet), rtpTimestamp: rtpTimestamp(packet) };
    const nowMs = performance.now();
    const outputs = isEvent
      ? this.#detector.receive(
          {
            ...common,
            sequenceNumber: rtpSequenceNumber(packet),
            marker: rtpMarker(packet),
            payload,
          },
          nowMs,
        )
      : this.#detector.audio(common.ssrc, common.rtpTimestamp, nowMs);
    for (const output of outputs) this.#hear(output.type, output.digit);
  }

  #hear(type: 'pressed' | 'released', digit: string): void {
    if (type === 'pressed') this.#options.onHeard(digit);
  }
}
