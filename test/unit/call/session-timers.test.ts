import assert from 'node:assert/strict';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EndCause } from '../../../src/call/end-cause.ts';
import { SessionTimers, type TimedLeg } from '../../../src/call/mid-call/session-timers.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { settings } from './offer-answer-fixtures.ts';
import { responseWith, type Headers } from './session-timer-fixtures.ts';

const UPDATE = { 'Session-Expires': '1800;refresher=uac', Allow: 'INVITE, UPDATE' };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  assert.equal(vi.getTimerCount(), 0, 'a timer is left');
  vi.useRealTimers();
});

const silent = (): void => undefined;

interface Stage {
  readonly timers: SessionTimers;
  readonly leg: TimedLeg;
  readonly connection: FakeSipConnection;
  readonly ends: EndCause[];
  readonly reinvited: string[];
}

/** A callee's leg that was answered with `headers` just now. */
function answeredLeg(headers: Headers, isServerRefreshing = false): Stage {
  const ends: EndCause[] = [];
  const reinvited: string[] = [];
  const timers = new SessionTimers({
    isServerRefreshing,
    reinvite: (side) => {
      reinvited.push(side);
      return Promise.resolve(undefined);
    },
    end: (cause) => {
      ends.push(cause);
      timers.end();
    },
    guarded: (action) => {
      void action();
    },
  });
  const leg: TimedLeg = {
    side: 'callee',
    settings: settings(),
    dialog: undefined,
    sessionAgreement: undefined,
  };
  const timer = timers.watch(leg);
  const connection = new FakeSipConnection();
  const identity = {
    role: 'uac',
    dialogId: 'dialog-b',
    callId: 'leg-b',
    localTag: 'ours',
    remoteTag: 'theirs',
    localContact: '<sip:us@sbc>',
  } as const;
  const handler = { onRequest: silent, onAck: silent, onEnd: silent, onTrace: silent };
  leg.dialog = new SipDialog(identity, connection, { ...handler, refresh: timer }, silent);
  timer.accepted(responseWith(headers));
  return { timers, leg, connection, ends, reinvited };
}

async function afterSeconds(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

test('a leg is refreshed again and again until the call is over', async () => {
  const { timers, leg, connection } = answeredLeg(UPDATE);
  for (const count of [1, 2, 3]) {
    await afterSeconds(901);
    expect(connection.sent).toHaveLength(count);
    connection.last.answer(200, UPDATE);
    await afterSeconds(0);
  }
  expect(connection.last.options).toMatchObject({
    method: 'UPDATE',
    headers: { 'Session-Expires': '1800;refresher=uac', Contact: '<sip:us@sbc>' },
  });
  expect(leg.sessionAgreement).toEqual({ intervalSeconds: 1800, refresher: 'us' });
  timers.end();
  await afterSeconds(10_000);
  expect(connection.sent).toHaveLength(3);
});

test('a refresh that cannot be sent now is tried until the session expires', async () => {
  const { connection, reinvited, ends } = answeredLeg({ 'Session-Expires': '1800' });
  await afterSeconds(1700);
  expect(reinvited.length).toBeGreaterThan(10);
  await afterSeconds(100);
  expect(connection.sent).toEqual([]);
  expect(ends).toEqual([{ name: 'session-expired', by: 'callee' }]);
});

test('a leg without session timer is asked, and the call ends when it knows nothing of it', async () => {
  const { connection, ends } = answeredLeg({});
  await afterSeconds(601);
  connection.last.answer(200);
  await afterSeconds(601);
  expect(connection.sent.map(({ options }) => options.method)).toEqual(['OPTIONS', 'OPTIONS']);
  connection.last.answer(481);
  await afterSeconds(0);
  expect(ends).toEqual([{ name: 'dialog-lost', by: 'callee' }]);
});

test('a lost connection to the SIP engine says nothing about the peer', async () => {
  const { timers, connection, ends } = answeredLeg({});
  await afterSeconds(601);
  connection.last.fail('connection-lost');
  await afterSeconds(601);
  expect(connection.sent).toHaveLength(2);
  expect(ends).toEqual([]);
  timers.end();
  connection.last.answer(200);
  await afterSeconds(0);
});

test('beside a server that refreshes by itself we are earlier', async () => {
  const { timers, connection } = answeredLeg(UPDATE, true);
  await afterSeconds(721);
  expect(connection.sent).toHaveLength(1);
  connection.last.answer(200, UPDATE);
  await afterSeconds(0);
  timers.end();
});

test('the timer of an attempt that is over does nothing', async () => {
  const { timers, leg, connection } = answeredLeg(UPDATE);
  timers.watch({ ...leg });
  await afterSeconds(2000);
  expect(connection.sent).toEqual([]);
  expect(timers.of('caller')).toBeUndefined();
});
