import { expect, test } from 'vitest';
import { EarlyExchange } from '../../../src/call/setup/early-exchange.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

const handler = {
  onRequest: () => undefined,
  onAck: () => undefined,
  onEnd: () => undefined,
  onTrace: () => undefined,
};

function dialogOf(remoteTag: string): SipDialog {
  const { identity } = new SipDialog(
    {
      role: 'uac',
      dialogId: 'id',
      callId: 'call',
      localTag: 'ours',
      remoteTag,
      localContact: undefined,
    },
    new FakeSipConnection(),
    handler,
    () => undefined,
  );
  return new SipDialog(identity, new FakeSipConnection(), handler, () => undefined);
}

const branch = dialogOf('one');
const other = dialogOf('two');
const caller = dialogOf('caller');

test.each<[string, isReliable: boolean, isGiven: boolean, isConfirmed: boolean, boolean]>([
  ['both ends have it, and the caller has confirmed it', true, true, true, true],
  ['the caller has not confirmed it', true, true, false, false],
  ['the caller has but a preview', true, false, true, false],
  ['the callee did not send it reliably', false, true, true, false],
])('a further offer when %s: %s, %s, %s', (_, isReliable, isGiven, ...[isConfirmed, isOpen]) => {
  const early = new EarlyExchange();
  early.settle(branch, { isReliable, isGiven });
  if (isConfirmed) early.confirm();

  const target = isOpen ? branch : undefined;
  expect(early.offerable('caller', caller)).toBe(target);
  expect(early.offerable('callee', branch)).toBe(target);
  expect(early.offerable('callee', other)).toBeUndefined();
  expect(early.isCallerAnswered).toBe(isGiven);
});

test('it is settled in one branch', () => {
  const early = new EarlyExchange();
  early.confirm();
  expect([early.isSettled, early.isCallerAnswered]).toEqual([false, false]);
  expect(early.isSettledIn(undefined)).toBe(false);
  early.settle(branch, { isReliable: true, isGiven: false });
  expect([early.isSettled, early.isSettledIn(branch), early.isSettledIn(other)]).toEqual([
    true,
    true,
    false,
  ]);
});
