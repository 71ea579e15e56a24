/** The sockets of streams on this thread, made of either io, with plain UDP peers beside them. */
import { createSocket, type Socket } from 'node:dgram';
import type { FastLanes } from '../../src/media/fast-lanes.ts';
import { type FfiIo, openFfiIo } from '../../src/media/ffi/ffi-io.ts';
import {
  type DescriptorMemory,
  newDescriptorMemory,
} from '../../src/media/ffi/thread-descriptors.ts';
import type { LocalMedia } from '../../src/media/media-engine.ts';
import type { OpenSockets } from '../../src/media/relay-host.ts';
import type { RelayIo } from '../../src/media/relay-protocol.ts';
import {
  openRelaySockets,
  type PacketReceiver,
  type StreamSockets,
} from '../../src/media/relay-sockets.ts';
import type { PacketSource } from '../../src/media/source-lock.ts';
import type { Side } from '../../src/wire/side.ts';
import { freePortRange } from './free-ports.ts';

/** A test polls: nothing of it may wait for packets. */
const POLL_MS = 1;

export interface ReceivedDatagram {
  readonly side: Side;
  readonly kind: 'rtp' | 'rtcp';
  readonly bytes: Buffer;
  readonly source: PacketSource;
}

/** Keeps copies of what it receives. */
export class CopyingReceiver implements PacketReceiver {
  readonly received: ReceivedDatagram[] = [];
  readonly refused: Buffer[] = [];

  receiveRtp(side: Side, packet: Buffer, { address, port }: PacketSource): void {
    const source = { address, port };
    this.received.push({ side, kind: 'rtp', bytes: Buffer.from(packet), source });
  }

  receiveRtcp(side: Side, packet: Buffer, { address, port }: PacketSource): void {
    const source = { address, port };
    this.received.push({ side, kind: 'rtcp', bytes: Buffer.from(packet), source });
  }

  refusedRtp(_side: Side, packet: Buffer): void {
    this.refused.push(Buffer.from(packet));
  }

  /** Texts of what came, in order. */
  get texts(): string[] {
    return this.received.map(({ bytes }) => bytes.toString());
  }
}

/** A plain UDP socket that keeps what it receives. */
export class UdpPeer {
  readonly received: Buffer[] = [];
  readonly port: number;
  readonly address: string;
  readonly #socket: Socket;

  private constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.address = address;
    this.port = socket.address().port;
    socket.on('message', (packet) => this.received.push(packet));
    socket.on('error', () => {});
  }

  static open(address = '127.0.0.1', port = 0): Promise<UdpPeer> {
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: 1 << 20 });
    return new Promise((resolve) => {
      socket.bind(port, address, () => resolve(new UdpPeer(socket, address)));
    });
  }

  /** Resolves when the kernel has the datagram: on loopback, when it waits at its destination. */
  send(content: Buffer | string, port: number): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(content, port, this.address, () => resolve());
    });
  }

  get texts(): string[] {
    return this.received.map((packet) => packet.toString());
  }

  close(): void {
    this.#socket.close();
  }
}

export interface BedStream {
  readonly sockets: StreamSockets;
  readonly legs: Readonly<Record<Side, LocalMedia>>;
}

export class IoBed {
  readonly openSockets: OpenSockets;
  readonly descriptors: DescriptorMemory = newDescriptorMemory();
  /** Of `ffi` alone. */
  readonly io: FfiIo | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #sockets: StreamSockets[] = [];
  readonly #peers: UdpPeer[] = [];

  constructor(kind: RelayIo, polls = true, lanes?: FastLanes) {
    if (kind === 'dgram') {
      this.openSockets = openRelaySockets;
      return;
    }
    const io = openFfiIo(this.descriptors, lanes);
    if ('type' in io) throw new Error(io.reason);
    this.io = io;
    this.openSockets = io.open;
    if (polls) this.#timer = setInterval(() => io.wait(0), POLL_MS);
  }

  async openStream(receiver: PacketReceiver, address = '127.0.0.1'): Promise<BedStream> {
    const { first } = await freePortRange(4, { address });
    const caller = { address, rtpPort: first, rtcpPort: first + 1 };
    const callee = { address, rtpPort: first + 2, rtcpPort: first + 3 };
    const sockets = await this.openSockets({ caller, callee }, receiver);
    if ('type' in sockets) throw new Error(sockets.reason);
    this.#sockets.push(sockets);
    return { sockets, legs: { caller, callee } };
  }

  async openPeer(address?: string, port?: number): Promise<UdpPeer> {
    const peer = await UdpPeer.open(address, port);
    this.#peers.push(peer);
    return peer;
  }

  /** Closes a peer before the bed does. */
  closePeer(peer: UdpPeer): void {
    this.#peers.splice(this.#peers.indexOf(peer), 1);
    peer.close();
  }

  /** Gives up a stream that the test closes. */
  forget({ sockets }: BedStream): void {
    this.#sockets.splice(this.#sockets.indexOf(sockets), 1);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const sockets of this.#sockets) await sockets.close();
    for (const peer of this.#peers) peer.close();
    this.io?.close();
  }
}
