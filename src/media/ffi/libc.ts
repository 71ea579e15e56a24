/**
 * The functions of the C library that carry packets, called through `node:ffi`.
 *
 * Addresses of memory are BigInts that were made once and are kept with the memory they name; counts of bytes likewise.
 * A call then allocates nothing and takes the short way out of optimised code, if V8 inlines Node's checks of the arguments
 * around it: they are more than it inlines by default, and not inlined each call takes a long way that allocates.
 */

import { constants as osConstants, endianness } from 'node:os';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import { setFlagsFromString } from 'node:v8';

type Ffi = typeof import('node:ffi');

/** Names and numbers are those of Linux on every architecture that Node runs on. */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const MSG_TRUNC = 0x20;
export const EPOLL_CTL_ADD = 1;
export const EPOLLIN = 1;
export const IF_NAMESIZE = 16;

const { EAGAIN, EINTR } = osConstants.errno;

/**
 * For all code of the process that is optimised from then on; default of V8: 920 bytes of bytecode. Each call counts some
 * 3700 here once Node's checks have been optimised by themselves, and a packet has two.
 */
const INLINE_CHECKS = '--max-inlined-bytecode-size-cumulative=12000';

/** Calls return −1 on failure, with the reason in `errorCode()`. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: bigint, length: number): number;
  connect(descriptor: number, address: bigint, length: number): number;
  readonly close: (descriptor: number) => number;
  /** Bytes read; longer datagrams are cut off. */
  read(descriptor: number, memory: bigint, length: bigint): number;
  write(descriptor: number, memory: bigint, length: bigint): number;
  recvmsg(descriptor: number, header: bigint, flags: number): number;
  sendmsg(descriptor: number, header: bigint, flags: number): number;
  /** Four bytes of `memory` are the value. */
  setOption(descriptor: number, option: SocketOption, memory: bigint): number;
  createEpoll(): number;
  watch(epoll: number, descriptor: number, event: bigint): number;
  /** Events written to `events`; 0 as well when a signal came. */
  waitForEvents(epoll: number, events: EventMemory, limitMs: number): number;
  createEventCounter(): number;
  /** The number of a network interface, 0 for none. */
  interfaceIndex(name: string): number;
  /** Writes a text with a 0 behind it to `memory`, IF_NAMESIZE bytes; whether there is such an interface. */
  interfaceName(index: number, memory: bigint): boolean;
  /** Whether the last call failed because nothing was there. */
  isWouldBlock(): boolean;
  /** Whether the last call failed because of a signal. */
  isInterrupted(): boolean;
  /** Of the last call that failed on this thread, such as `EADDRINUSE`. */
  errorCode(): string;
  /** Where the bytes of `buffer` lie, for as long as it is not given away. */
  addressOf(buffer: ArrayBuffer): bigint;
  /** To be kept for as long as the functions: a library that is collected takes its function along. */
  readonly libraries: readonly object[];
}

export interface SocketOption {
  readonly level: number;
  readonly name: number;
}

export interface EventMemory {
  readonly address: bigint;
  readonly count: number;
}

export interface Unavailable {
  readonly type: 'unavailable';
  readonly reason: string;
}

/** The C library of this process, or why it cannot be called. */
export function loadLibc(): Libc | Unavailable {
  if (process.platform !== 'linux') return unavailable(`not on ${process.platform}`);
  if (endianness() !== 'LE') return unavailable('not on a big-endian machine');
  const ffi = loadFfi();
  if (ffi === undefined) return unavailable(`Node ${process.version} has no node:ffi`);
  try {
    setFlagsFromString(INLINE_CHECKS);
    return bindLibc(ffi);
  } catch (error) {
    return unavailable(error instanceof Error ? error.message : String(error));
  }
}

export function unavailable(reason: string): Unavailable {
  return { type: 'unavailable', reason };
}

/** `node:ffi` without its warning, of which the caller says a line in the log. */
function loadFfi(): Ffi | undefined {
  const own = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('FFI')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    // Undefined in a Node that has it not, or with --no-experimental-ffi.
    return process.getBuiltinModule('node:ffi');
  } catch {
    return undefined;
  } finally {
    if (own !== undefined) Object.defineProperty(process, 'emitWarning', own);
  }
}

