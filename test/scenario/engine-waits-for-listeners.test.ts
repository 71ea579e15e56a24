import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEngineThread } from '../../src/engine/engine-thread.ts';
import type { EngineThread } from '../../src/engine/engine-thread.ts';
import { connectApp } from '../support/engine-app.ts';
import type { App, AppRequest, AppResponse } from '../support/engine-app.ts';
import { EnginePeer, PeerCall, SDP } from '../support/engine-peer.ts';

/**
 *   alice                    engine thread                        application
 *     |--INVITE----------------->|------------------------------------>| createUAS
 *     |<-200---------------------|<------------------------------------|
 *     |--ACK, SUBSCRIBE--------->|--OK of the 200--------------------->| promise resolves
 *     |   (same millisecond)     |--ACK-->|          … listener is attached
 *     |                          |--SUBSCRIBE (held after the OK)----->| 'subscribe'
 *     |<-200, not 489------------|<------------------------------------|
 */
const PEERS = 10;
const CALLS_PER_PEER = 12;
let thread: EngineThread;
let app: App;
let peers: EnginePeer[];

beforeEach(async () => {
  const listen = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
  const admin = { host: '127.0.0.1', port: 0 };
  thread = await startEngineThread([{ name: 'access', listen, admin, secret: 'cymru' }]);
  app = await connectApp(thread.engines[0]?.adminPort ?? 0, (srf) => {
    const answerCall = async (request: AppRequest, response: AppResponse): Promise<void> => {
      const dialog = await srf.createUAS(request, response, { localSdp: SDP });
      dialog.on('subscribe', (_request, answer) =>
        answer.send(200, { headers: { Expires: '60' } }),
      );
    };
    srf.invite((request, response) => void answerCall(request, response));
  });
  const sipPort = thread.engines[0]?.listenPoints[0]?.port ?? 0;
  peers = await Promise.all(Array.from({ length: PEERS }, () => EnginePeer.open(sipPort)));
});

afterEach(async () => {
  app.disconnect();
  for (const peer of peers) peer.close();
  await thread.close();
});

test('a SUBSCRIBE in the same millisecond as the ACK finds its listener, every time', async () => {
  const statuses = new Set<string>();
  const callAndSubscribe = async (peer: EnginePeer): Promise<void> => {
    const call = new PeerCall(peer);
    call.invite();
    call.follow(await peer.response(200, 'INVITE'));
    call.ack();
    call.request('SUBSCRIBE', ['Event: kpml', 'Expires: 60']);
    const answer = await peer.finalResponse('SUBSCRIBE');
    statuses.add(`${answer.status} ${answer.reason}`);
    call.request('BYE');
    await peer.response(200, 'BYE');
  };
  await Promise.all(
    peers.map(async (peer) => {
      for (let count = 0; count < CALLS_PER_PEER; count += 1) await callAndSubscribe(peer);
    }),
  );
  expect([...statuses]).toEqual(['200 OK']);
});
