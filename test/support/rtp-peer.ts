/**
 * A real RTP endpoint for demos and tests: one UDP pair (RTP even, RTCP odd), PCMU every 20 ms on its own
 * corrected clock, key presses as telephone-events in place of audio, and a record of all that arrives.
 */

import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { buildEvent, buildRtp, KEYS, parseRtp } from './rtp-packet.ts';
import type { RtpFields } from './rtp-packet.ts';

const FRAME_MS = 20;
const TICKS_PER_MS = 8;
const AUDIO_BYTES = FRAME_MS * TICKS_PER_MS;
const BIND_ATTEMPTS = 50;

export interface RtpPeerOptions {
  readonly address?: string;
  readonly audioPayloadType?: number;
  readonly ssrc?: number;
  readonly firstSequenceNumber?: number;
  readonly firstTimestamp?: number;
}

export interface RtpRemote {
  readonly address: string;
  readonly rtpPort: number;
}

/** How one key is sent; what is absent is regular. */
export interface PressOptions {
  readonly payloadType?: number;
  /** Length of the tone, default 100. */
  readonly durationMs?: number;
  /** Least silence between the end of the tone and the next key, default 60. */
  readonly gapMs?: number;
  /** Time between two reports, default 20. */
  readonly intervalMs?: number;
  /** How many reports carry the end bit, default 3. */
  readonly endPackets?: number;
  /** Default true. */
  readonly marker?: boolean;
  /** How often each packet goes out (same sequence number), default 1. */
  readonly copies?: number;
  /** Leaves packets out, as if the network had lost them; `index` counts the reports of one key. */
  readonly isLost?: (index: number, total: number) => boolean;
}

export interface RecordedPacket extends RtpFields {
  readonly atMs: number;
  readonly address: string;
  readonly port: number;
}

interface Report {
  readonly offsetMs: number;
  readonly marker: boolean;
  readonly isEnd: boolean;
  readonly durationTicks: number;
}

interface Press {
  readonly eventCode: number;
  readonly options: PressOptions;
  readonly reports: readonly Report[];
  readonly done: () => void;
}

interface RunningPress {
  readonly press: Press;
  readonly startsAtMs: number;
  readonly timestamp: number;
  next: number;
}

export class RtpPeer {
  readonly address: string;
  readonly rtpPort: number;
  /** Every RTP packet that arrived, in order of arrival. */
  readonly received: RecordedPacket[] = [];
  /** Every RTCP datagram that arrived. */
  readonly receivedRtcp: Buffer[] = [];
  /** Every RTP packet that was sent (lost ones too, once each). */
  readonly sent: RtpFields[] = [];
  /** When the last packet left, by the monotonic clock. */
  lastSentAtMs = 0;
  /** When the first packet of each key left, in order of the keys. */
  readonly pressedAtMs: number[] = [];
  /** Datagrams on the RTP port that were no RTP. */
  readonly garbage: Buffer[] = [];

  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #audioPayloadType: number;
  readonly #ssrc: number;
  readonly #firstTimestamp: number;
  #sequenceNumber: number;
  #remote: RtpRemote | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAudioOn = false;
  #isClosed = false;
  /** When frame 0 of the stream was due; undefined while the clock stands. */
  #startsAtMs: number | undefined;
  #frame = 0;
  #silentUntilMs = 0;
  #running: RunningPress | undefined;
  readonly #queue: Press[] = [];

  private constructor(sockets: { rtp: Socket; rtcp: Socket }, options: RtpPeerOptions) {
    this.#rtp = sockets.rtp;
    this.#rtcp = sockets.rtcp;
    this.address = options.address ?? '127.0.0.1';
    this.rtpPort = sockets.rtp.address().port;
    this.#audioPayloadType = options.audioPayloadType ?? 0;
    this.#ssrc = options.ssrc ?? Math.floor(Math.random() * 0xffff_ffff);
    this.#sequenceNumber = options.firstSequenceNumber ?? Math.floor(Math.random() * 0xffff);
    this.#firstTimestamp = options.firstTimestamp ?? Math.floor(Math.random() * 0xffff_ffff);
    this.#rtp.on('message', (bytes, from) => this.#record(bytes, from));
    this.#rtcp.on('message', (bytes) => this.receivedRtcp.push(Buffer.from(bytes)));
    // A port that is already gone answers with ICMP; that is no fault of this side.
    this.#rtp.on('error', () => {});
    this.#rtcp.on('error', () => {});
  }

