import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startEngineThread } from '../../src/engine/engine-thread.ts';
import { connectApp } from '../support/engine-app.ts';
import { EnginePeer, PeerCall } from '../support/engine-peer.ts';

const LISTEN = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
const ADMIN = { host: '127.0.0.1', port: 0 };

test('several engines in one thread have ports and applications of their own', async () => {
  const names = ['access', 'core'];
  const thread = await startEngineThread(
    names.map((name) => ({ name, listen: LISTEN, admin: ADMIN, secret: 'cymru' })),
  );
  expect(thread.engines.map((engine) => engine.name)).toEqual(names);
  const ports = thread.engines.flatMap((engine) => [
    engine.adminPort,
    engine.listenPoints[0]?.port ?? 0,
  ]);
  expect(new Set(ports).size).toBe(4);

  const apps = await Promise.all(
    thread.engines.map((engine, index) =>
      connectApp(engine.adminPort, (app) =>
        app.options((_request, response) => response.send(index === 0 ? 200 : 202)),
      ),
    ),
  );
  const peer = await EnginePeer.open(thread.engines[1]?.listenPoints[0]?.port ?? 0);
  new PeerCall(peer).request('OPTIONS');
  expect((await peer.finalResponse('OPTIONS')).status).toBe(202);

  peer.close();
  for (const app of apps) app.disconnect();
  await thread.close();
  await thread.close();
});

test('a port that is taken is named, and nothing stays open', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const good = { name: 'good', listen: LISTEN, admin: ADMIN, secret: 'cymru' };
  const bad = { ...good, name: 'bad', admin: { host: '127.0.0.1', port } };
  await expect(startEngineThread([good, bad])).rejects.toThrow(String(port));
  taken.close();
});
