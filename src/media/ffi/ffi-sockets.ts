/** The sockets of one stream made of system calls: RTP and RTCP per leg, bound to the address of the leg. */

import { isIPv6 } from 'node:net';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import { RECEIVE_BUFFER_BYTES } from '../leg-socket.ts';
import type { LocalMedia } from '../media-engine.ts';
import {
  type BindFailure,
  openFailureOf,
  type PacketReceiver,
  type StreamSockets,
} from '../relay-sockets.ts';
import type { PacketSource } from '../source-lock.ts';
import {
  AF_INET,
  AF_INET6,
  CLOEXEC,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from './libc.ts';
import { writeSocketAddress } from './socket-address.ts';
import { type SocketListener, type SocketMeans, UdpSocket } from './udp-socket.ts';

/** Addresses that stand for all of the machine. */
const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

const ENABLED = 1;

/** Packets that may wait in one socket: half a second of audio. */
const WAITING_PACKETS = 25;

/** Where the packets of a lane go. */
export interface LaneEnd {
  readonly descriptor: number;
  /** Sends a packet that the kernel did not take. */
  sendAgain(packet: Buffer): void;
}

/** What calls the sockets when packets come, and closes them. */
export interface SocketKeeper extends SocketMeans {
  /** Notes the descriptor before it is bound; the error code if there is no place for it. */
  keep(socket: UdpSocket): string | undefined;
  /** Closes the descriptor, kept or not; once. */
  drop(socket: UdpSocket): void;
  /** Packets from `from` that `lane` takes are written to `to` from now on, the others handed on. */
  openLane(lane: number, from: UdpSocket, to: LaneEnd): void;
  closeLane(from: UdpSocket): void;
}

interface LegSockets {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
  readonly isSettling: boolean;
}

export class FfiSockets implements StreamSockets {
  readonly #keeper: SocketKeeper;
  readonly #receiver: PacketReceiver;
  readonly #caller: LegSockets;
  readonly #callee: LegSockets;
  /** What packets of a side are to pass by, as soon as both legs are settled. */
  readonly #lanes = new Map<Side, number>();

  private constructor(
    keeper: SocketKeeper,
    receiver: PacketReceiver,
    legs: Readonly<Record<Side, LegSockets>>,
  ) {
    this.#keeper = keeper;
    this.#receiver = receiver;
    this.#caller = legs.caller;
    this.#callee = legs.callee;
  }

  /** Binds all four sockets, or none. */
  static open(
    keeper: SocketKeeper,
    legs: Readonly<Record<Side, LocalMedia>>,
    receiver: PacketReceiver,
  ): FfiSockets | BindFailure {
    let sockets: FfiSockets | undefined;
    const onSettled = (): void => {
      if (sockets !== undefined) sockets.#offerLanes();
    };
    const caller = openLeg(keeper, legs.caller, listenersOf('caller', receiver, onSettled));
    if (typeof caller === 'string') return failureOf('caller', caller);
    const callee = openLeg(keeper, legs.callee, listenersOf('callee', receiver, onSettled));
    if (typeof callee !== 'string') {
      sockets = new FfiSockets(keeper, receiver, { caller, callee });
      return sockets;
    }
    closeLeg(keeper, caller);
    return failureOf('callee', callee);
  }

  sendRtp(side: Side, packet: Buffer, destination: PacketSource): void {
    if (!this.#leg(side).rtp.send(packet, destination)) this.#receiver.refusedRtp(side, packet);
  }

  sendRtcp(side: Side, packet: Buffer, destination: PacketSource): void {
    this.#leg(side).rtcp.send(packet, destination);
  }

  sendRtpReported(
    side: Side,
    packet: Buffer,
    ...[destination, onTaken]: [PacketSource, (isTaken: boolean) => void]
  ): void {
    onTaken(this.#leg(side).rtp.send(packet, destination));
  }

  settle(side: Side, peer: PacketSource | undefined): void {
    const { rtp, isSettling } = this.#leg(side);
    for (const each of SIDES) this.closeLane(each);
    if (isSettling) rtp.settle(peer);
  }

  openLane(side: Side, lane: number): void {
    this.#lanes.set(side, lane);
    this.#offerLanes();
  }

  closeLane(side: Side): void {
    this.#lanes.delete(side);
    this.#keeper.closeLane(this.#leg(side).rtp);
  }

  /** A wait reads one packet of a socket; here all that are likely to be there are read. */
  takeWaiting(): Promise<void> {
    for (const { rtp, rtcp } of [this.#caller, this.#callee]) {
      for (let packets = 0; packets < WAITING_PACKETS; packets++) {
        rtp.receive();
        rtcp.receive();
      }
    }
    return Promise.resolve();
  }

  /** Closes all sockets; what was sent is with the kernel already. */
  close(): Promise<void> {
    for (const side of SIDES) closeLeg(this.#keeper, this.#leg(side));
    return Promise.resolve();
  }

  /** A leg that was connected a moment ago is settled with its next packet. */
  #offerLanes(): void {
    if (!SIDES.every((side) => this.#leg(side).rtp.isSettled)) return;
    for (const [side, lane] of this.#lanes) {
      this.#keeper.openLane(lane, this.#leg(side).rtp, this.#endOf(otherSide(side)));
    }
  }

  #endOf(side: Side): LaneEnd {
    const { rtp } = this.#leg(side);
    return {
      descriptor: rtp.descriptor,
      sendAgain: (packet) => {
        if (!rtp.sendToPeer(packet)) this.#receiver.refusedRtp(side, packet);
      },
    };
  }

  #leg(side: Side): LegSockets {
    return side === 'caller' ? this.#caller : this.#callee;
  }
}

interface LegListeners {
  readonly rtp: SocketListener;
  readonly rtcp: SocketListener;
}

function listenersOf(side: Side, receiver: PacketReceiver, onSettled: () => void): LegListeners {
  return {
    rtp: { onPacket: (packet, source) => receiver.receiveRtp(side, packet, source), onSettled },
    rtcp: {
      onPacket: (packet, source) => receiver.receiveRtcp(side, packet, source),
      onSettled: () => {},
    },
  };
}

function failureOf(side: Side, code: string): BindFailure {
  return { type: 'bindFailure', side, reason: openFailureOf(code) };
}

/** Both sockets of a leg, or the error code. */
function openLeg(
  keeper: SocketKeeper,
  { address, rtpPort, rtcpPort }: LocalMedia,
  listeners: LegListeners,
): LegSockets | string {
  const rtp = openSocket(keeper, { address, port: rtpPort }, listeners.rtp);
  if (typeof rtp === 'string') return rtp;
  const rtcp = openSocket(keeper, { address, port: rtcpPort }, listeners.rtcp);
  if (typeof rtcp === 'string') {
    keeper.drop(rtp);
    return rtcp;
  }
  // Connecting would choose one of the machine's addresses, not always the one the peer sends to.
  return { rtp, rtcp, isSettling: !ANY_ADDRESS.includes(address) };
}

function closeLeg(keeper: SocketKeeper, { rtp, rtcp }: LegSockets): void {
  keeper.drop(rtp);
  keeper.drop(rtcp);
}

/** A bound socket that is looked after, or the error code. */
function openSocket(
  keeper: SocketKeeper,
  local: PacketSource,
  listener: SocketListener,
): UdpSocket | string {
  const { libc } = keeper;
  const isV6 = isIPv6(local.address);
  const type = SOCK_DGRAM | SOCK_NONBLOCK | CLOEXEC;
  const descriptor = libc.socket(isV6 ? AF_INET6 : AF_INET, type, 0);
  if (descriptor < 0) return libc.errorCode();
  const socket = new UdpSocket(descriptor, keeper, listener);
  const code = keeper.keep(socket) ?? prepare(keeper, { descriptor, isV6, local });
  if (code === undefined) return socket;
  keeper.drop(socket);
  return code;
}

function prepare(
  { libc, memory, scopes }: SocketMeans,
  { descriptor, isV6, local }: { descriptor: number; isV6: boolean; local: PacketSource },
): string | undefined {
  const { address, view } = memory.scratch;
  view.setInt32(0, RECEIVE_BUFFER_BYTES, true);
  // The kernel may grant less.
  libc.setOption(descriptor, { level: SOL_SOCKET, name: SO_RCVBUF }, address);
  view.setInt32(0, ENABLED, true);
  const onlyV6 = { level: IPPROTO_IPV6, name: IPV6_V6ONLY };
  if (isV6 && libc.setOption(descriptor, onlyV6, address) < 0) return libc.errorCode();
  const length = writeSocketAddress(view, local, scopes);
  if (length === 0) return 'EINVAL';
  return libc.bind(descriptor, address, length) < 0 ? libc.errorCode() : undefined;
}
