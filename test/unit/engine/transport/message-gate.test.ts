import { describe, expect, test } from 'vitest';
import { MessageGate, NO_RATE_LIMITS } from '../../../../src/engine/transport/message-gate.ts';
import type { PeekedMessage } from '../../../../src/engine/transport/message-peek.ts';
import { requestText } from '../transaction/sample-messages.ts';

const STRANGER = '203.0.113.5';
const AGENT = '192.0.2.1';
const LIMITS = {
  stranger: { perSecond: 10, burst: 5 },
  agent: { perSecond: 100, burst: 50 },
  strangers: { perSecond: 40, burst: 20 },
};
const NEW_CALL = Buffer.from(requestText({ method: 'INVITE', callId: 'new' }));
const BYE = Buffer.from(requestText({ method: 'BYE', callId: 'running', toTag: 'x' }));

function isRunning({ callId }: PeekedMessage): boolean {
  return callId === 'running';
}

function openGate(limits = LIMITS): MessageGate {
  const gate = new MessageGate(limits, isRunning, 0);
  gate.setKnownPeers([AGENT, '198.51.100.0/24', '2001:db8::6']);
  return gate;
}

/** How many of `count` messages at once are worked on, and why the last was dropped. */
function send(
  gate: MessageGate,
  flood: {
    count: number;
    address: string | ((index: number) => string);
    nowMs?: number;
    bytes?: Buffer;
  },
): [passed: number, lastDrop: string | undefined] {
  let passed = 0;
  let last: string | undefined;
  for (let index = 0; index < flood.count; index += 1) {
    const address = typeof flood.address === 'string' ? flood.address : flood.address(index);
    const reason = gate.judge(flood.bytes ?? NEW_CALL, address, flood.nowMs ?? 0);
    if (reason === undefined) passed += 1;
    last = reason ?? last;
  }
  return [passed, last];
}

function ofOneNetwork(index: number): string {
  return `2001:db8:9::${index.toString(16)}`;
}

function agentAndNeighbour(index: number): string {
  return index % 2 === 0 ? '2001:db8::7' : '2001:db8::6';
}

function spoofed(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

describe('one source', () => {
  test.each([
    ['a stranger', STRANGER, 5, 'source-rate'],
    ['a session agent', AGENT, 50, 'agent-rate'],
    ['an address of an allowed network', '198.51.100.77', 50, 'agent-rate'],
    ['an agent of IPv6', '2001:db8::6', 50, 'agent-rate'],
    ['a stranger in the /64 of that agent', '2001:db8::7', 5, 'source-rate'],
    ['an agent as an IPv6 socket names it', `::ffff:${AGENT}`, 50, 'agent-rate'],
  ])('%s has its burst', (_who, address, burst, reason) => {
    expect(send(openGate(), { count: 1000, address })).toEqual([burst, reason]);
  });

  test('goes on at its rate after the burst', () => {
    const gate = openGate();
    send(gate, { count: 1000, address: STRANGER });
    const passed = [100, 200, 300].map(
      (nowMs) => send(gate, { count: 10, address: STRANGER, nowMs })[0],
    );
    expect(passed).toEqual([1, 1, 1]);
  });

  test('a stranger cannot gain by using many addresses of its /64', () => {
    expect(send(openGate(), { count: 500, address: ofOneNetwork })[0]).toBe(5);
  });

  test('of one /64 agent and stranger stay apart in whichever order they come', () => {
    const gate = openGate();
    expect(send(gate, { count: 200, address: agentAndNeighbour })[0]).toBe(55);
  });
});

describe('many sources', () => {
  test('share the bound of all strangers, and a session agent does not notice', () => {
    const gate = openGate();
    expect(send(gate, { count: 60_000, address: spoofed })).toEqual([20, 'strangers-rate']);
    expect(send(gate, { count: 40, address: AGENT })).toEqual([40, undefined]);
  });

  test('a stranger that is over its own rate takes nothing from the others', () => {
    const gate = openGate();
    send(gate, { count: 10_000, address: STRANGER });
    expect(send(gate, { count: 5, address: '203.0.113.6' })).toEqual([5, undefined]);
  });
});

describe('a running call', () => {
  test.each([
    ['a stranger', STRANGER],
    ['a session agent whose address is forged', AGENT],
  ])('of %s gets through while its source is flooded', (_who, address) => {
    const gate = openGate();
    send(gate, { count: 10_000, address });
    expect(send(gate, { count: 20, address, bytes: BYE })).toEqual([20, undefined]);
  });

  test('of a stranger gets through while all strangers are flooded', () => {
    const gate = openGate();
    send(gate, { count: 1000, address: (index) => `10.0.${index >> 8}.${index & 255}` });
    expect(send(gate, { count: 20, address: STRANGER, bytes: BYE })).toEqual([20, undefined]);
  });

  test('takes nothing from the new calls of its source', () => {
    const gate = openGate();
    expect(send(gate, { count: 30, address: STRANGER, bytes: BYE })).toEqual([30, undefined]);
    expect(send(gate, { count: 6, address: STRANGER })).toEqual([5, 'source-rate']);
  });

  test('is itself no way to flood', () => {
    expect(send(openGate(), { count: 10_000, address: STRANGER, bytes: BYE })[0]).toBe(5 + 50);
  });
});

test('agents that are named anew have their rate at once, former ones lose it', () => {
  const gate = openGate();
  send(gate, { count: 100, address: STRANGER });
  gate.setKnownPeers([STRANGER]);
  expect(send(gate, { count: 100, address: STRANGER })[0]).toBe(50);
  expect(send(gate, { count: 100, address: AGENT })[0]).toBe(5);
});

test('without limits everything is worked on', () => {
  expect(send(openGate(NO_RATE_LIMITS), { count: 10_000, address: STRANGER })[0]).toBe(10_000);
});
