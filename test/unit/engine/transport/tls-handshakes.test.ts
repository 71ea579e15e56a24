import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { buildResponse } from '../../../../src/engine/transaction/built-messages.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { closeAll, statusLine } from '../transaction/layer-bench.ts';
import { requestText } from '../transaction/sample-messages.ts';
import { openBench, plainPeer, tlsPeer, TLS_VIA } from './tls-bench.ts';

afterEach(closeAll);

describe('a client that connects to us', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: request and answer', async (maxVersion) => {
    const { bench } = await openBench();
    const peer = await tlsPeer(bench.port, { maxVersion });
    peer.socket.write(requestText({ method: 'OPTIONS', via: TLS_VIA }));
    const { transaction, request, flow } = await bench.takeRequest();
    await transaction.send(buildResponse(request, 200, 'OK'));
    expect(statusLine(await peer.inbox.take())).toBe('SIP/2.0 200 OK');
    expect(flow).toMatchObject({ protocol: 'tls', localPort: bench.port });
  });

  test('TLS 1.1 is refused', async () => {
    const { bench, failures } = await openBench();
    const old = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    await expect(tlsPeer(bench.port, old)).rejects.toThrow(/protocol version/);
    await waitFor('the reason', () => failures.length > 0);
    expect(failures).toMatchObject([{ direction: 'inbound', reason: 'unsupported protocol' }]);
  });

  test('a ping is answered', async () => {
    const { bench } = await openBench();
    const peer = await tlsPeer(bench.port);
    peer.socket.write('\r\n\r\n');
    expect(await peer.inbox.take()).toBe('\r\n');
  });

  test('a message in pieces arrives whole; one cut off by the end harms nobody', async () => {
    const { bench } = await openBench();
    const [cut, whole] = [await tlsPeer(bench.port), await tlsPeer(bench.port)];
    const text = requestText({ method: 'INFO', via: TLS_VIA, body: 'dtmf' });
    cut.socket.write(text.slice(0, 60));
    whole.socket.write(text.slice(0, 60));
    await cut.close();
    whole.socket.write(text.slice(60));
    const { request } = await bench.takeRequest();
    expect(request.body.toString()).toBe('dtmf');
    expect(bench.events.size).toBe(0);
  });

  test('SIP without TLS and garbage are turned away, with a reason', async () => {
    const { bench, failures } = await openBench();
    for (const bytes of [requestText({ method: 'OPTIONS', via: TLS_VIA }), '\0\x01\x02garbage']) {
      const peer = await plainPeer(bench.port);
      const closed = once(peer.socket, 'close');
      peer.socket.write(bytes);
      await closed;
    }
    await waitFor('both reasons', () => failures.length === 2);
    expect(failures.map(({ direction }) => direction)).toEqual(['inbound', 'inbound']);
    expect(failures.every(({ remote }) => remote.startsWith('127.0.0.1:'))).toBe(true);
    expect(failures.every(({ reason }) => /^[a-z ]+$/.test(reason))).toBe(true);
    const peer = await tlsPeer(bench.port);
    peer.socket.write(requestText({ method: 'OPTIONS', via: TLS_VIA }));
    expect((await bench.takeRequest()).request.method).toBe('OPTIONS');
  });

  test('a handshake that is never finished is ended, byte by byte as well', async () => {
    const { bench, failures } = await openBench({}, { limits: { handshakeTimeoutMs: 150 } });
    const silent = await plainPeer(bench.port);
    const dripping = await plainPeer(bench.port);
    const drip = setInterval(() => dripping.socket.write('\x16'), 40);
    // A drop that finds the connection gone brings an error first.
    await waitFor('the end of both', () => silent.socket.closed && dripping.socket.closed);
    clearInterval(drip);
    expect(failures.map(({ reason }) => reason)).toContain('not completed in time');
  });

  test('a thousand idle handshakes keep nobody out', async () => {
    const { bench } = await openBench({}, { limits: { handshakes: 50 } });
    const idle: Socket[] = [];
    for (let count = 0; count < 1000; count += 1) {
      const socket = connectPlain(bench.port, '127.0.0.1');
      socket.on('error', () => undefined);
      idle.push(socket);
    }
    const peer = await tlsPeer(bench.port);
    peer.socket.write(requestText({ method: 'OPTIONS', via: TLS_VIA }));
    expect((await bench.takeRequest()).request.method).toBe('OPTIONS');
    await waitFor('the oldest have gone', () => idle.filter(({ closed }) => closed).length >= 900);
    await Promise.all(
      idle.map(async (socket) => {
        if (socket.closed) return;
        socket.destroy();
        await once(socket, 'close');
      }),
    );
  });

  test('with required certificates only clients of the authority get through', async () => {
    const { bench, failures } = await openBench({ clientCertificates: 'required' });
    const known = await tlsPeer(bench.port, { owner: 'carrier' });
    known.socket.write(requestText({ method: 'OPTIONS', via: TLS_VIA }));
    expect((await bench.takeRequest()).request.method).toBe('OPTIONS');
    for (const owner of [undefined, 'stranger'] as const) {
      const peer = await tlsPeer(bench.port, owner === undefined ? {} : { owner });
      peer.socket.write(requestText({ method: 'OPTIONS', via: TLS_VIA }));
      await waitFor('the end', () => peer.socket.closed);
    }
    await waitFor('both reasons', () => failures.length === 2);
    expect(bench.events.size).toBe(0);
  });
});
