/** A relay thread dies: its streams go on in another one, on the same ports, and nothing happens twice. */
import type { Socket } from 'node:dgram';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RelayPoolOptions } from '../../../src/media/relay-pool.ts';
import { receivedEvents, type ReceivedEvent } from '../../support/rtp-analysis.ts';
import { sleep, waitFor } from '../../support/wait-for.ts';
import { at, type BedCall, holdPort, MediaBed, IOS } from './media-bed.ts';
import { audioPacket, eventPacket } from './media-samples.ts';

let bed = new MediaBed();
let workers: Worker[] = [];
let errors: (readonly [Error | undefined, number])[] = [];

/** A command no thread knows: what a bug in it would do. */
function crash(index = workers.length - 1): void {
  at(workers, index).postMessage(null, []);
}

/** Waits until a thread has taken over: only a living one reads counters anew. */
async function restarted({ pool, stream }: BedCall, restarts = 1): Promise<void> {
  await waitFor('the death', () => pool.workerRestarts === restarts);
  const old = await stream.counters();
  while ((await stream.counters()) === old) await sleep(5);
}

/** Sends audio both ways until it crosses. */
async function crossesBothWays({ caller, callee }: BedCall): Promise<void> {
  const [atCaller, atCallee] = [caller.received.length, callee.received.length];
  let sequenceNumber = 1000;
  await waitFor('audio both ways', () => {
    sequenceNumber += 1;
    caller.sendRaw(audioPacket({ sequenceNumber }));
    callee.sendRaw(audioPacket({ sequenceNumber, ssrc: 0x2222 }));
    return caller.received.length > atCaller && callee.received.length > atCallee;
  });
}

function isWhole({ reports }: ReceivedEvent): boolean {
  return reports.some(({ isEnd }) => isEnd);
}

