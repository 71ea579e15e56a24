import type { InterworkingPlan, Translator } from '../../dtmf/interworking-plan.ts';
import type { Side } from '../../wire/side.ts';

/** How a leg carries its digits. */
export type DtmfMethod = '2833' | 'kpml' | 'info' | 'none';

/** What each translator means on the leg it reads from and on the leg it writes to. */
const METHODS: Readonly<Record<Translator, readonly [from: DtmfMethod, to: DtmfMethod]>> = {
  'rtp-relay': ['2833', '2833'],
  'kpml-to-2833': ['kpml', '2833'],
  '2833-to-kpml': ['2833', 'kpml'],
  'kpml-relay': ['kpml', 'kpml'],
  'info-to-2833': ['info', '2833'],
  'info-to-kpml': ['info', 'kpml'],
  '2833-to-info': ['2833', 'info'],
  'kpml-to-info': ['kpml', 'info'],
  'info-relay': ['info', 'info'],
  none: ['none', 'none'],
};

/** The method of each leg: how it sends digits, or else how it gets them. */
export function dtmfMethods(plan: InterworkingPlan | undefined): Record<Side, DtmfMethod> {
  if (plan === undefined) return { caller: 'none', callee: 'none' };
  const [callerSends, calleeGets] = METHODS[plan.callerToCallee.translator];
  const [calleeSends, callerGets] = METHODS[plan.calleeToCaller.translator];
  return {
    caller: callerSends === 'none' ? callerGets : callerSends,
    callee: calleeSends === 'none' ? calleeGets : calleeSends,
  };
}
