import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { startTransactionLayer } from '../../../../src/engine/transaction/transaction-layer.ts';
import { Bench, closeAll, listenClient, udpPeer } from './layer-bench.ts';
import { outgoingRequest, requestText } from './sample-messages.ts';

afterEach(closeAll);

describe('start and end', () => {
  const user = {
    onRequest: () => undefined,
    onAck: () => undefined,
    onCancel: () => undefined,
    onStrayResponse: () => undefined,
  };

  test.each(['udp', 'tcp'] as const)('a taken %s port fails the whole start', async (protocol) => {
    const first = await Bench.open(protocol);
    const [taken] = first.layer.listenPoints;
    const free = { protocol, address: '127.0.0.1', port: 0 };
    const starting = startTransactionLayer({ listen: [free, taken ?? free], user });
    await expect(starting).rejects.toThrow(`${protocol}/127.0.0.1:${first.port}`);
  });

  test.each([
    ['a host name', { protocol: 'udp', address: 'localhost', port: 0 }],
    ['TLS without certificate', { protocol: 'tls', address: '127.0.0.1', port: 0 }],
  ] as const)('%s cannot be listened on', async (_what, point) => {
    await expect(startTransactionLayer({ listen: [point], user })).rejects.toThrow(point.protocol);
  });

  test('a wildcard listen point shows the address the peer can reach', async () => {
    const listenPoint = { protocol: 'udp', address: '0.0.0.0', port: 0 } as const;
    const bench = await Bench.open('udp', { listen: [listenPoint] });
    const destination = { protocol: 'udp', address: '127.0.0.1', port: 9 } as const;
    expect(await bench.layer.localFor(destination)).toEqual({
      ...listenPoint,
      address: '127.0.0.1',
      port: bench.port,
    });
  });

  test('a request that comes in on a wildcard tells the address it reached', async () => {
    const bench = await Bench.open('udp', {
      listen: [{ protocol: 'udp', address: '0.0.0.0', port: 0 }],
    });
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS' }), bench.port);
    const { transaction, request, flow } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(flow).toMatchObject({ localAddress: '127.0.0.1', localPort: bench.port });
    expect(await peer.inbox.take()).toMatch(/^SIP\/2.0 200 OK/);
  });

  test('of several listen points the one that reaches the destination is used', async () => {
    const listenPoints = [
      { protocol: 'udp', address: '127.0.0.2', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
    ] as const;
    const bench = await Bench.open('udp', { listen: listenPoints });
    const [, , expected] = bench.layer.listenPoints;
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    const destination = { protocol: 'udp', address: peer.address, port: peer.port } as const;
    const transaction = bench.layer.sendRequest(
      outgoingRequest({ method: 'OPTIONS' }),
      destination,
      handler,
    );
    const wire = await peer.inbox.take();
    expect(await events.take()).toMatchObject({ text: wire, flow: { localPort: expected?.port } });
    expect(wire).toContain(`Via: SIP/2.0/UDP 127.0.0.1:${expected?.port};`);
    expect(wire).toContain(transaction.request.headers[0]?.value);
    expect(await bench.layer.localFor(destination)).toEqual(expected);
  });

  test('closing with work in hand is quiet', async () => {
    const bench = await Bench.open();
    const { handler, events } = listenClient();
    const peer = await udpPeer();
    const destination = { protocol: 'udp', address: peer.address, port: peer.port } as const;
    bench.layer.sendRequest(outgoingRequest({ method: 'INVITE' }), destination, handler);
    await peer.inbox.take();
    await events.take();
    await bench.layer.close();
    peer.send(requestText({ method: 'OPTIONS' }), bench.port);
    expect(events.size).toBe(0);
    expect(bench.events.size).toBe(0);
  });
});
