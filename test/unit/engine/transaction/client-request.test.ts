import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Destination } from '../../../../src/engine/transport/flow.ts';
import { FakeNames } from '../../../support/fake-names.ts';
import { freePorts } from '../../../support/free-ports.ts';
import {
  Bench,
  closeAll,
  closeLater,
  listenClient,
  tcpPeer,
  tcpServer,
  udpPeer,
} from './layer-bench.ts';
import { TcpPeer } from './raw-peer.ts';
import type { Inbox, UdpPeer } from './raw-peer.ts';
import { answerText, outgoingRequest, requestText } from './sample-messages.ts';

afterEach(closeAll);

const DOMAIN: Destination = {
  protocol: 'udp',
  address: 'carrier.example',
  port: 5060,
  services: ['udp'],
};

/** A layer for which carrier.example has servers on these loopback ports, to be tried in this order. */
async function benchFor(
  ports: readonly number[],
  options: { protocol?: 'udp' | 'tcp'; t1Ms?: number } = {},
): Promise<Bench> {
  const { protocol = 'udp', t1Ms = 40 } = options;
  const records = ports.map((port, index) => `${index} 0 ${port} host.example`);
  const services = { [`_sip._${protocol}.carrier.example`]: records };
  const lookUp = new FakeNames({ 'host.example': ['127.0.0.1'] }, services);
  return await Bench.open(protocol, { lookUp, timers: { t1Ms, t2Ms: 60, t4Ms: 60 } });
}

async function closedPort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function line(text: string, name: string): string {
  return text.split('\r\n').find((each) => each.startsWith(`${name}:`)) ?? '';
}

function branchOf(text: string): string {
  return /;branch=([^;]+)/.exec(line(text, 'Via'))?.[1] ?? '';
}

/** The next message of `method`; repeats of others are passed over. */
async function takeMethod(inbox: Inbox<string>, method: string): Promise<string> {
  for (;;) {
    const text = await inbox.take();
    if (text.startsWith(`${method} `)) return text;
  }
}

describe.each(['INVITE', 'OPTIONS'])('%s to a domain with two servers', (method) => {
  const request = outgoingRequest({ method });

  test('the first refuses: the second gets it, and only its answer is told', async () => {
    const second = await udpPeer();
    const bench = await benchFor([await closedPort(), second.port], { t1Ms: 500 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(request, DOMAIN, handler);
    const wire = await second.inbox.take();
    second.send(answerText(wire, 200), bench.port);
    expect(await events.take()).toMatchObject({ type: 'sent' });
    expect(await events.take()).toMatchObject({ type: 'response', status: 200 });
    expect(events.size).toBe(0);
  });

  test('the first is silent: the second gets it under a branch of its own, otherwise unchanged', async () => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port]);
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(request, DOMAIN, handler);
    const lost = await first.inbox.take();
    const wire = await second.inbox.take();
    second.send(answerText(wire, 200), bench.port);
    expect(await events.take()).toMatchObject({ type: 'sent', text: lost });
    expect(await events.take()).toMatchObject({ type: 'response', status: 200 });
    expect(branchOf(wire)).not.toBe(branchOf(lost));
    expect(wire.replace(branchOf(wire), '')).toBe(lost.replace(branchOf(lost), ''));
    expect(`Via: ${transaction.request.headers[0]?.value ?? ''}`).toBe(line(wire, 'Via'));
  });

  test('the first says 503: the second gets it', async () => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms: 500 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(request, DOMAIN, handler);
    const refused = await first.inbox.take();
    first.send(answerText(refused, 503), bench.port);
    const wire = await second.inbox.take();
    second.send(answerText(wire, 200), bench.port);
    await events.take();
    expect(await events.take()).toMatchObject({ type: 'response', status: 200 });
  });

  test('both say 503: the last one is told', async () => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms: 500 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(request, DOMAIN, handler);
    first.send(answerText(await first.inbox.take(), 503, 'one'), bench.port);
    second.send(answerText(await second.inbox.take(), 503, 'two'), bench.port);
    await events.take();
    expect(await events.take()).toEqual({ type: 'response', status: 503, toTag: 'two' });
    expect(events.size).toBe(0);
  });

  test('both are silent: one timeout, after the time of one', async () => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms: 25 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(request, DOMAIN, handler);
    expect(await events.take()).toMatchObject({ type: 'sent' });
    expect(await events.take()).toEqual({ type: 'timeout' });
    expect(second.inbox.size).toBeGreaterThan(0);
  });

  test('no other status makes it move on', async () => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms: 500 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(request, DOMAIN, handler);
    first.send(answerText(await first.inbox.take(), 500), bench.port);
    await events.take();
    expect(await events.take()).toMatchObject({ type: 'response', status: 500 });
    expect(second.inbox.size).toBe(0);
  });

  test('TCP: a refused connection moves it on', async () => {
    const { server, port } = await tcpServer();
    const bench = await benchFor([await closedPort(), port], { protocol: 'tcp', t1Ms: 500 });
    const { handler, events } = listenClient();
    const destination: Destination = { ...DOMAIN, protocol: 'tcp', services: ['tcp'] };
    bench.layer.sendRequest(request, destination, handler);
    const [socket] = await once(server, 'connection');
    const peer = TcpPeer.wrap(socket);
    closeLater(peer);
    peer.socket.write(answerText(await peer.inbox.take(), 200));
    expect(await events.take()).toMatchObject({ type: 'sent', flow: { remotePort: port } });
    expect(await events.take()).toMatchObject({ type: 'response', status: 200 });
  });
});