  /** Binds an even port and the odd one above it. */
  static async open(options: RtpPeerOptions = {}): Promise<RtpPeer> {
    const address = options.address ?? '127.0.0.1';
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt += 1) {
      const rtp = await bind(address, 0);
      const port = rtp?.address().port ?? 1;
      const rtcp = port % 2 === 0 ? await bind(address, port + 1) : undefined;
      if (rtp !== undefined && rtcp !== undefined) return new RtpPeer({ rtp, rtcp }, options);
      rtp?.close();
      rtcp?.close();
    }
    throw new Error(`no RTP port pair on ${address}`);
  }

  get rtcpPort(): number {
    return this.rtpPort + 1;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** Where packets go from now on; `undefined` sends nothing. */
  setRemote(remote: RtpRemote | undefined): void {
    this.#remote = remote;
  }

  /** Starts the stream's clock and audio. */
  startAudio(): void {
    this.#isAudioOn = true;
    this.#startClock();
  }

  /** Stops audio; the clock runs on, so that keys keep real time. */
  stopAudio(): void {
    this.#isAudioOn = false;
  }

  /** Queues keys; resolves when the last packet of the last one was sent. */
  async press(digits: string, options: PressOptions = {}): Promise<void> {
    if (this.#isClosed) throw new Error('the RTP peer is closed');
    const presses = digits.split('').map(
      (digit) =>
        new Promise<void>((done) => {
          const eventCode = KEYS.indexOf(digit);
          if (eventCode < 0) throw new Error(`${digit} is no key`);
          this.#queue.push({ eventCode, options, reports: planReports(options), done });
        }),
    );
    this.#startClock();
    await Promise.all(presses);
  }

  /** Sends bytes as they are to the remote RTP port. */
  sendRaw(bytes: Buffer): void {
    if (this.#remote === undefined) return;
    this.#rtp.send(bytes, this.#remote.rtpPort, this.#remote.address);
  }

  /** Sends bytes as they are to the remote RTCP port. */
  sendRtcp(bytes: Buffer): void {
    if (this.#remote === undefined) return;
    this.#rtcp.send(bytes, this.#remote.rtpPort + 1, this.#remote.address);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#running?.press.done();
    for (const press of this.#queue.splice(0)) press.done();
    await Promise.all([closeSocket(this.#rtp), closeSocket(this.#rtcp)]);
  }

  #startClock(): void {
    if (this.#startsAtMs !== undefined || this.#isClosed) return;
    this.#startsAtMs = performance.now();
    this.#schedule(this.#startsAtMs);
  }

  #schedule(dueMs: number): void {
    const delayMs = Math.max(0, dueMs - performance.now());
    this.#timer = setTimeout(() => this.#fire(dueMs), delayMs);
  }

  /** One moment of the stream: an event report, or else a frame of audio. */
  #fire(dueMs: number): void {
    if (this.#isClosed || this.#startsAtMs === undefined) return;
    if (this.#running === undefined && dueMs >= this.#silentUntilMs) this.#beginPress(dueMs);
    const running = this.#running;
    if (running === undefined) {
      if (this.#isAudioOn) this.#sendAudio();
      this.#frame += 1;
      this.#schedule(this.#startsAtMs + this.#frame * FRAME_MS);
      return;
    }
    this.#sendReport(running);
    const following = running.press.reports[running.next];
    if (following !== undefined) {
      this.#schedule(running.startsAtMs + following.offsetMs);
      return;
    }
    this.#endPress(running, dueMs);
    this.#schedule(this.#startsAtMs + this.#frame * FRAME_MS);
  }

  #beginPress(dueMs: number): void {
    const press = this.#queue.shift();
    if (press === undefined) return;
    this.pressedAtMs.push(performance.now());
    this.#running = { press, startsAtMs: dueMs, timestamp: this.#timestamp(), next: 0 };
  }

  #endPress(running: RunningPress, dueMs: number): void {
    const { durationMs = 100, gapMs = 60, intervalMs = 20 } = running.press.options;
    const toneEndsAtMs = running.startsAtMs + durationMs;
    this.#silentUntilMs = Math.max(toneEndsAtMs + gapMs, dueMs + intervalMs) - 1;
    this.#running = undefined;
    // Audio goes on with the frame of the moment after the last report, as a replaced stream does.
    this.#frame = Math.floor((dueMs - (this.#startsAtMs ?? 0)) / FRAME_MS + 0.001) + 1;
    running.press.done();
  }

  #sendReport(running: RunningPress): void {
    const { press } = running;
    const report = press.reports[running.next];
    if (report === undefined) return;
    const { eventCode, options } = press;
    const { isEnd, durationTicks, marker } = report;
    const fields = {
      payloadType: options.payloadType ?? 101,
      marker,
      sequenceNumber: this.#nextSequenceNumber(),
      timestamp: running.timestamp,
      ssrc: this.#ssrc,
      payload: buildEvent({ eventCode, isEnd, volume: 10, durationTicks }),
    };
    const isLost = options.isLost?.(running.next, press.reports.length) ?? false;
    running.next += 1;
    this.#send(fields, isLost ? 0 : (options.copies ?? 1));
  }

  #sendAudio(): void {
    // Each frame carries its number, so that a receiver can tell frames apart byte for byte.
    const payload = Buffer.alloc(AUDIO_BYTES, 0xff);
    payload.writeUInt32BE(this.#frame, 0);
    this.#send(
      {
        payloadType: this.#audioPayloadType,
        marker: this.sent.length === 0,
        sequenceNumber: this.#nextSequenceNumber(),
        timestamp: this.#timestamp(),
        ssrc: this.#ssrc,
        payload,
      },
      1,
    );
  }

  #send(fields: RtpFields, copies: number): void {
    if (this.#remote === undefined) return;
    this.sent.push(fields);
    this.lastSentAtMs = performance.now();
    for (let copy = 0; copy < copies; copy += 1) this.sendRaw(buildRtp(fields));
  }

  #timestamp(): number {
    return (this.#firstTimestamp + this.#frame * AUDIO_BYTES) % 4_294_967_296;
  }

  #nextSequenceNumber(): number {
    const current = this.#sequenceNumber;
    this.#sequenceNumber = (current + 1) % 65_536;
    return current;
  }

  #record(bytes: Buffer, from: RemoteInfo): void {
    const fields = parseRtp(bytes);
    if (fields === undefined) {
      this.garbage.push(Buffer.from(bytes));
      return;
    }
    const { address, port } = from;
    this.received.push({ ...fields, atMs: performance.now(), address, port });
  }
}

/** The reports of one key: rising durations, then the final one as often as asked (RFC 4733 §2.5.1). */
function planReports(options: PressOptions): Report[] {
  const { durationMs = 100, intervalMs = 20, endPackets = 3, marker = true } = options;
  const reports: Report[] = [];
  const add = (elapsedMs: number, isEnd: boolean): void => {
    reports.push({
      offsetMs: reports.length * intervalMs,
      marker: marker && reports.length === 0,
      isEnd,
      durationTicks: elapsedMs * TICKS_PER_MS,
    });
  };
  for (let elapsed = intervalMs; elapsed < durationMs; elapsed += intervalMs) add(elapsed, false);
  for (let end = 0; end < endPackets; end += 1) add(durationMs, true);
  return reports;
}

function bind(address: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close(() => resolve(undefined));
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
