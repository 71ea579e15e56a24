import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Destination } from '../../../../src/engine/transport/flow.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { Bench, closeAll, closeLater, listenClient, udpPeer } from './layer-bench.ts';
import { Inbox, TcpPeer, UdpPeer } from './raw-peer.ts';
import { answerText, outgoingRequest } from './sample-messages.ts';

afterEach(closeAll);

function line(text: string, name: string): string {
  return text.split('\r\n').find((each) => each.startsWith(`${name}:`)) ?? '';
}

function branchOf(text: string): string {
  return /;branch=([^;]+)/.exec(line(text, 'Via'))?.[1] ?? '';
}

async function bothTransports(options: { udpSizeSwitchBytes?: number } = {}): Promise<Bench> {
  const listen = (['udp', 'tcp'] as const).map((protocol) => {
    return { protocol, address: '127.0.0.1', port: 0 };
  });
  return await Bench.open('udp', {
    listen,
    timers: { t1Ms: 40, t2Ms: 60, t4Ms: 60 },
    ...options,
  });
}

/** A peer with the same port for both transports. */
async function dualPeer(): Promise<{
  udp: UdpPeer;
  accepted: Inbox<TcpPeer>;
  destination: Destination;
}> {
  const accepted = new Inbox<TcpPeer>();
  const peers: TcpPeer[] = [];
  const server = createServer((socket) => {
    const peer = TcpPeer.wrap(socket);
    peers.push(peer);
    accepted.put(peer);
  });
  const [port = 0] = await freePorts(1);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  closeLater({
    close: async () => {
      await Promise.all(peers.map(async (each) => each.close()));
      server.close();
      await once(server, 'close');
    },
  });
  const udp = await UdpPeer.open('127.0.0.1', port);
  closeLater(udp);
  return { udp, accepted, destination: { protocol: 'udp', address: '127.0.0.1', port } };
}

describe('a request of 2 000 bytes', () => {
  const large = { method: 'INVITE', body: 'v'.repeat(2000), extra: ['Content-Type: text/plain'] };
  const invite = outgoingRequest(large);

  test('goes by TCP where the peer takes it, and says so in Via; CANCEL and ACK follow', async () => {
    const bench = await bothTransports();
    const { accepted, destination } = await dualPeer();
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(invite, destination, handler);
    expect(await events.take()).toMatchObject({ type: 'sent', flow: { protocol: 'tcp' } });
    const tcp = await accepted.take();
    const wire = await tcp.inbox.take();
    expect(line(wire, 'Via')).toContain(
      `SIP/2.0/TCP 127.0.0.1:${bench.layer.listenPoints[1]?.port}`,
    );
    tcp.socket.write(answerText(wire, 180));
    expect(await events.take()).toMatchObject({ status: 180 });
    expect(transaction.cancel([])).toBe('sent');
    expect(await tcp.inbox.take()).toMatch(/^CANCEL /);
    tcp.socket.write(answerText(wire, 487));
    expect(await tcp.inbox.take()).toMatch(/^ACK /);
    expect(await events.take()).toMatchObject({ status: 487 });
  });

  test('goes by UDP where the peer refuses TCP, and the next one does not ask again', async () => {
    const bench = await bothTransports();
    const udp = await udpPeer();
    const destination: Destination = { protocol: 'udp', address: '127.0.0.1', port: udp.port };
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, destination, handler);
    const wire = await udp.inbox.take();
    expect(line(wire, 'Via')).toContain('SIP/2.0/UDP');
    udp.send(answerText(wire, 486), bench.port);
    expect(await events.take()).toMatchObject({ type: 'sent', flow: { protocol: 'udp' } });
    expect(await events.take()).toMatchObject({ status: 486 });
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    server.listen(udp.port, '127.0.0.1');
    await once(server, 'listening');
    const again = listenClient();
    bench.layer.sendRequest(outgoingRequest({ ...large, cseq: 2 }), destination, again.handler);
    expect(await again.events.take()).toMatchObject({ type: 'sent', flow: { protocol: 'udp' } });
    server.close();
    await once(server, 'close');
    expect(connections).toBe(0);
  });

  test.each(['closes the connection', 'is silent on the connection'])(
    'goes by UDP when the peer %s',
    async (behaviour) => {
      const bench = await bothTransports();
      const { udp, accepted, destination } = await dualPeer();
      const { handler, events } = listenClient();
      bench.layer.sendRequest(invite, destination, handler);
      expect(await events.take()).toMatchObject({ type: 'sent', flow: { protocol: 'tcp' } });
      const tcp = await accepted.take();
      const overTcp = await tcp.inbox.take();
      if (behaviour === 'closes the connection') await tcp.close();
      const wire = await udp.inbox.take();
      udp.send(answerText(wire, 486), bench.port);
      expect(await events.take()).toMatchObject({ status: 486 });
      expect(branchOf(wire)).not.toBe(branchOf(overTcp));
      expect(line(wire, 'Via')).toContain('SIP/2.0/UDP');
    },
  );

  test.each<[string, number, Partial<Destination>]>([
    ['when the switch is off', 0, {}],
    ['when the URI says transport=udp', 1300, { isTransportFixed: true }],
    ['when the bound is higher', 5000, {}],
  ])('is a datagram %s', async (_when, udpSizeSwitchBytes, extra) => {
    const bench = await bothTransports({ udpSizeSwitchBytes });
    const { udp, accepted, destination } = await dualPeer();
    const { handler } = listenClient();
    bench.layer.sendRequest(invite, { ...destination, ...extra }, handler);
    const wire = await udp.inbox.take();
    udp.send(answerText(wire, 486), bench.port);
    expect(line(wire, 'Via')).toContain('SIP/2.0/UDP');
    expect(accepted.size).toBe(0);
  });

  test('an ACK of that size goes by TCP as well', async () => {
    const bench = await bothTransports();
    const { accepted, destination } = await dualPeer();
    const ack = outgoingRequest({ ...large, method: 'ACK' });
    const sent = await bench.layer.sendAck(ack, destination, 'z9hG4bKack');
    expect(sent).toMatchObject({ type: 'sent', flow: { protocol: 'tcp' } });
    const tcp = await accepted.take();
    expect(await tcp.inbox.take()).toMatch(/^ACK .*\r\nVia: SIP\/2.0\/TCP /);
  });

  test('a small one stays a datagram', async () => {
    const bench = await bothTransports();
    const { udp, accepted, destination } = await dualPeer();
    const { handler } = listenClient();
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, handler);
    udp.send(answerText(await udp.inbox.take(), 200), bench.port);
    expect(accepted.size).toBe(0);
  });
});
