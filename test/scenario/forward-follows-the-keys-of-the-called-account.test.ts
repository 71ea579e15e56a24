/**
 * Rows 60 to 62, 73 and 75: what the feature keys of an account make of calls to it.
 *
 *   bob                    SBC                    alice            bob, as the target
 *    | INVITE 2001          |                       |                 |
 *    |--------------------->| INVITE, unless CFA    |                 |
 *    |                      |---------------------->|                 |
 *    |                  181 |                   486 |                 |
 *    |<---------------------|<----------------------|                 |
 *    |                      | INVITE 2424: Diversion, History-Info    |
 *    |                      |---------------------------------------->|
 */
import { describe, expect, test } from 'vitest';
import { callRecords, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import {
  callAccount,
  calledUser,
  forwardingSbc,
  forwardsIn,
  openForwardStage,
  setFeature,
} from '../support/forward-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile(
  forwardingSbc({ targets: 'deny: [ "^0900" ]', calls: 'ring: 1s, max-diversions: 3' }),
);
checkLeaksAfterEach();

/** The target answers, bob hangs up. */
async function talkAndHangUp(
  { bob }: CallStage,
  outgoing: OutgoingCall,
  incoming: IncomingCall,
): Promise<void> {
  await incoming.answer({ body: plainOffer(bob.sip) });
  const dialog = await outgoing.answered();
  await dialog.bye();
  await waitFor('end', () => incoming.dialog.isEnded);
}

/** Statuses of the provisional answers but 100. */
function heard({ provisionals }: OutgoingCall): (number | undefined)[] {
  return provisionals.map(statusOf).filter((status) => status !== 100);
}

test('CFA: the target rings and the phone does not', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2101', 'CallForwardingAlways', { status: true, forwardTo: '24 24' });
  await setFeature(stage, '2101', 'DoNotDisturb');
  const outgoing = callAccount(stage, '2101');
  const target = await stage.bob.sip.nextCall();
  await talkAndHangUp(stage, outgoing, target);

  expect(heard(outgoing)).toEqual([181]);
  expect(calledUser(target)).toBe('2424');
  expect(forwardsIn(target)).toEqual({
    diversion: '<sip:2101@pbx.example>;reason=unconditional;counter=1;privacy=off',
    history: '<sip:2101@pbx.example>;index=1, <sip:2424@pbx.example;cause=302>;index=1.1;mp=1',
  });
  expect(target.dialog.callId).not.toBe(outgoing.dialog.callId);
  expect(headerValue(target.invite, 'From')).toContain('<sip:bob@');
  expect(Number(headerValue(target.invite, 'Max-Forwards'))).toBeLessThan(70);
  expect(stage.alice.sip.incoming).toEqual([]);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.forwarding).toEqual({
    steps: [
      { feature: 'CallForwardingAlways', from: 'sip:2101@pbx.example', to: 'sip:2424@pbx.example' },
    ],
    chain: ['sip:2101@pbx.example', 'sip:2424@pbx.example'],
  });
  const { rows } = stage.running.sbc.ladder.ladder(record?.callId ?? '') ?? { rows: [] };
  expect(rows.filter(({ kind }) => kind === 'decision').map(({ summary }) => summary)).toContain(
    'CallForwardingAlways of sip:2101@pbx.example: forwarded to sip:2424@pbx.example (unconditional)',
  );
});

