/**
 * A UDP socket made of system calls: open to anybody, or connected to the one peer it is settled with.
 *
 *   open --settle(peer)--> settling --nothing waits any more--> settled --settle(undefined)--> open
 *
 * What strangers sent before the connection still waits behind it, so packets come with their source until all of them are
 * read; a settled socket then reads and writes without addresses. An ICMP error of an earlier packet (the peer was not
 * listening for a moment) is handed to the next one instead of sending it, so that one is sent again.
 */

import type { PacketSource } from '../source-lock.ts';
import { AF_UNSPEC, type Libc, MSG_TRUNC } from './libc.ts';
import { DATAGRAM_BYTES, type PacketMemory } from './packet-memory.ts';
import {
  readSocketAddress,
  type Scopes,
  SOCKET_ADDRESS_BYTES,
  writeSocketAddress,
} from './socket-address.ts';

/** Packets read at a time while a socket settles; the others are read with the next event. */
const SETTLING_PACKETS = 64;

const NAME_WORDS = SOCKET_ADDRESS_BYTES / Uint32Array.BYTES_PER_ELEMENT;

/** What the sockets of a thread share. */
export interface SocketMeans {
  readonly libc: Libc;
  readonly memory: PacketMemory;
  readonly scopes: Scopes;
}

export type OnPacket = (packet: Buffer, source: PacketSource) => void;

/** Who hears of what a socket does. */
export interface SocketListener {
  readonly onPacket: OnPacket;
  /** From now on it exchanges packets with its peer alone. */
  readonly onSettled: () => void;
}

type Settlement = 'open' | 'settling' | 'settled';

export class UdpSocket {
  readonly descriptor: number;
  readonly #libc: Libc;
  readonly #memory: PacketMemory;
  readonly #scopes: Scopes;
  readonly #listener: SocketListener;
  #peer: PacketSource | undefined;
  #settlement: Settlement = 'open';
  #isClosed = false;
  /** Who sent the last packet, as the kernel says it and as we do. */
  readonly #sourceWords = new Uint32Array(NAME_WORDS);
  #source: PacketSource | undefined;
  /** Where the last packet went, as we say it and as the kernel does. */
  #destination: PacketSource | undefined;
  readonly #destinationName = new DataView(new ArrayBuffer(SOCKET_ADDRESS_BYTES));
  #destinationLength = 0;

  constructor(descriptor: number, means: SocketMeans, listener: SocketListener) {
    const { libc, memory, scopes } = means;
    this.descriptor = descriptor;
    this.#libc = libc;
    this.#memory = memory;
    this.#scopes = scopes;
    this.#listener = listener;
  }

  /** Whether it exchanges packets with its peer alone, and nothing else waits in it. */
  get isSettled(): boolean {
    return this.#settlement === 'settled' && !this.#isClosed;
  }