test('the 503 to an INVITE is acknowledged where it came from', async () => {
  const [first, second] = [await udpPeer(), await udpPeer()];
  const bench = await benchFor([first.port, second.port], { t1Ms: 500 });
  const { handler } = listenClient();
  bench.layer.sendRequest(outgoingRequest({ method: 'INVITE' }), DOMAIN, handler);
  const refused = await first.inbox.take();
  first.send(answerText(refused, 503), bench.port);
  const ack = await takeMethod(first.inbox, 'ACK');
  expect(line(ack, 'Via')).toBe(line(refused, 'Via'));
  await second.inbox.take();
});

describe('an INVITE whose first address wakes up late', () => {
  const invite = outgoingRequest({ method: 'INVITE' });

  async function abandoned(): Promise<{
    bench: Bench;
    first: UdpPeer;
    second: UdpPeer;
    lost: string;
    wire: string;
    events: ReturnType<typeof listenClient>['events'];
  }> {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms: 60 });
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, DOMAIN, handler);
    const lost = await first.inbox.take();
    const wire = await second.inbox.take();
    await events.take();
    return { bench, first, second, lost, wire, events };
  }

  test('it rings: it is cancelled, and the call goes on at the second', async () => {
    const { bench, first, second, lost, wire, events } = await abandoned();
    first.send(answerText(lost, 180), bench.port);
    const cancel = await takeMethod(first.inbox, 'CANCEL');
    expect(line(cancel, 'Via')).toBe(line(lost, 'Via'));
    first.send(answerText(lost, 487), bench.port);
    await takeMethod(first.inbox, 'ACK');
    second.send(answerText(wire, 200, 'two'), bench.port);
    expect(await events.take()).toEqual({ type: 'response', status: 200, toTag: 'two' });
  });

  test('it answers: that is the answer, and the second is cancelled', async () => {
    const { bench, first, second, lost, wire, events } = await abandoned();
    second.send(answerText(wire, 180, 'two'), bench.port);
    expect(await events.take()).toMatchObject({ status: 180 });
    first.send(answerText(lost, 200, 'one'), bench.port);
    expect(await events.take()).toEqual({ type: 'response', status: 200, toTag: 'one' });
    expect(line(await takeMethod(second.inbox, 'CANCEL'), 'Via')).toBe(line(wire, 'Via'));
  });
});

describe('a cancelled INVITE', () => {
  const invite = outgoingRequest({ method: 'INVITE' });

  test('the CANCEL goes where the INVITE has gone last', async () => {
    const second = await udpPeer();
    const bench = await benchFor([await closedPort(), second.port], { t1Ms: 500 });
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(invite, DOMAIN, handler);
    const wire = await second.inbox.take();
    second.send(answerText(wire, 180), bench.port);
    await events.take();
    expect(await events.take()).toMatchObject({ status: 180 });
    expect(transaction.cancel([])).toBe('sent');
    const cancel = await takeMethod(second.inbox, 'CANCEL');
    expect(line(cancel, 'Via')).toBe(line(wire, 'Via'));
    second.send(answerText(cancel, 200), bench.port);
    second.send(answerText(wire, 487), bench.port);
    expect(await events.take()).toMatchObject({ status: 487 });
    const ack = await takeMethod(second.inbox, 'ACK');
    expect(line(ack, 'Via')).toBe(line(wire, 'Via'));
    expect(transaction.cancel([])).toBe('too-late');
  });

  test.each<[string, number, (peer: UdpPeer, wire: string, port: number) => void, object]>([
    [
      'after 503',
      500,
      (peer, wire, port) => peer.send(answerText(wire, 503), port),
      { type: 'response', status: 503 },
    ],
    ['after silence', 40, () => undefined, { type: 'timeout' }],
  ])('%s no other address rings', async (_when, t1Ms, behave, outcome) => {
    const [first, second] = [await udpPeer(), await udpPeer()];
    const bench = await benchFor([first.port, second.port], { t1Ms });
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(invite, DOMAIN, handler);
    const wire = await first.inbox.take();
    expect(await events.take()).toMatchObject({ type: 'sent' });
    expect(transaction.cancel([])).toBe('waiting');
    behave(first, wire, bench.port);
    expect(await events.take()).toMatchObject(outcome);
    expect(second.inbox.size).toBe(0);
    expect(transaction.cancel([])).toBe('too-late');
  });
});

describe('a phone behind NAT that came over TCP', () => {
  test.each([
    ['a name nobody knows', 'phone.invalid'],
    ['an address where nothing listens', '127.0.0.77'],
  ])('and names %s is reached over its connection', async (_what, address) => {
    const bench = await Bench.open('tcp', { lookUp: new FakeNames({}, {}) });
    const phone = await tcpPeer(bench.port);
    phone.socket.write(requestText({ method: 'OPTIONS', via: 'SIP/2.0/TCP host;branch=z9hG4bKn' }));
    const { flow } = await bench.takeRequest();
    const { handler, events } = listenClient();
    const port = await closedPort();
    const lastResort = {
      address: flow.remoteAddress,
      port: flow.remotePort,
      connectionId: flow.connectionId ?? 0,
    };
    bench.layer.sendRequest(
      outgoingRequest({ method: 'BYE' }),
      { protocol: 'tcp', address, port, lastResort },
      handler,
    );
    const bye = await phone.inbox.take();
    phone.socket.write(answerText(bye, 200));
    await events.take();
    expect(bye).toMatch(/^BYE /);
    expect(await events.take()).toMatchObject({ type: 'response', status: 200 });
  });
});
