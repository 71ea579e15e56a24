import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SessionTimer, type SessionTimerOutput } from '../../../src/call/mid-call/session-timer.ts';
import type { SessionTimerSettings } from '../../../src/call/mid-call/session-timer-negotiation.ts';
import { requestWith, responseWith, SETTINGS } from './session-timer-fixtures.ts';

const START_MS = 1_000_000;
const US = { 'Session-Expires': '1800;refresher=uac', Allow: 'INVITE, UPDATE' };
const PEER = { 'Session-Expires': '1800;refresher=uas' };
const REFRESH = { type: 'refresh', method: 'UPDATE' };
const EXPIRED = { type: 'end', cause: 'session-expired' };
const LOST = { type: 'end', cause: 'dialog-lost' };

function timerWith(
  settings: Partial<SessionTimerSettings> = {},
  options: { isCallIdOurs?: boolean; random?: number } = {},
): SessionTimer {
  const { isCallIdOurs = true, random = 0 } = options;
  return new SessionTimer({
    settings: { ...SETTINGS, ...settings },
    isCallIdOurs,
    random: () => random,
  });
}

/** A leg whose INVITE we sent at second 0 and which answered with `headers`. */
function answered(
  headers: Readonly<Record<string, string>>,
  timer: SessionTimer = timerWith(),
): SessionTimer {
  timer.accepted(responseWith(headers), START_MS);
  return timer;
}

function at(seconds: number): number {
  return START_MS + seconds * 1000;
}

function dueSeconds(timer: SessionTimer): number | undefined {
  const { expiresAtMs } = timer;
  return expiresAtMs === undefined ? undefined : (expiresAtMs - START_MS) / 1000;
}

describe('what is due, and when', () => {
  test.each<[what: string, headers: Readonly<Record<string, string>>, due: number | undefined]>([
    ['we refresh at half time', { 'Session-Expires': '1800;refresher=uac' }, 900],
    ['the peer has until 32 s before the end', PEER, 1768],
    ['or until a third before it', { 'Session-Expires': '90;refresher=uas' }, 60],
    ['without a timer the peer is asked', {}, 600],
    ['no timer keeps longer time than 20 days', { 'Session-Expires': '4294967295' }, 864_000],
  ])('%s', (_, headers, due) => {
    expect(dueSeconds(answered(headers))).toBe(due);
  });

  test('nothing before the answer, nothing when asking is switched off', () => {
    expect(timerWith().expiresAtMs).toBeUndefined();
    expect(answered({}, timerWith({ pingSeconds: 0 })).expiresAtMs).toBeUndefined();
  });

  test('nothing happens before it is due', () => {
    const timer = answered(US);
    expect(timer.expire(at(899.9))).toEqual([]);
    expect(timer.expire(at(900))).toEqual([REFRESH]);
  });
});

