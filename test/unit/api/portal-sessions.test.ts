import { describe, expect, test } from 'vitest';
import { Allowances } from '../../../src/api/portal-limits.ts';
import { SignInLimits } from '../../../src/api/portal-guard.ts';
import { PortalSessions, SESSION_IDLE_MS, SESSION_MS } from '../../../src/api/portal-sessions.ts';
import type { SessionHolder } from '../../../src/api/portal-sessions.ts';

const ADMINISTRATOR: SessionHolder = { type: 'administrator' };

function user(name: string): SessionHolder {
  return { type: 'user', user: { name, fingerprint: 'f' } };
}

function clock(): { nowMs: number; read: () => number } {
  const at = { nowMs: 1_000_000, read: () => at.nowMs };
  return at;
}

describe('sessions', () => {
  test('lasts while it is used, up to its bound', () => {
    const at = clock();
    const sessions = new PortalSessions(at.read);
    const secret = sessions.open(ADMINISTRATOR);
    const startedMs = at.nowMs;
    while (at.nowMs - startedMs + SESSION_IDLE_MS / 2 < SESSION_MS) {
      at.nowMs += SESSION_IDLE_MS / 2;
      expect(sessions.find(secret)?.holder).toBe(ADMINISTRATOR);
    }
    at.nowMs = startedMs + SESSION_MS;
    expect(sessions.find(secret)).toBeUndefined();
    expect(sessions.size).toBe(0);
  });

  test('ends when it is not used', () => {
    const at = clock();
    const sessions = new PortalSessions(at.read);
    const secret = sessions.open(ADMINISTRATOR);
    at.nowMs += SESSION_IDLE_MS;
    expect(sessions.find(secret)).toBeUndefined();
  });

  test('ends when it is ended, and its key is not its secret', () => {
    const sessions = new PortalSessions(clock().read);
    const secret = sessions.open(user('2001'));
    const key = sessions.find(secret)?.key ?? '';
    expect(key).not.toContain(secret);
    expect(sessions.find(key)).toBeUndefined();
    sessions.end(key);
    expect(sessions.find(secret)).toBeUndefined();
  });

  test('a user has so many, the oldest make room; those of others stay', () => {
    const sessions = new PortalSessions(clock().read);
    const other = sessions.open(user('2002'));
    const secrets = Array.from({ length: 33 }, () => sessions.open(user('2001')));
    expect(secrets.map((secret) => sessions.find(secret) !== undefined)).toEqual([
      false,
      ...Array.from({ length: 32 }, () => true),
    ]);
    expect(sessions.find(other)).toBeDefined();
  });

  test('all together have a bound', () => {
    const sessions = new PortalSessions(clock().read, { sessions: 20, perHolder: 2 });
    for (let index = 0; index < 50; index += 1) sessions.open(user(String(index)));
    expect(sessions.size).toBe(20);
  });

  test('secrets are long and never the same', () => {
    const sessions = new PortalSessions(clock().read);
    const secrets = new Set(Array.from({ length: 100 }, () => sessions.open(ADMINISTRATOR)));
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/);
  });
});

describe('allowances', () => {
  test('a burst, then one more after each time', () => {
    const at = clock();
    const allowances = new Allowances({ burst: 2, refillMs: 10_000 }, at.read);
    expect(allowances.waitSeconds('a')).toBe(0);
    allowances.use('a');
    allowances.use('a');
    expect(allowances.waitSeconds('a')).toBe(10);
    expect(allowances.waitSeconds('b')).toBe(0);
    at.nowMs += 9999;
    expect(allowances.waitSeconds('a')).toBe(1);
    at.nowMs += 1;
    expect(allowances.waitSeconds('a')).toBe(0);
    at.nowMs += 1_000_000;
    allowances.use('a');
    allowances.use('a');
    expect(allowances.waitSeconds('a')).toBe(10);
  });

  test('forgets the names used longest ago', () => {
    const allowances = new Allowances({ burst: 1, refillMs: 1000 }, clock().read);
    for (let index = 0; index <= 20_000; index += 1) allowances.use(String(index));
    expect(allowances.waitSeconds('0')).toBe(0);
    expect(allowances.waitSeconds('1')).toBe(1);
  });
});

describe('failed sign-ins', () => {
  test.each<[what: string, failures: number, name: string, address: string, isHeld: boolean]>([
    ['the same name from there', 10, '2001', '192.0.2.1', true],
    ['one fewer', 9, '2001', '192.0.2.1', false],
    ['the owner of the name elsewhere', 10, '2001', '192.0.2.2', false],
    ['another name from there', 10, '2002', '192.0.2.1', false],
    ['another name from there after many', 30, '2002', '192.0.2.1', true],
    ['the owner of the name elsewhere after very many', 100, '2001', '192.0.2.2', true],
  ])('%s: %i failures', (...[, failures, name, address, isHeld]) => {
    const limits = new SignInLimits(clock().read);
    for (let index = 0; index < failures; index += 1) limits.failed('2001', '192.0.2.1');
    expect(limits.waitSeconds(name, address) > 0).toBe(isHeld);
  });

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8::2:1', true],
    ['::1', '::2', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('%s and %s are one network: %s', (first, second, isSame) => {
    const limits = new SignInLimits(clock().read);
    for (let index = 0; index < 10; index += 1) limits.failed('2001', first);
    expect(limits.waitSeconds('2001', second) > 0).toBe(isSame);
  });
});
