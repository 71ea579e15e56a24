import { createServer as createPlainServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { tlsAuthority, tlsOwner } from '../../../support/tls-files.ts';
import type { TlsOwner } from '../../../support/tls-files.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { closeAll } from '../transaction/layer-bench.ts';
import { answerText } from '../transaction/sample-messages.ts';
import { answerNext, ask, listen, openBench, tlsServer } from './tls-bench.ts';

afterEach(closeAll);

describe('a server that we connect to', () => {
  test('the name of the target is asked for and checked; the next request uses the connection', async () => {
    const { bench, failures } = await openBench();
    const server = await tlsServer('carrier');
    const first = ask(bench, 'localhost', server.port);
    expect(await answerNext(server)).toContain(`Via: SIP/2.0/TLS 127.0.0.1:${bench.port};`);
    expect(await first).toBe('200');
    const second = ask(bench, 'localhost', server.port);
    await answerNext(server);
    expect(await second).toBe('200');
    expect(server.names).toEqual(['localhost']);
    expect(failures).toEqual([]);
  });

  test('an address is no name to ask for, and is found in the certificate', async () => {
    const { bench } = await openBench();
    const server = await tlsServer('sbc');
    const asked = ask(bench, '127.0.0.1', server.port);
    await answerNext(server);
    expect(await asked).toBe('200');
    expect(server.names).toEqual([false]);
  });

  test.each<[why: string, owner: TlsOwner, address: string, reason: string]>([
    [
      'another name',
      'carrier',
      '127.0.0.1',
      'certificate is for localhost, carrier.example.test, not for 127.0.0.1',
    ],
    [
      'another name',
      'sbc',
      'localhost',
      'certificate is for sbc.example.test, 127.0.0.1, 127.0.0.4, not for localhost',
    ],
    ['an unknown authority', 'stranger', 'localhost', 'unable to verify the first certificate'],
    ['a time that is over', 'expired', 'localhost', 'certificate has expired'],
  ])('a certificate with %s (%s) is refused', async (_why, owner, address, reason) => {
    const { bench, failures } = await openBench();
    const server = await tlsServer(owner);
    const outcome = await ask(bench, address, server.port);
    expect(outcome).toContain(`tls 127.0.0.1:${server.port}`);
    expect(outcome).toContain(`handshake failed: ${reason}`);
    expect(failures).toMatchObject([{ direction: 'outbound', reason }]);
  });

  test.each<TlsOwner>(['carrier', 'stranger', 'expired'])(
    'verify: none takes the certificate of %s for any name',
    async (owner) => {
      const { bench } = await openBench({ verify: 'none' });
      const server = await tlsServer(owner);
      for (const address of ['127.0.0.1', 'localhost']) {
        const asked = ask(bench, address, server.port);
        await answerNext(server);
        expect(await asked).toBe('200');
      }
      // Nothing was checked, so one connection is as good as another.
      expect(server.peers).toHaveLength(1);
    },
  );

  test('a connection serves only the name that was checked on it', async () => {
    const { bench } = await openBench();
    const server = await tlsServer('carrier');
    const asked = ask(bench, 'localhost', server.port);
    await answerNext(server);
    expect(await asked).toBe('200');
    expect(await ask(bench, '127.0.0.1', server.port)).toContain('not for 127.0.0.1');
  });

  test('our own certificate is shown to those who ask', async () => {
    const { bench } = await openBench();
    const server = await tlsServer('carrier', {
      ca: tlsAuthority(),
      requestCert: true,
      rejectUnauthorized: true,
    });
    const asked = ask(bench, 'localhost', server.port);
    await answerNext(server);
    expect(await asked).toBe('200');
  });

  test('a server that does not accept ours is an error with a reason', async () => {
    const { bench, failures } = await openBench();
    const server = await tlsServer('carrier', {
      ca: tlsAuthority('other-ca'),
      requestCert: true,
      rejectUnauthorized: true,
    });
    expect(await ask(bench, 'localhost', server.port)).not.toBe('200');
    await waitFor('the reason', () => failures.length > 0);
    expect(failures[0]).toMatchObject({
      direction: 'outbound',
      reason: expect.stringContaining('before the server said anything'),
    });
  });

  test('a server that never finishes the handshake is given up', async () => {
    const { bench, failures } = await openBench({}, { limits: { connectTimeoutMs: 150 } });
    const sockets: Socket[] = [];
    const silent = createPlainServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
    });
    const port = await listen(silent);
    expect(await ask(bench, 'localhost', port)).toContain('handshake not completed in time');
    expect(failures).toMatchObject([{ direction: 'outbound' }]);
    for (const socket of sockets) socket.destroy();
  });

  test('a server that reads too slowly is disconnected', async () => {
    const { bench } = await openBench({}, { limits: { sendQueueBytes: 10 } });
    const server = await tlsServer('carrier');
    expect(await ask(bench, 'localhost', server.port)).toContain('reads too slowly');
    await waitFor('the end', () => server.peers.every(({ socket }) => socket.closed));
  });

  test('a server that hangs up in the middle of its answer is an error', async () => {
    const { bench } = await openBench();
    const server = await tlsServer('carrier');
    const asked = ask(bench, 'localhost', server.port);
    const peer = await waitFor('a connection', () => server.peers[0]);
    const wire = await peer.inbox.take();
    peer.socket.end(answerText(wire, 200).slice(0, 40));
    expect(await asked).toBe(`tls 127.0.0.1:${server.port}: connection closed`);
  });

  test('pings keep the connection until one is not answered any more', async () => {
    const { bench } = await openBench({}, { limits: { pingIntervalMs: 60, pongTimeoutMs: 400 } });
    const server = await tlsServer('carrier');
    const asked = ask(bench, 'localhost', server.port);
    await answerNext(server);
    expect(await asked).toBe('200');
    const [peer] = server.peers;
    expect(await peer?.inbox.take()).toBe('\r\n\r\n');
    peer?.socket.write('\r\n');
    expect(await peer?.inbox.take()).toBe('\r\n\r\n');
    await waitFor('the end', () => peer?.socket.closed === true);
  });
});

test('a certificate that is none is refused at the start', async () => {
  const { key } = tlsOwner('sbc');
  await expect(openBench({ certificate: 'no certificate', key })).rejects.toThrow(
    /^tls\/127\.0\.0\.1:0 cannot be bound/,
  );
});