describe('DND', () => {
  test('alone: 486, and nobody rings', async () => {
    const stage = await openForwardStage();
    await setFeature(stage, '2102', 'DoNotDisturb');
    const final = await callAccount(stage, '2102').finished();

    expect(statusOf(final)).toBe(486);
    expect(stage.alice.sip.incoming).toEqual([]);
    const [record] = await callRecords(stage.running, 1);
    expect(record).toMatchObject({
      release: { internalCode: 'do-not-disturb', sipCode: 486 },
      forwarding: { steps: [{ feature: 'DoNotDisturb', from: 'sip:2102@pbx.example' }] },
    });
  });

  test.each(['2114;npdi', '2114;isub=1', '21-14', '2114;phone-context=pbx.example'])(
    'is for %s, too',
    async (user) => {
      const stage = await openForwardStage();
      await setFeature(stage, '2114', 'DoNotDisturb');

      expect(statusOf(await callAccount(stage, user).finished())).toBe(486);
    },
  );

  test('with CFB: the busy target gets the call', async () => {
    const stage = await openForwardStage();
    await setFeature(stage, '2103', 'DoNotDisturb');
    await setFeature(stage, '2103', 'CallForwardingBusy', { status: true, forwardTo: '2425' });
    const outgoing = callAccount(stage, '2103');
    const target = await stage.bob.sip.nextCall();
    await talkAndHangUp(stage, outgoing, target);

    expect(forwardsIn(target)).toEqual({
      diversion: '<sip:2103@pbx.example>;reason=user-busy;counter=1;privacy=off',
      history:
        '<sip:2103@pbx.example?Reason=SIP%3Bcause%3D486>;index=1, ' +
        '<sip:2425@pbx.example;cause=486>;index=1.1;mp=1',
    });
    expect(stage.alice.sip.incoming).toEqual([]);
  });
});

test.each([
  [486, 'user-busy', 'CallForwardingBusy'],
  [600, 'user-busy', 'CallForwardingBusy'],
  [480, 'no-answer', 'CallForwardingNoAnswer'],
  [408, 'no-answer', 'CallForwardingNoAnswer'],
])('the phone answers %i: forwarded for %s', async (status, reason, feature) => {
  const stage = await openForwardStage();
  const user = `22${status}`;
  await setFeature(stage, user, feature, { status: true, forwardTo: '2426' });
  const outgoing = callAccount(stage, user);
  const phone = await stage.alice.sip.nextCall();
  phone.ring();
  await outgoing.provisional(180);
  phone.reject(status);
  const target = await stage.bob.sip.nextCall();
  await talkAndHangUp(stage, outgoing, target);

  expect(heard(outgoing)).toEqual([180, 181]);
  expect(forwardsIn(target).diversion).toBe(
    `<sip:${user}@pbx.example>;reason=${reason};counter=1;privacy=off`,
  );
  const [record] = await callRecords(stage.running, 1);
  expect(record?.attempts.map(({ code }) => code)).toEqual([status, 200]);
});

test('CFNA with 0 rings: the phone is not rung', async () => {
  const stage = await openForwardStage();
  const wish = { status: true, forwardTo: 'sip:2427@pbx.example', ringCount: 0 };
  await setFeature(stage, '2104', 'CallForwardingNoAnswer', wish);
  const outgoing = callAccount(stage, '2104');
  const target = await stage.bob.sip.nextCall();
  await talkAndHangUp(stage, outgoing, target);

  expect(forwardsIn(target).diversion).toContain('reason=no-answer');
  expect(stage.alice.sip.incoming).toEqual([]);
});

test.each([603, 404, 500])('%i of the phone is passed on with every forward on', async (status) => {
  const stage = await openForwardStage();
  await setFeature(stage, '2105', 'CallForwardingBusy', { status: true, forwardTo: '2428' });
  await setFeature(stage, '2105', 'CallForwardingNoAnswer', { status: true, forwardTo: '2428' });
  const outgoing = callAccount(stage, '2105');
  (await stage.alice.sip.nextCall()).reject(status);

  expect(statusOf(await outgoing.finished())).toBe(status);
  expect(stage.bob.sip.incoming).toEqual([]);
});

