import { describe, expect, test } from 'vitest';
import { decideEarlySubscribe, decidePlan } from '../../../src/dtmf/interworking-plan.ts';
import { leg, negotiated, run, situation, subscriptions } from './interworking-situation.ts';

describe('hairpin flag', () => {
  const q6 = situation('0 0 + P + T + + +'.split(' '));
  // oxfmt-ignore
  test.each([
    ['has no effect without kpml-interworking on its leg', { ...q6, kB: false }],
    ['needs preferred on the 2833 leg', { ...q6, mA: 'T' }],
    ['does not combine with dual', { ...q6, mB: 'D' }],
  ])('%s', (_, each) => {
    const { plan } = run(each);
    expect(plan.callerToCallee.alsoNotify).toBe(false);
    expect(plan.acceptSubscribeFrom).toEqual([]);
  });

  test('KPML digits for a 2833 leg with the flag are notified there too', () => {
    const { plan } = run(situation('+ + 0 T + P + 0 +'.split(' ')));
    expect(plan.callerToCallee).toMatchObject({ translator: 'kpml-to-2833', alsoNotify: true });
    expect(plan.acceptSubscribeFrom).toEqual(['caller', 'callee']);
  });
});

describe('why digits do not cross, and what would help', () => {
  // oxfmt-ignore
  test.each([
    ['K3: the callee refused', '+ + 0 T 0 P 0 0 0', /callee has no telephone-event/, /callee must accept telephone-event/],
    ['K4: never offered', '+ + 0 T 0 T 0 0 0', /not offered to the callee/, /rfc2833-mode preferred on the callee's leg/],
    ['K5: dual', '+ + 0 T 0 D 0 0 0', /dual/, /rfc2833-mode preferred on the callee's leg/],
    ['K6: caller without kpml-interworking', '0 + 0 T 0 P + 0 0', /kpml-interworking disabled \(test\) of the caller/, /kpml-interworking enabled on the caller's leg/],
    ['K12: no sink', '+ + + P 0 T 0 0 0', /callee has no telephone-event/, /callee must accept telephone-event/],
    ['Q1: refusal passed on', '0 0 + T + T 0 0 0', /refusal was passed to the caller/, /rfc2833-mode preferred on the caller's leg/],
    ['KPML on both, unannounced', '+ 0 0 T + T 0 0 0', /did not announce kpml/, /let the caller announce kpml/],
  ])('%s', (_, cells, reason, wouldCross) => {
    const { callerToCallee } = run(situation(cells.split(' '))).plan;
    expect(callerToCallee.translator).toBe('none');
    expect(callerToCallee.reason).toMatch(reason);
    expect(callerToCallee.wouldCross).toMatch(wouldCross);
  });

  test('dual on a leg that negotiated telephone-event all the same', () => {
    const both = { origin: 'test' };
    const plan = decidePlan(
      {
        caller: leg(true, 'T'),
        callee: { ...leg(true, 'D'), kpmlOnHairpin: { ...both, value: true } },
      },
      {
        caller: negotiated(false, false, true),
        callee: negotiated(true, true, false),
        isDelayedOffer: false,
        hasAudio: true,
      },
    );
    expect(plan.callerToCallee).toMatchObject({ translator: 'none', rule: 'R5' });
    expect(plan.calleeToCaller).toMatchObject({ translator: 'none', rule: 'R5' });
  });

  test('a call outside the table has a plan and no row', () => {
    const { plan } = run(situation('0 0 + T 0 T + 0 0'.split(' ')));
    expect(plan.callerToCallee).toMatchObject({ translator: 'rtp-relay', row: '-' });
  });

  test('without accepted audio nothing runs and nobody is subscribed to', () => {
    const plan = decidePlan(
      { caller: leg(true, 'T'), callee: leg(false, 'P') },
      {
        caller: negotiated(false, false, true),
        callee: negotiated(false, false, false),
        isDelayedOffer: false,
        hasAudio: false,
      },
    );
    expect(plan.callerToCallee).toMatchObject({
      translator: 'none',
      reason: 'no audio was accepted',
    });
    expect(subscriptions(plan)).toEqual([]);
  });
});

test.each([
  ['by-us', 'pending'],
  ['passed', 'relay'],
  ['no', 'refuse'],
] as const)('SUBSCRIBE before the plan is known, kpml advertised %s: %s', (advertised, verdict) => {
  expect(decideEarlySubscribe(advertised)).toBe(verdict);
});
