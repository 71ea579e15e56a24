/** Calls as the rows of the decision table describe them, run through the decisions. */
import { decideAnswer, decideOffer } from '../../../src/dtmf/interworking-offer.ts';
import type { LegParameters, Rfc2833Mode, SipInfo } from '../../../src/dtmf/interworking-legs.ts';
import { decidePlan, type InterworkingPlan } from '../../../src/dtmf/interworking-plan.ts';

const MODES: Record<string, Rfc2833Mode> = { T: 'transparent', P: 'preferred', D: 'dual' };

export interface Situation {
  readonly kA: boolean;
  readonly aeA: boolean;
  /** `undefined`: the INVITE has no SDP. */
  readonly teA: boolean | undefined;
  readonly mA: string;
  readonly kB: boolean;
  readonly mB: string;
  /** The callee's own SDP: its answer, or its offer when the INVITE has none. */
  readonly teB: boolean;
  readonly aeB: boolean;
  readonly h: boolean;
  /** With a delayed offer: the caller's answer in the ACK. */
  readonly teAck: boolean;
}

export interface Outcome {
  readonly row: string;
  /** Message to the callee: `INS`, `te`, `no te` or `no SDP`, then what became of kpml. */
  readonly toCallee: string;
  /** Message to the caller. */
  readonly toCaller: string;
  readonly plan: InterworkingPlan;
}

export function leg(
  k: boolean,
  mode: string,
  hairpin = false,
  info: SipInfo = 'disabled',
): LegParameters {
  const origin = 'test';
  return {
    kpmlInterworking: { value: k, origin },
    rfc2833Mode: { value: MODES[mode] ?? 'transparent', origin },
    rfc2833Payload: { value: 101, origin },
    kpmlOnHairpin: { value: hairpin, origin },
    sipInfo: { value: info, origin },
  };
}

const EDITS = { keep: 'KEEP', 'add-kpml': 'ADD', 'remove-kpml': 'DEL' } as const;

/** What becomes of the token, as the table writes it: nothing where there is none. */
function edited(edit: keyof typeof EDITS, hadToken: boolean): string {
  return edit === 'keep' && !hadToken ? '' : `; ${EDITS[edit]}`;
}

/** Runs a whole exchange through the decisions, as the call does. */
export function run(s: Situation, policy = false): Outcome {
  const input = {
    caller: leg(s.kA, s.mA),
    callee: leg(s.kB, s.mB, s.h),
    codecPolicyTouchedTelephoneEvent: policy,
  };
  const invite = decideOffer(input, {
    offerSide: 'caller',
    offerHasTelephoneEvent: s.teA,
    allowEventsKpml: s.aeA,
  });
  if (s.teA === undefined) return runDelayed(s, input, edited(invite.allowEvents, s.aeA));
  const answer = decideAnswer(input, {
    offerSide: 'caller',
    offerHasTelephoneEvent: s.teA,
    offerAllowEventsKpml: s.aeA,
    answerHasTelephoneEvent: s.teB,
    allowEventsKpml: s.aeB,
  });
  const toCallerTe = s.teA && (s.teB || answer.keepTelephoneEvent);
  const sentTe = s.teA ? 'te' : 'no te';
  const plan = decidePlan(input, {
    caller: negotiated(toCallerTe, s.teA, s.aeA),
    callee: negotiated(s.teB && (s.teA || invite.insertTelephoneEvent), s.teB, s.aeB),
    isDelayedOffer: false,
    hasAudio: true,
  });
  return {
    row: plan.callerToCallee.row,
    toCallee: `${invite.insertTelephoneEvent ? 'INS' : sentTe}${edited(invite.allowEvents, s.aeA)}`,
    toCaller: `${toCallerTe ? 'te' : 'no te'}${edited(answer.allowEvents, s.aeB)}`,
    plan,
  };
}

function runDelayed(
  s: Situation,
  input: Parameters<typeof decideOffer>[0],
  inviteEvents: string,
): Outcome {
  const offer = decideOffer(input, {
    offerSide: 'callee',
    offerHasTelephoneEvent: s.teB,
    allowEventsKpml: s.aeB,
    isInResponse: true,
    requestAllowEventsKpml: s.aeA,
  });
  const answer = decideAnswer(input, {
    offerSide: 'callee',
    offerHasTelephoneEvent: s.teB,
    offerAllowEventsKpml: s.aeB,
    answerHasTelephoneEvent: s.teAck,
    allowEventsKpml: false,
    isDelayedOffer: true,
  });
  const plan = decidePlan(input, {
    caller: negotiated(s.teAck && (s.teB || offer.insertTelephoneEvent), s.teAck, s.aeA),
    callee: negotiated(s.teB && (s.teAck || answer.keepTelephoneEvent), s.teB, s.aeB),
    isDelayedOffer: true,
    hasAudio: true,
  });
  const offered = s.teB ? 'te' : 'no te';
  return {
    row: plan.callerToCallee.row,
    toCallee: `no SDP${inviteEvents}`,
    toCaller: `${offer.insertTelephoneEvent ? 'INS' : offered}${edited(offer.allowEvents, s.aeB)}`,
    plan,
  };
}

export function negotiated(
  telephoneEvent: boolean,
  ownTelephoneEvent: boolean,
  allowEventsKpml: boolean,
): Parameters<typeof decidePlan>[1]['caller'] {
  return { telephoneEvent, ownTelephoneEvent, allowEventsKpml, kpmlAdvertised: 'no' };
}

/** Every situation a row stands for: `.` is tried with both values, modes `TP` with each. */
export function situations(cells: readonly string[]): Situation[] {
  const [kA, aeA, teA, mA, kB, mB, teB, aeB, h, teAck] = cells.map((cell) => values(cell));
  const found: Situation[] = [];
  const pick = (columns: readonly (readonly string[])[], chosen: readonly string[]): void => {
    const [column, ...rest] = columns;
    if (column === undefined) {
      found.push(situation(chosen));
      return;
    }
    for (const value of column) pick(rest, [...chosen, value]);
  };
  pick(
    [kA, aeA, teA, mA, kB, mB, teB, aeB, h, teAck].map((column) => column ?? ['0']),
    [],
  );
  return found;
}

function values(cell: string): readonly string[] {
  if (cell === '.') return ['0', '+'];
  return /^[TPD]+$/.test(cell) ? cell.split('') : [cell];
}

export function situation(cells: readonly string[]): Situation {
  const is = (position: number): boolean => cells[position] === '+';
  return {
    kA: is(0),
    aeA: is(1),
    teA: cells[2] === '?' ? undefined : is(2),
    mA: cells[3] ?? 'T',
    kB: is(4),
    mB: cells[5] ?? 'T',
    teB: is(6),
    aeB: is(7),
    h: is(8),
    teAck: is(9),
  };
}

/** `SBC->caller` we subscribe, `callee->SBC` we answer, `callee->caller` we relay; else 489. */
export function subscriptions(plan: InterworkingPlan): string[] {
  return [
    ...plan.subscribeTo.map((side) => `SBC->${side}`),
    ...plan.acceptSubscribeFrom.map((side) => `${side}->SBC`),
    ...plan.relaySubscribeFrom.map((side) =>
      side === 'caller' ? 'caller->callee' : 'callee->caller',
    ),
  ];
}
