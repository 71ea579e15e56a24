/** When what happened in one call, and the CDR made of it at the end: exactly one record per attempt. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { MediaCounters } from '../media/relay-counters.ts';
import {
  CDR_VERSION,
  type CdrAttempt,
  type CdrForwarding,
  type CdrLeg,
  type CdrRecord,
  type OpenAttempt,
  type CdrTransfer,
} from '../observe/cdr.ts';
import type { DigitSummary } from '../observe/digit-ledger.ts';
import { maskUriPasswords } from '../observe/mask.ts';
import type { Side } from '../wire/side.ts';
import { numberOf } from '../trunk/numbering.ts';
import type { Hop, SkippedAgent } from '../trunk/policy.ts';
import type { CallLeg } from './call-leg.ts';
import type { CallSession } from './call-session.ts';
import { agreedCodec } from './offer/agreed-codec.ts';
import { dtmfMethods } from './digits/dtmf-method.ts';
import { type EndCause, verdictOf } from './end-cause.ts';
import { identityIn, userOf } from './headers/header-policy.ts';
import { q850InReason, q850OfStatus } from './q850.ts';

const MS_PER_SECOND = 1000;

interface Times {
  readonly inviteMs: number;
  tryingMs: number | undefined;
  progressMs: number | undefined;
  ringingMs: number | undefined;
  answerMs: number | undefined;
}

/** What is known of an attempt at any time, beside its history. */
export interface AttemptFacts {
  readonly callId: string;
  readonly caller: CallLeg;
  readonly session: CallSession | undefined;
  readonly digits: DigitSummary;
  readonly configHash: string;
}

/** What routed a call: the policy, and its agents that could take no call. */
export interface RoutedBy {
  readonly policy: string | undefined;
  readonly skipped?: readonly SkippedAgent[] | undefined;
}

/** What the record needs beside the history itself. */
export interface RecordInput extends AttemptFacts {
  readonly cause: EndCause;
  readonly counters: readonly MediaCounters[];
  readonly endMs: number;
}

export class CallHistory {
  /** Of the record, and of what is kept of the call until it is written. */
  readonly cdrId = randomUUID();
  #policy: string | undefined;
  #skipped: readonly SkippedAgent[];
  #forwarding: CdrForwarding | undefined;
  readonly #transfer: CdrTransfer | undefined;
  readonly #nowMs: () => number;
  readonly #times: Times;
  #attempts: readonly CdrAttempt[] = [];
  #running: { readonly hop: Hop; readonly callee: CallLeg; readonly startMs: number } | undefined;

