/** What a trusted side says of a call decides which feature keys act on it, and stays true on the way to the target. */
import { expect, test } from 'vitest';
import { shareSbcInFile } from '../support/call-stage.ts';
import {
  callAccount,
  forwardingSbc,
  forwardsIn,
  openForwardStage,
  setFeature,
} from '../support/forward-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';

shareSbcInFile({ ...forwardingSbc(), carrierLeg: { trust: 'trusted' } });
checkLeaksAfterEach();

test.each([
  ['an emergency call-back', [['Priority', 'psap-callback']]],
  ['a call of the account itself', [['P-Asserted-Identity', '<sip:2501@pbx.example>']]],
  ['a call of the target', [['P-Asserted-Identity', '<tel:2930>']]],
] as const)('%s rings whatever is on', async (_, headers) => {
  const stage = await openForwardStage();
  await setFeature(stage, '2501', 'CallForwardingAlways', { status: true, forwardTo: '2930' });
  const outgoing = callAccount(stage, '2501', headers);
  (await stage.alice.sip.nextCall()).reject(603);

  expect(statusOf(await outgoing.finished())).toBe(603);
});

test('earlier forwards keep their domain, and accounts have their own', async () => {
  const stage = await openForwardStage();
  await setFeature(stage, '2502', 'CallForwardingAlways', { status: true, forwardTo: '2931' });
  const others = '<sip:2931@far.example>;reason=user-busy, <tel:+49301>;reason=no-answer';
  const before = `${others}, <sip:2599@127.0.0.4>;reason=no-answer`;
  const outgoing = callAccount(stage, '2502', [['Diversion', before]]);
  const target = await stage.bob.sip.nextCall();
  expect(forwardsIn(target).diversion).toBe(
    '<sip:2502@pbx.example>;reason=unconditional;counter=1;privacy=off, ' +
      `${others}, <sip:2599@pbx.example>;reason=no-answer`,
  );
  target.reject(603);
  await outgoing.finished();
});