const THREE_NUMBERS = { arguments: ['i32', 'i32', 'i32'], return: 'i32' } as const;
const SOCKET_ADDRESS = { arguments: ['i32', 'pointer', 'u32'], return: 'i32' } as const;
// The kernel returns 64 bits here, of which no datagram needs more than the lower 32.
const BYTES = { arguments: ['i32', 'pointer', 'u64'], return: 'i32' } as const;
const MESSAGE = { arguments: ['i32', 'pointer', 'i32'], return: 'i32' } as const;
const OPTION = { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' } as const;
const CONTROL = { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' } as const;
const WAIT = { arguments: ['i32', 'pointer', 'i32', 'i32'], return: 'i32' } as const;
const COUNTER = { arguments: ['u32', 'i32'], return: 'i32' } as const;
const NUMBER = { arguments: ['i32'], return: 'i32' } as const;
const ERRNO = { arguments: [], return: 'pointer' } as const;
const NAME_TO_INDEX = { arguments: ['string'], return: 'u32' } as const;
const INDEX_TO_NAME = { arguments: ['u32', 'pointer'], return: 'pointer' } as const;

type OpenLibrary = () => InstanceType<Ffi['DynamicLibrary']>;

function bindLibc(ffi: Ffi): Libc {
  const { DynamicLibrary, getInt32, getRawPointer } = ffi;
  const libraries: InstanceType<typeof DynamicLibrary>[] = [];
  // One library for each function: functions of one share a slower way to be called.
  const library: OpenLibrary = () => {
    const opened = new DynamicLibrary(null);
    libraries.push(opened);
    return opened;
  };
  const errno = library().getFunction('__errno_location', ERRNO)();
  return {
    ...bindSockets(library),
    ...bindEvents(library),
    ...bindInterfaces(library),
    isWouldBlock: () => getInt32(errno) === EAGAIN,
    isInterrupted: () => getInt32(errno) === EINTR,
    errorCode: () => getSystemErrorName(-getInt32(errno)),
    addressOf: (buffer) => getRawPointer(buffer),
    libraries,
  };
}

type SocketCalls = 'socket' | 'bind' | 'connect' | 'setOption' | 'close';
type PacketCalls = 'read' | 'write' | 'recvmsg' | 'sendmsg';

function bindSockets(library: OpenLibrary): Pick<Libc, SocketCalls | PacketCalls> {
  const setsockopt = library().getFunction('setsockopt', OPTION);
  return {
    socket: library().getFunction('socket', THREE_NUMBERS),
    bind: library().getFunction('bind', SOCKET_ADDRESS),
    connect: library().getFunction('connect', SOCKET_ADDRESS),
    close: library().getFunction('close', NUMBER),
    read: library().getFunction('read', BYTES),
    write: library().getFunction('write', BYTES),
    recvmsg: library().getFunction('recvmsg', MESSAGE),
    sendmsg: library().getFunction('sendmsg', MESSAGE),
    setOption: (descriptor, { level, name }, memory) =>
      setsockopt(descriptor, level, name, memory, Int32Array.BYTES_PER_ELEMENT),
  };
}

type EventCalls = 'createEpoll' | 'watch' | 'waitForEvents' | 'createEventCounter';

function bindEvents(library: OpenLibrary): Pick<Libc, EventCalls> {
  const create = library().getFunction('epoll_create1', NUMBER);
  const control = library().getFunction('epoll_ctl', CONTROL);
  const wait = library().getFunction('epoll_wait', WAIT);
  const eventfd = library().getFunction('eventfd', COUNTER);
  return {
    createEpoll: () => create(CLOEXEC),
    watch: (epoll, descriptor, event) => control(epoll, EPOLL_CTL_ADD, descriptor, event),
    waitForEvents: (epoll, { address, count }, limitMs) => wait(epoll, address, count, limitMs),
    createEventCounter: () => eventfd(0, SOCK_NONBLOCK | CLOEXEC),
  };
}

function bindInterfaces(library: OpenLibrary): Pick<Libc, 'interfaceIndex' | 'interfaceName'> {
  const nameToIndex = library().getFunction('if_nametoindex', NAME_TO_INDEX);
  const indexToName = library().getFunction('if_indextoname', INDEX_TO_NAME);
  return {
    interfaceIndex: (name) => nameToIndex(name),
    interfaceName: (index, memory) => indexToName(index, memory) !== 0n,
  };
}