  /** `transfer`: where the parties of the call were before. */
  constructor({ policy, skipped = [] }: RoutedBy, nowMs: () => number, transfer?: CdrTransfer) {
    this.#policy = policy;
    this.#skipped = skipped;
    this.#transfer = transfer;
    this.#nowMs = nowMs;
    this.#times = {
      inviteMs: nowMs(),
      tryingMs: undefined,
      progressMs: undefined,
      ringingMs: undefined,
      answerMs: undefined,
    };
  }

  /** The rule that routed the call, `undefined` when none did. */
  get policy(): string | undefined {
    return this.#policy;
  }

  /** Agents of that policy that could take no call. */
  get skipped(): readonly SkippedAgent[] {
    return this.#skipped;
  }

  /** What feature keys did to the call. */
  get forwarding(): CdrForwarding | undefined {
    return this.#forwarding;
  }

  /** The call takes another way. */
  routed({ policy, skipped = [] }: RoutedBy): void {
    this.#policy = policy;
    this.#skipped = skipped;
  }

  /** Takes all that feature keys have done so far. */
  forwarded({ steps, chain }: CdrForwarding): void {
    const shown = steps.map(({ feature, from, to }) => ({
      feature,
      from: maskUriPasswords(from),
      ...(to === undefined ? {} : { to: maskUriPasswords(to) }),
    }));
    this.#forwarding = { steps: shown, chain: chain.map(maskUriPasswords) };
  }

  get inviteMs(): number {
    return this.#times.inviteMs;
  }

  get answerMs(): number | undefined {
    return this.#times.answerMs;
  }

  /** INVITE to the first sign of the callee (RFC 6076 §4.3 in spirit). */
  get postDialDelayMs(): number | undefined {
    const first = this.#times.progressMs ?? this.#times.answerMs;
    return first === undefined ? undefined : first - this.#times.inviteMs;
  }

  attemptStarted(hop: Hop, callee: CallLeg): void {
    this.#running = { hop, callee, startMs: this.#nowMs() };
    this.#times.tryingMs ??= this.#running.startMs;
  }

  attemptFailed(status: number, reason: string): void {
    this.#closeAttempt(status, reason);
  }

  progressed(status: number): void {
    this.#times.progressMs ??= this.#nowMs();
    if (status === 180) this.#times.ringingMs ??= this.#nowMs();
  }

  answered(): void {
    this.#times.answerMs ??= this.#nowMs();
    this.#closeAttempt(200, 'OK');
  }

  /** The call is over; what a callee still answers to a CANCEL is no outcome of its attempt. */
  ended(cause: EndCause): void {
    const { status, text } = verdictOf(cause);
    this.#closeAttempt(status, text);
  }

  /** The beginning of the CDR, as far as it is known now. */
  describe(facts: AttemptFacts): OpenAttempt {
    const { session, caller } = facts;
    const callee = session?.legs.callee;
    const policy = this.#policy;
    const transfer = this.#transfer;
    const forwarding = this.#forwarding;
    return {
      version: CDR_VERSION,
      cdrId: this.cdrId,
      callId: facts.callId,
      config: { hash: facts.configHash },
      node: hostname(),
      ingress: legOf(caller, session),
      ...(callee === undefined ? {} : { egress: legOf(callee, session) }),
      attempts: [...this.#attempts],
      numbers: numbersOf(caller, callee),
      timestamps: this.#timestamps(),
      dtmf: dtmfOf(session, facts.digits),
      ...(policy === undefined ? {} : { policy: policyOf(policy, this.#skipped) }),
      ...(transfer === undefined ? {} : { transfer }),
      ...(forwarding === undefined ? {} : { forwarding }),
    };
  }

  /** The CDR; to be called once. */
  record(input: RecordInput): CdrRecord {
    const { cause, endMs } = input;
    const verdict = verdictOf(cause);
    this.ended(cause);
    const known = this.describe(input);
    return {
      ...known,
      timestamps: { ...known.timestamps, end: iso(endMs) },
      durations: this.#durations(endMs),
      release: {
        side: cause.by,
        sipCode: this.#times.answerMs === undefined ? verdict.status : 200,
        q850: q850Of(cause),
        internalCode: cause.name,
        text: verdict.text,
      },
      media: { perLeg: mediaOf(input.counters, cause.name === 'media-timeout') },
    };
  }

  #closeAttempt(code: number, reason: string): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const agent = running.hop.agent === undefined ? {} : { agent: running.hop.agent.name };
    const { hop, callee, startMs } = running;
    const where = { nextHop: hop.nextHop, transport: callee.takenTransport };
    const [start, end] = [iso(startMs), iso(this.#nowMs())];
    this.#attempts = this.#attempts.concat({ ...agent, ...where, code, reason, start, end });
  }

  #timestamps(): OpenAttempt['timestamps'] {
    const { inviteMs, tryingMs, progressMs, ringingMs, answerMs } = this.#times;
    return {
      invite: iso(inviteMs),
      ...(tryingMs === undefined ? {} : { trying: iso(tryingMs) }),
      ...(progressMs === undefined ? {} : { firstProgress: iso(progressMs) }),
      ...(ringingMs === undefined ? {} : { ringing: iso(ringingMs) }),
      ...(answerMs === undefined ? {} : { answer: iso(answerMs) }),
    };
  }

  #durations(endMs: number): CdrRecord['durations'] {
    const { ringingMs, answerMs } = this.#times;
    const delayMs = this.postDialDelayMs;
    return {
      ...(delayMs === undefined ? {} : { pdd: seconds(delayMs) }),
      ...(ringingMs === undefined ? {} : { ring: seconds((answerMs ?? endMs) - ringingMs) }),
      bill: answerMs === undefined ? 0 : seconds(endMs - answerMs),
    };
  }
}

function policyOf(
  policy: string,
  skipped: readonly SkippedAgent[],
): NonNullable<CdrRecord['policy']> {
  return { name: policy, rule: policy, ...(skipped.length === 0 ? {} : { skipped }) };
}

/** A leg by its own INVITE; a callee that was never sent one has no dialog data. */
function legOf(leg: CallLeg, session: CallSession | undefined): CdrLeg {
  const { invite } = leg;
  const { codec, isSecure } = agreedCodec(session?.negotiation.agreed, leg.side);
  const pai = invite?.assertedIdentity ?? '';
  return {
    ...(leg.agent === undefined ? {} : { agent: leg.agent.name }),
    realm: leg.realm.name,
    interface: leg.sipInterface.name,
    remote: leg.remote,
    sipCallId: leg.sipCallId,
    from: invite?.from ?? '',
    to: invite?.to ?? '',
    ruri: invite?.uri ?? '',
    ...(pai === '' ? {} : { pai }),
    transport: leg.takenTransport,
    ...(codec === undefined ? {} : { codec }),
    srtp: isSecure,
  };
}

/** The peer's own word, else what a passed refusal stands for, else what the cause does. */
function q850Of(cause: EndCause): number {
  const named = q850InReason(cause.reason);
  if (named !== undefined) return named;
  const { q850, status } = verdictOf(cause);
  return cause.name === 'callee-refused' ? q850OfStatus(status) : q850;
}

function numbersOf(caller: CallLeg, callee: CallLeg | undefined): CdrRecord['numbers'] {
  const numbers = { calledIn: calledNumber(caller), callerIn: callingNumber(caller) };
  if (callee?.invite === undefined) return numbers;
  return { ...numbers, calledOut: calledNumber(callee), callerOut: callingNumber(callee) };
}

/** What the INVITE of a leg is for: the number, or the user part that is none. */
export function calledNumber({ invite }: CallLeg): string {
  return numberOf(userOf(invite?.uri ?? '') ?? '');
}

/** Who the INVITE of a leg is from. */
export function callingNumber({ invite }: CallLeg): string {
  return invite === undefined ? '' : numberOf(identityIn(invite.from).user);
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function seconds(durationMs: number): number {
  return Math.round(durationMs) / MS_PER_SECOND;
}

function mediaOf(
  counters: readonly MediaCounters[],
  inactive: boolean,
): NonNullable<CdrRecord['media']>['perLeg'] {
  if (counters.length === 0) return {};
  const leg = (side: Side): NonNullable<NonNullable<CdrRecord['media']>['perLeg']['ingress']> => {
    const legs = counters.map((counter) => counter[side]);
    const sum = (pick: (leg: MediaCounters[Side]) => number): number =>
      legs.reduce((total, current) => total + pick(current), 0);
    return {
      packets: sum((counter) => counter.receivedPackets),
      octets: sum((counter) => counter.receivedBytes),
      lost: sum((counter) => counter.lostPackets),
      jitterMs: Math.max(...legs.map((counter) => counter.jitterMs)),
      srcLearned: legs.some((counter) => counter.isSourceLearnt),
      inactive,
    };
  };
  return { ingress: leg('caller'), egress: leg('callee') };
}

function dtmfOf(session: CallSession | undefined, digits: DigitSummary): CdrRecord['dtmf'] {
  const plan = session?.dtmf.plan;
  const methods = dtmfMethods(plan);
  return {
    ingressMethod: methods.caller,
    egressMethod: methods.callee,
    decision: plan === undefined ? '' : `${plan.callerToCallee.row}/${plan.calleeToCaller.row}`,
    digitsIn: digits.presses,
    digitsOut: digits.delivered,
    dropped: digits.dropped,
  };
}