describe('our refresh', () => {
  test.each<[allow: string | undefined, method: string]>([
    ['INVITE, UPDATE', 'UPDATE'],
    ['INVITE', 'INVITE'],
    [undefined, 'INVITE'],
  ])('goes by what the peer allows: %s -> %s', (allow, method) => {
    const headers = allow === undefined ? {} : { Allow: allow };
    const timer = answered({ 'Session-Expires': '1800', ...headers });
    expect(timer.expire(at(900))).toEqual([{ type: 'refresh', method }]);
  });

  test('its 2xx begins the interval anew', () => {
    const timer = answered(US);
    timer.expire(at(900));
    timer.accepted(responseWith(US), at(901));
    expect(timer.refreshed(200, 'UPDATE', at(901))).toEqual([]);
    expect(dueSeconds(timer)).toBe(1801);
  });

  test('a 2xx may hand the refreshing over', () => {
    const timer = answered(US);
    timer.expire(at(900));
    timer.accepted(responseWith(PEER), at(901));
    expect(timer.refreshed(200, 'UPDATE', at(901))).toEqual([]);
    expect(timer.agreement?.refresher).toBe('peer');
    expect(dueSeconds(timer)).toBe(901 + 1768);
  });

  test.each<[status: number | undefined, isOurs: boolean, random: number, again: number]>([
    [491, true, 0, 2.1],
    [491, true, 0.999, 3.99],
    [491, false, 0, 0],
    [491, false, 0.999, 1.99],
    [500, true, 0, 10],
    [488, true, 0, 10],
    [503, true, 0, 10],
    [undefined, true, 0, 10],
  ])('after %s (Call-ID ours: %s, random %d) it is tried again in %d s', (...row) => {
    const [status, isCallIdOurs, random, again] = row;
    const timer = answered(US, timerWith({}, { isCallIdOurs, random }));
    timer.expire(at(900));
    expect(timer.refreshed(status, 'UPDATE', at(910))).toEqual([]);
    expect(dueSeconds(timer)).toBeCloseTo(910 + again, 6);
    expect(timer.expire(at(910 + again) + 1)).toEqual([REFRESH]);
  });

  test.each([481, 408])('%i says that the peer has lost the dialog', (status) => {
    const timer = answered(US);
    timer.expire(at(900));
    expect(timer.refreshed(status, 'UPDATE', at(910))).toEqual([LOST]);
    expect(timer.expiresAtMs).toBeUndefined();
  });

  test.each([405, 501])('a %i to UPDATE leads to re-INVITE', (status) => {
    const timer = answered(US);
    timer.expire(at(900));
    timer.refreshed(status, 'UPDATE', at(901));
    expect(timer.expire(at(920))).toEqual([{ type: 'refresh', method: 'INVITE' }]);
  });

  test('refused again and again it ends with the session', () => {
    const timer = answered(US);
    let nowMs = START_MS;
    let outputs: readonly SessionTimerOutput[] = [];
    let attempts = 0;
    while (timer.expiresAtMs !== undefined) {
      nowMs = timer.expiresAtMs;
      outputs = timer.expire(nowMs);
      if (outputs[0]?.type !== 'refresh') continue;
      attempts += 1;
      expect(timer.refreshed(500, 'UPDATE', nowMs)).toEqual([]);
    }
    expect(outputs).toEqual([EXPIRED]);
    expect(nowMs).toBe(at(1768));
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(120);
  });

  test('one without answer does not outlast the session', () => {
    const timer = answered(US);
    timer.expire(at(900));
    expect(timer.expire(at(1768))).toEqual([EXPIRED]);
    expect(timer.refreshed(408, 'UPDATE', at(1769))).toEqual([]);
  });

  test('one of the peer that crosses ours counts, and ours with it', () => {
    const timer = answered(US);
    timer.expire(at(900));
    const update = requestWith({ Supported: 'timer', 'Session-Expires': '1800;refresher=uas' });
    const { headers, sent } = timer.accept(update);
    sent(at(901));
    expect(headers).toEqual({ 'Session-Expires': '1800;refresher=uas', Require: 'timer' });
    expect(timer.refreshed(491, 'UPDATE', at(902))).toEqual([]);
    expect(dueSeconds(timer)).toBe(1801);
  });

  test('may come a little earlier than half time', () => {
    const options = { settings: SETTINGS, isCallIdOurs: true, random: () => 0, refreshShare: 0.4 };
    expect(dueSeconds(answered(US, new SessionTimer(options)))).toBe(720);
  });
});

describe('the refresh of the peer', () => {
  test('begins the interval anew', () => {
    const timer = answered(PEER);
    const request = requestWith({ Supported: 'timer', 'Session-Expires': '1800;refresher=uac' });
    timer.accept(request).sent(at(900));
    expect(timer.expire(at(1768))).toEqual([]);
    expect(dueSeconds(timer)).toBe(900 + 1768);
  });

  test('counts from when its 2xx leaves, and not without one', () => {
    const timer = answered(PEER);
    const request = requestWith({ Supported: 'timer', 'Session-Expires': '600;refresher=uas' });
    timer.accept(request);
    expect(timer.agreement).toEqual({ intervalSeconds: 1800, refresher: 'peer' });
    expect(timer.expire(at(1768))).toEqual([EXPIRED]);
  });

  test('in a later exchange counts more than a first answer that is late', () => {
    const timer = timerWith();
    const { sent } = timer.accept(requestWith({}));
    timer.accepted(responseWith(PEER), at(1));
    sent(at(2));
    expect(timer.agreement).toEqual({ intervalSeconds: 1800, refresher: 'peer' });
  });

  test('of less than we take is refused', () => {
    const short = requestWith({ Supported: 'timer', 'Session-Expires': '60' });
    expect(answered(PEER).refusal(short)).toEqual({ 'Min-SE': '90' });
  });
});

