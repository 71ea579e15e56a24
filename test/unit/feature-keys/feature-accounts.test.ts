import { describe, expect, test } from 'vitest';
import { FeatureAccounts } from '../../../src/feature-keys/feature-accounts.ts';
import { ToldWaiters } from '../../../src/feature-keys/told-waiters.ts';
import { DeskPhone } from '../../support/feature-desk.ts';
import { ALL_OFF, changed } from './account-samples.ts';

const ON = changed(ALL_OFF, 'DoNotDisturb', { status: true });

describe('what is remembered of accounts', () => {
  test('is limited for those that nobody watches, and kept for the others', () => {
    const accounts = new FeatureAccounts(100);
    const watched = Array.from({ length: 300 }, (_, index) => `sip:w${index}@pbx.example`);
    for (const presentity of watched) {
      accounts.remember(presentity, ALL_OFF, 0);
      accounts.watch(presentity, new DeskPhone(presentity), ALL_OFF);
    }
    const others = Array.from({ length: 5000 }, (_, index) => `sip:${index}@pbx.example`);
    for (const presentity of others) accounts.remember(presentity, ALL_OFF, 0);
    const kept = (list: readonly string[]) =>
      list.filter((presentity) => accounts.known(presentity) !== undefined);
    expect(kept(watched)).toHaveLength(300);
    expect(kept(others).length).toBeLessThanOrEqual(100 + 64);
    expect(kept(others).at(-1)).toBe(others.at(-1));
  });

  test('is what watchers were told, apart from what was read since', () => {
    const accounts = new FeatureAccounts();
    const phone = new DeskPhone('a');
    accounts.watch('sip:1@x', phone, ALL_OFF);
    accounts.remember('sip:1@x', ON, 0);
    expect(accounts.told('sip:1@x')).toBe(ALL_OFF);
    accounts.tell('sip:1@x', ON);
    expect(accounts.told('sip:1@x')).toBe(ON);
    expect([accounts.unwatch('sip:1@x', phone), accounts.unwatch('sip:1@x', phone)]).toEqual([
      true,
      false,
    ]);
    expect(accounts.watched()).toEqual([]);
  });
});

describe('whoever waits for a phone to be told', () => {
  test('hears of it at the ticket that was theirs, or that the dialog has ended', async () => {
    const waiters = new ToldWaiters();
    const [first, third] = [waiters.wait(1, 0), waiters.wait(3, 0)];
    waiters.told(2);
    expect(await first).toBe(true);
    waiters.end();
    expect(await third).toBe(false);
    expect(await waiters.wait(4, 2)).toBe(false);
    expect(await waiters.wait(2, 2)).toBe(true);
  });
});
