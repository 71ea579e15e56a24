import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import type { TransactionLayer } from '../../../../src/engine/transaction/transaction-user.ts';
import {
  Bench,
  closeAll,
  closeNow,
  listenClient,
  statusLine,
  tcpPeer,
  udpPeer,
} from './layer-bench.ts';
import { answerText, outgoingRequest, requestText } from './sample-messages.ts';

afterEach(closeAll);

/** Nobody gets more than `burst` messages through while the test runs. */
function bound(burst: number): { perSecond: number; burst: number } {
  return { perSecond: 1e-6, burst };
}

const NONE = { perSecond: 0, burst: 0 };

function options(index: number, shape: { callId?: string; toTag?: string } = {}): string {
  return requestText({
    method: 'OPTIONS',
    callId: `c${index}`,
    branch: `z9hG4bK${index}`,
    ...shape,
  });
}

async function dropsOf(layer: TransactionLayer): Promise<Record<string, number>> {
  const report = layer.admission.takeDropReport();
  return Promise.resolve({ ...report?.counts });
}

function isDialog(callId: string): boolean {
  return callId === 'running';
}

/** A TCP request that is not the `index` others. */
function streamed(index: number, callId: string): string {
  const via = `SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK${index}`;
  return requestText({ method: 'OPTIONS', callId, via });
}

describe('rates', () => {
  test('what is too much from one source is dropped unread and counted', async () => {
    const rates = { stranger: bound(2), agent: NONE, strangers: NONE };
    const bench = await Bench.open('udp', { limits: { rates } });
    const [peer, other] = [await udpPeer(), await udpPeer('127.0.0.2')];
    for (let index = 0; index < 5; index += 1) peer.send(options(index), bench.port);
    // Another source is heard, which also tells that the five have arrived.
    other.send(options(9), bench.port, '127.0.0.1');
    await bench.takeRequest();
    await bench.takeRequest();
    expect((await bench.takeRequest()).flow.remoteAddress).toBe('127.0.0.2');
    expect(await dropsOf(bench.layer)).toEqual({ 'source-rate': 3 });
    expect(bench.layer.counters).toMatchObject({ messagesReceived: 3, malformed: 0 });
  });

  test('a known peer has its own bound', async () => {
    const rates = { stranger: bound(1), agent: bound(3), strangers: NONE };
    const bench = await Bench.open('udp', { limits: { rates } });
    bench.layer.admission.setKnownPeers(['127.0.0.1']);
    const [peer, other] = [await udpPeer(), await udpPeer('127.0.0.2')];
    for (let index = 0; index < 5; index += 1) peer.send(options(index), bench.port);
    other.send(options(9), bench.port, '127.0.0.1');
    const sources = [];
    for (let index = 0; index < 4; index += 1) {
      sources.push((await bench.takeRequest()).flow.remoteAddress);
    }
    expect(sources).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2']);
    expect(await dropsOf(bench.layer)).toEqual({ 'agent-rate': 2 });
  });

  test('a dialog and the answer to our request are heard all the same', async () => {
    const rates = { stranger: bound(1), agent: bound(10), strangers: NONE };
    const bench = await Bench.open('udp', { limits: { rates }, isDialog });
    const peer = await udpPeer();
    peer.send(options(0), bench.port);
    await bench.takeRequest();
    const { handler, events } = listenClient();
    const destination = { protocol: 'udp', address: '127.0.0.1', port: peer.port } as const;
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, handler);
    const wire = await peer.inbox.take();
    peer.send(options(1), bench.port);
    peer.send(answerText(wire, 200), bench.port);
    peer.send(options(2, { callId: 'running', toTag: 'x' }), bench.port);
    expect([await events.take(), await events.take()]).toMatchObject([
      { type: 'sent' },
      { type: 'response', status: 200 },
    ]);
    const { request } = await bench.takeRequest();
    expect(request.headers).toContainEqual({ name: 'Call-ID', value: 'running' });
    expect(await dropsOf(bench.layer)).toEqual({ 'source-rate': 1 });
  });

  test('messages of a stream are bounded like datagrams', async () => {
    const rates = { stranger: bound(3), agent: NONE, strangers: NONE };
    const bench = await Bench.open('tcp', { limits: { rates }, isDialog });
    bench.layer.admission.setKnownPeers(['127.0.0.9']);
    const peer = await tcpPeer(bench.port);
    const texts = Array.from({ length: 20 }, (_, index) => streamed(index, `c${index}`));
    const last = streamed(99, 'running');
    peer.socket.write(`${texts.join('')}${last}`);
    await bench.takeRequest();
    await bench.takeRequest();
    expect((await bench.takeRequest()).request.headers).toContainEqual({
      name: 'Call-ID',
      value: 'running',
    });
    expect(await dropsOf(bench.layer)).toEqual({ 'source-rate': 18 });
  });
});