describe('a refusal of our request', () => {
  test.each<[status: number, minSe: string | undefined, helps: boolean]>([
    [422, '120', true],
    [422, '90', false],
    [422, undefined, false],
    [422, 'more', false],
    [488, '120', false],
  ])('%i with Min-SE %s: asking again helps: %s', (status, minSe, helps) => {
    const timer = timerWith();
    const response = responseWith(minSe === undefined ? {} : { 'Min-SE': minSe }, status);
    expect(timer.tooShort(response)).toBe(helps);
    expect(timer.requestHeaders()['Min-SE']).toBe(helps ? '120' : '90');
    expect(timer.tooShort(response)).toBe(false);
  });

  test('without a response changes nothing', () => {
    expect(timerWith().tooShort(undefined)).toBe(false);
  });
});

describe('a leg without session timer', () => {
  test.each([200, 405, 486, 500, 503])('a %i shows that the peer is there', (status) => {
    const timer = answered({});
    expect(timer.expire(at(600))).toEqual([{ type: 'ping' }]);
    expect(timer.expire(at(9000))).toEqual([]);
    expect(timer.pinged(status, at(601))).toEqual([]);
    expect(dueSeconds(timer)).toBe(1201);
  });

  test.each([481, 408])('a %i shows that it is not', (status) => {
    const timer = answered({});
    timer.expire(at(600));
    expect(timer.pinged(status, at(601))).toEqual([LOST]);
    expect(timer.expiresAtMs).toBeUndefined();
  });

  test('may get one in mid-call', () => {
    const timer = answered({});
    timer.expire(at(600));
    timer.accept(requestWith({ Supported: 'timer' })).sent(at(601));
    expect(timer.pinged(481, at(602))).toEqual([]);
    expect(timer.agreement).toEqual({ intervalSeconds: 1800, refresher: 'peer' });
  });
});

/** Whatever may happen to a leg. */
const EVENT = fc.oneof(
  fc.record({
    type: fc.constant('accepted'),
    value: fc.constantFrom('', '90', '100;refresher=uas'),
  }),
  fc.record({ type: fc.constant('accept'), value: fc.constantFrom('', '90;refresher=uas', '200') }),
  fc.record({
    type: fc.constant('answer'),
    value: fc.constantFrom('200', '408', '481', '491', '500'),
  }),
  fc.record({ type: fc.constant('wait'), value: fc.constantFrom('1', '20', '60', '700') }),
  fc.record({ type: fc.constant('end'), value: fc.constant('') }),
);

function happen(timer: SessionTimer, event: { type: string; value: string }, nowMs: number) {
  const expires = event.value === '' ? {} : { 'Session-Expires': event.value };
  switch (event.type) {
    case 'accepted':
      timer.accepted(responseWith(expires), nowMs);
      return [];
    case 'accept':
      timer.accept(requestWith({ Supported: 'timer', ...expires })).sent(nowMs);
      return [];
    case 'answer':
      return [
        ...timer.refreshed(Number(event.value), 'INVITE', nowMs),
        ...timer.pinged(Number(event.value), nowMs),
      ];
    case 'end':
      timer.end();
      return [];
    default:
      return timer.expire(nowMs);
  }
}

test('we refresh only where it is on us, and do nothing any more after the end', () => {
  fc.assert(
    fc.property(fc.array(EVENT, { maxLength: 40 }), (events) => {
      const timer = timerWith();
      let nowMs = START_MS;
      let isOver = false;
      for (const event of events) {
        if (event.type === 'wait') nowMs += Number(event.value) * 1000;
        const { agreement } = timer;
        const outputs = happen(timer, event, nowMs);
        const isAtRest = outputs.length === 0 && timer.expiresAtMs === undefined;
        expect(isOver && !isAtRest).toBe(false);
        const isRefreshing = outputs.some(({ type }) => type === 'refresh');
        expect(isRefreshing && agreement?.refresher !== 'us').toBe(false);
        isOver ||= event.type === 'end' || outputs.some(({ type }) => type === 'end');
      }
    }),
  );
});
