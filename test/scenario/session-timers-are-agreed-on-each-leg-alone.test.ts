/**
 *   alice                   SBC                      bob
 *     | INVITE                | INVITE                 |
 *     | Session-Expires: 600  | Session-Expires: 1800  |    what one end says of its timer never reaches the other
 *     |---------------------->|----------------------->|
 *     |                   200 |                    200 |
 *     | Session-Expires: 600  |                        |
 *     |<----------------------|<-----------------------|
 */
import { describe, expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf, type Header } from '../support/sip-text.ts';
import { endTimedCall, methodsIn, timedCall, timerHeaders } from '../support/timed-call.ts';

shareSbcInFile({ core: { 'min-se': '1' } });
checkLeaksAfterEach();

const TIMER: Header = ['Supported', 'timer'];
const OURS = { Supported: '100rel, timer', 'Session-Expires': '1800', 'Min-SE': '1' };

describe('when the call is set up', () => {
  test.each<[what: string, headers: Header[], answer: Record<string, string>]>([
    [
      'asks to refresh itself',
      [TIMER, ['Session-Expires', '600;refresher=uac']],
      { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
    ],
    [
      'asks us to refresh',
      [TIMER, ['Session-Expires', '600;refresher=uas']],
      { 'Session-Expires': '600;refresher=uas', Require: 'timer' },
    ],
    [
      'requires the extension',
      [
        ['Require', 'timer'],
        ['Session-Expires', '600'],
      ],
      { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
    ],
    [
      'asks in the short form of the header',
      [TIMER, ['x', '7200']],
      { 'Session-Expires': '1800;refresher=uac', Require: 'timer' },
    ],
    ['knows no session timers', [], {}],
  ])('a caller that %s', async (_, alice, answer) => {
    const stage = await openCallStage();
    const call = await timedCall(stage, { alice });
    await endTimedCall(call);

    expect(timerHeaders(call.invite)).toEqual(OURS);
    expect(timerHeaders(call.answer)).toEqual(answer);
  });

  test('a caller that asks for too little gets 422, and nobody is called', async () => {
    const { alice, bob, running } = await openCallStage();
    const outgoing = alice.sip.invite({
      to: '5551000',
      via: running.access,
      headers: [TIMER, ['Session-Expires', '89']],
      body: plainOffer(alice.sip),
    });
    const refused = await outgoing.finished();
    const [record] = await callRecords(running, 1);

    expect(statusOf(refused)).toBe(422);
    expect(timerHeaders(refused)).toEqual({ 'Min-SE': '90' });
    expect(bob.sip.incoming).toHaveLength(0);
    expect(record?.release).toMatchObject({ sipCode: 422, internalCode: 'interval-too-short' });
  });

  test('a callee that wants more time is asked again in the same dialog, as the same attempt', async () => {
    const { alice, bob, running } = await openCallStage();
    const outgoing = alice.sip.invite({
      to: '5551000',
      via: running.access,
      body: plainOffer(alice.sip),
    });
    const first = await bob.sip.nextCall();
    first.reject(422, { headers: [['Min-SE', '3600']] });
    const second = await bob.sip.nextCall();
    await second.answer({ body: plainOffer(bob.sip) });
    await outgoing.answered();
    await outgoing.dialog.bye();
    await second.dialog.waitForEnd();
    const [record] = await callRecords(running, 1);

    const named = (name: string): (string | undefined)[] =>
      [first, second].map(({ invite }) => headerValue(invite, name));
    expect(timerHeaders(second.invite)).toEqual({
      ...OURS,
      'Session-Expires': '3600',
      'Min-SE': '3600',
    });
    expect(new Set(named('Call-ID')).size).toBe(1);
    expect(new Set(named('From')).size).toBe(1);
    const [before = 0, after = 0] = named('CSeq').map((value) => Number.parseInt(value ?? '', 10));
    expect(after).toBe(before + 1);
    expect(second.invite.body).toBe(first.invite.body);
    expect(record?.attempts).toMatchObject([{ code: 200 }]);
  });

  test('a callee that is never content costs the call, and the caller does not hear why', async () => {
    const { alice, bob, running } = await openCallStage();
    const outgoing = alice.sip.invite({
      to: '5551000',
      via: running.access,
      body: plainOffer(alice.sip),
    });
    for (const minSe of ['3600', '7200']) {
      const incoming = await bob.sip.nextCall();
      incoming.reject(422, { headers: [['Min-SE', minSe]] });
    }
    const refused = await outgoing.finished();

    expect(statusOf(refused)).toBe(480);
    expect(timerHeaders(refused)).toEqual({});
    expect(bob.sip.incoming).toHaveLength(2);
  });
});

describe('in mid-call', () => {
  test('a refresh without offer is answered here, whoever refreshes from then on', async () => {
    const stage = await openCallStage();
    const call = await timedCall(stage, {
      alice: [TIMER, ['Session-Expires', '600;refresher=uac']],
    });
    const update = (refresher: string): Promise<Record<string, string>> =>
      call.alice
        .request('UPDATE', { headers: [TIMER, ['Session-Expires', `600${refresher}`]] })
        .then((response) => timerHeaders(response));
    const answers = [await update(''), await update(';refresher=uas'), await update('')];
    const isHeard = methodsIn(call.bob).length > 0;
    await endTimedCall(call);

    expect(answers.map((answer) => answer['Session-Expires'])).toEqual([
      '600;refresher=uac',
      '600;refresher=uas',
      '600;refresher=uas',
    ]);
    expect(isHeard).toBe(false);
  });

  test.each(['INVITE', 'UPDATE'])(
    'an offer by %s has on each leg the headers of that leg',
    async (method) => {
      const stage = await openCallStage();
      const call = await timedCall(stage, {
        alice: [TIMER, ['Session-Expires', '600;refresher=uac']],
        bob: [['Session-Expires', '1200;refresher=uas']],
      });
      const answer = await call.alice.request(method, {
        headers: [TIMER, ['Session-Expires', '500;refresher=uac']],
        body: plainOffer(stage.alice.sip),
      });
      const relayed = await call.bob.waitForRequest(method);
      await endTimedCall(call);

      expect(timerHeaders(answer)).toEqual({
        'Session-Expires': '500;refresher=uac',
        Require: 'timer',
      });
      expect(timerHeaders(relayed)).toEqual({
        Supported: 'timer',
        'Session-Expires': '1200;refresher=uas',
        'Min-SE': '1',
      });
    },
  );

  test('an offer that asks for too little gets 422 and goes no further', async () => {
    const stage = await openCallStage();
    const call = await timedCall(stage, { alice: [TIMER] });
    const refused = await call.alice.request('INVITE', {
      headers: [TIMER, ['Session-Expires', '30']],
      body: plainOffer(stage.alice.sip),
    });
    const methods = methodsIn(call.bob);
    await endTimedCall(call);

    expect(statusOf(refused)).toBe(422);
    expect(headerValue(refused, 'Min-SE')).toBe('90');
    expect(methods).toEqual([]);
  });

  test('an end that wants more time for an offer is asked again, the other one never hears of it', async () => {
    const stage = await openCallStage();
    const call = await timedCall(stage);
    const body = plainOffer(stage.bob.sip);
    call.bob.handle('INVITE', (request) =>
      headerValue(request, 'Min-SE') === '4000'
        ? { status: 200, body }
        : { status: 422, headers: [['Min-SE', '4000']] },
    );
    const answer = await call.alice.request('INVITE', { body: plainOffer(stage.alice.sip) });
    const methods = methodsIn(call.bob);
    await endTimedCall(call);

    expect(statusOf(answer)).toBe(200);
    expect(methods).toEqual(['INVITE', 'INVITE']);
  });

  test('an end that is never content refuses the offer, and nothing of its reason is told', async () => {
    const stage = await openCallStage();
    const call = await timedCall(stage);
    let minSe = 4000;
    call.bob.handle('INVITE', () => ({ status: 422, headers: [['Min-SE', String((minSe += 1))]] }));
    const refused = await call.alice.request('INVITE', { body: plainOffer(stage.alice.sip) });
    const methods = methodsIn(call.bob);
    await endTimedCall(call);

    expect(statusOf(refused)).toBe(480);
    expect(timerHeaders(refused)).toEqual({});
    expect(methods).toEqual(['INVITE', 'INVITE']);
  });
});

test('switched to force and disabled, a leg gets a timer without the peer, or only if the peer insists', async () => {
  const stage = await openCallStage({
    access: { 'session-timer': 'force', 'session-expires': '900' },
    core: { 'session-timer': 'disabled', 'min-se': '1' },
  });
  const call = await timedCall(stage, { bob: [['Session-Expires', '1000;refresher=uas']] });
  const answer = await call.alice.request('INVITE', { body: plainOffer(stage.alice.sip) });
  const relayed = await call.bob.waitForRequest('INVITE');
  await endTimedCall(call);

  expect(timerHeaders(call.answer)).toEqual({ 'Session-Expires': '900;refresher=uas' });
  expect(timerHeaders(answer)).toEqual({ 'Session-Expires': '900;refresher=uas' });
  expect(timerHeaders(call.invite)).toEqual({ Supported: '100rel' });
  expect(timerHeaders(relayed)['Session-Expires']).toBe('1000;refresher=uas');
});

test('a callee that keeps no promise to refresh loses the call, and so does the caller', async () => {
  const stage = await openCallStage();
  // The carrier insists on a second, though the caller knows nothing of timers.
  const call = await timedCall(stage, { bob: [['Session-Expires', '1;refresher=uas']] });
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  const [record] = await callRecords(stage.running, 1);

  expect(methodsIn(call.bob)).toEqual(['BYE']);
  expect(record?.release).toMatchObject({ side: 'callee', internalCode: 'session-expired' });
});
