import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHeader, getHeaders } from '../../src/wire/sip-message.ts';
import type { SipMessage, SipResponse } from '../../src/wire/sip-message.ts';
import { signal } from '../support/engine-app.ts';
import { SDP, token } from '../support/engine-peer.ts';
import type { EnginePeer, PeerCall } from '../support/engine-peer.ts';
import {
  answer,
  arrive,
  contactOf,
  cseqOf,
  dial,
  idOf,
  openEngineStage,
  requestWith,
  sendFromBranch,
  sendInDialog,
} from '../support/engine-stage.ts';
import type { EngineStage } from '../support/engine-stage.ts';

const SUBSCRIBE_KPML = ['Event: kpml', 'Expires: 60'];

let stage: EngineStage;
let alice: EnginePeer;
let bob: EnginePeer;
let call: PeerCall;

beforeEach(async () => {
  stage = await openEngineStage();
  ({ alice, bob, call } = stage);
});

afterEach(async () => {
  await stage.bench.close();
});

describe('a sequence number of the peer', () => {
  test('may skip some, but a lower one than the last gets 500', async () => {
    const dialog = await answer(stage);
    dialog.on('info', (_request, response) => response.send(200));
    call.request('INFO');
    await alice.response(200, 'INFO');
    const { address } = alice;
    const send = (cseq: number): void => {
      alice.send([
        'INFO sip:bob@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP ${address};branch=z9hG4bK${token()}`,
        'Max-Forwards: 70',
        `From: <sip:alice@${address}>;tag=${call.fromTag}`,
        `To: <sip:bob@127.0.0.1>;tag=${call.toTag}`,
        `Call-ID: ${call.callId}`,
        `CSeq: ${cseq} INFO`,
      ]);
    };
    send(call.cseq + 7);
    expect(getHeader(await alice.response(200, 'INFO'), 'CSeq')).toBe(`${call.cseq + 7} INFO`);
    send(call.cseq + 6);
    expect(getHeader(await alice.response(500, 'INFO'), 'CSeq')).toBe(`${call.cseq + 6} INFO`);
  });

  test('of our requests rises in one row, whatever the method; the ACK has that of its INVITE', async () => {
    const dialog = await answer(stage);
    const numbers: number[] = [];
    const acks: number[] = [];
    for (const method of ['INFO', 'NOTIFY', 'INVITE', 'SUBSCRIBE', 'BYE']) {
      const asked = dialog.request({ method, body: method === 'INVITE' ? SDP : '' });
      const request = await alice.request(method);
      numbers.push(cseqOf(request));
      const body = method === 'INVITE' ? SDP : '';
      alice.answer(request, '200 OK', [contactOf(alice), 'Content-Type: application/sdp'], body);
      await asked;
      if (method === 'INVITE') acks.push(cseqOf(await alice.request('ACK')));
    }
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    expect(new Set(numbers).size).toBe(5);
    expect(acks).toEqual([numbers[2]]);
  });
});

describe('the route of a dialog', () => {
  test('of the callee is the recorded one in order, and a re-INVITE does not change it', async () => {
    const loose = (name: string): string => `<sip:${name}@${bob.address};lr>`;
    const dialog = await answer(stage, [
      `Record-Route: ${loose('near')}`,
      'Record-Route: <sip:far;lr>',
    ]);
    dialog.on('modify', (_request, response) => response.send(200, { body: SDP }));
    call.invite([`Record-Route: <sip:elsewhere@127.0.0.1:9;lr>`]);
    await alice.response(200, 'INVITE');
    call.ack();

    const asked = dialog.request({ method: 'INFO' });
    const info = await bob.request('INFO');
    bob.answer(info, '200 OK');
    await asked;

    expect(getHeaders(info, 'Route')).toEqual([loose('near'), '<sip:far;lr>']);
    expect(info.uri).toBe(`sip:alice@${alice.address}`);
  });

  test('of the caller is turned round; a strict router gets the request with the target last', async () => {
    const { invite, made } = await dial(stage);
    const strict = `<sip:strict@${alice.address}>`;
    const extra = [
      contactOf(bob),
      'Content-Type: application/sdp',
      'Record-Route: <sip:far;lr>',
      `Record-Route: ${strict}`,
    ];
    bob.answer(invite, '200 OK', extra, SDP);
    const dialog = await made;
    const ack = await alice.request('ACK');
    const asked = dialog.request({ method: 'INFO' });
    const info = await alice.request('INFO');
    alice.answer(info, '200 OK');
    await asked;

    for (const request of [ack, info]) {
      expect(request.uri).toBe(`sip:strict@${alice.address}`);
      expect(getHeaders(request, 'Route')).toEqual(['<sip:far;lr>', `<sip:me@${bob.address}>`]);
    }
  });
});

