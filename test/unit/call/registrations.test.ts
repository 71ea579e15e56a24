import { describe, expect, test } from 'vitest';
import {
  registrarContact,
  takeGranted,
  type WantedContacts,
  wantedContacts,
} from '../../../src/call/outside/relayed-contacts.ts';
import { type Binding, Registrations } from '../../../src/call/outside/registrations.ts';
import type { SipRequest, SipResponse } from '../../../src/wire/sip-message.ts';

const REGISTRANT = {
  aor: 'sip:alice@example.com',
  interfaceName: 'access',
  source: { address: '198.51.100.7', port: 40_001, protocol: 'udp' },
  registrarInterface: 'core',
};
const PHONE = 'sip:alice@192.168.1.5:5060';

function binding(changes: Partial<Binding> = {}): Binding {
  return { ...REGISTRANT, contact: PHONE, expiresAtMs: 1000, ...changes };
}

function register(headers: Record<string, string>): SipRequest {
  const list = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const body = Buffer.alloc(0);
  return { type: 'request', method: 'REGISTER', uri: 'sip:example.com', headers: list, body };
}

function granted(headers: Record<string, string>): SipResponse {
  const list = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { type: 'response', status: 200, reason: 'OK', headers: list, body: Buffer.alloc(0) };
}

describe('a binding', () => {
  test('is found by its token, on the interface of the registrar, until it expires', () => {
    const registrations = new Registrations();
    const token = registrations.tokenOf(binding());
    registrations.set(binding());

    expect(registrations.find(token, 'core', 999)).toEqual(binding());
    expect(registrations.find(token, 'core', 1000)).toBeUndefined();
    expect(registrations.find(token, 'access', 999)).toBeUndefined();
    expect(registrations.find('alice', 'core', 999)).toBeUndefined();
    expect(registrations.find(undefined, 'core', 999)).toBeUndefined();
  });

  test('has a token of its own by account, Contact and interface, the same each time', () => {
    const registrations = new Registrations();
    const all = [
      binding(),
      binding({ aor: 'sip:bob@example.com' }),
      binding({ contact: 'sip:alice@192.168.1.6' }),
      binding({ interfaceName: 'other' }),
    ].map((each) => registrations.tokenOf(each));

    expect(new Set(all).size).toBe(4);
    expect(registrations.tokenOf(binding({ expiresAtMs: 2000 }))).toBe(all[0]);
    expect(new Registrations().tokenOf(binding())).not.toBe(all[0]);
  });

  test('is found by where it is, until it expires or is taken back', () => {
    const registrations = new Registrations();
    const bob = binding({ aor: 'sip:bob@example.com', expiresAtMs: 500 });
    const at = (nowMs: number, remote = '198.51.100.7:40001', name = 'access'): string[] =>
      registrations.aorsAt(name, remote, nowMs);
    registrations.set(binding());
    registrations.set(bob);

    expect(at(499)).toEqual(['sip:alice@example.com', 'sip:bob@example.com']);
    expect(at(500)).toEqual(['sip:alice@example.com']);
    expect(at(0, '198.51.100.7:40002')).toEqual([]);
    expect(at(0, '198.51.100.7:40001', 'core')).toEqual([]);

    registrations.set(binding({ source: { ...REGISTRANT.source, port: 40_002 } }));
    expect(at(0)).toEqual(['sip:bob@example.com']);
    expect(at(0, '198.51.100.7:40002')).toEqual(['sip:alice@example.com']);
    registrations.deleteAll(bob.aor, 'access');
    expect(at(0)).toEqual([]);
  });

  test('finds room only when others are over', () => {
    const registrations = new Registrations(1);
    registrations.set(binding());
    registrations.set(binding({ aor: 'sip:bob@example.com' }));

    expect(registrations.size).toBe(1);
    expect(registrations.hasRoom(999)).toBe(false);
    expect(registrations.hasRoom(1000)).toBe(true);
    expect(registrations.size).toBe(0);
  });

  test('goes with all of its account and interface', () => {
    const registrations = new Registrations();
    registrations.set(binding());
    registrations.set(binding({ contact: 'sip:alice@192.168.1.6' }));
    registrations.set(binding({ aor: 'sip:bob@example.com' }));

    registrations.deleteAll(REGISTRANT.aor, 'access');

    expect(registrations.size).toBe(1);
  });
});

