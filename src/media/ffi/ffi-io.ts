/**
 * Sockets made of system calls, waited for with epoll: what a relay thread has instead of Node's event loop.
 *
 *   wait --epoll--> socket.receive --> receiver --> the relay --> socket.send
 *     '-- the main thread writes to the wake descriptor: there are messages to look at
 */

import type { OpenSockets } from '../relay-host.ts';
import type { FastLanes } from '../fast-lanes.ts';
import { FfiSockets, type LaneEnd, type SocketKeeper } from './ffi-sockets.ts';
import {
  EPOLLIN,
  type EventMemory,
  IF_NAMESIZE,
  type Libc,
  loadLibc,
  type Unavailable,
  unavailable,
} from './libc.ts';
import { checkLibc } from './libc-check.ts';
import { NativeBytes, PacketMemory } from './packet-memory.ts';
import type { Scopes } from './socket-address.ts';
import {
  closeLeft,
  type DescriptorMemory,
  newDescriptorMemory,
  OwnDescriptors,
  PLACES,
} from './thread-descriptors.ts';
import type { UdpSocket } from './udp-socket.ts';

/** Sockets looked at for one call to the kernel. */
const EVENTS = 256;

/** Packets read of a socket in one go where more than one waits in each: far behind, a socket at a time is cheapest. */
const BURST = 8;

/** An event is flags and eight bytes of ours: packed on x86-64, aligned elsewhere. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const PLACE_AT = EVENT_BYTES - 8;
const AGE_AT = EVENT_BYTES - 4;

/** Words of a place's route. */
const ROUTE = 4;
const FROM = 1;
const TO = 2;

/** Instead of a socket's place: somebody wakes the thread. */
const WAKE_PLACE = 0xffff_ffff;

/** The relay's packets without Node's sockets; of one thread, the one that opened it. */
export interface FfiIo {
  readonly open: OpenSockets;
  /**
   * Waits for packets, `limitMs` at most (whole milliseconds), and hands on what came.
   *
   * @returns whether the thread was woken.
   */
  wait(limitMs: number): boolean;
  /** Closes all sockets; behind it nothing waits and nothing is handed on. */
  close(): void;
}

/**
 * Makes ready what a thread needs.
 *
 * @param memory where the descriptors are noted for the thread that closes them behind the death of this one.
 * @param lanes whose packets are written on as soon as they are read; default: all are handed on.
 */
export function openFfiIo(
  memory: DescriptorMemory = newDescriptorMemory(),
  lanes?: FastLanes,
): FfiIo | Unavailable {
  const libc = loadLibc();
  if ('type' in libc) return libc;
  const epoll = libc.createEpoll();
  const wake = libc.createEventCounter();
  const code = libc.errorCode();
  const descriptors = new OwnDescriptors(memory);
  for (const descriptor of [epoll, wake]) if (descriptor >= 0) descriptors.add(descriptor);
  if (epoll < 0 || wake < 0) {
    closeLeft(memory, libc.close);
    return unavailable(code);
  }
  const io = new EpollIo(libc, epoll, { memory, descriptors, lanes });
  const failure = checkLibc(libc, io.memory, wake) ?? io.watchWake(wake);
  if (failure === undefined) return io;
  io.close();
  return unavailable(failure);
}

interface Kept {
  readonly socket: UdpSocket;
  /** How often the place was given away before. */
  readonly age: number;
}

class EpollIo implements FfiIo, SocketKeeper {
  readonly libc: Libc;
  readonly memory: PacketMemory;
  readonly scopes: Scopes;
  readonly #epoll: number;
  readonly #descriptorMemory: DescriptorMemory;
  readonly #descriptors: OwnDescriptors;
  readonly #events: NativeBytes;
  readonly #eventMemory: EventMemory;
  /** By place; an event of a socket that is closed names another age. */
  readonly #kept: (Kept | undefined)[] = [];
  readonly #places = new Map<UdpSocket, number>();
  readonly #lanes: FastLanes | undefined;
  /** By place, ROUTE words each: the lane that takes its packets + 1, or 0; its descriptor; where they go. */
  readonly #routes = new Int32Array(ROUTE * PLACES);
  readonly #laneEnds = new Map<number, LaneEnd>();
  #age = 0;
  #wake = -1;
  #isClosed = false;

  constructor(
    libc: Libc,
    epoll: number,
    own: { memory: DescriptorMemory; descriptors: OwnDescriptors; lanes: FastLanes | undefined },
  ) {
    this.libc = libc;
    this.#epoll = epoll;
    this.#descriptorMemory = own.memory;
    this.#descriptors = own.descriptors;
    this.#lanes = own.lanes;
    this.memory = new PacketMemory(libc);
    this.scopes = scopesOf(libc);
    this.#events = new NativeBytes(libc, EVENTS * EVENT_BYTES);
    this.#eventMemory = { address: this.#events.address, count: EVENTS };
  }

