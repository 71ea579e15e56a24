import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FlowRequest } from '../../../src/media/kernel/flow-book.ts';
import { HostedFlows } from '../../../src/media/kernel/hosted-flows.ts';
import type { FlowOwner } from '../../../src/media/kernel/kernel-path.ts';
import { type FlowEvent, PoolFlows } from '../../../src/media/kernel/pool-flows.ts';
import { type FlowRelay, StreamFlows } from '../../../src/media/kernel/stream-flows.ts';
import type { RelayCommand } from '../../../src/media/relay-protocol.ts';
import { waitFor } from '../../support/wait-for.ts';
import { sampleLeg, sampleUpdate } from './media-samples.ts';

const FLOW = {
  source: { address: '192.0.2.9', port: 4000 },
  destination: { address: '203.0.113.5', port: 5000 },
  head: 0x8000,
  ssrc: 1,
};

const BOUND = {
  caller: { address: '192.0.2.1', rtpPort: 20_000, rtcpPort: 20_001 },
  callee: { address: '198.51.100.1', rtpPort: 30_000, rtcpPort: 30_001 },
};

const STEADY: FlowEvent = { type: 'flowSteady', streamKey: 1, side: 'caller', flow: FLOW };
const BROKEN: FlowEvent = { type: 'flowBroken', streamKey: 1, side: 'caller' };
const NOT_CARRIED = { type: 'flowCarried', streamKey: 1, side: 'caller', isCarried: false };

class FakeKernel {
  isUp = true;
  readonly wanted: { request: FlowRequest; owner: FlowOwner }[] = [];
  readonly released: number[] = [];

  carry(request: FlowRequest, owner: FlowOwner): number | undefined {
    if (!this.isUp) return undefined;
    this.wanted.push({ request, owner });
    return this.wanted.length;
  }

  release(id: number): void {
    this.released.push(id);
  }
}

function bed(): {
  kernel: FakeKernel;
  flows: PoolFlows;
  posted: RelayCommand[];
  readonly say: (event: FlowEvent) => void;
} {
  const kernel = new FakeKernel();
  const flows = new PoolFlows(kernel);
  flows.opened(1, BOUND);
  const posted: RelayCommand[] = [];
  const say = (event: FlowEvent): void => flows.receive(event, (command) => posted.push(command));
  return { kernel, flows, posted, say };
}

describe('between the threads and the kernel', () => {
  test('a steady direction is wanted between our own ends, and its counts come back', () => {
    const { kernel, posted, say } = bed();
    say(STEADY);
    const [wanted] = kernel.wanted;
    expect(wanted?.request).toEqual({
      ...FLOW,
      receiver: { address: '192.0.2.1', port: 20_000 },
      sender: { address: '198.51.100.1', port: 30_000 },
    });
    wanted?.owner.carried();
    const reading = { packets: 50, bytes: 8600, askedAtMs: 1230, atMs: 1234 };
    wanted?.owner.counted(reading);
    const stream = { streamKey: 1, side: 'caller' };
    expect(posted).toEqual([
      { ...NOT_CARRIED, isCarried: true },
      { type: 'flowCounted', ...stream, ...reading },
    ]);
  });

  test('a broken one is said to be back when the kernel has given it up', () => {
    const { kernel, posted, say } = bed();
    say(STEADY);
    say(BROKEN);
    expect(kernel.released).toEqual([1]);
    expect(posted).toEqual([]);
    kernel.wanted[0]?.owner.gone(true);
    expect(posted).toEqual([NOT_CARRIED]);
    say(BROKEN);
    expect(posted).toEqual([NOT_CARRIED, NOT_CARRIED]);
  });

  test('one whose last count is missing is said to be back without it', () => {
    const { kernel, posted, say } = bed();
    say(STEADY);
    kernel.wanted[0]?.owner.gone(false);
    const uncounted = { type: 'flowUncounted', streamKey: 1, side: 'caller' };
    expect(posted).toEqual([uncounted, NOT_CARRIED]);
  });

  test.each<[string, (made: ReturnType<typeof bed>) => void]>([
    ['the kernel is down', ({ kernel }) => (kernel.isUp = false)],
    ['the stream is gone', ({ flows }) => flows.closed(1)],
    ['one before it is still there', ({ say }) => say(STEADY)],
  ])('it is refused when %s', (_name, arrange) => {
    const made = bed();
    arrange(made);
    made.say(STEADY);
    expect(made.posted).toEqual([NOT_CARRIED]);
  });

  test('IPv6 stays with the thread', () => {
    const { kernel, posted, say } = bed();
    say({ ...STEADY, flow: { ...FLOW, source: { address: '2001:db8::9', port: 4000 } } });
    expect(kernel.wanted).toEqual([]);
    expect(posted).toEqual([NOT_CARRIED]);
  });

  test('a thread that dies takes its flows with it', () => {
    const { kernel, flows, say } = bed();
    say(STEADY);
    say({ ...STEADY, side: 'callee' });
    flows.ended(1);
    expect(kernel.released).toEqual([1, 2]);
  });
});

