import { afterEach, describe, expect, test, vi } from 'vitest';
import { DigitScene, planOf } from './dtmf-fixtures.ts';

const RELAY = planOf('kpml-relay', 'kpml-relay');

afterEach(() => {
  vi.useRealTimers();
});

describe('between two KPML ends', () => {
  test('a SUBSCRIBE goes to the other end, under the other dialog’s name, and its answer back', async () => {
    const scene = new DigitScene();
    scene.start(RELAY);
    const request = scene.subscribe('callee', {
      Event: 'kpml;id=3;call-id="callee@sbc";local-tag=our-callee;remote-tag=their-callee',
      Accept: 'application/kpml-response+xml',
      'X-Secret': 'of this leg',
    });

    const [relayed] = scene.sentTo('caller', 'SUBSCRIBE');
    expect(relayed?.options.headers).toEqual({
      To: '<sip:placeholder@localhost>;tag=their-caller',
      Contact: '<sip:us@sbc>',
      Event: 'kpml;call-id="caller@sbc";local-tag=their-caller;remote-tag=our-caller;id=3',
      Expires: '600',
      Accept: 'application/kpml-response+xml',
      'Content-Type': 'application/kpml-request+xml',
    });
    expect(relayed?.options.body).toContain('<regex>');
    await scene.answer('caller', 200, { Expires: '300', Server: 'phone' });
    expect(request.answers[0]).toMatchObject({ status: 200 });
    expect(request.answers[0]?.options.headers).toEqual({
      Contact: '<sip:us@sbc>',
      Expires: '300',
    });
  });

  test('a NOTIFY goes to the subscriber, and its digits are entered', async () => {
    const scene = new DigitScene();
    scene.start(RELAY);
    const event = 'kpml;call-id="caller@sbc";local-tag=their-caller;remote-tag=our-caller';
    scene.notify('caller', '12', { Event: event });
    expect(scene.sentTo('callee', 'NOTIFY')[0]?.options.headers).toMatchObject({
      Event: 'kpml;call-id="callee@sbc";local-tag=our-callee;remote-tag=their-callee',
      'Subscription-State': 'active;expires=600',
    });
    await scene.answer('callee', 200);
    scene.notify('caller', '3');
    await scene.answer('callee', 481);
    expect(scene.fates).toEqual([
      '1 caller-to-callee notify 200',
      '2 caller-to-callee notify 200',
      '3 caller-to-callee notify 481 !notify-failed',
    ]);
  });

  test('a body that is no report, or none, is passed on all the same', async () => {
    const scene = new DigitScene();
    scene.start(RELAY);
    scene.notify('caller', undefined);
    scene.notify('caller', '1', { 'Content-Type': 'text/xml' });
    scene.notify('caller', '"><x');
    expect(scene.sentTo('callee', 'NOTIFY')).toHaveLength(3);
    expect(scene.fates).toEqual([]);
    for (const sent of scene.sentTo('callee', 'NOTIFY')) sent.answer(200);
    await scene.flush();
  });

  test.each([
    ['names another dialog', { Event: 'kpml;call-id=elsewhere' }, 481],
    ['has an Event that cannot be read', { Event: 'kpml;;=' }, 481],
  ])('a SUBSCRIBE that %s gets %o', (_what, headers, status) => {
    const scene = new DigitScene();
    scene.start(RELAY);
    expect(scene.subscribe('callee', headers).answers[0]?.status).toBe(status);
    expect(scene.connections.caller.sent).toEqual([]);
  });

  test('a SUBSCRIBE that comes before the other end has answered may be tried again', () => {
    const scene = new DigitScene();
    scene.early = 'relay';
    scene.legs.caller.dialog = undefined;
    expect(scene.subscribe('callee').answers[0]).toMatchObject({
      status: 500,
      options: { headers: { 'Retry-After': '1' } },
    });
  });

  test('nothing crosses after the end of the call', () => {
    const scene = new DigitScene();
    scene.start(RELAY);
    scene.dtmf.end();
    expect(scene.subscribe('callee').answers[0]?.status).toBe(489);
    expect(scene.notify('caller', '1')).toBe(481);
    expect(scene.connections.callee.sent).toEqual([]);
  });
});
