import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { startTransactionLayer } from '../../../../src/engine/transaction/transaction-layer.ts';
import { Bench, closeAll, closeLater, statusLine, udpPeer } from './layer-bench.ts';
import { answerText, requestText } from './sample-messages.ts';

afterEach(closeAll);

describe('requests from the network over UDP', () => {
  test('a request arrives once, its repeats are answered by the layer', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS' }), bench.port);
    const { transaction, request, flow } = await bench.takeRequest();
    const sent = await transaction.send(buildResponse(request, 200, 'OK', 'bob1'));
    const first = await peer.inbox.take();
    peer.send(requestText({ method: 'OPTIONS' }), bench.port);
    const second = await peer.inbox.take();
    expect(statusLine(first)).toBe('SIP/2.0 200 OK');
    expect(second).toBe(first);
    expect(sent).toMatchObject({ type: 'sent', bytes: Buffer.from(first) });
    expect(flow).toMatchObject({ protocol: 'udp', remotePort: peer.port, localPort: bench.port });
    expect(bench.events.size).toBe(0);
    expect(transaction.hasFinal).toBe(true);
  });

  test('the top Via tells the real source, and the answer goes there', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const via =
      'SIP/2.0/UDP 192.0.2.7:5999;branch=z9hG4bKnat;rport;x=1, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb';
    peer.send(requestText({ method: 'OPTIONS', via }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 404, 'Not Found'));
    const answer = await peer.inbox.take();
    expect(answer).toContain(
      `Via: SIP/2.0/UDP 192.0.2.7:5999;branch=z9hG4bKnat;rport=${peer.port};x=1;received=127.0.0.1, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb\r\n`,
    );
  });

  test('a failed INVITE: the final response repeats until the ACK, which stays in the layer', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'INVITE' }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 180, 'Ringing', 'bob1'));
    await transaction.send(buildResponse(request, 486, 'Busy Here', 'bob1'));
    const seen = [await peer.inbox.take(), await peer.inbox.take(), await peer.inbox.take()];
    peer.send(requestText({ method: 'ACK', toTag: 'bob1' }), bench.port);
    peer.send(
      requestText({ method: 'OPTIONS', branch: 'z9hG4bKafter', callId: 'other' }),
      bench.port,
    );
    const next = await bench.takeRequest();
    expect(seen.map(statusLine)).toEqual([
      'SIP/2.0 180 Ringing',
      'SIP/2.0 486 Busy Here',
      'SIP/2.0 486 Busy Here',
    ]);
    expect(next.request.method).toBe('OPTIONS');
    expect(await transaction.send(buildResponse(request, 200, 'OK', 'bob1'))).toMatchObject({
      type: 'failed',
    });
  });

  test('an answered INVITE: repeats are absorbed, every ACK is handed up, the 2xx may be sent again', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'INVITE' }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    const answer = buildResponse(request, 200, 'OK', 'bob1');
    await transaction.send(answer);
    peer.send(requestText({ method: 'INVITE' }), bench.port);
    await transaction.send(answer);
    const seen = [await peer.inbox.take(), await peer.inbox.take()];
    const ack = requestText({ method: 'ACK', branch: 'z9hG4bKack', toTag: 'bob1' });
    peer.send(ack, bench.port);
    peer.send(ack, bench.port);
    const acks = [await bench.events.take(), await bench.events.take()];
    expect(seen.map(statusLine)).toEqual(['SIP/2.0 200 OK', 'SIP/2.0 200 OK']);
    expect(acks.map(({ type }) => type)).toEqual(['ack', 'ack']);
    expect(peer.inbox.size).toBe(0);
  });

  test('CANCEL of a known INVITE is answered 200 and reported, of an unknown one 481', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'INVITE' }), bench.port);
    const { transaction } = await bench.takeRequest();
    peer.send(requestText({ method: 'CANCEL' }), bench.port);
    const event = await bench.events.take();
    const good = await peer.inbox.take();
    peer.send(requestText({ method: 'CANCEL', branch: 'z9hG4bKnobody' }), bench.port);
    const bad = await peer.inbox.take();
    expect(event).toMatchObject({ type: 'cancel', invite: { id: transaction.id } });
    expect(statusLine(good)).toBe('SIP/2.0 200 OK');
    expect(good).toContain('CSeq: 1 CANCEL');
    expect(good).toContain(`;tag=${transaction.localTag}\r\n`);
    expect(statusLine(bad)).toBe('SIP/2.0 481 Call/Transaction Does Not Exist');
  });

  test('the same request on a second way is refused with 482', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'INVITE', branch: 'z9hG4bKway1' }), bench.port);
    await bench.takeRequest();
    peer.send(requestText({ method: 'INVITE', branch: 'z9hG4bKway2' }), bench.port);
    const answer = await peer.inbox.take();
    expect(statusLine(answer)).toBe('SIP/2.0 482 Loop Detected');
    expect(answer).toContain('branch=z9hG4bKway2');
    expect(bench.layer.counters.merged).toBe(1);
    expect(bench.events.size).toBe(0);
  });

  test.each([
    [
      'another version',
      requestText({ method: 'OPTIONS' }).replace('SIP/2.0\r\n', 'SIP/7.0\r\n'),
      '505 Version Not Supported',
    ],
    [
      'a foreign scheme',
      requestText({ method: 'OPTIONS', uri: 'http://example.com' }),
      '416 Unsupported URI Scheme',
    ],
    [
      'no Call-ID',
      requestText({ method: 'OPTIONS' }).replace(/Call-ID: .*\r\n/, ''),
      '400 Bad Request',
    ],
    [
      'a body that is cut off',
      requestText({ method: 'OPTIONS' }).replace('Length: 0', 'Length: 9'),
      '400 Bad Request',
    ],
  ])('%s is refused', async (_what, text, expected) => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(text, bench.port);
    expect(statusLine(await peer.inbox.take())).toBe(`SIP/2.0 ${expected}`);
    expect(bench.events.size).toBe(0);
  });

  test.each([
    ['a scanner', requestText({ method: 'OPTIONS', extra: ['User-Agent: friendly-scanner'] })],
    ['a malformed ACK', requestText({ method: 'ACK' }).replace(/Call-ID: .*\r\n/, '')],
    ['a malformed response', 'SIP/2.0 4294967301 big\r\n\r\n'],
    ['a stray error response', answerText(requestText({ method: 'OPTIONS' }), 404)],
    ['a stray 2xx for somebody else', answerText(requestText({ method: 'INVITE' }), 200)],
    ['an ACK nobody can read', 'ACK sip:x SIP/2.0\r\n\r\n'],
    ['noise', '\u0000\u0001\u0002\u0003\u0004\u0005'],
    ['a keep-alive', '\r\n\r\n'],
  ])('%s gets silence', async (_what, text) => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(text, bench.port);
    peer.send(requestText({ method: 'OPTIONS', branch: 'z9hG4bKprobe' }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(await peer.inbox.take()).toContain('z9hG4bKprobe');
    expect(peer.inbox.size).toBe(0);
    expect(bench.layer.counters.bugs).toBe(0);
  });

  test('an RFC 2543 phone, without branch, has its repeats and ACK matched all the same', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    const via = `SIP/2.0/UDP 127.0.0.1:${peer.port}`;
    peer.send(requestText({ method: 'INVITE', via }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 486, 'Busy Here', 'bob1'));
    const first = await peer.inbox.take();
    peer.send(requestText({ method: 'INVITE', via }), bench.port);
    const second = await peer.inbox.take();
    peer.send(requestText({ method: 'ACK', via, toTag: 'bob1' }), bench.port);
    peer.send(requestText({ method: 'BYE', via, cseq: 2, toTag: 'bob1' }), bench.port);
    expect(second).toBe(first);
    expect((await bench.takeRequest()).request.method).toBe('BYE');
  });

  test('a request inside a dialog is still taken when new ones are refused', async () => {
    const bench = await Bench.open('udp', { limits: { serverTransactions: 1 } });
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS', callId: 'one' }), bench.port);
    await bench.takeRequest();
    peer.send(requestText({ method: 'BYE', toTag: 'x', branch: 'z9hG4bKbye' }), bench.port);
    expect((await bench.takeRequest()).request.method).toBe('BYE');
  });

  test('too many transactions are answered 503 with Retry-After', async () => {
    const bench = await Bench.open('udp', { limits: { serverTransactions: 1 } });
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS', callId: 'one' }), bench.port);
    await bench.takeRequest();
    peer.send(requestText({ method: 'OPTIONS', callId: 'two', branch: 'z9hG4bKtwo' }), bench.port);
    const answer = await peer.inbox.take();
    expect(statusLine(answer)).toBe('SIP/2.0 503 Service Unavailable');
    expect(answer).toContain('Retry-After: ');
  });

  test('an exception above ends that request with 500 and nothing else', async () => {
    const bugs: unknown[] = [];
    const layer = await startTransactionLayer({
      listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      user: {
        onRequest: () => {
          throw new Error('bug');
        },
        onAck: () => undefined,
        onCancel: () => undefined,
        onStrayResponse: () => undefined,
      },
      onBug: (error) => bugs.push(error),
    });
    closeLater(layer);
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS' }), layer.listenPoints[0]?.port ?? 0);
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 500 Server Internal Error');
    expect(bugs).toEqual([new Error('bug')]);
    expect(layer.counters.bugs).toBe(1);
  });

  test('a response that cannot be written is a failure, not an exception', async () => {
    const bench = await Bench.open();
    const peer = await udpPeer();
    peer.send(requestText({ method: 'OPTIONS' }), bench.port);
    const { transaction, request } = await bench.takeRequest();
    const response = buildResponse(request, 200, 'OK');
    response.headers.push({ name: 'X-Evil', value: 'a\r\nRoute: <sip:evil>' });
    expect(await transaction.send(response)).toMatchObject({ type: 'failed' });
    expect(transaction.hasFinal).toBe(false);
  });
});
