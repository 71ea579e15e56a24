import { describe, expect, test } from 'vitest';
import {
  type FlowEvent,
  type FlowRelay,
  StreamFlows,
} from '../../../src/media/kernel/stream-flows.ts';
import type { KernelReach, SteadyFlow } from '../../../src/media/kernel/steady-flow.ts';
import type { Side } from '../../../src/wire/side.ts';

const FLOW: SteadyFlow = {
  source: { address: '192.0.2.9', port: 4000 },
  destination: { address: '203.0.113.5', port: 5000 },
  head: 0x8000,
  ssrc: 1,
};

/** A relay whose caller talks steadily, unless told otherwise; the callee is silent. */
class FakeRelay implements FlowRelay {
  flow: SteadyFlow | undefined = FLOW;
  isDown = false;
  translatesDigits = false;
  received = 0;
  readonly away = new Set<Side>();
  counted = 0;
  readonly missed: Side[] = [];

  steadyFlow(side: Side): SteadyFlow | undefined {
    return side === 'caller' ? this.flow : undefined;
  }

  isPressed(): boolean {
    return this.isDown;
  }

  receivedPackets(side: Side): number {
    return side === 'caller' ? this.received : 0;
  }

  beginAway(side: Side): void {
    this.away.add(side);
  }

  countAway(_side: Side, { packets }: { readonly packets: number }): void {
    this.counted += packets;
  }

  missAway(side: Side): void {
    this.missed.push(side);
  }

  endAway(side: Side): void {
    this.away.delete(side);
  }
}

function bed(reach: KernelReach = 'every'): {
  relay: FakeRelay;
  flows: StreamFlows;
  said: FlowEvent[];
  second: () => void;
} {
  const relay = new FakeRelay();
  const said: FlowEvent[] = [];
  const flows = new StreamFlows(relay, reach, (event) => said.push(event));
  let nowMs = 0;
  const second = (): void => {
    nowMs += 1000;
    relay.received += 50;
    flows.look(nowMs);
  };
  return { relay, flows, said, second };
}

function carriedBed(): ReturnType<typeof bed> {
  const made = bed();
  made.second();
  made.second();
  made.said.length = 0;
  return made;
}

describe('a direction is offered', () => {
  test('when it is steady at two looks', () => {
    const { relay, flows, said, second } = bed();
    second();
    expect(said).toEqual([]);
    second();
    expect(said).toEqual([{ type: 'flowSteady', side: 'caller', flow: FLOW }]);
    expect(flows.isHere('caller')).toBe(false);
    expect(flows.isHere('callee')).toBe(true);
    expect([...relay.away]).toEqual(['caller']);
    second();
    expect(said).toHaveLength(1);
  });

  test('not while it changes, is nearly silent, or a key is down', () => {
    const { relay, said, second } = bed();
    for (let ssrc = 1; ssrc < 5; ssrc++) {
      relay.flow = { ...FLOW, ssrc };
      second();
    }
    relay.isDown = true;
    second();
    relay.isDown = false;
    relay.received -= 45;
    second();
    expect(said).toEqual([]);
  });

  test('where digits are translated only if all streams are wanted', () => {
    for (const reach of ['every', 'untranslated'] as const) {
      const { relay, said, second } = bed(reach);
      relay.translatesDigits = true;
      second();
      second();
      expect(said).toHaveLength(reach === 'every' ? 1 : 0);
    }
  });

  test('again ten seconds after a refusal', () => {
    const { flows, said, second } = carriedBed();
    flows.returned('caller', 2000);
    expect(flows.isHere('caller')).toBe(true);
    for (let count = 0; count < 9; count++) second();
    expect(said).toEqual([]);
    second();
    expect(said.map(({ type }) => type)).toEqual(['flowSteady']);
  });
});

describe('a direction is brought back', () => {
  test.each<[string, Partial<SteadyFlow> | undefined, boolean]>([
    ['a packet of another SSRC', { ssrc: 9 }, true],
    ['another source', { source: { address: '192.0.2.9', port: 4002 } }, true],
    ['another destination', { destination: { address: '203.0.113.6', port: 5000 } }, true],
    ['a digit of ours, or numbers that change', undefined, true],
    ['a packet of comfort noise', { head: 0x800d }, false],
  ])('by %s', (_name, change, isBroken) => {
    const { relay, flows, said } = carriedBed();
    relay.flow = change && { ...FLOW, ...change };
    flows.received();
    expect(said).toEqual(isBroken ? [{ type: 'flowBroken', side: 'caller' }] : []);
  });

  test('by another codec at the next look', () => {
    const { relay, said, second } = carriedBed();
    relay.flow = { ...FLOW, head: 0x8008 };
    second();
    expect(said).toEqual([{ type: 'flowBroken', side: 'caller' }]);
  });

  test('once, and is not here before that is said', () => {
    const { relay, flows, said } = carriedBed();
    flows.bringBack('caller');
    flows.bringBack('caller');
    flows.received();
    expect(said).toHaveLength(1);
    expect(flows.isHere('caller')).toBe(false);
    flows.counted('caller', { packets: 12, bytes: 0, askedAtMs: 1990 }, 2000);
    flows.returned('caller', 2000);
    expect(flows.isHere('caller')).toBe(true);
    expect(relay.counted).toBe(12);
    expect(relay.away.size).toBe(0);
  });

  test('with its last count missing, unless it is here already', () => {
    const { relay, flows } = carriedBed();
    flows.uncounted('caller', 2000);
    flows.returned('caller', 2000);
    flows.uncounted('caller', 2001);
    expect(relay.missed).toEqual(['caller']);
  });
});
