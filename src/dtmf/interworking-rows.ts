/**
 * The rows of the decision table, found by what is known of a call.
 *
 * K = KPML caller, Q = 2833 caller, I = digits that come or go by SIP INFO. A row names a situation;
 * what happens in it follows from the rules (interworking-offer.ts, interworking-plan.ts), so a call
 * outside the table is handled too.
 */

import type { PlanInput, Rfc2833Mode } from './interworking-legs.ts';

// oxfmt-ignore
export const ROW_NAMES = [
  'K1', 'K2', 'K3', 'K4', 'K5', 'K6', 'K7', 'K8', 'K9', 'K10', 'K11', 'K12', 'K13', 'K14',
  'Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7', 'Q8', 'Q9', 'Q10', 'Q11', 'Q12', 'Q13', 'Q14',
  'X1', 'X2', 'C1',
  'I1', 'I2', 'I3', 'I4', 'I5', 'I6',
] as const;
export type RowName = (typeof ROW_NAMES)[number];

/** How digits come from a leg or go to it. */
export type Method = '2833' | 'kpml' | 'info' | 'none';

// oxfmt-ignore
const INFO_ROWS: readonly { readonly row: RowName; readonly source: Method; readonly sink: Method }[] = [
  { row: 'I1', source: 'info', sink: '2833' },
  { row: 'I2', source: 'info', sink: 'kpml' },
  { row: 'I3', source: '2833', sink: 'info' },
  { row: 'I4', source: 'kpml', sink: 'info' },
  { row: 'I5', source: 'info', sink: 'info' },
  { row: 'I6', source: 'info', sink: 'none' },
];

/** The row of one direction, by the methods of its ends, where one of them is INFO. */
export function infoRowOf(source: Method, sink: Method): RowName | undefined {
  return INFO_ROWS.find((each) => each.source === source && each.sink === sink)?.row;
}

/** Where no row fits. */
export const NO_ROW = '-';

/** What is known of a call; `undefined` while it is open. */
export interface RowFacts {
  readonly isDelayedOffer: boolean;
  readonly callerKpml: boolean;
  readonly callerTelephoneEvent: boolean | undefined;
  readonly calleeKpml: boolean | undefined;
  readonly calleeTelephoneEvent: boolean | undefined;
}

interface RowPattern {
  readonly row: RowName;
  /** kpml-interworking, Allow-Events: kpml, telephone-event and mode of the caller. */
  readonly kA?: boolean;
  readonly aeA?: boolean;
  readonly teA?: boolean;
  readonly mA?: string;
  readonly kB?: boolean;
  readonly aeB?: boolean;
  readonly teB?: boolean;
  readonly mB?: string;
  /** Hairpin flag of the callee's leg. */
  readonly h?: boolean;
  readonly delayed: boolean;
}

const on = true;
const off = false;

