import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agreementAsClient,
  agreementAsServer,
  allowsUpdate,
  answerHeaders,
  intervalRefusal,
  minSeOf,
  requestHeaders,
  type SessionAgreement,
  sessionExpiresOf,
  type SessionTimerSettings,
} from '../../../src/call/mid-call/session-timer-negotiation.ts';
import { type Headers, requestWith, responseWith, SETTINGS } from './session-timer-fixtures.ts';

const TIMER = { Supported: '100rel, timer' };

function agreed(text: string): SessionAgreement | undefined {
  if (text === 'none') return undefined;
  const [seconds = '', refresher = ''] = text.split(' ');
  return { intervalSeconds: Number(seconds), refresher: refresher === 'us' ? 'us' : 'peer' };
}

test.each<[value: string, seconds: number | undefined, refresher?: string]>([
  ['1800', 1800],
  [' 1800 ;refresher=uac', 1800, 'uac'],
  ['1800; x=1 ; REFRESHER = UAS', 1800, 'uas'],
  ['1800;refresher=nobody', 1800],
  ['1800;refresher=uacs', 1800],
  ['4294967295', 4_294_967_295],
  ['0', undefined],
  ['', undefined],
  ['-1', undefined],
  ['soon', undefined],
  ['1800 seconds', undefined],
  ['99999999999', undefined],
])('Session-Expires "%s"', (value, seconds, refresher) => {
  const read = sessionExpiresOf(requestWith({ 'Session-Expires': value }));
  expect(read).toEqual(seconds === undefined ? undefined : { seconds, refresher });
  expect(sessionExpiresOf(requestWith({ x: value }))).toEqual(read);
});

test.each<[value: string, seconds: number | undefined]>([
  ['90', 90],
  [' 120 ;x=y', 120],
  ['many', undefined],
  ['', undefined],
])('Min-SE "%s"', (value, seconds) => {
  expect(minSeOf(requestWith({ 'Min-SE': value }))).toBe(seconds);
});

test.each<[headers: Headers, allows: boolean | undefined]>([
  [{}, undefined],
  [{ Allow: 'INVITE, update' }, true],
  [{ Allow: 'INVITE, ACK' }, false],
])('Allow %o', (headers, allows) => {
  expect(allowsUpdate(requestWith(headers))).toBe(allows);
});

describe('as the one who answers', () => {
  test.each<[what: string, headers: Headers, outcome: string, mode?: SessionTimerSettings['mode']]>(
    [
      ['asks and refreshes', { ...TIMER, 'Session-Expires': '600;refresher=uac' }, '600 peer'],
      ['asks us to refresh', { ...TIMER, 'Session-Expires': '600;refresher=uas' }, '600 us'],
      ['leaves open who refreshes', { ...TIMER, 'Session-Expires': '600' }, '600 peer'],
      ['asks for more than we give', { ...TIMER, 'Session-Expires': '7200' }, '1800 peer'],
      [
        'asks for more, and not less than 3600',
        { ...TIMER, 'Session-Expires': '7200', 'Min-SE': '3600' },
        '3600 peer',
      ],
      ['knows timers and asks for none', TIMER, '1800 peer'],
      ['knows timers from an hour on', { ...TIMER, 'Min-SE': '3600' }, '3600 peer'],
      ['requires timers', { Require: 'timer' }, '1800 peer'],
      ['knows no timers', {}, 'none'],
      ['knows none, a proxy asks', { 'Session-Expires': '600' }, '600 us'],
      ['knows none, a proxy asks for too little', { 'Session-Expires': '1' }, '10 us'],
      ['knows no timers', {}, '1800 us', 'force'],
      ['asks and refreshes', { ...TIMER, 'Session-Expires': '600' }, 'none', 'disabled'],
      ['insists', { Require: 'timer', 'Session-Expires': '600' }, '600 peer', 'disabled'],
    ],
  )('a peer that %s: %o -> %s', (_, headers, outcome, mode = 'enabled') => {
    const settings = { ...SETTINGS, mode };
    expect(agreementAsServer(requestWith(headers), settings, undefined)).toEqual(agreed(outcome));
  });

  test.each<[current: string, headers: Headers, outcome: string]>([
    ['600 peer', { ...TIMER, 'Session-Expires': '600;refresher=uas' }, '600 us'],
    ['600 us', { ...TIMER, 'Session-Expires': '600;refresher=uac' }, '600 peer'],
    ['600 us', { ...TIMER, 'Session-Expires': '300' }, '300 us'],
    ['600 peer', TIMER, '600 peer'],
    ['600 us', TIMER, '600 us'],
    ['600 peer', {}, '600 us'],
  ])('with %s in force a refresh with %o leads to %s', (current, headers, outcome) => {
    const agreement = agreementAsServer(requestWith(headers), SETTINGS, agreed(current));
    expect(agreement).toEqual(agreed(outcome));
  });

  test('whom we prefer refreshes where the peer says nothing', () => {
    const settings: SessionTimerSettings = { ...SETTINGS, refresher: 'us' };
    expect(agreementAsServer(requestWith(TIMER), settings, undefined)?.refresher).toBe('us');
  });

  test.each<[headers: Headers, agreement: string, answer: Headers]>([
    [TIMER, '600 peer', { 'Session-Expires': '600;refresher=uac', Require: 'timer' }],
    [TIMER, '600 us', { 'Session-Expires': '600;refresher=uas', Require: 'timer' }],
    [{}, '600 us', { 'Session-Expires': '600;refresher=uas' }],
    [{}, 'none', {}],
  ])('%o and %s: the 2xx has %o', (headers, agreement, answer) => {
    expect(answerHeaders(requestWith(headers), agreed(agreement))).toEqual(answer);
  });

  test.each<[headers: Headers, refusal: Headers | undefined]>([
    [{ ...TIMER, 'Session-Expires': '89' }, { 'Min-SE': '90' }],
    [{ ...TIMER, 'Session-Expires': '90' }, undefined],
    [{ 'Session-Expires': '89' }, undefined],
    [TIMER, undefined],
  ])('%o is refused with %o', (headers, refusal) => {
    expect(intervalRefusal(requestWith(headers), SETTINGS)).toEqual(refusal);
  });

  test('a peer that asks in vain is not refused for how', () => {
    const request = requestWith({ ...TIMER, 'Session-Expires': '1' });
    expect(intervalRefusal(request, { ...SETTINGS, mode: 'disabled' })).toBeUndefined();
  });
});

