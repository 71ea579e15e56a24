/** What holds for the sockets of a stream, whatever they are made of. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePortRange, isUdpFree } from '../../support/free-ports.ts';
import { sleep, waitFor } from '../../support/wait-for.ts';
import { CopyingReceiver, IoBed } from '../../support/io-bed.ts';
import { holdPort, IOS } from './media-bed.ts';

describe.each(IOS)('io: %s', (io) => {
  let bed: IoBed;
  let receiver: CopyingReceiver;

  beforeEach(() => {
    bed = new IoBed(io);
    receiver = new CopyingReceiver();
  });

  afterEach(() => bed.close());

  /** Resolves when so many datagrams came. */
  const received = (count: number): Promise<unknown> =>
    waitFor(`${count} datagrams`, () => receiver.received.length === count);

  describe.each(['127.0.0.1', '::1'])('on %s', (address) => {
    test('each port hands on what comes with its source', async () => {
      const { legs } = await bed.openStream(receiver, address);
      const peer = await bed.openPeer(address);
      const ports = [legs.caller, legs.callee].flatMap((leg) => [leg.rtpPort, leg.rtcpPort]);
      for (const port of ports) await peer.send(`to ${port}`, port);
      await received(4);
      const source = { address, port: peer.port };
      expect(
        receiver.received
          .map(({ side, kind, bytes }) => `${side} ${kind} ${bytes.toString()}`)
          .toSorted(),
      ).toEqual([
        `callee rtcp to ${legs.callee.rtcpPort}`,
        `callee rtp to ${legs.callee.rtpPort}`,
        `caller rtcp to ${legs.caller.rtcpPort}`,
        `caller rtp to ${legs.caller.rtpPort}`,
      ]);
      expect(receiver.received.map((datagram) => datagram.source)).toEqual([
        source,
        source,
        source,
        source,
      ]);
    });

    test('packets reach their destinations, each its own', async () => {
      const { sockets } = await bed.openStream(receiver, address);
      const [a, b] = [await bed.openPeer(address), await bed.openPeer(address)];
      const taken: boolean[] = [];
      sockets.sendRtp('caller', Buffer.from('1'), a);
      sockets.sendRtcp('caller', Buffer.from('2'), b);
      sockets.sendRtp('callee', Buffer.from('3'), b);
      sockets.sendRtpReported('caller', Buffer.from('4'), b, (isTaken) => taken.push(isTaken));
      sockets.sendRtp('caller', Buffer.from('5'), a);
      await waitFor('all', () => a.received.length === 2 && b.received.length === 3);
      await waitFor('the report', () => taken.length === 1);
      expect(a.texts).toEqual(['1', '5']);
      expect(b.texts).toEqual(['2', '3', '4']);
      expect(taken).toEqual([true]);
    });

    test('a settled leg hears its peer alone, an open one everybody', async () => {
      const { sockets, legs } = await bed.openStream(receiver, address);
      const [peer, stranger] = [await bed.openPeer(address), await bed.openPeer(address)];
      const { rtpPort } = legs.caller;
      sockets.settle('caller', peer);
      await peer.send('heard', rtpPort);
      await received(1);
      await stranger.send('unheard', rtpPort);
      await peer.send('heard again', rtpPort);
      await received(2);
      sockets.sendRtp('caller', Buffer.from('answer'), peer);
      await waitFor('the answer', () => peer.received.length === 1);
      sockets.settle('caller', undefined);
      await stranger.send('heard too', rtpPort);
      await received(3);
      expect(receiver.texts).toEqual(['heard', 'heard again', 'heard too']);
      expect(receiver.received[2]?.source.port).toBe(stranger.port);
    });

    test('a settled leg moves to another peer', async () => {
      const { sockets, legs } = await bed.openStream(receiver, address);
      const [peer, next] = [await bed.openPeer(address), await bed.openPeer(address)];
      sockets.settle('callee', peer);
      sockets.settle('callee', next);
      await next.send('hello', legs.callee.rtpPort);
      await received(1);
      sockets.sendRtp('callee', Buffer.from('hello back'), next);
      await waitFor('the answer', () => next.received.length === 1);
      expect(receiver.received[0]?.source.port).toBe(next.port);
    });
  });

  test('datagrams of any length pass as they are', async () => {
    const { sockets, legs } = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    const lengths = [0, 1, 12, 172, 1500, 2047, 2048, 2049, 65_507];
    for (const isSettled of [false, true]) {
      receiver.received.length = 0;
      peer.received.length = 0;
      if (isSettled) sockets.settle('caller', peer);
      for (const [index, length] of lengths.entries()) {
        const bytes = Buffer.alloc(length, index + 1);
        await peer.send(bytes, legs.caller.rtpPort);
        await received(index + 1);
        expect(receiver.received[index]?.bytes).toEqual(bytes);
        sockets.sendRtp('caller', bytes, peer);
        await waitFor('it', () => peer.received.length === index + 1);
        expect(peer.received[index]).toEqual(bytes);
      }
    }
  });

  test('strangers whose packets wait while a leg is settled are not taken for the peer', async () => {
    const { sockets, legs } = await bed.openStream(receiver);
    const [peer, stranger] = [await bed.openPeer(), await bed.openPeer()];
    const { rtpPort } = legs.caller;
    // Nothing is read before this turn ends.
    const waiting = [1, 2, 3].map((index) => stranger.send(`stranger ${index}`, rtpPort));
    sockets.settle('caller', peer);
    await Promise.all(waiting);
    await peer.send('peer', rtpPort);
    await peer.send('peer', rtpPort);
    await waitFor('the peer', () => receiver.texts.filter((text) => text === 'peer').length === 2);
    for (const { bytes, source } of receiver.received) {
      expect(source.port).toBe(bytes.toString() === 'peer' ? peer.port : stranger.port);
    }
  });

  test('the news that a packet found nobody costs no other packet', async () => {
    const { sockets } = await bed.openStream(receiver);
    const away = await bed.openPeer();
    const { port } = away;
    bed.closePeer(away);
    sockets.settle('caller', { address: '127.0.0.1', port });
    sockets.sendRtp('caller', Buffer.from('before it listens'), { address: '127.0.0.1', port });
    const peer = await bed.openPeer('127.0.0.1', port);
    const taken: boolean[] = [];
    sockets.sendRtpReported('caller', Buffer.from('reported'), peer, (it) => taken.push(it));
    sockets.sendRtp('caller', Buffer.from('not reported'), peer);
    await waitFor('both', () => peer.received.length === 2 && taken.length === 1);
    expect(peer.texts).toEqual(['reported', 'not reported']);
    expect(taken).toEqual([true]);
    expect(receiver.refused).toEqual([]);
  });

  test('a packet that cannot be sent is refused and stops nothing', async () => {
    const { sockets } = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    const taken: boolean[] = [];
    const report = (isTaken: boolean): unknown => taken.push(isTaken);
    sockets.sendRtpReported('caller', Buffer.alloc(70_000), peer, report);
    sockets.sendRtpReported('caller', Buffer.from('x'), { address: '::1', port: 9 }, report);
    sockets.sendRtpReported('caller', Buffer.from('last'), peer, report);
    await waitFor('the last one', () => peer.received.length === 1 && taken.length === 3);
    expect(taken.filter(Boolean)).toEqual([true]);
  });

  test('a leg on all addresses of the machine is not settled: its peers may know any of them', async () => {
    const { sockets, legs } = await bed.openStream(receiver, '0.0.0.0');
    const [peer, other] = [await bed.openPeer(), await bed.openPeer()];
    sockets.settle('caller', peer);
    await other.send('hello', legs.caller.rtpPort);
    await received(1);
    expect(receiver.texts).toEqual(['hello']);
  });

  test('a port that another program holds fails as taken, and the others are free again', async () => {
    const { first } = await freePortRange(4);
    const address = '127.0.0.1';
    const holder = await holdPort(first + 3);
    const caller = { address, rtpPort: first, rtcpPort: first + 1 };
    const callee = { address, rtpPort: first + 2, rtcpPort: first + 3 };
    expect(await bed.openSockets({ caller, callee }, receiver)).toEqual({
      type: 'bindFailure',
      side: 'callee',
      reason: 'port-taken',
    });
    holder.close();
    for (let port = first; port < first + 3; port += 1) {
      while (!(await isUdpFree(port, address))) await sleep(4);
    }
  });

  test.each([
    ['192.0.2.1', 4000],
    ['2001:db8::1', 4000],
    ['fe80::1%nothing', 4000],
  ])('an address this host does not have fails as unavailable: %s', async (address, rtpPort) => {
    const leg = { address, rtpPort, rtcpPort: rtpPort + 1 };
    const { first } = await freePortRange(2);
    const caller = { address: '127.0.0.1', rtpPort: first, rtcpPort: first + 1 };
    expect(await bed.openSockets({ caller, callee: leg }, receiver)).toEqual({
      type: 'bindFailure',
      side: 'callee',
      reason: 'address-unavailable',
    });
  });

  test('an IPv6 leg leaves the IPv4 port of the same number alone', async () => {
    const stream = await bed.openStream(receiver, '::');
    const { rtpPort } = stream.legs.caller;
    const holder = await holdPort(rtpPort);
    expect(holder.address().port).toBe(rtpPort);
    holder.close();
  });

  test('closed sockets hand on nothing, and their ports are free', async () => {
    const stream = await bed.openStream(receiver);
    const peer = await bed.openPeer();
    const { rtpPort } = stream.legs.caller;
    const sent = peer.send('too late', rtpPort);
    bed.forget(stream);
    const closed = stream.sockets.close();
    await Promise.all([sent, closed]);
    const { length } = receiver.received;
    while (!(await isUdpFree(rtpPort, '127.0.0.1'))) await sleep(4);
    expect(receiver.received).toHaveLength(length);
    const again = await bed.openStream(receiver);
    await peer.send('hello', again.legs.caller.rtpPort);
    await waitFor('the packet', () => receiver.texts.includes('hello'));
  });
});
