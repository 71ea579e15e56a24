/** An RTP end in a process of its own: streams of audio with keys in them, and every packet that comes. */

import { createSocket, type Socket } from 'node:dgram';
import { setImmediate } from 'node:timers/promises';
import { serveJson } from './json-process.ts';
import { buildEvent, buildRtp, parseEvent, parseRtp } from './rtp-packet.ts';

/** A packet as it came. */
export interface HeardPacket {
  /** When it was read, by the clock of the machine. */
  readonly atMs: number;
  /** `address:port`. */
  readonly from: string;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  /** Event code, if it is a report of a key. */
  readonly eventCode: number | undefined;
  readonly isEnd: boolean | undefined;
}

export interface StreamOrder {
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  readonly ssrc: number;
  readonly payloadType: number;
  readonly ttl?: number;
}

export interface HostReport {
  readonly sent: number;
  /** Numbers that were left out. */
  readonly lost: number;
  readonly heard: readonly HeardPacket[];
}

export type HostCommand =
  | { readonly type: 'stream'; readonly order: StreamOrder }
  | { readonly type: 'change'; readonly change: Partial<StreamOrder> }
  | { readonly type: 'pause' | 'resume' | 'report' }
  /** Sends a key in place of audio. */
  | { readonly type: 'press'; readonly code: number }
  /** Leaves out one packet in `every`; 0: none. */
  | { readonly type: 'lose'; readonly every: number };

const INTERVAL_MS = 20;
const TICKS = 160;
const EVENT_PACKETS = 7;
const AUDIO = Buffer.alloc(160, 0xd5);

class RtpHost {
  readonly #socket: Socket = createSocket('udp4');
  readonly #heard: HeardPacket[] = [];
  #order: StreamOrder | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #lost = 0;
  /** One packet in so many is left out; 0: none. */
  #loseEvery = 0;
  #sequenceNumber = 65_400;
  #timestamp = 1000;
  #key: { code: number; sent: number; timestamp: number } | undefined;
  #nextAtMs = 0;

  carryOut(command: HostCommand): unknown {
    switch (command.type) {
      case 'stream':
        return this.#start(command.order);
      case 'change':
        if (this.#order !== undefined) this.#order = { ...this.#order, ...command.change };
        return null;
      case 'pause':
        clearInterval(this.#timer);
        return null;
      case 'resume':
        this.#run();
        return null;
      case 'press':
        this.#key = { code: command.code, sent: 0, timestamp: this.#timestamp };
        return null;
      case 'lose':
        this.#loseEvery = command.every;
        return null;
      case 'report':
        return this.#report();
      default:
        return command satisfies never;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  async #report(): Promise<HostReport> {
    // What has come may wait to be read: the command can be read before it.
    let known = -1;
    while (known !== this.#heard.length) {
      known = this.#heard.length;
      await setImmediate();
      await setImmediate();
    }
    const report = { sent: this.#sent, lost: this.#lost, heard: this.#heard.splice(0) };
    this.#sent = 0;
    this.#lost = 0;
    return report;
  }

  #start(order: StreamOrder): Promise<null> {
    this.#order = order;
    this.#socket.on('message', (bytes, { address, port }) => {
      const packet = parseRtp(bytes);
      if (packet === undefined) return;
      const { payload, ...fields } = packet;
      const event = parseEvent(payload);
      const { eventCode, isEnd } = event ?? { eventCode: undefined, isEnd: undefined };
      const from = `${address}:${port}`;
      this.#heard.push({ atMs: Date.now(), from, ...fields, eventCode, isEnd });
    });
    return new Promise((resolve) => {
      this.#socket.bind(order.from.port, order.from.address, () => {
        if (order.ttl !== undefined) this.#socket.setTTL(order.ttl);
        this.#run();
        resolve(null);
      });
    });
  }

  #run(): void {
    clearInterval(this.#timer);
    this.#nextAtMs = performance.now();
    this.#timer = setInterval(() => this.#catchUp(), 5);
  }

  #catchUp(): void {
    while (performance.now() >= this.#nextAtMs) {
      this.#nextAtMs += INTERVAL_MS;
      this.#send();
    }
  }

  #send(): void {
    const order = this.#order;
    if (order === undefined) return;
    const key = this.#key;
    const sequenceNumber = this.#sequenceNumber;
    this.#sequenceNumber = (sequenceNumber + 1) % 65_536;
    const timestamp = this.#timestamp;
    this.#timestamp += TICKS;
    if (this.#loseEvery > 0 && sequenceNumber % this.#loseEvery === 0) {
      this.#lost += 1;
      return;
    }
    const fields = { sequenceNumber, ssrc: order.ssrc };
    if (key === undefined) {
      const audio = { payloadType: order.payloadType, marker: false, timestamp };
      this.#socket.send(
        buildRtp({ ...fields, ...audio, payload: AUDIO }),
        order.to.port,
        order.to.address,
      );
    } else {
      key.sent += 1;
      const durationTicks = Math.min(key.sent, EVENT_PACKETS - 2) * TICKS;
      const isEnd = key.sent > EVENT_PACKETS - 3;
      const payload = buildEvent({ eventCode: key.code, isEnd, volume: 10, durationTicks });
      const event = { payloadType: 101, marker: key.sent === 1, timestamp: key.timestamp };
      this.#socket.send(
        buildRtp({ ...fields, ...event, payload }),
        order.to.port,
        order.to.address,
      );
      if (key.sent === EVENT_PACKETS) this.#key = undefined;
    }
    this.#sent += 1;
  }
}

const host = new RtpHost();
serveJson(
  (command: HostCommand) => host.carryOut(command),
  () => host.close(),
);
