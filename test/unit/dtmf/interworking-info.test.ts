/** Digits by SIP INFO: the third method of a leg, behind telephone-event and KPML. */
import { describe, expect, test } from 'vitest';
import { decideAnswer, decideOffer } from '../../../src/dtmf/interworking-offer.ts';
import type { LegParameters, NegotiatedLeg } from '../../../src/dtmf/interworking-legs.ts';
import { decidePlan, type InterworkingPlan } from '../../../src/dtmf/interworking-plan.ts';
import { leg, negotiated, subscriptions } from './interworking-situation.ts';

interface End {
  readonly parameters: LegParameters;
  readonly negotiated: NegotiatedLeg;
}

const BARE = negotiated(false, false, false);
const KPML = negotiated(false, false, true);
const EVENTS = negotiated(true, true, false);

/** One end of a call, by what it has. `?` at the end: it does not announce kpml. */
const ENDS = {
  te: { parameters: leg(false, 'P'), negotiated: EVENTS },
  kpml: { parameters: leg(true, 'T'), negotiated: KPML },
  send: { parameters: leg(false, 'T', false, 'send'), negotiated: BARE },
  receive: { parameters: leg(false, 'T', false, 'receive'), negotiated: BARE },
  none: { parameters: leg(false, 'T'), negotiated: BARE },
  'te+send': { parameters: leg(false, 'P', false, 'send'), negotiated: EVENTS },
  'kpml+send': { parameters: leg(true, 'T', false, 'send'), negotiated: KPML },
  'kpml+send?': { parameters: leg(true, 'T', false, 'send'), negotiated: BARE },
  'kpml+receive?': { parameters: leg(true, 'T', false, 'receive'), negotiated: BARE },
  'te+kpml+send': { parameters: leg(true, 'P', false, 'send'), negotiated: EVENTS },
  'dual+send': { parameters: leg(false, 'D', false, 'send'), negotiated: BARE },
  'te+hairpin': { parameters: leg(true, 'P', true), negotiated: EVENTS },
} as const satisfies Record<string, End>;
type EndName = keyof typeof ENDS;

function planOf(caller: EndName, callee: EndName, policy = false): InterworkingPlan {
  const [a, b] = [ENDS[caller], ENDS[callee]];
  return decidePlan(
    {
      caller: a.parameters,
      callee: b.parameters,
      codecPolicyTouchedTelephoneEvent: policy,
    },
    { caller: a.negotiated, callee: b.negotiated, isDelayedOffer: false, hasAudio: true },
  );
}

// oxfmt-ignore
const TABLE: readonly [source: EndName, sink: EndName, translator: string, row?: string][] = [
  ['te',      'te',      'rtp-relay'],
  ['te',      'kpml',    '2833-to-kpml'],
  ['te',      'send',    '2833-to-info', 'I3'],
  ['te',      'receive', 'none'],
  ['te',      'none',    'none'],
  ['kpml',    'te',      'kpml-to-2833'],
  ['kpml',    'kpml',    'kpml-relay'],
  ['kpml',    'send',    'kpml-to-info', 'I4'],
  ['kpml',    'receive', 'none'],
  ['kpml',    'none',    'none'],
  ['send',    'te',      'info-to-2833', 'I1'],
  ['send',    'kpml',    'info-to-kpml', 'I2'],
  ['send',    'send',    'info-relay',   'I5'],
  ['send',    'receive', 'info-relay',   'I6'],
  ['send',    'none',    'info-relay',   'I6'],
  ['receive', 'te',      'info-to-2833', 'I1'],
  ['receive', 'kpml',    'info-to-kpml', 'I2'],
  ['receive', 'send',    'info-relay',   'I5'],
  ['receive', 'receive', 'info-relay',   'I6'],
  ['receive', 'none',    'info-relay',   'I6'],
  ['none',    'te',      'none'],
  ['none',    'kpml',    'none'],
  ['none',    'send',    'none'],
  ['none',    'receive', 'none'],
  ['none',    'none',    'none'],
  // Legs with several methods: the first of telephone-event, KPML and INFO counts.
  ['te+send',       'te+send',       'rtp-relay'],
  ['te+send',       'kpml',          '2833-to-kpml'],
  ['te+kpml+send',  'send',          '2833-to-info', 'I3'],
  ['send',          'te+kpml+send',  'info-to-2833', 'I1'],
  ['kpml+send',     'te',            'kpml-to-2833'],
  ['te',            'kpml+send',     '2833-to-kpml'],
  ['kpml+send',     'send',          'kpml-to-info', 'I4'],
  ['send',          'kpml+send',     'info-to-kpml', 'I2'],
  // Who could use either and does not announce kpml uses INFO.
  ['kpml+send?',    'te',            'info-to-2833', 'I1'],
  ['te',            'kpml+send?',    '2833-to-info', 'I3'],
  ['kpml+receive?', 'te',            'info-to-2833', 'I1'],
  ['te',            'kpml+receive?', '2833-to-kpml'],
  // Dual keeps out of KPML only.
  ['dual+send',     'te',            'info-to-2833', 'I1'],
  ['te',            'dual+send',     '2833-to-info', 'I3'],
  ['dual+send',     'send',          'info-relay',   'I5'],
  ['dual+send',     'kpml',          'none'],
  ['kpml',          'dual+send',     'none'],
];

describe.each<[EndName, EndName, string, string?]>(TABLE)(
  'digits from %s to %s',
  (source, sink, translator, row) => {
    test(`from the caller: ${translator}`, () => {
      const { callerToCallee } = planOf(source, sink);
      expect(callerToCallee.translator).toBe(translator);
      expect(callerToCallee.row.startsWith('I') ? callerToCallee.row : undefined).toBe(row);
      expect(callerToCallee.wouldCross === undefined).toBe(translator !== 'none');
    });

    test(`from the callee: ${translator}`, () => {
      const { calleeToCaller } = planOf(sink, source);
      expect(calleeToCaller.translator).toBe(translator);
      expect(calleeToCaller.row.startsWith('I') ? calleeToCaller.row : undefined).toBe(row);
    });
  },
);

