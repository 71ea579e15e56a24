/** The UDP sockets of one stream: RTP and RTCP per leg, bound to the address of the leg. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { SIDES, type Side } from '../wire/side.ts';
import { LegSocket, type OnTaken } from './leg-socket.ts';
import type { LocalMedia } from './media-engine.ts';
import type { OpenFailure } from './relay-protocol.ts';
import type { PacketSource } from './source-lock.ts';

/** How long packets that the kernel did not take at once may hold up the closing of a socket. */
const DRAIN_MS = 50;
const DRAIN_STEP_MS = 5;

/** Called for every datagram, on the thread that owns the stream. */
export interface PacketReceiver {
  receiveRtp(side: Side, packet: Buffer, source: PacketSource): void;
  receiveRtcp(side: Side, packet: Buffer, source: PacketSource): void;
  /** A packet of `sendRtp` to the leg of `side` that the kernel did not take. */
  refusedRtp(side: Side, packet: Buffer): void;
}

export interface BindFailure {
  readonly type: 'bindFailure';
  readonly side: Side;
  readonly reason: OpenFailure;
}

/** What carries the packets of one stream. */
export interface StreamSockets {
  sendRtp(side: Side, packet: Buffer, destination: PacketSource): void;
  sendRtcp(side: Side, packet: Buffer, destination: PacketSource): void;
  /** Sends RTP and says when the packet is taken or refused. */
  sendRtpReported(side: Side, packet: Buffer, destination: PacketSource, onTaken: OnTaken): void;
  /**
   * From now on RTP of this leg is exchanged with `peer` alone, so that the kernel may filter; `undefined`: with
   * anybody again. While it is settled, `destination` of what is sent to the leg is `peer`.
   */
  settle(side: Side, peer: PacketSource | undefined): void;
  /** From now on packets of `side` that `lane` of the thread takes need not be handed on, as soon as both legs are settled. */
  openLane?(side: Side, lane: number): void;
  /** Packets of `side` are handed on as all others again. */
  closeLane?(side: Side): void;
  /** Receives what has arrived and waits to be read, as far as the loop does not do that anyway. */
  takeWaiting?(): Promise<void>;
  /** Closes all sockets after what they still have to send, for a bounded time. */
  close(): Promise<void>;
}

/** Binds the four sockets of a stream, or none. */
export function openRelaySockets(
  legs: Readonly<Record<Side, LocalMedia>>,
  receiver: PacketReceiver,
): Promise<StreamSockets | BindFailure> {
  return RelaySockets.open(legs, receiver);
}

interface LegSockets {
  readonly rtp: LegSocket;
  readonly rtcp: LegSocket;
}

export class RelaySockets implements StreamSockets {
  readonly #caller: LegSockets;
  readonly #callee: LegSockets;

  private constructor(legs: Readonly<Record<Side, LegSockets>>) {
    this.#caller = legs.caller;
    this.#callee = legs.callee;
  }

  /** Binds all four sockets, or none. */
  static async open(
    legs: Readonly<Record<Side, LocalMedia>>,
    receiver: PacketReceiver,
  ): Promise<RelaySockets | BindFailure> {
    const sockets = new RelaySockets({
      caller: createLegSockets('caller', legs.caller, receiver),
      callee: createLegSockets('callee', legs.callee, receiver),
    });
    const failures = await Promise.all(
      SIDES.map((side) => bindLeg(side, sockets.#leg(side), legs[side])),
    );
    const failure = failures.find((candidate) => candidate !== undefined);
    if (failure === undefined) return sockets;
    sockets.#close();
    return failure;
  }

  sendRtp(side: Side, packet: Buffer, destination: PacketSource): void {
    this.#leg(side).rtp.send(packet, destination);
  }

  sendRtcp(side: Side, packet: Buffer, destination: PacketSource): void {
    this.#leg(side).rtcp.send(packet, destination);
  }

  sendRtpReported(side: Side, packet: Buffer, ...[to, onTaken]: [PacketSource, OnTaken]): void {
    this.#leg(side).rtp.sendReported(packet, to, onTaken);
  }

  settle(side: Side, peer: PacketSource | undefined): void {
    this.#leg(side).rtp.settle(peer);
  }

  /** Each turn of the loop reads all sockets; the one that a command came in may have looked at them before. */
  async takeWaiting(): Promise<void> {
    await nextTurn();
    await nextTurn();
  }

  /** Closes all sockets after what they still have to send, for a bounded time. */
  async close(): Promise<void> {
    for (let waitedMs = 0; waitedMs < DRAIN_MS && this.#isSending; waitedMs += DRAIN_STEP_MS) {
      await sleep(DRAIN_STEP_MS);
    }
    this.#close();
  }

  #leg(side: Side): LegSockets {
    return side === 'caller' ? this.#caller : this.#callee;
  }

  get #isSending(): boolean {
    return this.#caller.rtp.isSending || this.#callee.rtp.isSending;
  }

  #close(): void {
    for (const { rtp, rtcp } of [this.#caller, this.#callee]) {
      rtp.close();
      rtcp.close();
    }
  }
}

function createLegSockets(side: Side, local: LocalMedia, receiver: PacketReceiver): LegSockets {
  const rtp = new LegSocket(local.address, (packet) => receiver.refusedRtp(side, packet));
  const rtcp = new LegSocket(local.address, () => {});
  rtp.onPacket((packet, source) => receiver.receiveRtp(side, packet, source));
  rtcp.onPacket((packet, source) => receiver.receiveRtcp(side, packet, source));
  return { rtp, rtcp };
}

async function bindLeg(
  side: Side,
  { rtp, rtcp }: LegSockets,
  { rtpPort, rtcpPort }: LocalMedia,
): Promise<BindFailure | undefined> {
  const codes = await Promise.all([rtp.bind(rtpPort), rtcp.bind(rtcpPort)]);
  const code = codes.find((candidate) => candidate !== undefined);
  if (code === undefined) return undefined;
  return { type: 'bindFailure', side, reason: openFailureOf(code) };
}

/** What an error code of `bind` means; a port below 1024 is another's as well. */
export function openFailureOf(code: string): OpenFailure {
  switch (code) {
    case 'EADDRINUSE':
    case 'EACCES':
      return 'port-taken';
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'no-descriptors';
    default:
      return 'address-unavailable';
  }
}
