import { describe, expect, test } from 'vitest';
import { assertedUser, ownsAccount, TrustedNetworks } from '../../../src/feature-keys/identity.ts';
import { isServed, PhoneProfiles } from '../../../src/feature-keys/phone-profile.ts';
import type { SipRequest } from '../../../src/wire/sip-message.ts';

describe('trusted networks', () => {
  const trusted = new TrustedNetworks([
    '127.0.0.0/8',
    '::1/128',
    '192.0.2.7',
    'nonsense',
    '1.2.3.4/99',
  ]);
  test.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['::2', false],
    ['1.2.3.4', false],
    ['', false],
    ['localhost', false],
  ])('%s: %s', (address, isTrusted) => {
    expect(trusted.has(address)).toBe(isTrusted);
  });
});

describe('the user that a network asserts', () => {
  test.each([
    [['From: "A" <sip:2001@x>;tag=1'], '2001'],
    [['From: sip:2001@x;tag=1', 'P-Asserted-Identity: <tel:+1>, <sip:2002@y>'], '2002'],
    [['From: sip:%32001@x'], '2001'],
    [['From: <sip:x>'], undefined],
    [['From: <<<'], undefined],
    [[], undefined],
  ])('%j is %s', (lines, user) => {
    const headers = lines.map((line) => {
      const at = line.indexOf(':');
      return { name: line.slice(0, at), value: line.slice(at + 2) };
    });
    const request: SipRequest = {
      type: 'request',
      method: 'SUBSCRIBE',
      uri: 'sip:x',
      headers,
      body: Buffer.alloc(0),
    };
    expect(assertedUser(request)).toBe(user);
  });
});

test.each([
  [['2001'], true],
  [['2002', '2001@PBX.example'], true],
  [['sip:2001@pbx.example'], true],
  [['2001@other.example'], false],
  [['200'], false],
  [[], false],
])('accounts %j own 2001: %s', (accounts, isOwner) => {
  const account = { presentity: 'sip:2001@pbx.example', user: '2001', domain: 'pbx.example' };
  expect(ownsAccount(accounts, account)).toBe(isOwner);
});

test.each([
  [undefined, true],
  ['*/*', true],
  ['application/*;q=0.5', true],
  ['application/x-as-feature-event+xml', true],
  ['text/html, multipart/mixed', true],
  ['multipart/*', true],
  ['application/pidf+xml', false],
  ['application/x-as-feature-event+xml;q=0', false],
  ['', false],
])('Accept %s is served: %s', (accept, isAccepted) => {
  expect(isServed(accept)).toBe(isAccepted);
});

test('the first profile that matches the user agent counts, however long it is', () => {
  const profile = {
    multipart: 'separate',
    terminatedNotify: 'none',
    partHeads: 'type',
    notifyGapMs: undefined,
    successCode: 202,
    deviceId: '',
  } as const;
  const profiles = new PhoneProfiles({
    notify: {
      gapMs: 300,
      perSecond: 500,
      deviceId: '',
      largeNotifyOnUdp: 'fragment',
      credentials: {},
    },
    userAgents: [
      { ...profile, match: '^[zZ]oiper' },
      { ...profile, match: '(a*)*b$', successCode: 200, notifyGapMs: 5 },
    ],
  });
  expect(profiles.of('zoiper rv2')).toMatchObject({ successCode: 202, gapMs: 300 });
  expect(profiles.of('Polycom')).toMatchObject({ isSeparate: false, successCode: 200 });
  expect(profiles.of('aab')).toMatchObject({ gapMs: 5 });
  expect(profiles.of('a'.repeat(100_000))).toMatchObject({ terminatedNotify: 'full' });
});
