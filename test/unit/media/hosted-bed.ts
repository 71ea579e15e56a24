/** The host of one relayed stream over sockets that keep an account; in virtual time where the test has it so. */
import { vi } from 'vitest';
import type { MediaCounters } from '../../../src/media/relay-counters.ts';
import { RelayHost } from '../../../src/media/relay-host.ts';
import type { PacketReceiver, StreamSockets } from '../../../src/media/relay-sockets.ts';
import type { RelayEvent } from '../../../src/media/relay-protocol.ts';
import type { PacketSource } from '../../../src/media/source-lock.ts';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import type { Side } from '../../../src/wire/side.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

export const HOST = '127.0.0.1';
export const CALLER = { address: HOST, port: 4000 };
export const CALLEE = { address: HOST, port: 5000 };
export const STRANGER = { address: HOST, port: 6000 };
const LOCAL = { address: HOST, rtpPort: 30_000, rtcpPort: 30_001 };

/** Sockets that keep an account of what they are told, in order. */
export class ToldSockets implements StreamSockets {
  readonly told: string[] = [];
  /** Hands on what waits to be read. */
  takeWaitingNow = (): void => {};

  async takeWaiting(): Promise<void> {
    this.takeWaitingNow();
  }

  sendRtp(side: Side, packet: Buffer, { port }: PacketSource): void {
    const kind = packet.length > 16 ? 'audio' : 'event';
    this.told.push(`${kind} to ${side} at ${port}`);
  }

  sendRtcp(): void {}

  sendRtpReported(
    side: Side,
    packet: Buffer,
    ...rest: [PacketSource, (it: boolean) => void]
  ): void {
    const [destination, onTaken] = rest;
    this.sendRtp(side, packet, destination);
    onTaken(true);
  }

  openLane(side: Side): void {
    this.told.push(`lane from ${side}`);
  }

  closeLane(side: Side): void {
    this.told.push(`no lane from ${side}`);
  }

  settle(side: Side, peer: PacketSource | undefined): void {
    this.told.push(`${side} ${peer === undefined ? 'open' : `settled with ${peer.port}`}`);
  }

  async close(): Promise<void> {}

  /** What was said about peers, and no more of it. */
  takeSettling(): string[] {
    return this.told.splice(0).filter((line) => / (open|settled with .*)$/u.test(line));
  }
}

export class HostedBed {
  readonly sockets = new ToldSockets();
  readonly events: RelayEvent[] = [];
  #receiver: PacketReceiver | undefined;
  readonly #sequenceNumbers: Record<Side, number> = { caller: 0, callee: 0 };
  readonly host = new RelayHost({
    worker: { clockOriginMs: 0, inactivityTimeoutMs: 60_000, holdTimeoutMs: 60_000 },
    post: (event) => this.events.push(event),
    random: () => 0.5,
    openSockets: async (_legs, receiver) => {
      this.#receiver = receiver;
      return this.sockets;
    },
  });

  async open(caller: Partial<LegMedia> = {}): Promise<void> {
    const legs = { caller: LOCAL, callee: LOCAL };
    await this.host.receive({ type: 'openStream', streamKey: 1, legs, nameKey: 'name' });
    await this.update(caller);
  }

  update(caller: Partial<LegMedia>, callee: Partial<LegMedia> = {}): Promise<void> {
    const legs = [sampleLeg(CALLER.port, caller), sampleLeg(CALLEE.port, callee)] as const;
    return this.host.receive({ type: 'updateStream', streamKey: 1, update: sampleUpdate(...legs) });
  }

  receive(side: Side, source: PacketSource): void {
    this.skip(side, 1);
    const sequenceNumber = this.#sequenceNumbers[side];
    const fields = { sequenceNumber, timestamp: sequenceNumber * 160 };
    this.#receiver?.receiveRtp(side, audioPacket(fields), source);
  }

  /** Packets that are lost on their way here. */
  skip(side: Side, packets: number): void {
    this.#sequenceNumbers[side] += packets;
  }

  /** The peer talks at 20 ms. */
  talk(side: Side, source: PacketSource, packets: number): void {
    for (let index = 0; index < packets; index++) {
      this.receive(side, source);
      vi.advanceTimersByTime(20);
    }
  }

  async counters(): Promise<MediaCounters> {
    await this.host.receive({ type: 'readCounters', streamKey: 1, requestId: 1 });
    const answer = this.events.findLast((event) => event.type === 'counters');
    if (answer === undefined) throw new Error('no counters');
    return answer.counters;
  }

  /** What was said about peers and lanes, without packets. */
  takeLanes(): string[] {
    return this.sockets.told.splice(0).filter((line) => !line.includes(' to '));
  }

  refuse(side: Side, packet: Buffer): void {
    this.#receiver?.refusedRtp(side, packet);
  }
}
