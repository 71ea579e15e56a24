/** Values the media tests share: legs as negotiated, a listener that remembers, bytes of packets. */

import type {
  DetectedDigit,
  DroppedDigit,
  LegMedia,
  MediaListener,
  ReleasedDigit,
  SentDigit,
  StreamUpdate,
} from '../../../src/media/media-engine.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../../src/wire/rtp.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../../../src/wire/telephone-event.ts';

export const KEYPAD = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** A sendrecv G.711 leg with telephone-event 101 at `rtpPort` of 127.0.0.1. */
export function sampleLeg(rtpPort: number, changes: Partial<LegMedia> = {}): LegMedia {
  return {
    remote: { address: '127.0.0.1', rtpPort, rtcpPort: rtpPort + 1 },
    mediaSource: 'sdp',
    maySend: true,
    audio: { payloadTypes: [0, 8], clockRate: 8000, packetTimeMs: 20 },
    event: { sendPayloadType: 101, receivePayloadTypes: [101], clockRate: 8000, events: KEYPAD },
    payloadTypeMap: [],
    ...changes,
  };
}

/** Both sides relay and detect unless `events` says otherwise. */
export function sampleUpdate(
  caller: LegMedia,
  callee: LegMedia,
  events: Partial<StreamUpdate['events']> = {},
): StreamUpdate {
  const handling = { mode: 'relay', detect: true } as const;
  return { legs: { caller, callee }, events: { caller: handling, callee: handling, ...events } };
}

/** Remembers everything it is told. */
export class RecordingListener implements MediaListener {
  readonly pressed: DetectedDigit[] = [];
  readonly released: ReleasedDigit[] = [];
  readonly sent: SentDigit[] = [];
  readonly dropped: DroppedDigit[] = [];
  readonly quietMs: number[] = [];
  readonly lostFor: string[] = [];

  digitPressed(digit: DetectedDigit): void {
    this.pressed.push(digit);
  }

  digitReleased(digit: ReleasedDigit): void {
    this.released.push(digit);
  }

  digitSent(sent: SentDigit): void {
    this.sent.push(sent);
  }

  digitDropped(dropped: DroppedDigit): void {
    this.dropped.push(dropped);
  }

  inactive(info: { readonly quietMs: number }): void {
    this.quietMs.push(info.quietMs);
  }

  lost(reason: string): void {
    this.lostFor.push(reason);
  }

  /** Keys pressed so far, in order. */
  get digits(): string {
    return this.pressed.map(({ digit }) => digit).join('');
  }
}

export interface PacketFields {
  readonly payloadType?: number;
  readonly sequenceNumber?: number;
  readonly timestamp?: number;
  readonly ssrc?: number;
  readonly marker?: boolean;
}

const DEFAULTS = { payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 0x1111, marker: false };

/** An audio packet of 20 ms whose payload holds its sequence number. */
export function audioPacket(fields: PacketFields = {}): Buffer {
  const header = { ...DEFAULTS, ...fields };
  const packet = Buffer.alloc(RTP_HEADER_BYTES + 160, 0x55);
  writeRtpHeader(header, packet);
  packet.writeUInt16BE(header.sequenceNumber, RTP_HEADER_BYTES);
  return packet;
}

export interface EventFields extends PacketFields {
  readonly code?: number;
  readonly isEnd?: boolean;
  readonly durationTicks?: number;
}

/** A telephone-event packet with payload type 101. */
export function eventPacket(fields: EventFields = {}): Buffer {
  const { code = 5, isEnd = false, durationTicks = 160, ...header } = fields;
  const packet = Buffer.alloc(RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES);
  writeRtpHeader({ ...DEFAULTS, payloadType: 101, ...header }, packet);
  writeTelephoneEvent({ code, isEnd, volume: 10, durationTicks }, packet, RTP_HEADER_BYTES);
  return packet;
}