describe('as the one who asks', () => {
  test.each<[settings: Partial<SessionTimerSettings>, current: string, headers: Headers]>([
    [{}, 'none', { Supported: 'timer', 'Session-Expires': '1800', 'Min-SE': '90' }],
    [
      { refresher: 'us' },
      'none',
      { Supported: 'timer', 'Session-Expires': '1800;refresher=uac', 'Min-SE': '90' },
    ],
    [
      { refresher: 'peer' },
      'none',
      { Supported: 'timer', 'Session-Expires': '1800;refresher=uas', 'Min-SE': '90' },
    ],
    [{ mode: 'disabled' }, 'none', {}],
    [
      { mode: 'disabled' },
      '600 us',
      { Supported: 'timer', 'Session-Expires': '600;refresher=uac', 'Min-SE': '90' },
    ],
    [
      {},
      '600 peer',
      { Supported: 'timer', 'Session-Expires': '600;refresher=uas', 'Min-SE': '90' },
    ],
  ])('%o, %s in force: %o', (settings, current, headers) => {
    const state = { current: agreed(current), minSeSeconds: 90 };
    expect(requestHeaders({ ...SETTINGS, ...settings }, state)).toEqual(headers);
  });

  test('an interval that was too short is as long as the peer wants it', () => {
    const headers = requestHeaders(SETTINGS, { current: undefined, minSeSeconds: 4000 });
    expect(headers).toMatchObject({ 'Session-Expires': '4000', 'Min-SE': '4000' });
  });

  test.each<[mode: SessionTimerSettings['mode'], current: string, value: string, outcome: string]>([
    ['enabled', 'none', '600;refresher=uac', '600 us'],
    ['enabled', 'none', '600;refresher=uas', '600 peer'],
    ['enabled', 'none', '600', '600 us'],
    ['enabled', 'none', '1;refresher=uac', '10 us'],
    ['enabled', 'none', '', 'none'],
    ['enabled', '600 peer', '', 'none'],
    ['enabled', '600 us', '', '600 us'],
    ['disabled', 'none', '600;refresher=uac', '600 us'],
    ['disabled', 'none', '', 'none'],
    ['force', 'none', '', '1800 us'],
  ])('%s, %s in force, "%s" in the 2xx: %s', (mode, current, value, outcome) => {
    const response = responseWith(value === '' ? {} : { 'Session-Expires': value });
    const settings = { ...SETTINGS, mode };
    expect(agreementAsClient(response, settings, agreed(current))).toEqual(agreed(outcome));
  });
});

test('both ends of a leg name the same refresher, and the interval is never lengthened', () => {
  const asked = fc.option(fc.integer({ min: 90, max: 100_000 }), { nil: undefined });
  const refresher = fc.constantFrom('', ';refresher=uac', ';refresher=uas');
  const preferred = fc.constantFrom<SessionTimerSettings['refresher']>('auto', 'us', 'peer');
  const mode = fc.constantFrom<SessionTimerSettings['mode']>('enabled', 'force');
  fc.assert(
    fc.property(asked, refresher, preferred, mode, (seconds, parameter, ...[ours, how]) => {
      const settings = { ...SETTINGS, refresher: ours, mode: how };
      const request = requestWith({
        Supported: 'timer',
        ...(seconds === undefined ? {} : { 'Session-Expires': `${seconds}${parameter}` }),
      });
      const server = agreementAsServer(request, settings, undefined);
      const client = agreementAsClient(
        responseWith(answerHeaders(request, server)),
        SETTINGS,
        undefined,
      );
      expect(server).toBeDefined();
      expect(client?.intervalSeconds).toBe(server?.intervalSeconds);
      expect(client?.refresher).toBe(server?.refresher === 'us' ? 'peer' : 'us');
      expect(server?.intervalSeconds).toBeLessThanOrEqual(seconds ?? SETTINGS.expiresSeconds);
    }),
  );
});
