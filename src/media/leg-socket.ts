/**
 * The UDP socket that a leg's RTP goes through: open to anybody, or connected to the one peer it is settled with.
 *
 * Connected, the kernel drops what others send and a packet is written to the descriptor without an address:
 * no object and no callback per packet. An ICMP error of an earlier packet (the peer was not listening for a moment)
 * is handed to the next one instead of sending it, so that one is sent again.
 */

import { createSocket, type Socket } from 'node:dgram';
import { writeSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { PacketSource } from './source-lock.ts';

/** Half a second of wide-band audio at 50 ms stalls; the kernel may grant less. */
export const RECEIVE_BUFFER_BYTES = 512 * 1024;

/** Addresses that stand for all of the machine. */
const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

/** Hears whether the kernel took a packet. */
export type OnTaken = (isTaken: boolean) => void;

export class LegSocket {
  readonly #socket: Socket;
  /** Of the connected socket; `undefined`: open to anybody, or Node does not tell it. */
  #descriptor: number | undefined;
  #isConnected = false;
  readonly #address: string;
  /** A packet that the kernel did not take. */
  readonly #onRefused: (packet: Buffer) => void;
  readonly #findDescriptor: (socket: Socket) => number | undefined;

  /** `findDescriptor` is replaced in tests. */
  constructor(address: string, onRefused: (packet: Buffer) => void, findDescriptor = descriptorOf) {
    this.#address = address;
    this.#onRefused = onRefused;
    this.#findDescriptor = findDescriptor;
    this.#socket = createLegSocket(address);
  }

  onPacket(receive: (packet: Buffer, source: PacketSource) => void): void {
    this.#socket.on('message', receive);
  }

  /** The error code, or `undefined` when bound. */
  bind(port: number): Promise<string | undefined> {
    const socket = this.#socket;
    const address = this.#address;
    return new Promise((resolve) => {
      const onError = (error: NodeJS.ErrnoException): void => resolve(error.code ?? 'unknown');
      socket.once('error', onError);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeListener('error', onError);
        resolve(undefined);
      });
    });
  }

  /** Sends to `destination`, or to the peer while settled. */
  send(packet: Buffer, destination: PacketSource): void {
    if (this.#descriptor !== undefined) {
      if (!write(this.#descriptor, packet)) this.#onRefused(packet);
    } else if (this.#isConnected) {
      sendTwice(this.#socket, packet, (isTaken) => {
        if (!isTaken) this.#onRefused(packet);
      });
    } else this.#socket.send(packet, destination.port, destination.address);
  }

  /** Sends and says whether the kernel took the packet. */
  sendReported(packet: Buffer, { port, address }: PacketSource, onTaken: OnTaken): void {
    if (this.#descriptor !== undefined) onTaken(write(this.#descriptor, packet));
    else if (this.#isConnected) sendTwice(this.#socket, packet, onTaken);
    else this.#socket.send(packet, port, address, (error) => onTaken(error === null));
  }

  /** Exchanges packets with `peer` alone from now on; `undefined`: with anybody. */
  settle(peer: PacketSource | undefined): void {
    // Connecting would choose one of the machine's addresses, not always the one the peer sends to.
    if (ANY_ADDRESS.includes(this.#address)) return;
    if (this.#isConnected) this.#socket.disconnect();
    this.#isConnected = peer !== undefined && connect(this.#socket, peer);
    this.#descriptor = this.#isConnected ? this.#findDescriptor(this.#socket) : undefined;
  }

  get isSending(): boolean {
    return this.#socket.getSendQueueCount() > 0;
  }

  close(): void {
    this.#descriptor = undefined;
    this.#socket.close();
  }
}

/** Sends on a connected socket, a second time if the first only brought the news of an earlier packet. */
function sendTwice(socket: Socket, packet: Buffer, onTaken: OnTaken): void {
  socket.send(packet, (error) => {
    if (error === null) onTaken(true);
    else socket.send(packet, (second) => onTaken(second === null));
  });
}

/** Like `sendTwice`, at once; whether the kernel took the packet. */
function write(descriptor: number, packet: Buffer): boolean {
  return tryToWrite(descriptor, packet) || tryToWrite(descriptor, packet);
}

function tryToWrite(descriptor: number, packet: Buffer): boolean {
  try {
    writeSync(descriptor, packet, 0, packet.length);
    return true;
  } catch {
    return false;
  }
}

/** Connects to an IP address; whether the kernel agrees. */
function connect(socket: Socket, { port, address }: PacketSource): boolean {
  try {
    // Done when it returns, since no name has to be looked up; the callback keeps a refusal from being an error.
    socket.connect(port, address, () => {});
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}

/** The file descriptor of a socket, which Node keeps to itself; `undefined` where it hides it better. */
function descriptorOf(socket: Socket): number | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  const state: unknown = symbol && Reflect.get(socket, symbol);
  const handle: unknown = isObject(state) ? Reflect.get(state, 'handle') : undefined;
  const descriptor: unknown = isObject(handle) ? Reflect.get(handle, 'fd') : undefined;
  return typeof descriptor === 'number' && descriptor > 2 ? descriptor : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
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
