import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  accountsOf,
  isStillValid,
  knownAccounts,
  verifyUser,
} from '../../../src/api/portal-accounts.ts';
import { portalConfig } from './portal-stage.ts';

function ha1(name: string, realm: string, password: string, algorithm = 'md5'): string {
  return createHash(algorithm).update(`${name}:${realm}:${password}`).digest('hex');
}

const config = portalConfig({
  users: {
    '2001': { password: 'one' },
    '2002': { ha1: ha1('2002', 'pbx.example', 'two') },
    '2003': { ha1: ha1('2003', 'pbx.example', 'three', 'sha256') },
    '2004': { ha1: ha1('2004', 'pbx.example', 'four').toUpperCase() },
    '2005@pbx.example': { password: 'five' },
    boss: { password: 'six', accounts: ['2001', 'sip:2002@sbc.pbx.example', '9@foreign.example'] },
    empty: { password: '' },
    locked: {},
  },
});

describe('name and password', () => {
  test.each([
    ['2001', 'one', true],
    ['2001@pbx.example', 'one', true],
    ['sip:2001@SBC.pbx.example', 'one', true],
    ['2001@foreign.example', 'one', false],
    ['2001', 'One', false],
    ['2001', 'one ', false],
    ['2001', '', false],
    ['2001', 'two', false],
    ['2002', 'two', true],
    ['2002', ha1('2002', 'pbx.example', 'two'), false],
    ['2003', 'three', true],
    ['2004', 'four', true],
    ['2005@pbx.example', 'five', true],
    ['2005', 'five', false],
    ['boss', 'six', true],
    ['empty', '', false],
    ['locked', '', false],
    ['locked', 'undefined', false],
    ['nobody', 'one', false],
    ['', '', false],
    ['__proto__', 'one', false],
    ['constructor', 'one', false],
  ])('%s with %j: %s', (login, password, isRight) => {
    expect(verifyUser(login, password, config) !== undefined).toBe(isRight);
  });

  test('a ha1 is made for the configured realm, or for any of the domains', () => {
    const users = { a: { ha1: ha1('a', 'phones', 'x') } };
    expect(verifyUser('a', 'x', portalConfig({ users, realm: 'phones' }))).toBeDefined();
    expect(verifyUser('a', 'x', portalConfig({ users }))).toBeUndefined();
    const domains = { 'pbx.example': [], phones: [] };
    expect(verifyUser('a', 'x', portalConfig({ users, domains }))).toBeDefined();
  });

  test('another password ends what the old one began', () => {
    const user = verifyUser('2001', 'one', config);
    if (user === undefined) throw new Error('the password is right');
    expect(isStillValid(user, config)).toBe(true);
    expect(isStillValid(user, portalConfig({ users: { '2001': { password: 'new' } } }))).toBe(
      false,
    );
    expect(isStillValid(user, portalConfig({ users: {} }))).toBe(false);
  });
});

test.each([
  ['2001', ['sip:2001@pbx.example']],
  ['boss', ['sip:2001@pbx.example', 'sip:2002@pbx.example']],
  ['2005@pbx.example', ['sip:2005@pbx.example']],
  ['nobody', []],
  ['toString', []],
])('%s has %j', (name, accounts) => {
  expect(accountsOf(name, config)).toEqual(accounts);
});

test('a name without domain is an account of every domain', () => {
  const domains = { 'a.example': [], 'b.example': [] };
  const two = portalConfig({ domains, users: { '7': { password: 'x' } } });
  expect(accountsOf('7', two)).toEqual(['sip:7@a.example', 'sip:7@b.example']);
  expect(knownAccounts(two)).toEqual(['sip:7@a.example', 'sip:7@b.example']);
});
