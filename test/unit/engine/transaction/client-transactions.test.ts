import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { Bench, closeAll, closeNow, listenClient, udpPeer } from './layer-bench.ts';
import { answerText, outgoingRequest, requestText } from './sample-messages.ts';

afterEach(closeAll);

function to(peer: { address: string; port: number }): {
  protocol: 'udp';
  address: string;
  port: number;
} {
  return { protocol: 'udp', address: peer.address, port: peer.port };
}

describe('requests to the network over UDP', () => {
  const invite = outgoingRequest({ method: 'INVITE' });

  test('the request carries our Via, what was sent is reported before any response', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(
      outgoingRequest({ method: 'OPTIONS' }),
      to(peer),
      handler,
    );
    const wire = await peer.inbox.take();
    peer.send(answerText(wire, 200), bench.port);
    const sent = await events.take();
    const response = await events.take();
    expect(wire).toMatch(
      new RegExp(
        `^OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${bench.port};branch=z9hG4bK\\w+;rport\r\n`,
      ),
    );
    expect(sent).toMatchObject({ type: 'sent', text: wire, flow: { remotePort: peer.port } });
    expect(response).toEqual({ type: 'response', status: 200, toTag: 'bob1' });
    expect(transaction.request.headers[0]?.value).toBe(
      wire.split('\r\n')[1]?.slice('Via: '.length),
    );
  });

  test('an INVITE without answer is repeated, then times out', async () => {
    const bench = await Bench.open('udp', { timers: { t1Ms: 4 } });
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, to(peer), handler);
    const first = await peer.inbox.take();
    const second = await peer.inbox.take();
    expect(second).toBe(first);
    expect(await events.take()).toMatchObject({ type: 'sent' });
    expect(await events.take()).toEqual({ type: 'timeout' });
  });

  test('a busy callee: the layer sends the ACK, again when the 486 comes again', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, to(peer), handler);
    const wire = await peer.inbox.take();
    peer.send(answerText(wire, 486), bench.port);
    peer.send(answerText(wire, 486), bench.port);
    const acks = [await peer.inbox.take(), await peer.inbox.take()];
    await events.take();
    expect(await events.take()).toMatchObject({ type: 'response', status: 486 });
    expect(events.size).toBe(0);
    expect(acks[0]).toContain('CSeq: 1 ACK');
    expect(acks[0]).toContain('To: <sip:bob@example.com>;tag=bob1');
    expect(acks[0]?.split('\r\n')[1]).toBe(wire.split('\r\n')[1]);
    expect(acks[1]).toBe(acks[0]);
  });

  test('2xx of every fork is delivered; after that time a late one is a stray', async () => {
    const bench = await Bench.open('udp', { timers: { t1Ms: 10 } });
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, to(peer), handler);
    const wire = await peer.inbox.take();
    peer.send(answerText(wire, 200, 'fork1'), bench.port);
    peer.send(answerText(wire, 200, 'fork2'), bench.port);
    await events.take();
    const tags = [await events.take(), await events.take()];
    expect(tags).toMatchObject([{ toTag: 'fork1' }, { toTag: 'fork2' }]);
    // The accepted state lasts 64*T1; an unanswered request takes as long.
    const other = listenClient();
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), to(peer), other.handler);
    await other.events.take();
    expect(await other.events.take()).toEqual({ type: 'timeout' });
    peer.send(answerText(wire, 200, 'fork3'), bench.port);
    expect(await bench.events.take()).toMatchObject({ type: 'stray', response: { status: 200 } });
  });

  test('CANCEL waits for the first 1xx, carries the given headers and is repeated on its own', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    const transaction = bench.layer.sendRequest(invite, to(peer), handler);
    const wire = await peer.inbox.take();
    const reason = { name: 'Reason', value: 'SIP;cause=200' };
    const before = transaction.cancel([reason, { name: 'Via', value: 'smuggled' }]);
    peer.send(answerText(wire, 100), bench.port);
    let cancel = await peer.inbox.take();
    while (!cancel.startsWith('CANCEL ')) cancel = await peer.inbox.take();
    const repeat = await peer.inbox.take();
    peer.send(answerText(cancel, 200), bench.port);
    peer.send(answerText(wire, 487), bench.port);
    await events.take();
    const statuses = [await events.take(), await events.take()];
    expect(before).toBe('waiting');
    expect(repeat).toBe(cancel);
    expect(cancel.split('\r\n')[1]).toBe(wire.split('\r\n')[1]);
    expect(cancel).toContain('CSeq: 1 CANCEL');
    expect(cancel).toContain('Reason: SIP;cause=200');
    expect(cancel).not.toContain('smuggled');
    expect(statuses).toMatchObject([{ status: 100 }, { status: 487 }]);
    expect(transaction.cancel([])).toBe('too-late');
  });

  test('a closed port is an error at once', async () => {
    const bench = await Bench.open('udp', { timers: {} });
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    const gone = to(peer);
    await closeNow(peer);
    bench.layer.sendRequest(invite, gone, handler);
    expect(await events.take()).toMatchObject({ type: 'sent' });
    expect(await events.take()).toEqual({
      type: 'error',
      reason: `udp 127.0.0.1:${gone.port}: port unreachable`,
    });
  });

  test.each([
    ['no such name', { protocol: 'udp', address: 'no-such-name.invalid', port: 9 }, /^dns: /],
    ['no transport', { protocol: 'tls', address: '127.0.0.1', port: 9 }, /^no tls transport/],
    ['no family', { protocol: 'udp', address: '::1', port: 9 }, /^no udp transport/],
  ] as const)('%s is an error after the call has returned', async (_what, destination, reason) => {
    const bench = await Bench.open();
    const { handler, events } = listenClient();
    bench.layer.sendRequest(invite, destination, handler);
    expect(events.size).toBe(0);
    expect(await events.take()).toMatchObject({
      type: 'error',
      reason: expect.stringMatching(reason),
    });
    expect(await bench.layer.localFor(destination)).toBeUndefined();
    expect(await bench.layer.sendAck(invite, destination)).toMatchObject({ type: 'failed' });
  });

  test('a header with a line break is refused before anything is sent', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const { handler, events } = listenClient();
    const request = outgoingRequest({ method: 'OPTIONS' });
    request.headers.push({ name: 'X-Evil', value: 'a\r\nRoute: <sip:evil>' });
    bench.layer.sendRequest(request, to(peer), handler);
    expect(await events.take()).toMatchObject({ type: 'error' });
    expect(await bench.layer.sendAck(request, to(peer))).toMatchObject({ type: 'failed' });
    expect(peer.inbox.size).toBe(0);
  });

  test('a host name is resolved', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const destination = { protocol: 'udp', address: 'localhost', port: peer.port } as const;
    const sent = await bench.layer.sendAck(outgoingRequest({ method: 'ACK' }), destination);
    expect(sent).toMatchObject({ type: 'sent', flow: { remoteAddress: '127.0.0.1' } });
    expect(await peer.inbox.take()).toMatch(/^ACK /);
    expect(await bench.layer.localFor(destination)).toEqual(bench.layer.listenPoints[0]);
  });

  test('IPv6 works the same', async () => {
    const bench = await Bench.open('udp', {
      listen: [{ protocol: 'udp', address: '::1', port: 0 }],
    });
    const peer = await udpPeer('::1');
    const { handler, events } = listenClient();
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), to(peer), handler);
    const wire = await peer.inbox.take();
    peer.send(answerText(wire, 200), bench.port);
    await events.take();
    expect(await events.take()).toMatchObject({ status: 200 });
    expect(wire).toContain(`Via: SIP/2.0/UDP [::1]:${bench.port};`);
    peer.send(
      requestText({ method: 'OPTIONS', via: 'SIP/2.0/UDP [::1]:9;branch=z9hG4bKv6;rport' }),
      bench.port,
    );
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(await peer.inbox.take()).toContain(`rport=${peer.port};received=::1`);
  });
});
