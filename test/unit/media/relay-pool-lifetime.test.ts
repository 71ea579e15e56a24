/** How streams, ports and threads of the relay pool begin and end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';
import { at, endsOf, holdPort, HOST, IOS, MediaBed } from './media-bed.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

let bed = new MediaBed();

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
  });

  afterEach(() => bed.close());

  describe('ports', () => {
    test('of a range that a configuration has no more stay with their streams and are counted no more', async () => {
      const { pool, leg } = await bed.openPool();
      const lower = { ...leg, portMax: leg.portMin + 7 };
      const upper = { ...leg, portMin: leg.portMin + 8 };
      pool.serve([lower]);
      const stream = await bed.openStream(pool, lower);
      pool.serve([upper]);
      expect(pool.portsFree).toEqual({ core: 4 });
      // A call that began before may open another stream.
      const late = await bed.openStream(pool, lower);
      expect(pool.portsFree).toEqual({ core: 4 });
      await stream.close();
      await late.close();
      pool.serve([upper]);
      pool.serve([lower]);
      expect(pool.portsFree).toEqual({ core: 4 });
    });

    test('come back when the stream closes, after their rest', async () => {
      const { pool, leg } = await bed.openPool({ quarantineMs: 80 });
      const stream = await bed.openStream(pool, leg);
      expect(pool.portsFree).toEqual({ core: 6 });
      await stream.close();
      expect(pool.portsFree).toEqual({ core: 6 });
      await waitFor('the rest', () => pool.portsFree['core'] === 8);
    });

    test('are really free behind a closed stream', async () => {
      const { pool, leg } = await bed.openPool();
      const narrow = { ...leg, portMax: leg.portMin + 3 };
      for (let round = 0; round < 5; round++) {
        const stream = await bed.openStream(pool, narrow);
        await stream.close();
      }
      expect(pool.portsFree['core']).toBe(2);
    });

    test('run out with the reason no-ports while calls use them, ports-resting behind the calls', async () => {
      const { pool, leg } = await bed.openPool({ quarantineMs: 60_000 });
      const narrow = { ...leg, portMax: leg.portMin + 3 };
      const stream = await bed.openStream(pool, narrow);
      const request = { streamId: 'test', caller: narrow, callee: narrow, listener: bed.listener };
      expect(await pool.openStream(request)).toEqual({ type: 'failure', reason: 'no-ports' });
      await stream.close();
      expect(await pool.openStream(request)).toEqual({ type: 'failure', reason: 'ports-resting' });
    });

    test('another program holds are passed over', async () => {
      const { pool, leg } = await bed.openPool();
      const holder = await holdPort(leg.portMin + 1);
      const streams = await Promise.all([1, 2, 3].map(() => bed.openStream(pool, leg)));
      const used = streams.flatMap(({ local }) => [local.caller.rtpPort, local.callee.rtpPort]);
      expect(used).toHaveLength(new Set(used).size);
      expect(used).not.toContain(leg.portMin);
      holder.close();
    });

    test('that are all held by another program fail with ports-taken', async () => {
      const { pool, leg } = await bed.openPool({ quarantineMs: 60_000 });
      const holder = await holdPort(leg.portMin);
      const narrow = { ...leg, portMax: leg.portMin + 1 };
      const request = { streamId: 'test', caller: leg, callee: narrow, listener: bed.listener };
      expect(await pool.openStream(request)).toEqual({ type: 'failure', reason: 'ports-taken' });
      holder.close();
    });

    test('of an address this host does not have fail with address-unavailable', async () => {
      const { pool, leg } = await bed.openPool();
      const foreign = { ...leg, address: '192.0.2.1' };
      const request = { streamId: 'test', caller: leg, callee: foreign, listener: bed.listener };
      const failure = { type: 'failure', reason: 'address-unavailable' };
      expect(await pool.openStream(request)).toEqual(failure);
    });

    test('are written as the advertised address', async () => {
      const { pool, leg } = await bed.openPool();
      const stream = await bed.openStream(pool, { ...leg, advertised: '203.0.113.7' });
      expect(stream.local.caller.address).toBe('203.0.113.7');
    });
  });

  describe('the end of a stream', () => {
    test('silence is reported once', async () => {
      const { caller } = await bed.openCall({ inactivityTimeoutMs: 60 });
      caller.sendRaw(audioPacket());
      await waitFor('the report', () => bed.listener.quietMs.length > 0);
      expect(bed.listener.quietMs).toHaveLength(1);
      expect(at(bed.listener.quietMs, 0)).toBeGreaterThanOrEqual(60);
    });

    test('close gives the counters, twice the same', async () => {
      const { caller, callee, stream } = await bed.openCall();
      caller.sendRaw(eventPacket({ isEnd: true }));
      await waitFor('the packet', () => callee.received.length === 1);
      const counters = await stream.close();
      expect(counters.caller).toMatchObject({ receivedPackets: 1, eventPackets: 1 });
      expect(counters.callee).toMatchObject({ sentPackets: 1, sentBytes: 16 });
      expect(await stream.close()).toBe(counters);
      expect(await stream.counters()).toBe(counters);
    });

    test('what has arrived before it is counted, and a key in it reported', async () => {
      const { pool, leg } = await bed.openPool();
      const peer = await holdPort(0);
      const { port } = peer.address();
      let whole = 0;
      for (let round = 0; round < 20; round++) {
        const stream = await bed.openStream(pool, leg);
        stream.update(sampleUpdate(sampleLeg(port), sampleLeg(9)));
        await stream.counters();
        const packets = Array.from({ length: 9 }, (_, sequenceNumber) =>
          audioPacket({ sequenceNumber, timestamp: sequenceNumber * 160 }),
        );
        packets.push(eventPacket({ sequenceNumber: 9, timestamp: 1440 }));
        for (const packet of packets) peer.send(packet, stream.local.caller.rtpPort, HOST);
        const { caller } = await stream.close();
        if (caller.receivedPackets === 10) whole += 1;
      }
      // A busy kernel may deliver late; of packets that are left in the sockets three rounds in four are short.
      expect(whole).toBeGreaterThanOrEqual(14);
      expect(bed.listener.digits.length).toBeGreaterThanOrEqual(14);
      peer.close();
    });

    test('a closing pool closes its streams: running events end, nothing is lost', async () => {
      const { pool, stream, callee } = await bed.openCall();
      stream.playDigit('callee', { digitId: 'a', eventCode: 1, durationMs: 5000 });
      await waitFor('the first packets', () => callee.received.length >= 2);
      await pool.close();
      await waitFor('the end', () => endsOf(callee) === 3);
      expect(bed.listener.lostFor).toEqual([]);
    });

    test('realms with the same address and range share the ports', async () => {
      const { pool, leg } = await bed.openPool();
      const request = { streamId: 'test', caller: leg, callee: { ...leg, realm: 'access' } };
      const stream = await pool.openStream({ ...request, listener: bed.listener });
      expect(stream.type).toBe('stream');
      expect(pool.portsFree).toEqual({ core: 6, access: 6 });
    });

    test('a closed pool opens nothing', async () => {
      const { pool, leg } = await bed.openPool();
      await pool.close();
      const request = { streamId: 'test', caller: leg, callee: leg, listener: bed.listener };
      expect(await pool.openStream(request)).toEqual({ type: 'failure', reason: 'worker-lost' });
    });
  });
});