/** A relay whose caller is steady. */
function steadyRelay(): FlowRelay & { received: number } {
  return {
    received: 0,
    translatesDigits: false,
    steadyFlow: (side) => (side === 'caller' ? FLOW : undefined),
    isPressed: () => false,
    receivedPackets(side) {
      return side === 'caller' ? this.received : 0;
    },
    beginAway: () => undefined,
    countAway: () => undefined,
    missAway: () => undefined,
    endAway: () => undefined,
  };
}

/** A stream whose caller is away with the kernel. */
function away(): {
  relay: ReturnType<typeof steadyRelay>;
  hosted: HostedFlows;
  ran: string[];
  /** Digits. */
  dropped: string[];
  readonly take: (command: RelayCommand) => boolean;
} {
  const relay = steadyRelay();
  const dropped: string[] = [];
  const flows = new StreamFlows(relay, 'every', () => undefined);
  const hosted = new HostedFlows(flows, relay, ({ digitId, reason }) => {
    dropped.push(`${digitId} ${reason}`);
  });
  for (const nowMs of [1000, 2000]) {
    relay.received += 50;
    hosted.look(nowMs);
  }
  const ran: string[] = [];
  const take = (command: RelayCommand): boolean =>
    hosted.takes(command, () => ran.push(command.type));
  return { relay, hosted, ran, dropped, take };
}

describe('a command', () => {
  const READ = { type: 'readCounters', streamKey: 1, requestId: 1 } as const;
  const CLOSE = { type: 'closeStream', streamKey: 1 } as const;
  const UPDATE: RelayCommand = {
    type: 'updateStream',
    streamKey: 1,
    update: sampleUpdate(sampleLeg(4000), sampleLeg(5000)),
  };
  const PLAY = {
    type: 'playDigit',
    streamKey: 1,
    to: 'callee',
    digit: { digitId: 'd', eventCode: 1, durationMs: 100 },
  } as const;
  const BACK: RelayCommand = {
    type: 'flowCarried',
    streamKey: 1,
    side: 'caller',
    isCarried: false,
  };

  test('that changes nothing goes on at once', () => {
    const { take } = away();
    expect(take(READ)).toBe(false);
    expect(take({ ...PLAY, to: 'caller' })).toBe(false);
  });

  test('that changes the stream waits until the kernel has given it up', () => {
    const { ran, take } = away();
    expect(take(UPDATE)).toBe(true);
    expect(ran).toEqual([]);
    expect(take(BACK)).toBe(true);
    expect(ran).toEqual(['updateStream']);
  });

  test('that closes waits for the next packet as well, which tells what was lost', () => {
    const { relay, hosted, ran, take } = away();
    expect(take(CLOSE)).toBe(true);
    expect(take(BACK)).toBe(true);
    expect(ran).toEqual([]);
    relay.received += 1;
    hosted.received();
    expect(ran).toEqual(['closeStream']);
  });

  test('that plays a digit waits for the next packet as well; others wait behind it', () => {
    const { relay, hosted, ran, take } = away();
    expect(take(PLAY)).toBe(true);
    expect(take(CLOSE)).toBe(true);
    take(BACK);
    expect(ran).toEqual([]);
    relay.received += 1;
    hosted.received();
    expect(ran).toEqual(['playDigit', 'closeStream']);
  });

  test('does not wait for ever for a peer that is silent', async () => {
    const { ran, take } = away();
    take(PLAY);
    take(CLOSE);
    take(BACK);
    await waitFor('both', () => ran.length > 1);
    expect(ran).toEqual(['playDigit', 'closeStream']);
  });

  test('that changes the stream waits for a packet as well where the last count is missing', () => {
    const { relay, hosted, ran, take } = away();
    take(UPDATE);
    take({ type: 'flowUncounted', streamKey: 1, side: 'caller' });
    take(BACK);
    expect(ran).toEqual([]);
    relay.received += 1;
    hosted.received();
    expect(ran).toEqual(['updateStream']);
  });

  test('that plays a digit is dropped where the kernel says nothing; one that closes waits on', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { ran, dropped, take } = away();
    take(PLAY);
    take(CLOSE);
    vi.advanceTimersByTime(2900);
    expect([ran, dropped]).toEqual([[], []]);
    vi.advanceTimersByTime(200);
    expect([ran, dropped]).toEqual([[], ['d media-inactive']]);
    // By then the table has no lease any more.
    vi.advanceTimersByTime(10_000);
    expect(ran).toEqual(['closeStream']);
  });

  test('of a stream that is gone is forgotten', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { hosted, ran, take } = away();
    take(CLOSE);
    hosted.stop();
    vi.advanceTimersByTime(20_000);
    expect(ran).toEqual([]);
  });
});
