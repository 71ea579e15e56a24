import { describe, expect, test } from 'vitest';
import { NEVER_CHANGED } from '../../../src/feature-keys/providers/account-shape.ts';
import type { FeatureCalls } from '../../../src/config/feature-keys-config.ts';
import { decideCall, type TargetVerdict } from '../../../src/feature-keys/call-decision.ts';
import type { AccountState, FeatureState } from '../../../src/feature-keys/feature-state.ts';
import type { Feature } from '../../../src/wire/feature-event.ts';

const CALLS: FeatureCalls = {
  dndResponse: '486',
  dndTriggersBusyForward: true,
  ringMs: 6000,
  unreachableAsNoAnswer: true,
  send181: true,
  diversionHeaders: 'both',
  maxDiversions: 5,
};

type Short = 'dnd' | 'cfa' | 'cfb' | 'cfna';
const NAMES: Readonly<Record<Short, Feature>> = {
  dnd: 'DoNotDisturb',
  cfa: 'CallForwardingAlways',
  cfb: 'CallForwardingBusy',
  cfna: 'CallForwardingNoAnswer',
};

/** Every feature in `on` is on, with a target of its own name. */
function stateWith(on: readonly Short[], change: Partial<FeatureState> = {}): AccountState {
  const stateOf = (short: Short): FeatureState =>
    on.includes(short)
      ? { ...NEVER_CHANGED, status: true, values: { forwardTo: short }, ...change }
      : NEVER_CHANGED;
  return {
    DoNotDisturb: stateOf('dnd'),
    CallForwardingAlways: stateOf('cfa'),
    CallForwardingBusy: stateOf('cfb'),
    CallForwardingNoAnswer: stateOf('cfna'),
  };
}

function decide(
  state: AccountState,
  calls: Partial<FeatureCalls> = {},
  denied: readonly string[] = [],
): ReturnType<typeof decideCall> {
  const judge = (target: string): TargetVerdict =>
    denied.includes(target)
      ? { type: 'withheld', reason: 'denied' }
      : { type: 'allowed', uri: `sip:${target}@pbx.example` };
  const merged = { ...CALLS, ...calls };
  return decideCall(state, { calls: merged, defaultRings: 5, judge, isDndReachable: true });
}

/** In a word: who gets the call, or with which status it ends. */
function inWords(decision: ReturnType<typeof decideCall>): string {
  const { treatment } = decision;
  if (treatment.type === 'refuse') return String(treatment.status);
  if (treatment.type === 'forward') {
    return `${treatment.forward.target} ${treatment.forward.reason}`;
  }
  const { busy, noAnswer } = treatment;
  const after =
    noAnswer === undefined ? '' : `, after ${noAnswer.afterMs} ${noAnswer.forward.target}`;
  return `rings${busy === undefined ? '' : `, busy ${busy.target}`}${after}`;
}

const CFA = 'sip:cfa@pbx.example unconditional';
const BUSY = 'sip:cfb@pbx.example user-busy';

test.each<[readonly Short[], Partial<FeatureCalls>, string]>([
  [[], {}, 'rings'],
  [['cfa'], {}, CFA],
  [['cfa', 'dnd', 'cfb', 'cfna'], {}, CFA],
  [['dnd'], {}, '486'],
  [['dnd'], { dndResponse: '603' }, '603'],
  [['dnd', 'cfb'], {}, BUSY],
  [['dnd', 'cfb'], { dndResponse: '600' }, BUSY],
  [['dnd', 'cfb'], { dndResponse: '480' }, '480'],
  [['dnd', 'cfb'], { dndTriggersBusyForward: false }, '486'],
  [['dnd', 'cfna'], { dndResponse: '480' }, '480'],
  [['dnd'], { dndResponse: 'sip:voicemail@pbx.example' }, 'sip:voicemail@pbx.example user-busy'],
  [['cfb'], {}, 'rings, busy sip:cfb@pbx.example'],
  [['cfna'], {}, 'rings, after 30000 sip:cfna@pbx.example'],
  [['cfna'], { ringMs: 1000 }, 'rings, after 5000 sip:cfna@pbx.example'],
  [['cfb', 'cfna'], {}, 'rings, busy sip:cfb@pbx.example, after 30000 sip:cfna@pbx.example'],
])('%j with %j: %s', (on, calls, expected) => {
  expect(inWords(decide(stateWith(on), calls))).toBe(expected);
});

describe('a target that is not allowed', () => {
  test.each<[readonly Short[], readonly string[], string]>([
    [['cfa', 'cfb'], ['cfa'], 'rings, busy sip:cfb@pbx.example'],
    [['cfa', 'dnd'], ['cfa'], '486'],
    [['dnd', 'cfb'], ['cfb'], '486'],
    [['cfb', 'cfna'], ['cfb', 'cfna'], 'rings'],
  ])('%j without %j: %s', (on, denied, expected) => {
    const decision = decide(stateWith(on), {}, denied);
    expect(inWords(decision)).toBe(expected);
    expect(decision.withheld.map(({ feature }) => feature)).toEqual(
      (['cfa', 'cfna', 'cfb', 'dnd'] as const)
        .filter((short) => denied.includes(short))
        .map((short) => NAMES[short]),
    );
  });
});

test.each<[Partial<FeatureState>, string]>([
  [{ values: { forwardTo: '1', ringCount: 0 } }, 'sip:1@pbx.example no-answer'],
  [{ values: { forwardTo: '1', ringCount: 20 } }, 'rings, after 120000 sip:1@pbx.example'],
  [{ values: {} }, 'rings'],
  [{ assigned: false }, 'rings'],
])('CFNA %j: %s', (change, expected) => {
  expect(inWords(decide(stateWith(['cfna'], change)))).toBe(expected);
});
