/** The UDP sockets of one stream: RTP and RTCP per leg, bound to the address of the leg. */

import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES, type Side } from '../wire/side.ts';
import type { LocalMedia } from './media-engine.ts';
import type { OpenFailure } from './relay-protocol.ts';
import type { PacketSource } from './source-lock.ts';

/** Half a second of wide-band audio at 50 ms stalls; the kernel may grant less. */
const RECEIVE_BUFFER_BYTES = 512 * 1024;

/** How long packets that the kernel did not take at once may hold up the closing of a socket. */
const DRAIN_MS = 50;
const DRAIN_STEP_MS = 5;

/** Called for every datagram, on the thread that owns the stream. */
export interface PacketReceiver {
  receiveRtp(side: Side, packet: Buffer, source: PacketSource): void;
  receiveRtcp(side: Side, packet: Buffer, source: PacketSource): void;
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
  sendRtpReported(
    side: Side,
    packet: Buffer,
    destination: PacketSource,
    onTaken: (isTaken: boolean) => void,
  ): void;
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
  readonly rtp: Socket;
  readonly rtcp: Socket;
}

export class RelaySockets implements StreamSockets {
  readonly #legs: Readonly<Record<Side, LegSockets>>;

  private constructor(legs: Readonly<Record<Side, LegSockets>>) {
    this.#legs = legs;
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
      SIDES.map((side) => bindLeg(side, sockets.#legs[side], legs[side])),
    );
    const failure = failures.find((candidate) => candidate !== undefined);
    if (failure === undefined) return sockets;
    sockets.#close();
    return failure;
  }

  sendRtp(side: Side, packet: Buffer, { port, address }: PacketSource): void {
    this.#legs[side].rtp.send(packet, port, address);
  }

  sendRtcp(side: Side, packet: Buffer, { port, address }: PacketSource): void {
    this.#legs[side].rtcp.send(packet, port, address);
  }

  /** Sends RTP and says when the socket has taken it or refused it. */
  sendRtpReported(
    side: Side,
    packet: Buffer,
    destination: PacketSource,
    onTaken: (isTaken: boolean) => void,
  ): void {
    const { port, address } = destination;
    this.#legs[side].rtp.send(packet, port, address, (error) => onTaken(error === null));
  }

  /** Closes all sockets after what they still have to send, for a bounded time. */
  async close(): Promise<void> {
    for (let waitedMs = 0; waitedMs < DRAIN_MS && this.#isSending; waitedMs += DRAIN_STEP_MS) {
      await sleep(DRAIN_STEP_MS);
    }
    this.#close();
  }

  get #isSending(): boolean {
    return SIDES.some((side) => this.#legs[side].rtp.getSendQueueCount() > 0);
  }

  #close(): void {
    for (const side of SIDES) {
      this.#legs[side].rtp.close();
      this.#legs[side].rtcp.close();
    }
  }
}

function createLegSockets(side: Side, local: LocalMedia, receiver: PacketReceiver): LegSockets {
  const rtp = createLegSocket(local.address);
  const rtcp = createLegSocket(local.address);
  rtp.on('message', (packet, source) => receiver.receiveRtp(side, packet, source));
  rtcp.on('message', (packet, source) => receiver.receiveRtcp(side, packet, source));
  return { rtp, rtcp };
}

function createLegSocket(address: string): Socket {
  const isV6 = isIPv6(address);
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    ipv6Only: isV6,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    // Only IP addresses come here; the stock resolver would defer every single packet.
    lookup: (host, _options, callback) => callback(null, host, isV6 ? 6 : 4),
  });
  // What a socket reports (an unreachable peer, a full buffer) loses packets, nothing else.
  socket.on('error', () => {});
  return socket;
}

async function bindLeg(
  side: Side,
  { rtp, rtcp }: LegSockets,
  { address, rtpPort, rtcpPort }: LocalMedia,
): Promise<BindFailure | undefined> {
  const codes = await Promise.all([bind(rtp, address, rtpPort), bind(rtcp, address, rtcpPort)]);
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

/** The error code, or `undefined` when bound. */
function bind(socket: Socket, address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => resolve(error.code ?? 'unknown');
    socket.once('error', onError);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener('error', onError);
      resolve(undefined);
    });
  });
}
