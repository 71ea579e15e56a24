import { describe, expect, test } from 'vitest';
import {
  allowEventsHeader,
  callerHeaders,
  callerIdentity,
  isDamaged,
  contentHeaders,
  maxForwardsOf,
  unusableContent,
  userOf,
} from '../../../src/call/headers/header-policy.ts';
import type { SipRequest } from '../../../src/wire/sip-message.ts';

function request(...headers: [string, string][]): SipRequest {
  return {
    type: 'request',
    method: 'INVITE',
    uri: 'sip:1000@sbc',
    headers: headers.map(([name, value]) => ({ name, value })),
    body: Buffer.alloc(0),
  };
}

describe('what goes with a relayed body', () => {
  test('is what says how to read it', () => {
    const message = request(['c', 'text/plain'], ['Info-Package', 'x'], ['Subject', 'lunch']);
    expect(contentHeaders(message)).toEqual({ 'Content-Type': 'text/plain', 'Info-Package': 'x' });
  });

  test('Allow-Events as edited, and no header when nothing is left', () => {
    const message = request(['Allow-Events', 'presence, kpml']);
    expect(allowEventsHeader(message, 'keep')).toEqual({ 'Allow-Events': 'presence, kpml' });
    expect(allowEventsHeader(message, 'remove-kpml')).toEqual({ 'Allow-Events': 'presence' });
    expect(allowEventsHeader(request(['u', 'kpml']), 'remove-kpml')).toEqual({});
    expect(allowEventsHeader(request(), 'add-kpml')).toEqual({ 'Allow-Events': 'kpml' });
  });
});

test.each([
  ['70', 70],
  ['0', 0],
  ['255', 255],
  ['256', 70],
  ['-1', 70],
  ['x', 70],
])('Max-Forwards %s counts as %i', (value, hops) => {
  expect(maxForwardsOf(request(['Max-Forwards', value]))).toBe(hops);
});

test('without Max-Forwards 70 hops are left', () => {
  expect(maxForwardsOf(request())).toBe(70);
});

describe('the caller as the callee sees him', () => {
  test.each([
    ['"Al Ice" <sip:1000@10.0.0.1:5070>;tag=x', '"Al Ice" <sip:1000@localhost>'],
    ['<sip:1000@10.0.0.1>;tag=x', '<sip:1000@localhost>'],
    ['sip:1000@10.0.0.1;tag=x', '<sip:1000@localhost>'],
    ['<tel:+4930123>;tag=x', '<sip:+4930123@localhost>'],
    ['"An\\"on" <sip:anonymous@anonymous.invalid>', '"Anon" <sip:anonymous@anonymous.invalid>'],
    ['<sip:anonymous@anonymous.invalid.example>;tag=x', '<sip:anonymous@localhost>'],
    ['<sip:10.0.0.1>;tag=x', '<sip:anonymous@localhost>'],
    ['not an address <', '<sip:anonymous@localhost>'],
  ])('From %s becomes %s', (from, expected) => {
    expect(callerHeaders(callerIdentity(request(['From', from])), 'udp').From).toBe(expected);
  });

  test('is anonymous without From', () => {
    expect(callerIdentity(request())).toMatchObject({ user: 'anonymous', displayName: undefined });
  });

  test.each([
    ['udp', 'sip:b@c', '<sip:1000@localhost>'],
    ['tcp', 'sip:b@c', '<sip:1000@localhost;transport=tcp>'],
    ['tls', 'sip:b@c', '<sip:1000@localhost;transport=tls>'],
    ['tls', 'sips:b@c', '<sips:1000@localhost>'],
  ])('Contact on %s to %s is %s', (transport, requestUri, contact) => {
    const identity = { user: '1000', displayName: undefined, isAnonymous: false };
    expect(callerHeaders(identity, transport, requestUri).Contact).toBe(contact);
  });
});

test.each([
  ['sip:1000@host', '1000'],
  ['sips:+49@host;user=phone', '+49'],
  ['tel:+4930;phone-context=x', '+4930'],
  ['sip:host', undefined],
  ['mailto:a@b', undefined],
  ['', undefined],
])('the user of %s is %s', (uri, user) => {
  expect(userOf(uri)).toBe(user);
});

describe('the body of an offer', () => {
  test.each([
    ['no body at all', '', 'text/plain', undefined, undefined],
    ['SDP', 'v=0', 'application/sdp', undefined, undefined],
    ['SDP with a parameter, in any case', 'v=0', 'Application/SDP;x=y', undefined, undefined],
    ['no Content-Type', 'v=0', undefined, undefined, undefined],
    ['identity encoding', 'v=0', 'application/sdp', 'Identity', undefined],
    ['another type', 'v=0', 'multipart/mixed;boundary=x', undefined, { Accept: 'application/sdp' }],
    ['an encoding', 'v=0', 'application/sdp', 'gzip', { 'Accept-Encoding': 'identity' }],
  ])('%s', (...[, body, contentType, encoding, expected]) => {
    const message = {
      ...request(
        ...(contentType === undefined ? [] : [['Content-Type', contentType] as [string, string]]),
        ...(encoding === undefined ? [] : [['Content-Encoding', encoding] as [string, string]]),
      ),
      body: Buffer.from(body),
    };
    expect(unusableContent(message)).toEqual(expected);
  });

  test('is damaged when it held bytes that are no UTF-8', () => {
    expect(isDamaged({ ...request(), body: Buffer.from('a\uFFFD') })).toBe(true);
    expect(isDamaged({ ...request(), body: Buffer.from('grüße') })).toBe(false);
  });
});
