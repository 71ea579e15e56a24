/** What only sockets made of system calls can get wrong: memory, descriptors, events of the past. */
import type { FunctionSignature } from 'node:ffi';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFfiIo } from '../../../src/media/ffi/ffi-io.ts';
import {
  closeLeft,
  type DescriptorMemory,
  newDescriptorMemory,
  OwnDescriptors,
  wake,
} from '../../../src/media/ffi/thread-descriptors.ts';
import type { PacketReceiver } from '../../../src/media/relay-sockets.ts';
import { isUdpFree } from '../../support/free-ports.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type BedStream, CopyingReceiver, IoBed } from '../../support/io-bed.ts';

const CLOSE = { arguments: ['i32'], return: 'i32' } as const;

let bed: IoBed;
let receiver: CopyingReceiver;

beforeEach(() => {
  bed = new IoBed('ffi', false);
  receiver = new CopyingReceiver();
});

afterEach(() => bed.close());

/** Waits for packets, until nothing comes any more. */
function drain(): void {
  for (let round = 0; round < 8; round++) bed.io?.wait(0);
}

function receiverThat(act: (packet: Buffer) => void): PacketReceiver {
  return {
    receiveRtp: (_side, packet) => act(packet),
    receiveRtcp: (_side, packet) => act(packet),
    refusedRtp: () => undefined,
  };
}

/** The sockets that a thread noted, each with the name it has in this process alone. */
function notedSockets(memory: DescriptorMemory): string[] {
  const descriptors = [...memory.subarray(2)]
    .filter((noted) => noted > 0)
    .map((noted) => noted - 1);
  return descriptors
    .map((descriptor) => nameOf(descriptor))
    .filter((name) => name.startsWith('socket:'));
}

function openSockets(): string[] {
  return readdirSync('/proc/self/fd').map((descriptor) => nameOf(Number(descriptor)));
}

function nameOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

describe('a round of events', () => {
  test('hands on nothing of sockets that were closed in it', async () => {
    const streams: BedStream[] = [];
    let handedOn = 0;
    const closer = receiverThat(() => {
      handedOn += 1;
      for (const stream of streams) void stream.sockets.close();
    });
    for (let index = 0; index < 3; index++) streams.push(await bed.openStream(closer));
    const peer = await bed.openPeer();
    for (const { legs } of streams) await peer.send('x', legs.caller.rtpPort);
    drain();
    expect(handedOn).toBe(1);
  });

  test('hands on nothing to a socket that took the place of a closed one in it', async () => {
    const first = await bed.openStream(receiverThat(() => exchange()));
    const second = await bed.openStream(receiverThat(() => exchange()));
    let opened: Promise<BedStream> | undefined;
    const exchange = (): void => {
      void first.sockets.close();
      void second.sockets.close();
      opened ??= bed.openStream(receiver);
    };
    const peer = await bed.openPeer();
    await peer.send('old', first.legs.caller.rtpPort);
    await peer.send('old', second.legs.caller.rtpPort);
    drain();
    const stream = await opened;
    drain();
    expect(receiver.texts).toEqual([]);
    await peer.send('new', stream?.legs.caller.rtpPort ?? 0);
    drain();
    expect(receiver.texts).toEqual(['new']);
  });

  test('loses nothing to a receiver that throws', async () => {
    let throws = 0;
    const thrower = receiverThat(() => {
      throws += 1;
      throw new Error('a bug');
    });
    const bad = await bed.openStream(thrower);
    const good = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    await peer.send('bad', bad.legs.caller.rtpPort);
    await peer.send('good', good.legs.caller.rtpPort);
    const heard: string[] = [];
    for (let round = 0; round < 8; round++) {
      try {
        bed.io?.wait(0);
      } catch (error) {
        heard.push(String(error));
      }
    }
    expect({ throws, heard, texts: receiver.texts }).toEqual({
      throws: 1,
      heard: ['Error: a bug'],
      texts: ['good'],
    });
  });

  test('of a closed io there is none', async () => {
    const { legs } = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    await peer.send('x', legs.caller.rtpPort);
    bed.io?.close();
    drain();
    expect(receiver.texts).toEqual([]);
    expect(await isUdpFree(legs.caller.rtpPort, '127.0.0.1')).toBe(true);
  });

  test('in which the io is closed is the last one, and touches nothing behind it', async () => {
    const { legs } = await bed.openStream(receiverThat(() => bed.io?.close()));
    const peer = await bed.openPeer();
    await peer.send('x', legs.caller.rtpPort);
    wake(bed.descriptors);
    expect(bed.io?.wait(0)).toBe(true);
    expect(bed.io?.wait(60_000)).toBe(true);
  });

  test('a closed stream sends and settles nothing, wherever its numbers are by then', async () => {
    const stream = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    await stream.sockets.close();
    const next = await bed.openStream(receiver);
    const taken: boolean[] = [];
    stream.sockets.sendRtpReported('caller', Buffer.from('x'), peer, (it) => taken.push(it));
    stream.sockets.settle('caller', { address: '127.0.0.1', port: 9 });
    await stream.sockets.close();
    await peer.send('hello', next.legs.caller.rtpPort);
    drain();
    expect({ taken, texts: receiver.texts }).toEqual({ taken: [false], texts: ['hello'] });
  });
});