/** An absent key is the table's "–". The first row that fits counts. Modes: T, P, D. */
// oxfmt-ignore
const PATTERNS: readonly RowPattern[] = [
  { row: 'K1',  kA: on,  aeA: true,  teA: false,           kB: off, mB: 'P', teB: true,  delayed: false },
  { row: 'K2',  kA: on,  aeA: false, teA: false,           kB: off, mB: 'P', teB: true,  delayed: false },
  { row: 'K3',  kA: on,              teA: false,           kB: off, mB: 'P', teB: false, delayed: false },
  { row: 'K4',  kA: on,              teA: false,           kB: off, mB: 'T',             delayed: false },
  { row: 'K5',  kA: on,              teA: false,           kB: off, mB: 'D',             delayed: false },
  { row: 'K6',  kA: off, aeA: true,  teA: false,           kB: off,                      delayed: false },
  { row: 'K7',  kA: off, aeA: true,  teA: false,           kB: on,                       delayed: false },
  { row: 'K8',  kA: on,  aeA: true,  teA: false,           kB: on,  mB: 'T', teB: false, delayed: false },
  { row: 'K9',  kA: on,  aeA: true,  teA: false,           kB: on,  mB: 'P', teB: true,  delayed: false },
  { row: 'K10', kA: on,  aeA: true,  teA: false,           kB: on,  mB: 'P', teB: false, delayed: false },
  { row: 'K11', kA: on,  aeA: true,  teA: true,            kB: off,          teB: true,  delayed: false },
  { row: 'K12', kA: on,  aeA: true,  teA: true,  mA: 'P',  kB: off,          teB: false, delayed: false },
  { row: 'K13', kA: on,  aeA: true,  teA: false,           kB: off, mB: 'P', teB: true,  delayed: true },
  { row: 'K14', kA: on,  aeA: true,                        kB: off, mB: 'T', teB: true,  delayed: true },
  { row: 'Q6',           aeA: false, teA: true,  mA: 'P',  kB: on,           teB: true,  h: on,  delayed: false },
  { row: 'Q5',           aeA: false, teA: true,  mA: 'TP', kB: on,           teB: true,  delayed: false },
  { row: 'Q7',           aeA: false, teA: true,  mA: 'P',  kB: on,  mB: 'TP', teB: false, aeB: false, delayed: false },
  { row: 'Q1',           aeA: false, teA: true,  mA: 'T',  kB: on,  mB: 'T', teB: false, delayed: false },
  { row: 'Q2',           aeA: false, teA: true,  mA: 'P',  kB: on,  mB: 'T', teB: false, aeB: true, delayed: false },
  { row: 'Q3',           aeA: false, teA: true,  mA: 'T',  kB: on,  mB: 'P', teB: false, delayed: false },
  { row: 'Q4',           aeA: false, teA: true,  mA: 'P',  kB: on,  mB: 'P', teB: false, aeB: true, delayed: false },
  { row: 'Q8',           aeA: false, teA: true,  mA: 'D',  kB: on,           teB: false, delayed: false },
  { row: 'Q9',           aeA: false, teA: true,  mA: 'P',  kB: off,          teB: false, delayed: false },
  { row: 'Q10',          aeA: false, teA: false, mA: 'P',  kB: on,  mB: 'T', teB: false, delayed: false },
  { row: 'Q12',          aeA: true,  teA: true,  mA: 'P',  kB: on,           h: on,      delayed: false },
  { row: 'Q11',          aeA: true,  teA: true,  mA: 'P',  kB: on,           teB: false, delayed: false },
  { row: 'Q13',          aeA: false, teA: true,  mA: 'P',  kB: on,           teB: false, delayed: true },
  { row: 'Q14',          aeA: false, teA: false, mA: 'P',  kB: on,           teB: false, delayed: true },
];

const MODE_LETTERS: Readonly<Record<Rfc2833Mode, string>> = {
  transparent: 'T',
  preferred: 'P',
  dual: 'D',
};

/** The rows that what is known so far leaves possible, in table order. */
export function possibleRows(input: PlanInput, facts: RowFacts): readonly RowName[] {
  if (input.codecPolicyTouchedTelephoneEvent === true) return ['C1'];
  return PATTERNS.filter((pattern) => fits(pattern, input, facts)).map(({ row }) => row);
}

/** The row of a call of which everything is known, or {@link NO_ROW}. */
export function rowOf(input: PlanInput, facts: RowFacts): string {
  return possibleRows(input, facts)[0] ?? NO_ROW;
}

/** `K1/K3`: what an offer can still become, or {@link NO_ROW}. */
export function describeRows(input: PlanInput, facts: RowFacts): string {
  return possibleRows(input, facts).join('/') || NO_ROW;
}

function fits(pattern: RowPattern, { caller, callee }: PlanInput, facts: RowFacts): boolean {
  return (
    pattern.delayed === facts.isDelayedOffer &&
    agrees(pattern.kA, caller.kpmlInterworking.value) &&
    agrees(pattern.aeA, facts.callerKpml) &&
    agrees(pattern.teA, facts.callerTelephoneEvent) &&
    hasMode(pattern.mA, caller.rfc2833Mode.value) &&
    agrees(pattern.kB, callee.kpmlInterworking.value) &&
    agrees(pattern.aeB, facts.calleeKpml) &&
    agrees(pattern.teB, facts.calleeTelephoneEvent) &&
    hasMode(pattern.mB, callee.rfc2833Mode.value) &&
    agrees(pattern.h, callee.kpmlOnHairpin.value)
  );
}

function agrees(wanted: boolean | undefined, actual: boolean | undefined): boolean {
  return wanted === undefined || actual === undefined || wanted === actual;
}

function hasMode(wanted: string | undefined, actual: Rfc2833Mode): boolean {
  return wanted === undefined || wanted.includes(MODE_LETTERS[actual]);
}