describe('pending transactions', () => {
  test('strangers are refused from half the room on, a known peer from its end on', async () => {
    const bench = await Bench.open('udp', { limits: { serverTransactions: 4 } });
    bench.layer.admission.setKnownPeers(['127.0.0.2']);
    const [stranger, agent] = [await udpPeer(), await udpPeer('127.0.0.2')];
    for (let index = 0; index < 3; index += 1) stranger.send(options(index), bench.port);
    expect(statusLine(await stranger.inbox.take())).toBe('SIP/2.0 503 Service Unavailable');
    for (let index = 10; index < 13; index += 1)
      agent.send(options(index), bench.port, '127.0.0.1');
    expect(statusLine(await agent.inbox.take())).toBe('SIP/2.0 503 Service Unavailable');
    expect(bench.events.size).toBe(4);
    expect(bench.layer.counters.overload).toBe(2);
  });

  test('what is answered takes none of that room, though it stays for repeats', async () => {
    const bench = await Bench.open('udp', { limits: { serverTransactions: 2 } });
    const peer = await udpPeer();
    for (let index = 0; index < 20; index += 1) {
      peer.send(options(index), bench.port);
      const { transaction, request } = await bench.takeRequest();
      await transaction.send(buildResponse(request, 200, 'OK'));
      expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 200 OK');
    }
    peer.send(options(20), bench.port);
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 503 Service Unavailable');
  });

  test('503 is not sent to a flood', async () => {
    const bench = await Bench.open('udp', { limits: { serverTransactions: 1 } });
    const peer = await udpPeer();
    for (let index = 0; index < 1000; index += 1) {
      peer.send(options(index), bench.port);
      // In portions, so that no datagram is lost on the way.
      if (index % 50 === 0) await new Promise((resolve) => void setTimeout(resolve, 1));
    }
    let dropped = 0;
    while (dropped < 500) {
      await new Promise((resolve) => void setTimeout(resolve, 5));
      dropped += (await dropsOf(bench.layer))['overload'] ?? 0;
    }
    const refused = bench.layer.counters.overload - dropped;
    expect(refused).toBeGreaterThan(0);
    expect(peer.inbox.size).toBeLessThan(400);
  });
});

describe('sizes', () => {
  test('a message longer than allowed gets 513, one byte less is taken', async () => {
    const text = requestText({ method: 'MESSAGE', body: 'x'.repeat(3000) });
    const limits = { messageBytes: Buffer.byteLength(text) - 1 };
    const bench = await Bench.open('udp', { limits });
    const peer = await udpPeer();
    peer.send(text, bench.port);
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 513 Message Too Large');
    const shorter = requestText({ method: 'MESSAGE', body: 'x'.repeat(2999) });
    peer.send(shorter, bench.port);
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 200 OK');
  });
});

describe('stream connections', () => {
  test('a source has so many and no more; one that is closed makes room', async () => {
    const bench = await Bench.open('tcp', { limits: { connectionsPerSource: 2 } });
    const [first] = [await tcpPeer(bench.port), await tcpPeer(bench.port)];
    const third = await tcpPeer(bench.port);
    await third.closed();
    expect(await dropsOf(bench.layer)).toEqual({ connections: 1 });
    first.socket.destroy();
    await first.closed();
    await expect.poll(() => isServed(bench), { timeout: 20_000 }).toBe(true);
  });

  test('a source cannot open and close them as fast as it likes', async () => {
    const rates = { stranger: bound(2), agent: NONE, strangers: NONE };
    const bench = await Bench.open('tcp', { limits: { rates } });
    const peers = [await tcpPeer(bench.port), await tcpPeer(bench.port)];
    for (const peer of peers) await closeNow(peer);
    const third = await tcpPeer(bench.port);
    await third.closed();
    expect(await dropsOf(bench.layer)).toEqual({ connections: 1 });
  });

  test('what is no SIP at all is bounded like messages, and not answered beyond that', async () => {
    const rates = { stranger: bound(2), agent: NONE, strangers: NONE };
    const bench = await Bench.open('tcp', { limits: { rates } });
    const peers = [await tcpPeer(bench.port), await tcpPeer(bench.port)];
    for (const peer of peers) {
      const closed = peer.closed();
      peer.socket.write(requestText({ method: 'OPTIONS' }).replace(/Content-Length: 0\r\n/, ''));
      await closed;
    }
    expect(peers.map(({ inbox }) => inbox.size)).toEqual([0, 0]);
    expect(await dropsOf(bench.layer)).toEqual({ 'source-rate': 2 });
  });

  test('a known peer is bound by the total only', async () => {
    const bench = await Bench.open('tcp', { limits: { connectionsPerSource: 1 } });
    bench.layer.admission.setKnownPeers(['127.0.0.1']);
    await tcpPeer(bench.port);
    expect(await isServed(bench)).toBe(true);
    expect(await dropsOf(bench.layer)).toEqual({});
  });

  test('a byte at a time keeps nobody connected beyond the time for one message', async () => {
    const limits = { partialMessageTimeoutMs: 300, idleTimeoutMs: 60_000 };
    const bench = await Bench.open('tcp', { limits });
    const peer = await tcpPeer(bench.port);
    const text = requestText({ method: 'OPTIONS', extra: [`X-Padding: ${'x'.repeat(10_000)}`] });
    let at = 0;
    const drip = setInterval(() => {
      if (peer.socket.writable) peer.socket.write(text.charAt(at));
      at += 1;
    }, 20);
    await peer.closed();
    clearInterval(drip);
    expect(at).toBeLessThan(text.length);
    expect(bench.events.size).toBe(0);
  });
});

/** Whether a fresh connection is answered. */
async function isServed(bench: Bench): Promise<boolean> {
  const peer = await tcpPeer(bench.port);
  peer.socket.write('\r\n\r\n');
  const answer = await Promise.race([peer.inbox.take(), peer.closed().then(() => '')]);
  return answer === '\r\n';
}
