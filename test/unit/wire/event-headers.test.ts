import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatEvent,
  formatSubscriptionState,
  isAcceptable,
  isMediaType,
  matchDialog,
  parseEvent,
  parseRetryAfter,
  parseSeconds,
  parseSubscriptionState,
} from '../../../src/wire/event-headers.ts';
import type { EventHeader, SubscriptionState } from '../../../src/wire/event-headers.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);

describe('Event', () => {
  test.each<[value: string, expected: EventHeader]>([
    ['kpml', { eventType: 'kpml' }],
    [' kpml ', { eventType: 'kpml' }],
    ['Kpml', { eventType: 'Kpml' }],
    ['kpml;id=5', { eventType: 'kpml', id: '5' }],
    ['kpml ; ID = "5"', { eventType: 'kpml', id: '5' }],
    ['presence.winfo;x=y', { eventType: 'presence.winfo' }],
    [
      'kpml;call-id=12@host;local-tag=a;remote-tag=b',
      { eventType: 'kpml', dialog: { callId: '12@host', localTag: 'a', remoteTag: 'b' } },
    ],
    [
      'kpml;call-id="a\\"[::1]:5@h";local-tag="a"',
      { eventType: 'kpml', dialog: { callId: 'a"[::1]:5@h', localTag: 'a' } },
    ],
    [
      'kpml;remote-tag="sip:phn@example.com;tag=jfi23";local-tag="<sip:gw@subA.example.com;tag=onjwe2>"',
      { eventType: 'kpml', dialog: { localTag: 'onjwe2', remoteTag: 'jfi23' } },
    ],
    [
      'kpml;remote-tag="\\"Ann\\" <sip:a@b>;tag=1x";call-id=c',
      { eventType: 'kpml', dialog: { callId: 'c', remoteTag: '1x' } },
    ],
    [
      'kpml;local-tag="sip:no-tag@here"',
      { eventType: 'kpml', dialog: { localTag: 'sip:no-tag@here' } },
    ],
  ])('%s', (value, expected) => {
    expect(parseEvent(value)).toEqual(expected);
  });

  test.each([
    '',
    ';id=1',
    'a b',
    'kpml;',
    'kpml;id="1',
    'kpml id=1',
    '<kpml>',
    'k\u0000',
    'k '.repeat(100),
  ])('%j is refused', (value) => {
    expect(() => parseEvent(value)).toThrow(WireError);
  });

  test('the call-id is written in quotes, the tags are bare', () => {
    const dialog = { callId: '1"x@host', localTag: 'a', remoteTag: 'b' };
    expect(formatEvent({ eventType: 'kpml', dialog, id: '7' })).toBe(
      'kpml;call-id="1\\"x@host";local-tag=a;remote-tag=b;id=7',
    );
  });

  test('what is written reads back', () => {
    const event = fc.record(
      {
        eventType: token,
        id: fc.string({ minLength: 1, maxLength: 8 }),
        dialog: fc.record({
          callId: fc.string({ minLength: 1, maxLength: 20 }),
          localTag: token,
          remoteTag: token,
        }),
      },
      { requiredKeys: ['eventType'] },
    );
    fc.assert(
      fc.property(event, (value) => {
        expect(parseEvent(formatEvent(value))).toEqual(value);
      }),
    );
  });

  test('any text is read or refused by a WireError', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect(() => tolerate(() => parseEvent(`kpml;${text}`))).not.toThrow();
        expect(() => tolerate(() => parseSubscriptionState(text))).not.toThrow();
        expect(() => isAcceptable(text, 'a/b')).not.toThrow();
      }),
    );
  });
});

describe('the dialog an Event names', () => {
  const dialog = { callId: 'c', localTag: 'l', remoteTag: 'r' };

  test.each([
    ['nothing named', undefined, 'same'],
    ['all named', { callId: 'c', localTag: 'l', remoteTag: 'r' }, 'same'],
    ['Call-ID only', { callId: 'c' }, 'same'],
    ['one tag only', { remoteTag: 'r' }, 'same'],
    ['tags swapped', { callId: 'c', localTag: 'r', remoteTag: 'l' }, 'swapped'],
    ['one tag, swapped', { localTag: 'r' }, 'swapped'],
    ['other Call-ID', { callId: 'x', localTag: 'l', remoteTag: 'r' }, 'other'],
    ['other tag', { callId: 'c', localTag: 'l', remoteTag: 'x' }, 'other'],
    ['own tag twice', { localTag: 'l', remoteTag: 'l' }, 'other'],
  ])('%s', (_name, reference, expected) => {
    expect(matchDialog(reference, dialog)).toBe(expected);
  });
});