describe('loops', () => {
  test('A forwards to B and B to A: 482', async () => {
    const stage = await openForwardStage();
    await setFeature(stage, '2106', 'CallForwardingAlways', { status: true, forwardTo: '2107' });
    await setFeature(stage, '2107', 'CallForwardingAlways', { status: true, forwardTo: '2106' });
    const final = await callAccount(stage, '2106').finished();

    expect(statusOf(final)).toBe(482);
    expect(headerValue(final, 'Warning')).toContain('forwarding loop');
    expect([...stage.alice.sip.incoming, ...stage.bob.sip.incoming]).toEqual([]);
  });

  test.each([
    ['Diversion', '<sip:1@x.example>;reason=user-busy;counter=3'],
    ['Diversion', '<sip:2429@pbx.example>;reason=user-busy;counter=1'],
    ['History-Info', '<sip:2429@pbx.example>;index=1, <sip:2108@pbx.example;cause=302>;index=1.1'],
  ])('a call that came with %s: %s is not forwarded again', async (name, value) => {
    const stage = await openForwardStage();
    await setFeature(stage, '2108', 'CallForwardingAlways', { status: true, forwardTo: '2429' });

    expect(statusOf(await callAccount(stage, '2108', [[name, value]]).finished())).toBe(482);
    expect(stage.bob.sip.incoming).toEqual([]);
  });
});

test('an emergency call-back of somebody who is not trusted is a call like any other', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2109', 'CallForwardingAlways', { status: true, forwardTo: '2430' });
  const outgoing = callAccount(stage, '2109', [['Priority', 'psap-callback']]);
  (await stage.bob.sip.nextCall()).reject(603);

  expect(statusOf(await outgoing.finished())).toBe(603);
  expect(stage.alice.sip.incoming).toEqual([]);
});

test('an INVITE with Replaces is for a dialog, and not for the keys of the account', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2113', 'DoNotDisturb');
  const headers = [['Replaces', 'nobody@nowhere;to-tag=1;from-tag=2']] as const;

  expect(statusOf(await callAccount(stage, '2113', headers).finished())).toBe(481);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.forwarding).toBeUndefined();
});

test('a caller who takes histinfo is told where the call went', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2110', 'CallForwardingAlways', { status: true, forwardTo: '2431' });
  const outgoing = callAccount(stage, '2110', [['Supported', 'histinfo']]);
  const target = await stage.bob.sip.nextCall();
  await talkAndHangUp(stage, outgoing, target);

  const told = '<sip:2110@pbx.example>;index=1, <sip:2431@pbx.example;cause=302>;index=1.1;mp=1';
  expect(headerValue(await outgoing.provisional(181), 'History-Info')).toBe(told);
  expect(headerValue(await outgoing.finished(), 'History-Info')).toBe(told);
});

test('Privacy: history keeps the account from everybody', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2111', 'CallForwardingAlways', { status: true, forwardTo: '2432' });
  const headers = [
    ['Supported', 'histinfo'],
    ['Privacy', 'history'],
  ] as const;
  const outgoing = callAccount(stage, '2111', headers);
  const target = await stage.bob.sip.nextCall();
  await talkAndHangUp(stage, outgoing, target);

  expect(forwardsIn(target).diversion).toContain('privacy=full');
  expect(JSON.stringify(forwardsIn(target))).not.toContain('2111');
  expect(headerValue(await outgoing.provisional(181), 'History-Info')).toBeUndefined();
});

test('a caller who insists on reliable answers gets the 181 reliably', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2112', 'CallForwardingAlways', { status: true, forwardTo: '2433' });
  const outgoing = callAccount(stage, '2112', [['Require', '100rel']]);
  const told = await outgoing.provisional(181);
  expect(headerValue(told, 'Require')).toBe('100rel');
  const rack = `${headerValue(told, 'RSeq') ?? ''} 1 INVITE`;
  const confirmed = await outgoing.dialog.request('PRACK', { headers: [['RAck', rack]] });
  expect(statusOf(confirmed)).toBe(200);
  await talkAndHangUp(stage, outgoing, await stage.bob.sip.nextCall());
});