describe('memory', () => {
  test('of a packet is that of the next one: who keeps it sees it change', async () => {
    const kept: Buffer[] = [];
    const { legs } = await bed.openStream(receiverThat((packet) => kept.push(packet)));
    const peer = await bed.openPeer();
    await peer.send('one', legs.caller.rtpPort);
    drain();
    await peer.send('two', legs.caller.rtpPort);
    drain();
    expect(kept.map(String)).toEqual(['two', 'two']);
    expect(kept[0]).toBe(kept[1]);
  });

  test('a packet is sent on as it was changed, and other bytes beside it', async () => {
    const peer = await bed.openPeer();
    const other = Buffer.from('generated');
    const stream: BedStream = await bed.openStream(
      receiverThat((packet) => {
        packet[0] = 'X'.charCodeAt(0);
        stream.sockets.sendRtp('callee', other, peer);
        stream.sockets.sendRtp('callee', packet, peer);
        stream.sockets.sendRtp('callee', packet.subarray(1), peer);
      }),
    );
    await peer.send('packet', stream.legs.caller.rtpPort);
    drain();
    await waitFor('all', () => peer.received.length === 3);
    expect(peer.texts).toEqual(['generated', 'Xacket', 'acket']);
  });
});

describe('descriptors', () => {
  test('are all closed behind a thread that could not', async () => {
    const memory = newDescriptorMemory();
    const io = openFfiIo(memory);
    if ('type' in io) throw new Error(io.reason);
    const { legs, sockets } = await bed.openStream(receiver);
    await sockets.close();
    expect(await io.open(legs, receiver)).not.toHaveProperty('type');
    const noted = notedSockets(memory);
    expect(noted).toHaveLength(4);
    expect(openSockets()).toEqual(expect.arrayContaining(noted));
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    closeLeft(memory);
    vi.restoreAllMocks();
    expect(openSockets().filter((name) => noted.includes(name))).toEqual([]);
    expect(await isUdpFree(legs.caller.rtpPort, '127.0.0.1')).toBe(true);
  });

  test('do not grow in number with streams that come and go', async () => {
    const { legs, sockets } = await bed.openStream(receiver);
    await sockets.close();
    for (let round = 0; round < 50; round++) {
      const opened = await bed.io?.open(legs, receiver);
      if (opened === undefined || 'type' in opened) throw new Error('not opened');
      await opened.close();
    }
    expect(notedSockets(bed.descriptors)).toEqual([]);
    // Two of the thread and four sockets.
    expect(bed.descriptors[0]).toBe(6);
  });

  test('have places that are used again, and an end', () => {
    const memory = newDescriptorMemory();
    const own = new OwnDescriptors(memory);
    const places = [5, 6, 7].map((descriptor) => own.add(descriptor));
    expect(places).toEqual([0, 1, 2]);
    own.delete(1);
    expect(own.add(8)).toBe(1);
    const closed: number[] = [];
    closeLeft(memory, (descriptor) => closed.push(descriptor));
    closeLeft(memory, (descriptor) => closed.push(descriptor));
    expect(closed).toEqual([5, 8, 7]);
    while (own.add(9) !== undefined);
    expect(own.add(9)).toBeUndefined();
  });
});

test('a waiting thread is woken, once for any number of times', () => {
  wake(newDescriptorMemory());
  wake(bed.descriptors);
  wake(bed.descriptors);
  expect(bed.io?.wait(60_000)).toBe(true);
  expect(bed.io?.wait(0)).toBe(false);
});

describe('where it cannot be had it says why:', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('another system', () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
    expect(openFfiIo()).toEqual({ type: 'unavailable', reason: 'not on darwin' });
  });

  test('a Node without node:ffi', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    expect(openFfiIo()).toEqual({
      type: 'unavailable',
      reason: `Node ${process.version} has no node:ffi`,
    });
  });

  test.each([
    ['read', 'read: '],
    ['write', 'write: '],
    ['recvmsg', 'recvmsg: '],
    ['sendmsg', 'sendmsg: '],
    ['socket', 'socket: '],
    ['epoll_create1', ''],
    ['epoll_ctl', ''],
    ['eventfd', ''],
  ])('a sandbox that refuses %s', (refused, prefix) => {
    const ffi = process.getBuiltinModule('node:ffi');
    const close = new ffi.DynamicLibrary(null).getFunction('close', CLOSE);
    // A failed call of another kind, with its number behind it.
    const refuse = (): number => close(-1);
    class Sandbox {
      readonly library = new ffi.DynamicLibrary(null);

      getFunction(name: string, signature: FunctionSignature): unknown {
        return name === refused ? refuse : this.library.getFunction(name, signature);
      }
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...ffi, DynamicLibrary: Sandbox });
    expect(openFfiIo()).toEqual({ type: 'unavailable', reason: `${prefix}EBADF` });
  });

  test('a C library without one of the functions', () => {
    const ffi = process.getBuiltinModule('node:ffi');
    const DynamicLibrary = class {
      getFunction(name: string): never {
        throw new Error(`no ${name}`);
      }
    };
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...ffi, DynamicLibrary });
    expect(openFfiIo()).toEqual({ type: 'unavailable', reason: 'no __errno_location' });
  });
});
