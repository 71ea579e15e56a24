import { describe, expect, test } from 'vitest';
import { LegAliases } from '../../../src/call/transfer/leg-aliases.ts';
import { Loan } from '../../../src/call/transfer/loan.ts';
import { ReferSubscriptions } from '../../../src/call/transfer/refer-subscriptions.ts';
import { readRefer, targetThroughUs } from '../../../src/call/transfer/refer-target.ts';
import type { LendingCall } from '../../../src/call/transfer/transfer-host.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';

function referWith(...values: readonly string[]): SipMessage {
  const headers = values.map((value) => ({ name: 'Refer-To', value }));
  return { type: 'request', method: 'REFER', uri: 'sip:a@b', headers, body: Buffer.alloc(0) };
}

test.each<[values: string[], outcome: string | number]>([
  [['<sip:carol@example.com>'], 'sip:carol@example.com'],
  [['<tel:+4930123>'], 'tel:+4930123'],
  [[], 400],
  [['<sip:a@b>', '<sip:c@d>'], 400],
  [['<sip:a@b>, <sip:c@d>'], 400],
  [['nonsense'], 400],
  [['<sip:example.com>'], 404],
  [['<https://example.com/>'], 416],
  [['<sip:carol@example.com;method=SUBSCRIBE>'], 603],
])('a REFER with Refer-To %j: %s', (values, outcome) => {
  const read = readRefer(referWith(...values));

  expect(read.type === 'call' ? read.uri : read.status).toBe(outcome);
});

test.each<[uri: string, contact: string, target: string | undefined]>([
  ['sip:7701@phone.a:5070;x=1', '<sip:us@192.0.2.1:5062>', 'sip:7701@192.0.2.1:5062'],
  ['sip:7701;phone-context=a@b', '<sip:us@192.0.2.1>', 'sip:7701@192.0.2.1'],
  ['sip:+49@b;user=phone', '<sip:us@[2001:db8::1]:5060>', 'sip:+49@[2001:db8::1]:5060;user=phone'],
  ['sip:7701@b', '<sip:us@192.0.2.1;transport=tcp>', 'sip:7701@192.0.2.1;transport=tcp'],
  ['tel:+4930123', '<sip:us@192.0.2.1;transport=tcp>', 'tel:+4930123'],
  ['sip:phone.a@b', '<sip:us@192.0.2.1>', undefined],
])('%s is reached at %s as %s', (uri, contact, target) => {
  expect(targetThroughUs(uri, contact, ['phone.a'])).toBe(target);
});

describe('the subscriptions of relayed REFERs', () => {
  test('are found by the CSeq on the other leg; without one the first is meant', () => {
    const table = new ReferSubscriptions();
    const first = table.begin('caller', 10);
    const second = table.begin('caller', 11);
    first.farCseq = 3;
    second.farCseq = 4;

    expect(table.find('callee', undefined)).toBe(first);
    expect(table.find('callee', '4')).toBe(second);
    expect([table.find('callee', '10'), table.find('caller', '4')]).toEqual([undefined, undefined]);
  });

  test('are gone when they end, and never more than a few', () => {
    const table = new ReferSubscriptions();
    const first = table.begin('callee', 1);
    table.end(first);
    const others = Array.from({ length: 20 }, (_, index) => table.begin('callee', index + 2));

    expect(table.find('caller', undefined)).toBe(others[12]);
  });
});

describe('a loan', () => {
  test('is one at a time, and tells the borrower who is left', () => {
    const loan = new Loan();
    const heard: string[] = [];
    const borrower = {
      orphaned: () => heard.push('orphaned'),
      lost: () => heard.push('lost'),
    };

    expect(loan.lend('caller', borrower)).toBe(true);
    expect(loan.lend('callee', borrower)).toBe(false);
    expect([loan.leftBy('caller'), loan.leftBy('callee')]).toEqual([false, true]);
    loan.lost();
    loan.takeBack();
    expect([loan.leftBy('callee'), loan.side]).toEqual([false, undefined]);
    loan.lost();
    expect(heard).toEqual(['orphaned', 'lost']);
  });
});

function callWith(isTalking: () => boolean): LendingCall {
  return {
    id: 'call',
    get isTalking() {
      return isTalking();
    },
    session: undefined,
    renegotiation: undefined,
    loan: new Loan(),
    end: () => undefined,
  };
}

describe('names of legs', () => {
  test('lead to their leg as long as the call lives', () => {
    const aliases = new LegAliases();
    let isTalking = true;
    const leg = { call: callWith(() => isTalking), side: 'caller' } as const;
    const name = aliases.nameOf(leg);

    expect(aliases.find(name)).toBe(leg);
    expect(aliases.find({ ...name, localTag: name.remoteTag })).toBeUndefined();
    isTalking = false;
    aliases.nameOf({ call: callWith(() => true), side: 'callee' });
    expect([aliases.find(name), aliases.size]).toEqual([undefined, 1]);
  });

  test('are bounded', () => {
    const aliases = new LegAliases();
    const call = callWith(() => true);
    for (let count = 0; count < 1200; count += 1) aliases.nameOf({ call, side: 'caller' });

    expect(aliases.size).toBe(1000);
  });
});