describe('Subscription-State', () => {
  test.each<[value: string, expected: SubscriptionState]>([
    ['active;expires=7200', { state: 'active', expiresSeconds: 7200 }],
    ['active', { state: 'active' }],
    ['Pending; expires=5', { state: 'pending', expiresSeconds: 5 }],
    ['terminated;reason=timeout', { state: 'terminated', reason: 'timeout' }],
    [
      'terminated ;reason=Probation;retry-after=5',
      { state: 'terminated', reason: 'probation', retryAfterSeconds: 5 },
    ],
    ['terminated;reason="giveup"', { state: 'terminated', reason: 'giveup' }],
    ['waiting;x', { state: 'waiting' }],
  ])('%s', (value, expected) => {
    expect(parseSubscriptionState(value)).toEqual(expected);
  });

  test.each(['', 'active;expires=soon', 'active;expires=-1', 'terminated;retry-after=', 'a b'])(
    '%j is refused',
    (value) => {
      expect(() => parseSubscriptionState(value)).toThrow(WireError);
    },
  );

  test('what is written reads back', () => {
    const state = fc.record(
      {
        state: fc.constantFrom('active', 'pending', 'terminated'),
        expiresSeconds: fc.nat(),
        reason: fc.constantFrom('timeout', 'noresource'),
        retryAfterSeconds: fc.nat(),
      },
      { requiredKeys: ['state'] },
    );
    fc.assert(
      fc.property(state, (value) => {
        expect(parseSubscriptionState(formatSubscriptionState(value))).toEqual(value);
      }),
    );
  });
});

describe('seconds', () => {
  test.each([
    ['0', 0],
    [' 7200 ', 7200],
    ['4294967295', 4_294_967_295],
    ['0000000000060', 60],
  ])('%j is %i', (text, expected) => {
    expect(parseSeconds(text)).toBe(expected);
  });

  test.each([
    '',
    '-1',
    '+1',
    '1.5',
    '4294967296',
    '9'.repeat(30),
    'abc',
    '1 2',
    '0x10',
    'Infinity',
  ])('%j is refused', (text) => {
    expect(() => parseSeconds(text)).toThrow(WireError);
  });

  test.each([
    ['18000;duration=3600', 18_000],
    ["120 (I'm in a meeting)", 120],
    [' 5 ', 5],
  ])('Retry-After %j is %i', (text, expected) => {
    expect(parseRetryAfter(text)).toBe(expected);
  });

  test.each(['', 'soon', '-5', '4294967296', '5x'])('Retry-After %j is refused', (text) => {
    expect(() => parseRetryAfter(text)).toThrow(WireError);
  });
});

describe('media types', () => {
  test.each([
    ['application/kpml-response+xml', true],
    ['Application/KPML-Response+XML ; charset="utf-8"', true],
    ['text/xml', false],
    ['multipart/mixed;boundary=x', false],
    [undefined, false],
  ])('Content-Type %s', (contentType, expected) => {
    expect(isMediaType(contentType, 'application/kpml-response+xml')).toBe(expected);
  });

  test.each([
    [undefined, true],
    ['', false],
    ['application/kpml-response+xml', true],
    ['APPLICATION/kpml-response+xml;q=0.1', true],
    ['text/plain', false],
    ['text/plain, application/*', true],
    ['*/*', true],
    ['*/*;q=0', false],
    ['application/kpml-response+xml;q=0, */*', false],
    ['application/*;q=0, application/kpml-response+xml', true],
    ['application/*;q=0, */*;q=1', false],
    ['*/*;q=x', false],
    ['"', false],
    ['application/kpml-response+xml;q=0, application/kpml-response+xml', true],
    [Array.from({ length: 64 }, (_, index) => `a/${index}`).join(','), false],
  ])('Accept %s', (accept, expected) => {
    expect(isAcceptable(accept, 'application/kpml-response+xml')).toBe(expected);
  });
});

function tolerate(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}
