/** What the interworking decision knows about the two legs of a call. */

import type { Side } from '../wire/side.ts';

/** A parameter with the place it was set, such as `session-agent carrier`. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: string;
}

export type Rfc2833Mode = 'transparent' | 'preferred' | 'dual';

/** Key presses in SIP INFO: not read, read from this leg, or sent to it as well. */
export type SipInfo = 'disabled' | 'receive' | 'send';

/** The parameters of one leg that the decision reads. */
export interface LegParameters {
  readonly kpmlInterworking: Setting<boolean>;
  readonly rfc2833Mode: Setting<Rfc2833Mode>;
  readonly rfc2833Payload: Setting<number>;
  readonly kpmlOnHairpin: Setting<boolean>;
  readonly sipInfo: Setting<SipInfo>;
}

export interface PlanInput {
  readonly caller: LegParameters;
  readonly callee: LegParameters;
  /** A codec policy added or removed telephone-event: rfc2833-mode is not used for SDP. */
  readonly codecPolicyTouchedTelephoneEvent?: boolean;
}

/** How the kpml token of the other party reached a side, if it did. */
export type KpmlAdvertised = 'by-us' | 'passed' | 'no';

/** One leg after a completed offer/answer exchange. */
export interface NegotiatedLeg {
  /** Both SDPs of this leg, ours included, list telephone-event for the same audio. */
  readonly telephoneEvent: boolean;
  /** The party's own SDP lists it, whatever we made of that. */
  readonly ownTelephoneEvent: boolean;
  /** The party announced kpml in Allow-Events. */
  readonly allowEventsKpml: boolean;
  readonly kpmlAdvertised: KpmlAdvertised;
}

export interface Negotiated extends Readonly<Record<Side, NegotiatedLeg>> {
  /** The INVITE came without SDP. */
  readonly isDelayedOffer: boolean;
  /** False when no audio section with a voice codec was accepted. */
  readonly hasAudio: boolean;
  /** The audio is SRTP, whose telephone-events pass between the ends if both list them. */
  readonly srtp?: 'with-events' | 'without-events' | undefined;
}

/** Whether telephone-event may be written into SDP on account of this leg. */
export function isPreferred(input: PlanInput, side: Side): boolean {
  if (input.codecPolicyTouchedTelephoneEvent === true) return false;
  return input[side].rfc2833Mode.value === 'preferred';
}

/** A leg in dual mode takes part in no KPML translation. */
export function isDual(input: PlanInput, side: Side): boolean {
  return input[side].rfc2833Mode.value === 'dual';
}

/** `rfc2833-mode transparent (sip-interface core)`: a parameter as it is shown to people. */
export function describeMode(input: PlanInput, side: Side): string {
  const { value, origin } = input[side].rfc2833Mode;
  return `rfc2833-mode ${value} (${origin}) of the ${side}'s leg`;
}

/** `kpml-interworking disabled (default)`, of a leg. */
export function describeKpml(input: PlanInput, side: Side): string {
  const { value, origin } = input[side].kpmlInterworking;
  return `kpml-interworking ${value ? 'enabled' : 'disabled'} (${origin}) of the ${side}'s leg`;
}

/** Whether key presses in INFO are read from this leg; a leg that is sent INFO is taken to send it too. */
export function readsInfo(input: PlanInput, side: Side): boolean {
  return input[side].sipInfo.value !== 'disabled';
}

/** `sip-info send (session-agent carrier)`, of a leg. */
export function describeInfo(input: PlanInput, side: Side): string {
  const { value, origin } = input[side].sipInfo;
  return `sip-info ${value} (${origin}) of the ${side}'s leg`;
}
