import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import {
  Bench,
  closeAll,
  listenClient,
  statusLine,
  tcpPeer,
  tcpServer,
} from '../transaction/layer-bench.ts';
import { TcpPeer } from '../transaction/raw-peer.ts';
import { answerText, outgoingRequest, requestText } from '../transaction/sample-messages.ts';

afterEach(closeAll);

describe('TCP', () => {
  test('the answer comes back on the connection of the request', async () => {
    const bench = await Bench.open('tcp');
    const peer = await tcpPeer(bench.port);
    peer.socket.write(
      requestText({ method: 'OPTIONS', via: 'SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKt' }),
    );
    const { transaction, request, flow } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 200 OK');
    expect(flow).toMatchObject({ protocol: 'tcp', remotePort: peer.socket.localPort });
    expect(flow.connectionId).toBeGreaterThan(0);
  });

  test('when that connection is gone the answer opens one to the Via', async () => {
    const bench = await Bench.open('tcp');
    const { server, port } = await tcpServer();
    const peer = await tcpPeer(bench.port);
    peer.socket.write(
      requestText({ method: 'OPTIONS', via: `SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKt` }),
    );
    const { transaction, request } = await bench.takeRequest();
    await peer.close();
    const incoming = once(server, 'connection');
    // The answer waits until our end has seen the close.
    let sent = await transaction.send(buildResponse(request, 100, 'Trying'));
    while (sent.type === 'sent' && sent.flow.remotePort !== port) {
      sent = await transaction.send(buildResponse(request, 100, 'Trying'));
    }
    const [socket] = await incoming;
    const answered = TcpPeer.wrap(socket);
    expect(statusLine(await answered.inbox.take())).toBe('SIP/2.0 100 Trying');
    await answered.close();
  });

  test('a request opens a connection, the next one uses it again', async () => {
    const bench = await Bench.open('tcp');
    const { server, port } = await tcpServer();
    const destination = { protocol: 'tcp', address: '127.0.0.1', port } as const;
    const incoming = once(server, 'connection');
    const one = listenClient();
    const two = listenClient();
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, one.handler);
    const [socket] = await incoming;
    const peer = TcpPeer.wrap(socket);
    const wire = await peer.inbox.take();
    peer.socket.write(answerText(wire, 200));
    const sent = [await one.events.take(), await one.events.take()];
    bench.layer.sendRequest(
      outgoingRequest({ method: 'OPTIONS', cseq: 2 }),
      destination,
      two.handler,
    );
    const second = await peer.inbox.take();
    expect(wire).toContain(`Via: SIP/2.0/TCP 127.0.0.1:${bench.port};`);
    expect(sent).toMatchObject([{ type: 'sent' }, { status: 200 }]);
    expect(second).toContain('CSeq: 2 OPTIONS');
    // The peer hangs up instead of answering.
    await peer.close();
    await two.events.take();
    expect(await two.events.take()).toMatchObject({ type: 'error' });
  });

  test('a refused connection is an error at once', async () => {
    const bench = await Bench.open('tcp');
    const { server, port } = await tcpServer();
    server.close();
    await once(server, 'close');
    const { handler, events } = listenClient();
    const request = outgoingRequest({ method: 'INVITE' });
    bench.layer.sendRequest(request, { protocol: 'tcp', address: '127.0.0.1', port }, handler);
    expect(await events.take()).toMatchObject({
      type: 'error',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('messages in pieces and in one piece, keep-alives in between', async () => {
    const bench = await Bench.open('tcp');
    const peer = await tcpPeer(bench.port);
    const one = requestText({ method: 'INFO', callId: 'one', branch: 'z9hG4bK1', body: 'dtmf' });
    const two = requestText({ method: 'INFO', callId: 'two', branch: 'z9hG4bK2' });
    peer.socket.write(`\r\n\r\n${one.slice(0, 30)}`);
    expect(await peer.inbox.take()).toBe('\r\n');
    peer.socket.write(`${one.slice(30)}${two}`);
    const first = await bench.takeRequest();
    const second = await bench.takeRequest();
    expect(first.request.body.toString()).toBe('dtmf');
    expect(second.request.headers).toContainEqual({ name: 'Call-ID', value: 'two' });
  });

  test('a message without length is answered 400 and the connection closed', async () => {
    const bench = await Bench.open('tcp');
    const peer = await tcpPeer(bench.port);
    const closed = once(peer.socket, 'close');
    peer.socket.write(requestText({ method: 'OPTIONS' }).replace(/Content-Length: 0\r\n/, ''));
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 400 Bad Request');
    await closed;
    expect(bench.layer.counters.malformed).toBe(1);
  });

  test('a header flood closes the connection', async () => {
    const bench = await Bench.open('tcp');
    const peer = await tcpPeer(bench.port);
    const closed = once(peer.socket, 'close');
    peer.socket.write(`OPTIONS sip:x SIP/2.0\r\n${'X: y\r\n'.repeat(5000)}`);
    await closed;
    expect(bench.events.size).toBe(0);
  });

  test.each([
    ['a silent peer', { idleTimeoutMs: 30 }, ''],
    ['a peer that never ends its message', { partialMessageTimeoutMs: 30 }, 'OPTIONS sip:'],
  ])('%s is disconnected', async (_what, limits, text) => {
    const bench = await Bench.open('tcp', { limits });
    const peer = await tcpPeer(bench.port);
    const closed = once(peer.socket, 'close');
    peer.socket.write(text);
    await closed;
    expect(bench.layer.counters.bugs).toBe(0);
  });

  test('no more connections than allowed', async () => {
    const bench = await Bench.open('tcp', { limits: { connections: 1 } });
    await tcpPeer(bench.port);
    const second = await tcpPeer(bench.port);
    await once(second.socket, 'close');
    const { handler, events } = listenClient();
    const destination = { protocol: 'tcp', address: '127.0.0.1', port: 9 } as const;
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, handler);
    expect(await events.take()).toMatchObject({ reason: expect.stringContaining('too many') });
  });

  test('a peer that reads too slowly is disconnected', async () => {
    const bench = await Bench.open('tcp', { limits: { sendQueueBytes: 10 } });
    const { server, port } = await tcpServer();
    const incoming = once(server, 'connection');
    const { handler, events } = listenClient();
    const destination = { protocol: 'tcp', address: '127.0.0.1', port } as const;
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, handler);
    const [socket] = await incoming;
    const peer = TcpPeer.wrap(socket);
    expect(await events.take()).toMatchObject({
      reason: expect.stringContaining('reads too slowly'),
    });
    await once(peer.socket, 'close');
  });

  test('a peer that hangs up at once is an error, not a wait', async () => {
    const bench = await Bench.open('tcp');
    const { server, port } = await tcpServer();
    server.maxConnections = 0;
    const { handler, events } = listenClient();
    const destination = { protocol: 'tcp', address: '127.0.0.1', port } as const;
    bench.layer.sendRequest(outgoingRequest({ method: 'OPTIONS' }), destination, handler);
    let event = await events.take();
    if (event.type === 'sent') event = await events.take();
    expect(event).toMatchObject({ type: 'error' });
  });
});
