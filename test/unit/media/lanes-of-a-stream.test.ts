/** When audio takes the short way, when it no longer does, and who never does. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CALLEE, CALLER, HOST, HostedBed, STRANGER } from './hosted-bed.ts';

const MOVED = { remote: { address: HOST, rtpPort: 4002, rtcpPort: 4003 } };
const OPENED = ['lane from caller', 'lane from callee'];
const CLOSED = ['no lane from caller', 'no lane from callee'];

let bed: HostedBed;

beforeEach(() => {
  vi.useFakeTimers();
  bed = new HostedBed();
});

afterEach(() => {
  bed.host.stop();
  vi.useRealTimers();
});

/** Both peers talk, `packets` each. */
function bothTalk(packets: number, caller = CALLER): void {
  for (let packet = 0; packet < packets; packet += 1) {
    bed.talk('caller', caller, 1);
    bed.talk('callee', CALLEE, 1);
  }
}

/** Each peer has its own numbers. */
async function openTalking(): Promise<void> {
  await bed.open();
  bothTalk(60);
  expect(bed.takeLanes().slice(-2)).toEqual(OPENED);
}

test('audio of two settled peers that goes on as it did takes it', async () => {
  await openTalking();
  bothTalk(200);
  expect(bed.takeLanes()).toEqual([]);
});

test('audio that nobody answers does not: its receiver may be anywhere', async () => {
  await bed.open();
  bed.talk('caller', CALLER, 200);
  expect(bed.takeLanes()).not.toContain('lane from caller');
});

describe('a peer behind NAT that was learnt', () => {
  beforeEach(async () => {
    await bed.open({ mediaSource: 'learn-once' });
    bothTalk(60, STRANGER);
  });

  test('takes it, both ways', () => {
    const told = bed.sockets.told.splice(0);
    expect(told.filter((line) => line.startsWith('lane'))).toEqual(OPENED);
    bothTalk(100, STRANGER);
    expect(bed.takeLanes()).toEqual([]);
  });

  test('leaves it when packets come from the address in its SDP: from then on audio goes there', () => {
    bed.sockets.told.splice(0);
    bed.receive('caller', CALLER);
    expect(bed.takeLanes()).toEqual([...CLOSED, 'caller settled with 4000']);
    bed.receive('callee', CALLEE);
    expect(bed.sockets.told).toEqual(['audio to caller at 4000']);
  });

  test('leaves it for any other packet, and goes on', () => {
    bed.sockets.told.splice(0);
    bed.receive('caller', { address: HOST, port: 7000 });
    expect(bed.takeLanes()).toEqual(CLOSED);
    bothTalk(10, STRANGER);
    expect(bed.takeLanes()).toEqual(expect.arrayContaining(OPENED));
  });
});

test('all that is counted is there when it is asked for, and lanes stay open', async () => {
  await openTalking();
  const before = await bed.counters();
  bothTalk(10);
  const { caller, callee } = await bed.counters();
  expect(caller.receivedPackets).toBe(before.caller.receivedPackets + 10);
  expect(callee.sentPackets).toBe(before.callee.sentPackets + 10);
  expect(callee.receivedBytes).toBe(before.callee.receivedBytes + 1720);
  expect(caller).toMatchObject({ lostPackets: 0, quietMs: 40 });
  expect(bed.takeLanes()).toEqual([]);
});

describe('it is left', () => {
  beforeEach(openTalking);

  test('before anything else is agreed upon, and taken again behind it', async () => {
    await bed.update({});
    expect(bed.takeLanes()).toEqual(CLOSED);
    bothTalk(60);
    expect(bed.takeLanes()).toEqual(OPENED);
  });

  test('before a peer moves: where it was is a stranger then', async () => {
    await bed.update(MOVED);
    expect(bed.takeLanes()).toEqual([...CLOSED, 'caller open']);
    bed.receive('caller', CALLER);
    expect(bed.sockets.told).toEqual([]);
    expect((await bed.counters()).caller.dropped['unknown-source']).toBe(1);
  });

  test('before a digit is put in', async () => {
    const digit = { digitId: 'one', eventCode: 5, durationMs: 100 };
    await bed.host.receive({ type: 'playDigit', streamKey: 1, to: 'callee', digit });
    expect(bed.takeLanes()).toEqual(CLOSED);
  });

  test('by a packet that is not the next one, for that direction alone', () => {
    bed.skip('caller', 3);
    bed.receive('caller', CALLER);
    expect(bed.takeLanes()).toEqual(['no lane from caller']);
  });

  test('for a few packets only where one is lost', () => {
    bed.skip('caller', 1);
    bed.talk('caller', CALLER, 10);
    expect(bed.takeLanes()).toEqual(['no lane from caller', 'lane from caller']);
  });

  test('once a peer has been quiet for two seconds', () => {
    bed.talk('callee', CALLEE, 200);
    expect(bed.takeLanes()).toEqual(['caller open', ...CLOSED]);
  });

  test('when the stream closes', async () => {
    await bed.host.receive({ type: 'closeStream', streamKey: 1 });
    expect(bed.takeLanes()).toEqual(CLOSED);
  });
});

test('what waits when the stream closes is counted, and takes it no more', async () => {
  await openTalking();
  bed.sockets.takeWaitingNow = () => {
    for (let packet = 0; packet < 20; packet += 1) {
      bed.receive('caller', CALLER);
      bed.receive('callee', CALLEE);
    }
  };
  await bed.host.receive({ type: 'closeStream', streamKey: 1 });
  const counters = bed.events.find((event) => event.type === 'closed')?.counters;
  expect(counters?.caller).toMatchObject({ receivedPackets: 80, sentPackets: 80 });
  expect(counters?.callee).toMatchObject({ receivedPackets: 80, sentPackets: 80 });
  expect(bed.takeLanes().slice(-2)).toEqual(CLOSED);
});

test('a stranger does not get in by it', async () => {
  await openTalking();
  bed.receive('caller', STRANGER);
  expect(bed.sockets.told).toEqual(['no lane from caller']);
  const { caller } = await bed.counters();
  expect(caller.lastStranger).toBe(`${HOST}:${STRANGER.port}`);
});
