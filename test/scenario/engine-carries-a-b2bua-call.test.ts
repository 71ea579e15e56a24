import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHeader } from '../../src/wire/sip-message.ts';
import { EngineBench, signal } from '../support/engine-app.ts';
import type { App, AppDialog } from '../support/engine-app.ts';
import { PeerCall, SDP } from '../support/engine-peer.ts';
import type { EnginePeer } from '../support/engine-peer.ts';

/**
 *   alice            engine            createB2BUA           engine            bob
 *     |--INVITE-------->|--frame-------------->|--frame-------->|--INVITE------->|
 *     |<-180, 200-------|<---------------------|<---------------|<-180, 200------|
 *     |--ACK----------->|                      |                |--ACK---------->|
 *     |--re-INVITE, INFO, BYE …                                                  |
 */
describe('a B2BUA call through the engine', () => {
  let bench: EngineBench;
  let alice: EnginePeer;
  let bob: EnginePeer;
  let call: PeerCall;
  let legs: ReturnType<typeof signal<{ uas: AppDialog; uac: AppDialog }>>;
  let app: App;

  beforeEach(async () => {
    bench = await EngineBench.start();
    alice = await bench.peer();
    bob = await bench.peer();
    legs = signal();
    app = await bench.app((srf) => {
      srf.invite((request, response) => {
        const uri = `sip:bob@${bob.address}`;
        const options = { localSdpB: request.body, passFailure: true };
        srf.createB2BUA(request, response, uri, options).then(legs.resolve, () => undefined);
      });
    });
    call = new PeerCall(alice);
  });

  afterEach(async () => {
    await bench.close();
  });

  async function establish(): Promise<{ uas: AppDialog; uac: AppDialog }> {
    call.invite();
    await alice.response(100);
    const invite = await bob.request('INVITE');
    bob.answer(invite, '180 Ringing', [`Contact: <sip:bob@${bob.address}>`]);
    call.follow(await alice.response(180));
    const answer = [`Contact: <sip:bob@${bob.address}>`, 'Content-Type: application/sdp'];
    bob.answer(invite, '200 OK', answer, SDP);
    const ok = await alice.response(200, 'INVITE');
    expect(ok.body.toString()).toBe(SDP);
    call.follow(ok);
    call.ack();
    await bob.request('ACK');
    return await legs.promise;
  }

  test('is set up, carries an INFO, is held and ended by the caller', async () => {
    const { uas, uac } = await establish();
    expect(uas.id).toBe(`${call.callId};from-tag=${call.fromTag}`);

    uas.on('info', (request, response) => {
      void uac
        .request({ method: 'INFO', headers: { 'Content-Type': 'text/plain' }, body: request.body })
        .then((answer) => response.send(answer.status));
    });
    call.request('INFO', ['Content-Type: text/plain'], 'hé');
    const info = await bob.request('INFO');
    expect(info.body.toString()).toBe('hé');
    bob.answer(info, '200 OK');
    await alice.response(200, 'INFO');

    uas.on('modify', (_request, response) => response.send(200, { body: SDP }));
    call.invite([`Contact: <sip:alice2@${alice.address}>`]);
    await alice.response(100, 'INVITE');
    await alice.response(200, 'INVITE');
    call.ack();

    const over = signal<unknown>();
    uas.on('destroy', () => over.resolve(uac.destroy()));
    call.request('BYE');
    await alice.response(200, 'BYE');
    bob.answer(await bob.request('BYE'), '200 OK');
    await over.promise;
    call.request('INFO');
    await alice.response(481, 'INFO');
  });

  test('a refusal of the callee reaches the caller', async () => {
    call.invite();
    const invite = await bob.request('INVITE');
    bob.answer(invite, '486 Busy Here');
    expect(getHeader(await bob.request('ACK'), 'CSeq')).toBe(
      `${getHeader(invite, 'CSeq')?.split(' ')[0]} ACK`,
    );
    call.follow(await alice.response(486));
    call.ackRefusal();
  });

  test('a CANCEL of the caller cancels the callee', async () => {
    call.invite();
    const invite = await bob.request('INVITE');
    bob.answer(invite, '180 Ringing', [`Contact: <sip:bob@${bob.address}>`]);
    await alice.response(180);
    call.cancel(['Reason: SIP;cause=200;text="Call completed elsewhere"']);
    await alice.response(200, 'CANCEL');
    await alice.response(487, 'INVITE');
    call.ackRefusal();
    const cancel = await bob.request('CANCEL');
    expect(getHeader(cancel, 'Reason')).toContain('Call completed elsewhere');
    bob.answer(cancel, '200 OK');
    bob.answer(invite, '487 Request Terminated');
    await bob.request('ACK');
  });

  test('a delayed offer goes through in 200 and ACK', async () => {
    call.invite([], '');
    const invite = await bob.request('INVITE');
    expect(invite.body).toHaveLength(0);
    const answer = [`Contact: <sip:bob@${bob.address}>`, 'Content-Type: application/sdp'];
    bob.answer(invite, '200 OK', answer, SDP);
    const ok = await alice.response(200, 'INVITE');
    expect(ok.body.toString()).toBe(SDP);
    call.follow(ok);
    const mine = SDP.replace('4000', '4444');
    call.ack(mine);
    expect((await bob.request('ACK')).body.toString()).toBe(mine);
  });

  test('a second re-INVITE before the answer to the first gets 500, one that crosses ours 491', async () => {
    const { uas } = await establish();
    const held = signal<() => void>();
    uas.on('modify', (_request, response) => held.resolve(() => response.send(200, { body: SDP })));
    call.invite();
    const answer = await held.promise;
    call.invite();
    expect(getHeader(await alice.response(500, 'INVITE'), 'Retry-After')).toMatch(/^\d+$/);
    answer();
    await alice.response(200, 'INVITE');
    call.ack();

    void uas.request({ method: 'INVITE', body: SDP }).catch(() => undefined);
    const ours = await alice.request('INVITE');
    call.invite();
    await alice.response(491, 'INVITE');
    call.ackRefusal();
    alice.answer(ours, '488 Not Acceptable Here');
    await alice.request('ACK');
  });

  test('a 200 to our re-INVITE that comes again gets the same ACK again, and a 1xx does not hide it', async () => {
    const { uas } = await establish();
    const answered = uas.request({ method: 'INVITE', body: SDP });
    const invite = await alice.request('INVITE');
    const contact = [`Contact: <sip:moved@${alice.address}>`, 'Content-Type: application/sdp'];
    alice.answer(invite, '180 Ringing', contact.slice(0, 1));
    alice.answer(invite, '200 OK', contact, SDP);
    expect((await answered).status).toBe(200);
    const ack = await alice.request('ACK');
    expect(ack.uri).toBe(`sip:moved@${alice.address}`);
    alice.answer(invite, '200 OK', contact, SDP);
    expect(await alice.request('ACK')).toEqual(ack);
  });

  test('a terminated NOTIFY leaves the call alone', async () => {
    const { uas } = await establish();
    uas.on('notify', (_request, response) => response.send(200));
    call.request('NOTIFY', ['Event: kpml', 'Subscription-State: terminated;reason=timeout']);
    await alice.response(200, 'NOTIFY');
    const info = uas.request({ method: 'INFO' });
    alice.answer(await alice.request('INFO'), '200 OK');
    expect((await info).status).toBe(200);
    const over = signal<unknown>();
    uas.on('destroy', over.resolve);
    call.request('BYE');
    await over.promise;
    expect(app.listenerCount('error')).toBeGreaterThan(0);
  });
});