  readonly open: OpenSockets = (legs, receiver) => {
    if (this.#isClosed) throw new Error('the sockets of this thread are closed');
    return Promise.resolve(FfiSockets.open(this, legs, receiver));
  };

  /** Lets the main thread end a wait; the error code if it cannot. */
  watchWake(descriptor: number): string | undefined {
    const code = this.#watch(descriptor, WAKE_PLACE, 0);
    if (code !== undefined) return code;
    this.#wake = descriptor;
    this.#descriptors.setWake(descriptor);
    return undefined;
  }

  keep(socket: UdpSocket): string | undefined {
    const { descriptor } = socket;
    const place = this.#descriptors.add(descriptor);
    if (place === undefined) return 'EMFILE';
    this.#age = (this.#age + 1) >>> 0;
    this.#kept[place] = { socket, age: this.#age };
    this.#places.set(socket, place);
    return this.#watch(descriptor, place, this.#age);
  }

  drop(socket: UdpSocket): void {
    // A second time the number may be anybody's.
    if (!socket.markClosed()) return;
    const place = this.#places.get(socket);
    if (place !== undefined) {
      this.closeLane(socket);
      this.#places.delete(socket);
      this.#kept[place] = undefined;
      this.#descriptors.delete(place);
    }
    // The kernel forgets a closed descriptor's events by itself.
    this.libc.close(socket.descriptor);
  }

  openLane(lane: number, from: UdpSocket, to: LaneEnd): void {
    const place = this.#places.get(from);
    if (place === undefined || this.#lanes === undefined) return;
    this.#laneEnds.set(place, to);
    this.#routes.set([lane + 1, from.descriptor, to.descriptor], ROUTE * place);
  }

  closeLane(from: UdpSocket): void {
    const place = this.#places.get(from);
    if (place === undefined || !this.#laneEnds.delete(place)) return;
    this.#routes.fill(0, ROUTE * place, ROUTE * (place + 1));
  }

  wait(limitMs: number): boolean {
    if (this.#isClosed) return true;
    const { libc } = this;
    const count = libc.waitForEvents(this.#epoll, this.#eventMemory, limitMs);
    if (count < 0 && !libc.isInterrupted()) throw new Error(`epoll_wait: ${libc.errorCode()}`);
    const nowMs = performance.now();
    const { view } = this.#events;
    let isWoken = false;
    // More sockets may be ready than were asked for; then it is looked whether a second packet waits in one.
    let packets = count === EVENTS ? 2 : 1;
    for (let at = 0; at < count * EVENT_BYTES; at += EVENT_BYTES) {
      const place = view.getUint32(at + PLACE_AT, true);
      if (place === WAKE_PLACE) {
        isWoken = true;
        continue;
      }
      if (this.#routes[ROUTE * place] !== 0) {
        const passed = this.#passAll(place, packets, nowMs);
        if (packets > 1) packets = passed > 1 ? BURST : 1;
        continue;
      }
      // Whatever throws in here leaves the other sockets ready for the next wait.
      const kept = this.#kept[place];
      if (kept?.age === view.getUint32(at + AGE_AT, true)) kept.socket.receive();
    }
    // Closed in this round, the number may be anybody's.
    if (isWoken && !this.#isClosed) libc.read(this.#wake, this.memory.scratch.address, 8n);
    return isWoken || this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#places.keys()) socket.markClosed();
    this.#places.clear();
    this.#kept.length = 0;
    this.#routes.fill(0);
    this.#laneEnds.clear();
    closeLeft(this.#descriptorMemory, this.libc.close);
  }

  /** Lets up to `limit` packets of a lane go on; how many it were. */
  #passAll(place: number, limit: number, nowMs: number): number {
    let passed = 0;
    while (passed < limit && this.#routes[ROUTE * place] !== 0 && this.#pass(place, nowMs)) {
      passed += 1;
    }
    return passed;
  }

  /** Lets a packet of a lane go on; any other is handed on. Whether it went. */
  #pass(place: number, nowMs: number): boolean {
    const { libc, memory } = this;
    const routes = this.#routes;
    const at = ROUTE * place;
    const { address } = memory.receiving;
    const length = libc.read(routes[at + FROM] ?? -1, address, memory.wholeLength);
    // Nothing there after all, or the error of a packet that was sent.
    if (length < 0) return false;
    const packet = memory.received(length);
    const lane = (routes[at] ?? 0) - 1;
    if (this.#lanes?.take(lane, packet, nowMs) !== true) {
      this.#kept[place]?.socket.handOn(length);
      return false;
    }
    const written = libc.write(routes[at + TO] ?? -1, address, memory.lengthOf(length));
    if (written !== length) this.#laneEnds.get(place)?.sendAgain(packet);
    return true;
  }

  #watch(descriptor: number, place: number, age: number): string | undefined {
    const { address, view } = this.memory.scratch;
    view.setUint32(0, EPOLLIN, true);
    view.setUint32(PLACE_AT, place, true);
    view.setUint32(AGE_AT, age, true);
    return this.libc.watch(this.#epoll, descriptor, address) < 0
      ? this.libc.errorCode()
      : undefined;
  }
}

function scopesOf(libc: Libc): Scopes {
  const name = new NativeBytes(libc, 4 * IF_NAMESIZE);
  return {
    indexOf: (text) => libc.interfaceIndex(text),
    nameOf: (index) => {
      if (!libc.interfaceName(index, name.address)) return undefined;
      return name.bytes.toString('latin1', 0, name.bytes.indexOf(0));
    },
  };
}