describe('an early dialog', () => {
  test('carries requests of the caller as soon as the 18x is out', async () => {
    const { response } = await arrive(stage);
    response.send(180);
    call.follow(await alice.response(180));
    call.request('SUBSCRIBE', SUBSCRIBE_KPML);
    await alice.response(200, 'SUBSCRIBE');
    const id = idOf(call);
    expect(stage.subscribed.map((request) => request.stackDialogId)).toEqual([id]);

    const asked = sendInDialog(stage, id, 'NOTIFY', {
      Event: 'kpml',
      'Subscription-State': 'pending',
    });
    alice.answer(await alice.request('NOTIFY'), '200 OK');
    expect((await asked)?.status).toBe(200);
    response.send(486);
    await alice.response(486, 'INVITE');
    call.ackRefusal();
  });

  test.each(['CANCEL', 'BYE'])(
    'with a subscription outlives the %s until the last NOTIFY',
    async (method) => {
      const { request, response } = await arrive(stage);
      const cancelled = signal<unknown>();
      request.on('cancel', cancelled.resolve);
      response.send(180);
      call.follow(await alice.response(180));
      call.request('SUBSCRIBE', SUBSCRIBE_KPML);
      await alice.response(200, 'SUBSCRIBE');

      if (method === 'CANCEL') call.cancel();
      else call.request('BYE');
      await alice.response(200, method);
      await alice.response(487, 'INVITE');
      await cancelled.promise;

      const id = idOf(call);
      const last = { Event: 'kpml', 'Subscription-State': 'terminated;reason=noresource' };
      const asked = sendInDialog(stage, id, 'NOTIFY', last);
      alice.answer(await alice.request('NOTIFY'), '200 OK');
      expect((await asked)?.status).toBe(200);
      expect(await sendInDialog(stage, id, 'NOTIFY', last)).toBeUndefined();
    },
  );

  test('without a subscription is gone with the CANCEL', async () => {
    const { request, response } = await arrive(stage);
    const cancelled = signal<unknown>();
    request.on('cancel', cancelled.resolve);
    response.send(180);
    await alice.response(180);
    call.cancel();
    await alice.response(487, 'INVITE');
    await cancelled.promise;
    expect(await sendInDialog(stage, idOf(call), 'INFO')).toBeUndefined();
  });

  test('of each branch has its own requests both ways; the branches that lose are gone', async () => {
    const { invite, made, id } = await dial(stage);
    for (const tag of ['one', 'two']) {
      bob.answerAs(tag, invite, { status: '180 Ringing', extra: [contactOf(bob)] });
      sendFromBranch(
        stage,
        { tag, invite },
        { method: 'SUBSCRIBE', cseq: 1, extra: SUBSCRIBE_KPML },
      );
      await bob.response(200, 'SUBSCRIBE');
    }
    expect(stage.subscribed.map((request) => request.stackDialogId)).toEqual([id, id]);

    for (const tag of ['one', 'two']) {
      const headers = { To: `<sip:bob@${bob.address}>;tag=${tag}`, Event: 'kpml' };
      const asked = sendInDialog(stage, id, 'NOTIFY', headers);
      const notify = await requestWith(bob, 'NOTIFY', ['To', `;tag=${tag}`]);
      bob.answer(notify, '200 OK');
      expect((await asked)?.status).toBe(200);
    }
    sendFromBranch(stage, { tag: 'one', invite }, { method: 'INVITE', cseq: 2 });
    await bob.response(491, 'INVITE');

    const extra = [contactOf(bob), 'Content-Type: application/sdp'];
    bob.answerAs('two', invite, { status: '200 OK', extra, body: SDP });
    const dialog = await made;
    expect(dialog.sip.remoteTag).toBe('two');
    await bob.request('ACK');
    bob.answerAs('one', invite, { status: '183 Progress', extra, body: SDP });
    sendFromBranch(stage, { tag: 'one', invite }, { method: 'INFO', cseq: 3 });
    await bob.response(481, 'INFO');
    const lost = { To: `<sip:bob@${bob.address}>;tag=one` };
    expect(await sendInDialog(stage, id, 'INFO', lost)).toBeUndefined();
    sendFromBranch(stage, { tag: 'two', invite }, { method: 'INFO', cseq: 3 });
    await bob.response(200, 'INFO');
  });
});

test('a CANCEL after the 200 changes nothing', async () => {
  const dialog = await answer(stage);
  dialog.on('info', (_request, response) => response.send(200));
  call.cancel();
  const status = (await alice.finalResponse('CANCEL')).status;
  call.request('INFO');
  await alice.response(200, 'INFO');
  expect(status).toBe(200);
  expect(dialog.connected).toBe(true);
  expect(alice.heard.some(isRefusal)).toBe(false);
});

function isRefusal(message: SipMessage): message is SipResponse {
  return message.type === 'response' && message.status === 487;
}

describe('the ACK to a 200', () => {
  const CREDENTIALS = { Authorization: 'Digest mine', 'Proxy-Authorization': 'Digest of a proxy' };

  test.each([
    ['names the place the INVITE went to', 'bob', ['Digest mine', 'Digest of a proxy']],
    ['names somebody else', 'carol', [undefined, undefined]],
  ])('that %s has just the credentials of its INVITE there', async (_what, to, credentials) => {
    const carol = await stage.bench.peer();
    const contact = contactOf(to === 'bob' ? bob : carol);
    const options = { localSdp: SDP, headers: CREDENTIALS };
    void stage.app.createUAC(`sip:bob@${bob.address}`, options);
    bob.answer(
      await bob.request('INVITE'),
      '200 OK',
      [contact, 'Content-Type: application/sdp'],
      SDP,
    );

    const ack = await (to === 'bob' ? bob : carol).request('ACK');

    expect(Object.keys(CREDENTIALS).map((name) => getHeader(ack, name))).toEqual(credentials);
  });
});
