/**
 * The memory that packets are received into and sent from, and the headers the kernel wants with them.
 *
 * It belongs to JavaScript: nothing has to be given back, and nobody can reach it behind its end. One datagram at a time
 * is in it; what `received` returns is overwritten by the next one.
 *
 *   message header (64-bit, little-endian): name 8 | its length 4 + 4 | parts 8 | how many 8 | control 16 | flags 4 + 4
 */

import type { Libc } from './libc.ts';
import { SOCKET_ADDRESS_BYTES } from './socket-address.ts';

/** More than any UDP datagram has. */
export const DATAGRAM_BYTES = 65_536;

/** Views of datagrams up to this length are made once. */
const USUAL_BYTES = 2048;

const NAME_LENGTH_AT = 8;
const PARTS_AT = 16;
const PART_COUNT_AT = 24;
const FLAGS_AT = 48;
const PART_AT = 64;
const PART_LENGTH_AT = PART_AT + 8;
const NAME_AT = 96;
const MESSAGE_BYTES = 128;

/** Bytes with their address. */
export class NativeBytes {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly address: bigint;

  constructor(libc: Libc, length: number) {
    const memory = new ArrayBuffer(length);
    this.bytes = Buffer.from(memory);
    this.view = new DataView(memory);
    this.address = libc.addressOf(memory);
  }
}

/** A datagram with the address it came from or goes to, as `recvmsg` and `sendmsg` take it. */
export class Message {
  /** Of the header. */
  readonly address: bigint;
  /** The socket address. */
  readonly name: DataView;
  readonly #memory: NativeBytes;

  constructor(libc: Libc, datagram: NativeBytes) {
    this.#memory = new NativeBytes(libc, MESSAGE_BYTES);
    const { address, view, bytes } = this.#memory;
    this.address = address;
    this.name = new DataView(bytes.buffer, bytes.byteOffset + NAME_AT, SOCKET_ADDRESS_BYTES);
    view.setBigUint64(0, address + BigInt(NAME_AT), true);
    view.setBigUint64(PARTS_AT, address + BigInt(PART_AT), true);
    view.setUint32(PART_COUNT_AT, 1, true);
    this.place(datagram, datagram.bytes.length);
    this.nameLength = SOCKET_ADDRESS_BYTES;
  }

  /** Takes the bytes from there, or puts them there. */
  place({ address }: NativeBytes, length: number): void {
    this.#memory.view.setBigUint64(PART_AT, address, true);
    this.#memory.view.setUint32(PART_LENGTH_AT, length, true);
  }

  get nameLength(): number {
    return this.#memory.view.getUint32(NAME_LENGTH_AT, true);
  }

  set nameLength(length: number) {
    this.#memory.view.setUint32(NAME_LENGTH_AT, length, true);
  }

  /** As the kernel has set them. */
  get flags(): number {
    return this.#memory.view.getUint32(FLAGS_AT, true);
  }
}

export class PacketMemory {
  readonly receiving: NativeBytes;
  readonly sending: NativeBytes;
  readonly incoming: Message;
  readonly outgoing: Message;
  /** For whatever a call wants to be shown. */
  readonly scratch: NativeBytes;
  /** What a read asks for. */
  readonly wholeLength = BigInt(DATAGRAM_BYTES);
  readonly #views: (Buffer | undefined)[] = [];
  readonly #lengths: bigint[] = [];
  #current: Buffer | undefined;

  constructor(libc: Libc) {
    this.receiving = new NativeBytes(libc, DATAGRAM_BYTES);
    this.sending = new NativeBytes(libc, DATAGRAM_BYTES);
    this.incoming = new Message(libc, this.receiving);
    this.outgoing = new Message(libc, this.sending);
    this.scratch = new NativeBytes(libc, MESSAGE_BYTES);
    for (let length = 0; length <= USUAL_BYTES; length++) this.#lengths.push(BigInt(length));
  }

  /** The datagram of `length` bytes that was received last, until the next one is. */
  received(length: number): Buffer {
    const known = this.#views[length];
    if (known !== undefined) {
      this.#current = known;
      return known;
    }
    const view = this.receiving.bytes.subarray(0, length);
    if (length <= USUAL_BYTES) this.#keep(view);
    this.#current = view;
    return view;
  }

  /** Where the bytes of `packet` are to be sent from: as they are if it was just received, else a copy of them. */
  outgoingBytes(packet: Buffer): NativeBytes {
    if (packet === this.#current) return this.receiving;
    this.sending.bytes.set(packet);
    return this.sending;
  }

  /** A length as calls take it. */
  lengthOf(length: number): bigint {
    return this.#lengths[length] ?? BigInt(length);
  }

  /** In order and without holes: the array stays a plain one. */
  #keep(view: Buffer): void {
    while (this.#views.length < view.length) this.#views.push(undefined);
    this.#views[view.length] = view;
  }
}
