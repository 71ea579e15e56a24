/** The moment in which the connection to the SIP engine goes: the library knows first, and then throws at every command. */
import { expect, test } from 'vitest';
import { startEngine } from '../../src/engine/engine.ts';
import { connectDrachtio } from '../../src/sip/drachtio.ts';
import type { ReceivedRequest, SipConnection } from '../../src/sip/sip-connection.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

interface Scene {
  readonly engine: Awaited<ReturnType<typeof startEngine>>;
  readonly connection: SipConnection;
  /** A request of a peer that waits for its answer. */
  readonly received: ReceivedRequest;
}

async function open(): Promise<Scene> {
  const engine = closeAfterTest(
    await startEngine({
      listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      admin: { host: '127.0.0.1', port: 0 },
      secret: 'secret',
    }),
  );
  const arrived = Promise.withResolvers<ReceivedRequest>();
  const connection = await connectDrachtio({
    host: '127.0.0.1',
    port: engine.adminPort,
    secret: 'secret',
    methods: ['MESSAGE'],
    onRequest: arrived.resolve,
  });
  closeAfterTest({ close: () => Promise.resolve(connection.close()) });
  const peer = closeAfterTest(await SipPeer.open({ retransmits: false }));
  const { port = 0 } = engine.listenPoints[0] ?? {};
  const via = { address: '127.0.0.1', port };
  peer.request('MESSAGE', { user: 'us', via }).catch(() => undefined);
  return { engine, connection, received: await arrived.promise };
}

/** Does `action` in every turn of the event loop until the connection is known to be down. */
async function inEveryTurn(connection: SipConnection, action: () => void): Promise<void> {
  while (connection.isUp) {
    action();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  action();
}

test('requests fail, and say why', async () => {
  const { engine, connection } = await open();
  const sent = { count: 0, failed: 0 };
  const reasons = new Set<string>();
  const closing = engine.close();
  await inEveryTurn(connection, () => {
    sent.count += 1;
    connection.send(
      { method: 'OPTIONS', uri: 'sip:nobody@127.0.0.1:9' },
      {
        onResponse: () => undefined,
        onFailed: (reason) => {
          sent.failed += 1;
          reasons.add(reason);
        },
      },
    );
  });
  await closing;
  await waitFor('the last failure', () => sent.failed > 0);
  expect(sent.failed).toBeLessThanOrEqual(sent.count);
  expect([...reasons]).toEqual(['connection-lost']);
});

test('an answer fails', async () => {
  const { engine, connection, received } = await open();
  const outcomes = new Set<string>();
  const closing = engine.close();
  await inEveryTurn(connection, () => {
    received.respond(180, {}, ({ type }) => outcomes.add(type));
  });
  await closing;
  expect(outcomes).toContain('failed');
});
