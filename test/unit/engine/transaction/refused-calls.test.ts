import { afterEach, describe, expect, test } from 'vitest';
import { CallGate } from '../../../../src/engine/transaction/call-gate.ts';
import { RefusedCalls } from '../../../../src/engine/transaction/refused-calls.ts';
import { Bench, closeAll, statusLine, tcpPeer, udpPeer } from './layer-bench.ts';
import { requestText, sampleRequest } from './sample-messages.ts';

afterEach(closeAll);

function closedGate(): CallGate {
  const gate = new CallGate();
  gate.set({ callsPerSecond: 0, lateMs: undefined }, 0);
  return gate;
}

function invite(index: number, shape: { toTag?: string } = {}): string {
  return requestText({
    method: 'INVITE',
    callId: `c${index}`,
    branch: `z9hG4bK${index}`,
    ...shape,
  });
}

/** The value of a header field in a message. */
function field(text: string, name: string): string {
  return new RegExp(`^${name}: (.*)\\r$`, 'm').exec(text)?.[1] ?? '';
}

function ackTo(answer: string, request: string): string {
  return request
    .replace(/^INVITE /, 'ACK ')
    .replace(/^To: .*$/m, `To: ${field(answer, 'To')}`)
    .replace(' INVITE\r\n', ' ACK\r\n');
}

describe('a new call that is one too many', () => {
  test('gets 503 with Retry-After, its repeat the same again, and stands in the report once', async () => {
    const bench = await Bench.open('udp', { callGate: closedGate() });
    const peer = await udpPeer();
    peer.send(invite(1), bench.port);
    const first = await peer.inbox.take();
    peer.send(invite(1), bench.port);
    const second = await peer.inbox.take();

    expect(statusLine(first)).toBe('SIP/2.0 503 Service Unavailable');
    expect(field(first, 'Retry-After')).toBe('10');
    expect(field(first, 'To')).toContain(';tag=');
    expect(second).toBe(first);
    const report = bench.layer.takeRefusedCalls();
    expect(report).toMatchObject([
      {
        uri: expect.stringContaining('sip:'),
        source: { address: '127.0.0.1', port: peer.port, protocol: 'udp' },
      },
    ]);
    expect(report[0]?.headers).toContainEqual({ name: 'Call-ID', value: 'c1' });
    expect(bench.layer.takeRefusedCalls()).toEqual([]);
    expect(bench.events.size).toBe(0);
  });

  test('is over with its ACK: neither that nor a late repeat reaches anybody', async () => {
    const bench = await Bench.open('udp', { callGate: closedGate() });
    const peer = await udpPeer();
    peer.send(invite(1), bench.port);
    const answer = await peer.inbox.take();
    peer.send(ackTo(answer, invite(1)), bench.port);
    peer.send(invite(1), bench.port);
    peer.send(requestText({ method: 'OPTIONS', branch: 'z9hG4bKlast' }), bench.port);
    const { request } = await bench.takeRequest();

    expect(request.method).toBe('OPTIONS');
    expect(bench.events.size).toBe(0);
    expect(peer.inbox.size).toBe(0);
    expect(bench.layer.takeRefusedCalls()).toHaveLength(1);
  });

  test('is told so over a stream as well', async () => {
    const bench = await Bench.open('tcp', { callGate: closedGate() });
    const peer = await tcpPeer(bench.port);
    peer.socket.write(invite(1).replace('SIP/2.0/UDP', 'SIP/2.0/TCP'));
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 503 Service Unavailable');
  });
});

test.each([
  ['inside a dialog', invite(1, { toTag: 'x' })],
  [
    'that replaces a leg',
    invite(1).replace('\r\nTo:', '\r\nReplaces: a;from-tag=b;to-tag=c\r\nTo:'),
  ],
  ['of another method', requestText({ method: 'OPTIONS', branch: 'z9hG4bK1' })],
])('a request %s passes', async (_, text) => {
  const bench = await Bench.open('udp', { callGate: closedGate() });
  const peer = await udpPeer();
  peer.send(text, bench.port);
  await bench.takeRequest();
  expect(bench.layer.takeRefusedCalls()).toEqual([]);
});

describe('what is kept of refusals', () => {
  const flow = {
    protocol: 'udp',
    localAddress: '127.0.0.1',
    localPort: 1,
    remoteAddress: '127.0.0.2',
    remotePort: 2,
  } as const;
  const refusal = { bytes: Buffer.from('503'), flow, target: { address: '127.0.0.2', port: 2 } };

  function refuse(calls: RefusedCalls, index: number, monotonicMs: number): void {
    calls.add(`key${index}`, sampleRequest({ method: 'INVITE' }), refusal, {
      monotonicMs,
      wallMs: 0,
    });
  }

  test('lasts for 64*T1 without an ACK and for T4 after it', () => {
    const calls = new RefusedCalls({ t1Ms: 500, t4Ms: 5000 });
    refuse(calls, 1, 0);
    refuse(calls, 2, 0);
    expect(calls.acknowledge('key1', 100)).toBe(true);
    expect(calls.acknowledge('key1', 200)).toBe(true);
    expect(calls.acknowledge('key9', 200)).toBe(false);
    expect(calls.find('key1')?.refusal).toBeUndefined();
    expect(calls.find('key2')?.refusal).toBe(refusal);
    expect(calls.acknowledge('key1', 5100)).toBe(false);
    refuse(calls, 3, 31_999);
    expect(calls.size).toBe(2);
    refuse(calls, 4, 32_000);
    expect(calls.find('key2')).toBeUndefined();
    expect(calls.size).toBe(2);
  });

  test('is bounded, as is what is reported at once', () => {
    const calls = new RefusedCalls({ t1Ms: 500, t4Ms: 5000 });
    for (let index = 0; index < 20_005; index += 1) refuse(calls, index, 0);
    expect(calls.size).toBe(20_000);
    expect(calls.find('key0')).toBeUndefined();
    expect(calls.hasRoom).toBe(false);
    calls.takeReport();
    expect(calls.hasRoom).toBe(true);
  });
});