describe('subscriptions', () => {
  // oxfmt-ignore
  test.each<[EndName, EndName, string]>([
    ['te', 'send', ''],
    ['kpml', 'send', 'SBC->caller, caller->SBC'],
    ['send', 'kpml', 'SBC->callee, callee->SBC'],
    ['kpml', 'receive', 'caller->SBC'],
    ['send', 'te', ''],
    ['send', 'send', ''],
    ['send', 'te+hairpin', 'callee->SBC'],
  ])('%s and %s: %s', (caller, callee, expected) => {
    expect(subscriptions(planOf(caller, callee)).join(', ')).toBe(expected);
  });

  test('are not relayed to an end whose digits go as INFO', () => {
    const kpml = { ...ENDS.te, negotiated: negotiated(true, true, true) };
    const plan = decidePlan(
      { caller: kpml.parameters, callee: ENDS['kpml+send?'].parameters },
      { caller: kpml.negotiated, callee: BARE, isDelayedOffer: false, hasAudio: true },
    );
    expect(plan.callerToCallee.translator).toBe('2833-to-info');
    expect(subscriptions(plan)).toEqual([]);
  });

  test('of an end that was passed the token go to who announced it', () => {
    const plan = decidePlan(
      { caller: ENDS.send.parameters, callee: ENDS.kpml.parameters },
      { caller: KPML, callee: KPML, isDelayedOffer: false, hasAudio: true },
    );
    expect(plan.callerToCallee.translator).toBe('kpml-relay');
    expect(subscriptions(plan)).toContain('callee->caller');
  });
});

describe('reasons', () => {
  // oxfmt-ignore
  test.each<[EndName, EndName, RegExp]>([
    ['send', 'te', /caller has neither telephone-event nor KPML, sip-info send \(test\) of the caller's leg; the callee negotiated/],
    ['receive', 'kpml', /sip-info receive .* the callee has no telephone-event, kpml-interworking enabled/],
    ['te', 'send', /caller negotiated telephone-event; the callee has neither/],
    ['kpml', 'send', /caller has none, kpml-interworking enabled .* sip-info send \(test\) of the callee's leg/],
    ['send', 'send', /sip-info send \(test\) of the callee's leg: INFO passes as it is/],
    ['send', 'none', /callee has nothing else, so INFO passes as it is: sip-info disabled/],
  ])('%s to %s', (caller, callee, reason) => {
    expect(planOf(caller, callee).callerToCallee.reason).toMatch(reason);
  });

  // oxfmt-ignore
  test.each<[EndName, EndName, RegExp]>([
    ['te', 'none', /sip-info send if it takes INFO/],
    ['none', 'te', /sip-info receive, if it sends INFO/],
  ])('%s to %s would cross with sip-info', (caller, callee, cure) => {
    expect(planOf(caller, callee).callerToCallee.wouldCross).toMatch(cure);
  });

  test('a codec policy keeps its row, the translator follows what is there', () => {
    const { callerToCallee, calleeToCaller } = planOf('send', 'te', true);
    expect(callerToCallee).toMatchObject({ row: 'C1', translator: 'info-to-2833' });
    expect(calleeToCaller).toMatchObject({ row: 'C1', translator: '2833-to-info' });
  });

  test('the hairpin flag notifies as well', () => {
    expect(planOf('send', 'te+hairpin').callerToCallee.alsoNotify).toBe(true);
    expect(planOf('send', 'te').callerToCallee.alsoNotify).toBe(false);
  });
});

describe('the kpml token is added for digits that come by INFO', () => {
  // oxfmt-ignore
  test.each<[EndName, EndName, boolean | undefined, string]>([
    ['receive', 'kpml', false, 'add-kpml'],
    ['send', 'kpml', undefined, 'add-kpml'],
    ['none', 'kpml', false, 'keep'],
    ['dual+send', 'kpml', false, 'keep'],
    ['send', 'none', false, 'keep'],
  ])('in an offer of %s to %s with telephone-event %s: %s', (caller, callee, offered, edit) => {
    const input = { caller: ENDS[caller].parameters, callee: ENDS[callee].parameters };
    const { allowEvents } = decideOffer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: offered,
      allowEventsKpml: false,
    });
    expect(allowEvents).toBe(edit);
  });

  // oxfmt-ignore
  test.each<[EndName, EndName, boolean, boolean | undefined, string]>([
    ['kpml', 'receive', false, false, 'add-kpml'],
    ['kpml', 'receive', false, undefined, 'add-kpml'],
    ['kpml', 'receive', true, false, 'add-kpml'],
    ['kpml', 'receive', true, undefined, 'keep'],
    ['kpml', 'receive', true, true, 'keep'],
    ['te+kpml+send', 'receive', true, false, 'keep'],
    ['kpml', 'none', false, false, 'keep'],
    ['none', 'receive', false, false, 'keep'],
  ])('in an answer to %s from %s, telephone-event offered %s, accepted %s: %s', (caller, callee, ...[offered, accepted, edit]) => {
    const input = { caller: ENDS[caller].parameters, callee: ENDS[callee].parameters };
    const { allowEvents } = decideAnswer(input, {
      offerSide: 'caller',
      offerHasTelephoneEvent: offered,
      offerAllowEventsKpml: true,
      answerHasTelephoneEvent: accepted,
      allowEventsKpml: false,
    });
    expect(allowEvents).toBe(edit);
  });
});
