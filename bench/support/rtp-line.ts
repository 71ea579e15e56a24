/** The RTP of one end of one call of a load: keys as telephone-events, audio on demand, and the keys that come. */

import type { Socket } from 'node:dgram';
import { buildEvent, KEYS } from '../../test/support/rtp-packet.ts';
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { openUdp } from '../../test/support/light-sip.ts';

const FRAME_MS = 20;
const TICKS_PER_MS = 8;
const HEADER_BYTES = 12;
const AUDIO_PAYLOAD = Buffer.alloc(FRAME_MS * TICKS_PER_MS, 0xff);
const TONE_MS = 100;
const END_PACKETS = 3;
const REPORTS = TONE_MS / FRAME_MS - 1 + END_PACKETS;

/** `atMs` is when the first packet of the key came out of the socket. */
export type KeyHandler = (key: string, atMs: number) => void;

/** The media of one end of a call, whoever sends and reads it. */
export interface LineMedia {
  readonly address: string;
  readonly port: number;
  /** The call stands: where the SBC takes the media of this end. */
  connect(remote: SipTarget, eventPayloadType?: number): void;
  stopAudio(): void;
  close(): void;
}

export class RtpLine implements LineMedia {
  readonly address: string;
  readonly port: number;
  /** Called once per event timestamp that arrives. */
  onKey: KeyHandler = () => {};

  readonly #socket: Socket;
  readonly #ssrc = Math.floor(Math.random() * 0xffff_ffff);
  readonly #startedAtMs = performance.now();
  #sequenceNumber = 0;
  #eventPayloadType = -1;
  #heardTimestamp = -1;
  #isPressing = false;
  #isConnected = false;
  #audio: ReturnType<typeof setInterval> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.address = socket.address().address;
    this.port = socket.address().port;
    socket.on('message', (bytes) => this.#receive(bytes, performance.now()));
    socket.on('error', () => {});
  }

  static async open(address: string): Promise<RtpLine> {
    return new RtpLine(await openUdp(address));
  }

  /** Sends to `remote` from now on, with the payload type of telephone-event where there is one. */
  connect(remote: SipTarget, eventPayloadType = -1): void {
    this.#eventPayloadType = eventPayloadType;
    this.#socket.connect(remote.port, remote.address, () => {
      this.#isConnected = true;
    });
  }

  /** PCMU every 20 ms, except while a key is down. */
  startAudio(): void {
    this.#audio ??= setInterval(() => {
      if (!this.#isPressing) this.#send(0, this.#timestamp(), AUDIO_PAYLOAD);
    }, FRAME_MS);
  }

  stopAudio(): void {
    clearInterval(this.#audio);
    this.#audio = undefined;
  }

  /** Presses a key for 100 ms; gives when its first packet left. */
  press(key: string): number {
    const eventCode = KEYS.indexOf(key);
    const timestamp = this.#timestamp();
    this.#isPressing = true;
    const atMs = performance.now();
    const report = (index: number): void => {
      const elapsedMs = Math.min((index + 1) * FRAME_MS, TONE_MS);
      const isEnd = index >= REPORTS - END_PACKETS;
      const durationTicks = elapsedMs * TICKS_PER_MS;
      const event = buildEvent({ eventCode, isEnd, volume: 10, durationTicks });
      const marker = index === 0 ? 0x80 : 0;
      this.#send(this.#eventPayloadType | marker, timestamp, event);
      if (index + 1 === REPORTS) this.#isPressing = false;
      else setTimeout(report, FRAME_MS, index + 1);
    };
    report(0);
    return atMs;
  }

  close(): void {
    this.stopAudio();
    this.#isConnected = false;
    this.#socket.close();
  }

  #send(typeByte: number, timestamp: number, payload: Buffer): void {
    if (!this.#isConnected) return;
    const packet = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
    packet[0] = 0x80;
    packet[1] = typeByte;
    packet.writeUInt16BE(this.#sequenceNumber, 2);
    packet.writeUInt32BE(timestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    payload.copy(packet, HEADER_BYTES);
    this.#sequenceNumber = (this.#sequenceNumber + 1) % 0x1_0000;
    this.#socket.send(packet);
  }

  #timestamp(): number {
    const elapsedMs = performance.now() - this.#startedAtMs;
    return Math.floor(elapsedMs * TICKS_PER_MS) % 0x1_0000_0000;
  }

  #receive(bytes: Buffer, atMs: number): void {
    if (bytes.length !== HEADER_BYTES + 4 || (bytes[1] ?? 0) % 128 !== this.#eventPayloadType)
      return;
    const timestamp = bytes.readUInt32BE(4);
    if (timestamp === this.#heardTimestamp) return;
    this.#heardTimestamp = timestamp;
    this.onKey(KEYS[bytes.readUInt8(HEADER_BYTES)] ?? '?', atMs);
  }
}