  /** Hands on the packet that was just read from it, `length` bytes. */
  handOn(length: number): void {
    if (this.#isClosed || this.#peer === undefined) return;
    this.#listener.onPacket(this.#memory.received(length), this.#peer);
  }

  /** Hands on a packet that waits; several while it settles. */
  receive(): void {
    if (this.#settlement === 'settled') {
      this.#receiveOfPeer();
      return;
    }
    if (this.#settlement === 'open') {
      this.#receiveOfAnybody();
      return;
    }
    for (let packets = 0; packets < SETTLING_PACKETS; packets++) {
      if (this.#isClosed || this.#settlement !== 'settling') return;
      if (this.#receiveOfAnybody() || !this.#libc.isWouldBlock()) continue;
      this.#settlement = 'settled';
      this.#listener.onSettled();
      return;
    }
  }

  /** Whether the kernel took the packet. */
  send(packet: Buffer, destination: PacketSource): boolean {
    const { length } = packet;
    if (this.#isClosed || length > DATAGRAM_BYTES) return false;
    const bytes = this.#memory.outgoingBytes(packet);
    const peer = this.#peer;
    // A write of nothing is no datagram.
    if (peer !== undefined && length > 0 && isSame(peer, destination)) {
      const count = this.#memory.lengthOf(length);
      return (
        this.#libc.write(this.descriptor, bytes.address, count) === length ||
        this.#libc.write(this.descriptor, bytes.address, count) === length
      );
    }
    const nameLength = this.#name(destination);
    if (nameLength === 0) return false;
    const { outgoing } = this.#memory;
    outgoing.place(bytes, length);
    outgoing.nameLength = nameLength;
    return (
      this.#libc.sendmsg(this.descriptor, outgoing.address, 0) === length ||
      this.#libc.sendmsg(this.descriptor, outgoing.address, 0) === length
    );
  }

  /** Whether there is a peer and the kernel took the packet to it. */
  sendToPeer(packet: Buffer): boolean {
    return this.#peer !== undefined && this.send(packet, this.#peer);
  }

  /** Exchanges packets with `peer` alone from now on; `undefined`: with anybody. */
  settle(peer: PacketSource | undefined): void {
    if (this.#isClosed) return;
    if (this.#peer !== undefined) this.#disconnect();
    this.#settlement = 'open';
    this.#peer = undefined;
    if (peer === undefined) return;
    const { address, view } = this.#memory.scratch;
    const length = writeSocketAddress(view, peer, this.#scopes);
    if (length === 0 || this.#libc.connect(this.descriptor, address, length) !== 0) return;
    this.#peer = peer;
    this.#settlement = 'settling';
  }

  /** Behind it nothing is handed on and nothing is sent; the first caller closes the descriptor: whether this is it. */
  markClosed(): boolean {
    const wasOpen = !this.#isClosed;
    this.#isClosed = true;
    return wasOpen;
  }

  #disconnect(): void {
    const { address, view } = this.#memory.scratch;
    for (let offset = 0; offset < SOCKET_ADDRESS_BYTES; offset++) view.setUint8(offset, 0);
    view.setUint16(0, AF_UNSPEC, true);
    this.#libc.connect(this.descriptor, address, SOCKET_ADDRESS_BYTES);
  }

  #receiveOfPeer(): void {
    const { receiving, wholeLength } = this.#memory;
    const length = this.#libc.read(this.descriptor, receiving.address, wholeLength);
    // Nothing there after all, or the error of a packet that was sent.
    if (length >= 0) this.handOn(length);
  }

  /** Whether there was something. */
  #receiveOfAnybody(): boolean {
    const { incoming } = this.#memory;
    incoming.nameLength = SOCKET_ADDRESS_BYTES;
    const length = this.#libc.recvmsg(this.descriptor, incoming.address, 0);
    if (length < 0) return false;
    if ((incoming.flags & MSG_TRUNC) !== 0 || length > DATAGRAM_BYTES) return true;
    const source = this.#sourceOf(incoming.name, incoming.nameLength);
    if (source !== undefined) this.#listener.onPacket(this.#memory.received(length), source);
    return true;
  }

  /** The source of a packet; the same object as long as it is the same one. */
  #sourceOf(name: DataView, length: number): PacketSource | undefined {
    const words = this.#sourceWords;
    let isKnown = true;
    for (let word = 0; 4 * word < length && word < NAME_WORDS; word++) {
      const value = name.getUint32(4 * word, true);
      if (value === words[word]) continue;
      words[word] = value;
      isKnown = false;
    }
    if (!isKnown || this.#source === undefined) {
      const source = readSocketAddress(name, length, this.#scopes);
      const peer = this.#peer;
      this.#source =
        source !== undefined && peer !== undefined && isSame(peer, source) ? peer : source;
    }
    return this.#source;
  }

  /** Writes the address of `destination` before the next message; its length, 0 when it cannot be one. */
  #name(destination: PacketSource): number {
    const known = this.#destination;
    if (known === undefined || !isSame(known, destination)) {
      this.#destination = { address: destination.address, port: destination.port };
      this.#destinationLength = writeSocketAddress(
        this.#destinationName,
        destination,
        this.#scopes,
      );
    }
    const { name } = this.#memory.outgoing;
    for (let offset = 0; offset < SOCKET_ADDRESS_BYTES; offset += 4) {
      name.setUint32(offset, this.#destinationName.getUint32(offset, true), true);
    }
    return this.#destinationLength;
  }
}

function isSame(a: PacketSource, b: PacketSource): boolean {
  return a === b || (a.port === b.port && a.address === b.address);
}
