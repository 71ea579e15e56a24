import { expect, test } from 'vitest';
import { dtmfMethods } from '../../../src/call/digits/dtmf-method.ts';
import type { DirectionPlan, Translator } from '../../../src/dtmf/interworking-plan.ts';

function direction(translator: Translator): DirectionPlan {
  return { translator, alsoNotify: false, row: '', rule: '', reason: '' };
}

test.each<[Translator, Translator, string, string]>([
  ['rtp-relay', 'rtp-relay', '2833', '2833'],
  ['kpml-to-2833', '2833-to-kpml', 'kpml', '2833'],
  ['2833-to-kpml', 'kpml-to-2833', '2833', 'kpml'],
  ['kpml-to-2833', 'none', 'kpml', '2833'],
  ['none', 'kpml-to-2833', '2833', 'kpml'],
  ['kpml-relay', 'kpml-relay', 'kpml', 'kpml'],
  ['info-to-2833', '2833-to-info', 'info', '2833'],
  ['kpml-to-info', 'info-to-kpml', 'kpml', 'info'],
  ['info-relay', 'info-relay', 'info', 'info'],
  ['2833-to-info', 'none', '2833', 'info'],
  ['none', 'none', 'none', 'none'],
])('%s and %s: caller %s, callee %s', (there, back, caller, callee) => {
  const plan = {
    callerToCallee: direction(there),
    calleeToCaller: direction(back),
    subscribeTo: [],
    acceptSubscribeFrom: [],
    relaySubscribeFrom: [],
  };
  expect(dtmfMethods(plan)).toEqual({ caller, callee });
});

test('no plan, no method', () => {
  expect(dtmfMethods(undefined)).toEqual({ caller: 'none', callee: 'none' });
});
