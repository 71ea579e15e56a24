import { describe, expect, test } from 'vitest';
import {
  clientKey,
  countVias,
  mergeKey,
  serverKey,
} from '../../../../src/engine/transaction/transaction-keys.ts';
import { sampleRequest, sampleResponse } from './sample-messages.ts';
import type { RequestShape } from './sample-messages.ts';

function keyOf(shape: RequestShape, method = shape.method): string {
  return serverKey(sampleRequest(shape), method);
}

describe('serverKey with an RFC 3261 branch', () => {
  const invite = { method: 'INVITE', branch: 'z9hG4bKabc' };

  test('ACK and CANCEL find their INVITE whatever else they carry', () => {
    expect(
      keyOf({ ...invite, method: 'ACK', toTag: 'x', uri: 'sip:other@example.com' }, 'INVITE'),
    ).toBe(keyOf(invite));
    expect(keyOf({ ...invite, method: 'CANCEL' }, 'INVITE')).toBe(keyOf(invite));
  });

  test.each<[string, RequestShape]>([
    ['another branch', { ...invite, branch: 'z9hG4bKabd' }],
    ['another method', { ...invite, method: 'INFO' }],
    ['another sender', { ...invite, via: 'SIP/2.0/UDP 127.0.0.2:9;branch=z9hG4bKabc' }],
    ['another port', { ...invite, via: 'SIP/2.0/UDP 127.0.0.1:8;branch=z9hG4bKabc' }],
  ])('%s is another transaction', (_what, other) => {
    expect(keyOf(other)).not.toBe(keyOf(invite));
  });
});

describe.each([
  ['no branch', 'SIP/2.0/UDP 127.0.0.1'],
  ['the bare cookie', 'SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK'],
  ['an old branch', 'SIP/2.0/UDP 127.0.0.1;branch=390skdjuw'],
])('serverKey of an RFC 2543 element with %s', (_what, via) => {
  const invite = { method: 'INVITE', via };

  test('repeats, ACK and CANCEL match', () => {
    expect(keyOf(invite)).toBe(keyOf({ ...invite }));
    expect(keyOf({ ...invite, method: 'ACK', toTag: 'x' }, 'INVITE')).toBe(keyOf(invite));
    expect(keyOf({ ...invite, method: 'CANCEL' }, 'INVITE')).toBe(keyOf(invite));
  });

  test.each<[string, RequestShape]>([
    ['Call-ID', { ...invite, callId: 'other' }],
    ['CSeq', { ...invite, cseq: 2 }],
    ['request URI', { ...invite, uri: 'sip:carol@example.com' }],
    ['method', { ...invite, method: 'OPTIONS' }],
  ])('another %s is another transaction', (_name, other) => {
    expect(keyOf(other)).not.toBe(keyOf(invite));
  });
});

test('mergeKey: the same over every way, none inside a dialog', () => {
  const one = sampleRequest({ method: 'INVITE', branch: 'z9hG4bK1' });
  const two = sampleRequest({ method: 'INVITE', branch: 'z9hG4bK2' });
  expect(mergeKey(one)).toBe(mergeKey(two));
  expect(mergeKey(sampleRequest({ method: 'INVITE', cseq: 2 }))).not.toBe(mergeKey(one));
  expect(mergeKey(sampleRequest({ method: 'INVITE', toTag: 'x' }))).toBeUndefined();
});

test('clientKey: a response has that of its request', () => {
  expect(clientKey(sampleResponse(200, 'INFO'))).toBe(clientKey(sampleRequest({ method: 'INFO' })));
  expect(clientKey(sampleResponse(200, 'INFO'))).not.toBe(
    clientKey(sampleRequest({ method: 'BYE' })),
  );
});

test('countVias counts values, not fields', () => {
  const request = sampleRequest({
    method: 'INFO',
    via: 'SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2',
    extra: ['v: SIP/2.0/UDP c'],
  });
  expect(countVias(request)).toBe(3);
});