describe('what a REGISTER wants', () => {
  const rows: [string, Record<string, string>, WantedContacts['type']][] = [
    ['no Contact', {}, 'query'],
    ['one', { Contact: `<${PHONE}>` }, 'contacts'],
    ['two', { Contact: `<${PHONE}>, <sip:x@y>;q=0.5` }, 'contacts'],
    ['all gone', { Contact: '*', Expires: '0' }, 'removeAll'],
    ['a star that lasts', { Contact: '*', Expires: '60' }, 'unusable'],
    ['a star and more', { Contact: `*, <${PHONE}>`, Expires: '0' }, 'unusable'],
    ['more and a star', { Contact: `<${PHONE}>, *`, Expires: '0' }, 'unusable'],
    ['no SIP URI', { Contact: '<tel:+4930>' }, 'unusable'],
    ['unreadable', { Contact: '<sip:x@y' }, 'unusable'],
    ['far too many', { Contact: Array.from({ length: 9 }, () => '<sip:x@y>').join() }, 'unusable'],
  ];
  test.each(rows)('%s', (_what, headers, type) => {
    expect(wantedContacts(register(headers)).type).toBe(type);
  });
});

describe('the Contact', () => {
  const registrations = new Registrations();
  const token = registrations.tokenOf(binding());
  const wanted = wantedContacts(register({ Contact: `"A" <${PHONE}>;expires=60;q=0.5;+x="y"` }));

  test('to the registrar is a token, with life and weight alone', () => {
    const context = { registrations, transport: 'tcp' };
    expect(registrarContact(wanted, REGISTRANT, context)).toEqual({
      Contact: `<sip:${token}@localhost;transport=tcp>;expires=60;q=0.5`,
    });
    expect(registrarContact({ type: 'removeAll' }, REGISTRANT, context)).toEqual({ Contact: '*' });
    expect(registrarContact({ type: 'query' }, REGISTRANT, context)).toEqual({});
  });

  test('to the device is its own, and nobody else hears of it', () => {
    const answer = granted({ Contact: `<sip:${token}@sbc>;expires=30, <sip:bob@192.0.2.2>` });
    const context = { registrations, nowMs: 500 };

    expect(takeGranted(answer, wanted, REGISTRANT, context)).toEqual({
      Contact: `<${PHONE}>;expires=30`,
    });
    expect(registrations.find(token, 'core', 30_499)).toMatchObject({ contact: PHONE });
    expect(registrations.find(token, 'core', 30_500)).toBeUndefined();
    const stranger = { ...REGISTRANT, aor: 'sip:eve@example.com' };
    expect(takeGranted(answer, { type: 'query' }, stranger, context)).toEqual({});
  });

  /** Headers of the 200, and how long the binding lives. */
  const rows: [string, Record<string, string>, number | undefined][] = [
    ['its own expires', { Contact: `<sip:${token}@sbc>;expires=30`, Expires: '60' }, 30],
    ['the Expires of the answer', { Contact: `<sip:${token}@sbc>`, Expires: '60' }, 60],
    ['an hour when nobody says', { Contact: `<sip:${token}@sbc>` }, 3600],
    ['a day at most', { Contact: `<sip:${token}@sbc>;expires=4294967295` }, 86_400],
    ['none when it is not there', {}, undefined],
    ['none when it is over', { Contact: `<sip:${token}@sbc>;expires=0` }, undefined],
    ['none when it cannot be read', { Contact: `<sip:${token}@sbc` }, undefined],
    ['none for a star', { Contact: '*' }, undefined],
    ['none without user', { Contact: '<sip:sbc>' }, undefined],
  ];
  test.each(rows)('lives as long as granted: %s', (_what, headers, seconds) => {
    const own = new Registrations();
    const mine = own.tokenOf(binding());
    own.set(binding());
    const translated = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace(token, mine)]),
    );

    takeGranted(granted(translated), wanted, REGISTRANT, { registrations: own, nowMs: 0 });

    expect(own.find(mine, 'core', 0)?.expiresAtMs).toBe(
      seconds === undefined ? undefined : seconds * 1000,
    );
  });

  test('is gone when the device takes back all', () => {
    const own = new Registrations();
    own.set(binding());

    takeGranted(granted({}), { type: 'removeAll' }, REGISTRANT, { registrations: own, nowMs: 0 });

    expect(own.size).toBe(0);
  });
});
