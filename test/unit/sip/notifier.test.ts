import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KpmlNotifier } from '../../../src/dtmf/kpml-notifier.ts';
import { DialogNotifier } from '../../../src/sip/notifier.ts';
import { FakeReceivedRequest, type FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { HOSTILE_BODIES, openDialog, shortestMs } from './dialog-samples.ts';

const PATTERN =
  '<kpml-request version="1.0"><pattern persist="persist"><regex>x</regex></pattern></kpml-request>';

interface Scene {
  readonly connection: FakeSipConnection;
  readonly notifier: DialogNotifier;
  readonly heard: string[];
}

function open(): Scene {
  const { connection, dialog } = openDialog();
  const heard: string[] = [];
  const notifier = new DialogNotifier({
    machine: new KpmlNotifier({}),
    dialog,
    nowMs: () => Date.now(),
    listener: {
      notified: ({ pressIds, status, cseq, sentAtMs }) =>
        heard.push(`${pressIds.join()} ${status} cseq ${cseq} at ${sentAtMs}`),
      dropped: (pressId, reason) => heard.push(`${pressId} ${reason}`),
      changed: () => undefined,
      bug: (error) => heard.push(String(error)),
    },
  });
  notifier.setMode('active');
  return { connection, notifier, heard };
}

function subscribe(scene: Scene, headers: Record<string, string> = {}, body = PATTERN): Sent {
  const request = new FakeReceivedRequest(
    'SUBSCRIBE',
    {
      Event: 'kpml',
      Expires: '600',
      'Content-Type': 'application/kpml-request+xml',
      ...headers,
    },
    { body },
  );
  scene.notifier.receiveSubscribe(request);
  return request.answers[0];
}

type Sent = FakeReceivedRequest['answers'][number] | undefined;

async function answer(scene: Scene, status: number, headers: Record<string, string> = {}) {
  scene.connection.last.answer(status, headers);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  assert.equal(vi.getTimerCount(), 0, 'a timer is left');
  vi.useRealTimers();
});

describe('a SUBSCRIBE', () => {
  test('gets 200 with our Contact, and at once a NOTIFY without body', async () => {
    const scene = open();
    expect(subscribe(scene)).toEqual({
      status: 200,
      options: { headers: { Contact: '<sip:us@sbc>', Expires: '600' } },
    });
    expect(scene.connection.last.options).toEqual({
      method: 'NOTIFY',
      uri: 'sip:placeholder',
      dialogId: 'dialog-a',
      headers: {
        To: '<sip:placeholder@localhost>;tag=theirs',
        Contact: '<sip:us@sbc>',
        Event: 'kpml',
        'Subscription-State': 'active;expires=600',
      },
    });
    expect(scene.notifier.subscriptions).toMatchObject([{ id: '', state: 'active' }]);
    await answer(scene, 200);
    scene.notifier.end();
    await answer(scene, 200);
  });

  test('that is refused gets no Contact and no NOTIFY', () => {
    const scene = open();
    expect(subscribe(scene, { Expires: '10' })).toEqual({
      status: 423,
      options: { headers: { 'Min-Expires': '60' } },
    });
    expect(scene.connection.sent).toEqual([]);
  });

  test.each(HOSTILE_BODIES)('with %s is refused in no time', (_what, body, status) => {
    const scene = open();
    expect(subscribe(scene, {}, body)?.status).toBe(status);
    expect(shortestMs(() => subscribe(scene, {}, body))).toBeLessThan(5);
    expect(scene.connection.sent).toEqual([]);
  });
});

describe('a press', () => {
  test('is told with the CSeq and status of its NOTIFY, and when that left', async () => {
    const scene = open();
    subscribe(scene);
    await answer(scene, 200);
    await vi.advanceTimersByTimeAsync(100);
    scene.notifier.press({ pressId: 'one', digit: '1' });
    await vi.advanceTimersByTimeAsync(5);
    await answer(scene, 200, { CSeq: '17 NOTIFY' });
    expect(scene.heard).toEqual(['one 200 cseq 17 at 100']);
    scene.notifier.end();
    await answer(scene, 200);
  });

  test.each([
    ['connection-lost', 'one 503 cseq 0 at 40', 1],
    ['no-dialog', 'one 481 cseq 0 at 40', 0],
  ])('whose NOTIFY fails by %s: %s', async (reason, told, left) => {
    const scene = open();
    subscribe(scene);
    await answer(scene, 200);
    await vi.advanceTimersByTimeAsync(40);
    scene.notifier.press({ pressId: 'one', digit: '1' });
    scene.connection.last.fail(reason);
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.heard).toEqual([told]);
    expect(scene.notifier.subscriptions).toHaveLength(left);
    scene.notifier.end();
    for (const sent of scene.connection.sent) sent.fail('over');
    await vi.advanceTimersByTimeAsync(0);
  });

  test('waits as long as Retry-After of the NOTIFY before it says', async () => {
    const scene = open();
    subscribe(scene);
    await answer(scene, 500, { 'Retry-After': '3 (busy)' });
    scene.notifier.press({ pressId: 'one', digit: '1' });
    await vi.advanceTimersByTimeAsync(2999);
    expect(scene.connection.sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(scene.connection.sent).toHaveLength(2);
    await answer(scene, 200, { 'Retry-After': 'soon' });
    scene.notifier.end();
    await answer(scene, 200);
  });

  test('that no document wants is dropped with the reason', async () => {
    const scene = open();
    scene.notifier.press({ pressId: 'early', digit: '1' });
    subscribe(scene);
    await answer(scene, 200);
    scene.notifier.press({ pressId: 'star', digit: '*' });
    scene.notifier.release({ pressId: 'star', digit: '*', durationMs: 100 });
    expect(scene.heard).toEqual(['early no-subscription', 'star no-match']);
    scene.notifier.end();
    await answer(scene, 200);
  });
});

describe('a subscription', () => {
  test('ends on time', async () => {
    const scene = open();
    subscribe(scene, { Expires: '60' });
    await answer(scene, 200);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scene.connection.last.options.headers?.['Subscription-State']).toBe(
      'terminated;reason=timeout',
    );
    await answer(scene, 200);
    expect(scene.notifier.subscriptions).toEqual([]);
  });
});
