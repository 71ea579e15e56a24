import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KpmlSubscriber } from '../../../src/dtmf/kpml-subscriber.ts';
import { DialogSubscriber } from '../../../src/sip/subscriber.ts';
import { FakeReceivedRequest, type FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { HOSTILE_BODIES, openDialog, shortestMs } from './dialog-samples.ts';

interface Scene {
  readonly connection: FakeSipConnection;
  readonly subscriber: DialogSubscriber;
  readonly heard: string[];
}

function open(): Scene {
  const { connection, dialog } = openDialog();
  const heard: string[] = [];
  const subscriber = new DialogSubscriber({
    machine: new KpmlSubscriber({
      expiresSeconds: 7200,
      flash: false,
      tolerateMissingState: false,
      random: () => 0,
    }),
    dialog,
    nowMs: () => Date.now(),
    listener: {
      digits: (digits, cseq) => heard.push(`${digits.join('')} of ${cseq}`),
      ignored: (characters, reason, cseq) => heard.push(`${characters} ${reason} of ${cseq}`),
      state: (state, reason) => heard.push(`${state}: ${reason}`),
      bug: (error) => heard.push(String(error)),
    },
  });
  subscriber.start();
  return { connection, subscriber, heard };
}

let cseq = 0;

function notify(scene: Scene, body: string, headers: Record<string, string> = {}) {
  cseq += 1;
  const request = new FakeReceivedRequest(
    'NOTIFY',
    {
      CSeq: `${cseq} NOTIFY`,
      Event: 'kpml',
      'Subscription-State': 'active;expires=600',
      ...(body === '' ? {} : { 'Content-Type': 'application/kpml-response+xml' }),
      ...headers,
    },
    { body },
  );
  scene.subscriber.receiveNotify(request);
  return request.answers[0];
}

function report(digits: string): string {
  return `<kpml-response version="1.0" code="200" text="OK" digits="${digits}"/>`;
}

async function answer(scene: Scene, status: number, headers: Record<string, string> = {}) {
  scene.connection.last.answer(status, headers);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  cseq = 0;
});
afterEach(() => {
  assert.equal(vi.getTimerCount(), 0, 'a timer is left');
  vi.useRealTimers();
});

describe('our SUBSCRIBE', () => {
  test('asks in the dialog, with our Contact and the whole document', async () => {
    const scene = open();
    const { method, dialogId, headers, body } = scene.connection.last.options;
    expect({ method, dialogId, headers }).toEqual({
      method: 'SUBSCRIBE',
      dialogId: 'dialog-a',
      headers: {
        To: '<sip:placeholder@localhost>;tag=theirs',
        Contact: '<sip:us@sbc>',
        Event: 'kpml',
        Expires: '7200',
        Accept: 'application/kpml-response+xml',
        'Content-Type': 'application/kpml-request+xml',
      },
    });
    expect(body).toContain('[x*#ABCD]');
    await answer(scene, 489);
    expect(scene.heard).toEqual(['failed: answered 489']);
    expect(scene.subscriber.state).toBe('failed');
  });

  test.each<[string, number, Record<string, string>, { afterMs: number; expires: string }]>([
    ['423 with Min-Expires', 423, { 'Min-Expires': '9000' }, { afterMs: 0, expires: '9000' }],
    ['503 with Retry-After', 503, { 'Retry-After': '5' }, { afterMs: 5000, expires: '7200' }],
  ])('is repeated after %s', async (_what, status, headers, { afterMs, expires }) => {
    const scene = open();
    await answer(scene, status, headers);
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(scene.connection.sent).toHaveLength(2);
    expect(scene.connection.last.options.headers?.['Expires']).toBe(expires);
    await answer(scene, 481);
  });

  test('is repeated before the granted time runs out, with an Expires of 60 s at 45 s', async () => {
    const scene = open();
    await answer(scene, 200, { Expires: '60' });
    notify(scene, '');
    await vi.advanceTimersByTimeAsync(44_999);
    expect(scene.connection.sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(scene.connection.sent).toHaveLength(2);
    scene.subscriber.abandon();
    await answer(scene, 200);
  });

  test('that gets no answer at all has failed', async () => {
    const scene = open();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(scene.heard).toEqual(['failed: answered 408']);
  });

  test('with Expires: 0 ends the subscription', async () => {
    const scene = open();
    await answer(scene, 200);
    notify(scene, '');
    scene.subscriber.stop();
    expect(scene.connection.last.options).toMatchObject({ headers: { Expires: '0' } });
    expect(scene.connection.last.options.body).toBeUndefined();
    await answer(scene, 200);
    notify(scene, report('1'), { 'Subscription-State': 'terminated;reason=timeout' });
    expect(scene.heard).toEqual(['active: notified', 'ended: stopped']);
  });
});

describe('a NOTIFY', () => {
  test('is answered, and its digits are handed on with its CSeq', async () => {
    const scene = open();
    expect(notify(scene, report('12b+R'))).toEqual({
      status: 200,
      options: { headers: { Contact: '<sip:us@sbc>' } },
    });
    expect(scene.heard).toEqual([
      '12B of 1',
      '+ unknown-character of 1',
      'R flash-disabled of 1',
      'active: notified',
    ]);
    await answer(scene, 200);
    scene.subscriber.abandon();
  });

  test('that is too much is told unread', async () => {
    const scene = open();
    const statuses = Array.from({ length: 51 }, () => notify(scene, report('1'))?.status);
    expect(statuses.at(-1)).toBe(500);
    expect(scene.heard.at(-1)).toBe(' rate-limited of 51');
    await answer(scene, 200);
    scene.subscriber.abandon();
  });

  test('after the end of the dialog is answered and unheard', async () => {
    const scene = open();
    await answer(scene, 200);
    notify(scene, '');
    scene.subscriber.abandon();
    expect(notify(scene, report('1'))?.status).toBe(200);
    expect(scene.heard).toEqual(['active: notified', 'ended: dialog over']);
  });

  test.each(HOSTILE_BODIES)('with %s is refused in no time', async (_what, body, status) => {
    const scene = open();
    expect(notify(scene, body)?.status).toBe(status);
    expect(shortestMs(() => notify(scene, body))).toBeLessThan(5);
    await answer(scene, 200);
    scene.subscriber.abandon();
  });
});