function names(events: readonly ReceivedEvent[]): string[] {
  return events.map(({ digit }) => digit);
}

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
    workers = [];
    errors = [];
  });

  afterEach(() => bed.close());

  const WORKER = new URL('../../../src/media/relay.worker.ts', import.meta.url);

  const options: RelayPoolOptions = {
    onWorkerLost: (error, streams) => errors.push([error, streams]),
    startWorker: (workerData) => {
      const worker = new Worker(WORKER, { workerData });
      workers.push(worker);
      return worker;
    },
  };

  test('RTP flows again both ways on the same ports, ports and counters stay', async () => {
    const call = await bed.openCall(options);
    await crossesBothWays(call);
    const before = await call.stream.counters();
    crash();
    await restarted(call);
    await crossesBothWays(call);

    const counters = await call.stream.close();
    expect(counters.caller.receivedPackets).toBeGreaterThan(before.caller.receivedPackets);
    expect(bed.listener.lostFor).toEqual([]);
    expect(call.pool.workerRestarts).toBe(1);
    expect(errors).toMatchObject([[{ name: 'TypeError' }, 1]]);
    expect(call.pool.portsFree['core']).toBe(8);
  });

  test('a source that was learnt is not learnt again: strangers stay strangers', async () => {
    const call = await bed.openCall(options, ({ legs, events }) => {
      const remote = { address: '127.0.0.1', rtpPort: 9, rtcpPort: 10 };
      return {
        events,
        legs: { ...legs, caller: { ...legs.caller, mediaSource: 'learn-once', remote } },
      };
    });
    const { caller, callee, stream } = call;
    const isLearnt = async (): Promise<boolean> => (await stream.counters()).caller.isSourceLearnt;
    for (let packet = 0; packet < 10; packet++) caller.sendRaw(audioPacket());
    while (!(await isLearnt())) caller.sendRaw(audioPacket());
    crash();
    await restarted(call);
    while (!(await isLearnt())) callee.sendRaw(audioPacket());
    const { source } = (await stream.counters()).caller;
    expect(source).toBe(`127.0.0.1:${caller.rtpPort}`);
    await crossesBothWays(call);
  });

  test('a key that is held is released once and not reported again', async () => {
    const call = await bed.openCall(options);
    const { caller, stream } = call;
    caller.sendRaw(eventPacket({ timestamp: 4000, durationTicks: 160 }));
    await waitFor('the press', () => bed.listener.pressed.length === 1);
    crash();
    await restarted(call);
    expect(bed.listener.released).toMatchObject([{ side: 'caller', rtpTimestamp: 4000 }]);
    caller.sendRaw(eventPacket({ timestamp: 4000, durationTicks: 320, sequenceNumber: 1 }));
    caller.sendRaw(
      eventPacket({ timestamp: 4000, durationTicks: 480, isEnd: true, sequenceNumber: 2 }),
    );
    // The next key is heard behind them.
    caller.sendRaw(eventPacket({ timestamp: 8000, code: 7, isEnd: true, sequenceNumber: 3 }));
    await waitFor('the next key', () => bed.listener.released.length === 2);
    await stream.close();
    expect(bed.listener.digits).toBe('57');
    expect(bed.listener.released).toHaveLength(2);
  });

  test('of digits that wait the one that sounds is dropped, the others are played', async () => {
    const call = await bed.openCall(options);
    const { callee, stream } = call;
    for (const [index, digitId] of ['a', 'b', 'c'].entries()) {
      stream.playDigit('callee', { digitId, eventCode: index, durationMs: 200 });
    }
    await waitFor('the first packets', () => callee.received.length > 0);
    crash();
    await restarted(call);
    await waitFor('the others', () => bed.listener.sent.length === 2);
    expect(bed.listener.dropped).toEqual([{ to: 'callee', digitId: 'a', reason: 'relay-restart' }]);
    expect(bed.listener.sent.map(({ digitId }) => digitId)).toEqual(['b', 'c']);
  });

  // Digits of 60 ms and pauses of 60 ms: offsets in every part of a digit and of the pause.
  test.each([35, 95, 140, 195])(
    'whenever the thread dies each digit is heard whole or said to be dropped: %i ms',
    async (offsetMs) => {
      const call = await bed.openCall(options);
      const { callee, stream } = call;
      const codes = [5, 6, 7];
      for (const eventCode of codes) {
        stream.playDigit('callee', { digitId: String(eventCode), eventCode, durationMs: 60 });
      }
      await sleep(offsetMs);
      crash();
      const { sent, dropped } = bed.listener;
      await waitFor('word of every digit', () => sent.length + dropped.length === codes.length);
      const heard = (): ReceivedEvent[] => receivedEvents(callee.received, 101);
      await waitFor('the last digit', () => heard().filter(isWhole).length >= sent.length);
      expect(names(heard().filter(isWhole))).toEqual(sent.map(({ digitId }) => digitId));
      // A digit of which something was heard is not sent again.
      const cut = heard().filter((event) => !isWhole(event));
      expect(names(cut)).toEqual(dropped.map(({ digitId }) => digitId));
      expect(cut.length).toBeLessThan(2);
    },
  );

  test('what was agreed while no thread had the stream is in force behind it', async () => {
    const call = await bed.openCall(options);
    const { pool, stream, caller, callee } = call;
    const { local } = stream;
    crash();
    await waitFor('the death', () => pool.workerRestarts === 1);
    stream.playDigit('caller', { digitId: 'x', eventCode: 3, durationMs: 40 });
    await restarted(call);
    await waitFor('the digit', () => bed.listener.sent.length === 1);
    expect(caller.received.length).toBeGreaterThan(0);
    expect(stream.local).toEqual(local);
    expect(callee.received).toEqual([]);
  });

  test('a stream that is closed meanwhile gives its ports back', async () => {
    const { pool, stream } = await bed.openCall(options);
    crash();
    await waitFor('the death', () => pool.workerRestarts === 1);
    await stream.close();
    expect(pool.portsFree['core']).toBe(8);
    expect(bed.listener.lostFor).toEqual([]);
  });

  test('a stream under which threads die again and again is given up', async () => {
    const call = await bed.openCall(options);
    for (let death = 1; death <= 4; death++) {
      crash();
      await waitFor('the death', () => call.pool.workerRestarts === death);
      if (death < 4) await restarted(call, death);
    }
    await waitFor('the loss', () => bed.listener.lostFor.length > 0);
    expect(bed.listener.lostFor).toEqual(['worker-lost']);
    expect(call.pool.portsFree['core']).toBe(8);
    const { pool, leg } = call;
    await bed.openStream(pool, leg);
  });

  test('a stream whose ports somebody takes meanwhile is given up', async () => {
    const holders: Socket[] = [];
    const call = await bed.openCall({
      ...options,
      onWorkerLost: () =>
        void holdPort(call.stream.local.caller.rtpPort).then((s) => holders.push(s)),
    });
    crash();
    await waitFor('the loss', () => bed.listener.lostFor.length > 0);
    for (const holder of holders) holder.close();
    expect(bed.listener.lostFor).toEqual(['worker-lost']);
    expect(call.pool.portsFree['core']).toBe(8);
  });

  test('the streams of another thread notice nothing', async () => {
    const call = await bed.openCall({ ...options, workers: 2 });
    await bed.openStream(call.pool, call.leg);
    expect(workers).toHaveLength(2);
    // The first stream is on the first thread.
    crash(1);
    await waitFor('the death', () => call.pool.workerRestarts === 1);
    await crossesBothWays(call);
    expect(errors).toMatchObject([[{ name: 'TypeError' }, 1]]);
    expect(bed.listener.lostFor).toEqual([]);
  });
});
