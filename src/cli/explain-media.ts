/** What happens to SDP, Allow-Events and digits of a call, by the same code that handles real calls. */
import { readFileSync } from 'node:fs';
import { type LocalPorts, OfferAnswer } from '../call/offer/offer-answer.ts';
import type { Config, SipInterface } from '../config/config.ts';
import type { LegSettings } from '../config/effective.ts';
import type { AnswerDecision, OfferDecision } from '../dtmf/interworking-offer.ts';
import type { InterworkingPlan } from '../dtmf/interworking-plan.ts';
import type { Side } from '../wire/side.ts';
import { WireError } from '../wire/wire-error.ts';

export interface MediaQuestion {
  /** Files with the caller's offer and the callee's answer. */
  readonly offer?: string | undefined;
  readonly answer?: string | undefined;
  readonly callerAllowEvents?: string | undefined;
  readonly calleeAllowEvents?: string | undefined;
}

/** The legs as the route decided them. */
export interface MediaLegs {
  readonly settings: Readonly<Record<Side, LegSettings>>;
  readonly interfaces: Readonly<Record<Side, SipInterface>>;
}

export interface Forwarded<Decision> {
  readonly sdp: string | undefined;
  readonly decision: Decision;
}

export type MediaExplanation =
  | {
      readonly type: 'media';
      readonly offer: Forwarded<OfferDecision>;
      /** `undefined` as long as no answer was given. */
      readonly answer: Forwarded<AnswerDecision> | undefined;
      readonly plan: InterworkingPlan | undefined;
    }
  | { readonly type: 'none'; readonly hint: string }
  | { readonly type: 'unreadable'; readonly message: string }
  | { readonly type: 'badSdp'; readonly message: string };

export const MEDIA_HINT =
  'give --offer and --answer to see what happens to SDP, Allow-Events and digits';

export function explainMedia(
  config: Config,
  legs: MediaLegs,
  question: MediaQuestion,
): MediaExplanation {
  if (question.offer === undefined) return { type: 'none', hint: MEDIA_HINT };
  let offer: string;
  let answer: string | undefined;
  try {
    offer = readSdp(question.offer);
    answer = question.answer === undefined ? undefined : readSdp(question.answer);
  } catch (error) {
    return { type: 'unreadable', message: error instanceof Error ? error.message : String(error) };
  }
  try {
    return negotiate({ config, legs, question }, offer, answer);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { type: 'badSdp', message: error.message };
  }
}

function negotiate(
  call: { config: Config; legs: MediaLegs; question: MediaQuestion },
  offerText: string,
  answerText: string | undefined,
): MediaExplanation {
  const { config, legs, question } = call;
  const negotiation = new OfferAnswer({
    settings: legs.settings,
    sessionIds: { caller: '1', callee: '2' },
  });
  const callerKpml = announcesKpml(question.callerAllowEvents);
  const { streamCount } = negotiation.receiveOffer('caller', offerText, callerKpml);
  const offerPorts = samplePorts(config, legs.interfaces.callee, streamCount);
  const offer = summary(negotiation.forwardOffer(offerPorts));
  if (answerText === undefined) return { type: 'media', offer, answer: undefined, plan: undefined };
  const calleeKpml = announcesKpml(question.calleeAllowEvents);
  negotiation.receiveAnswer('callee', answerText, calleeKpml, true);
  const ports = samplePorts(config, legs.interfaces.caller, streamCount);
  const answer = negotiation.forwardAnswer(ports, true);
  return { type: 'media', offer, answer: summary(answer), plan: answer.plan };
}

function summary<Decision>({ sdp, decision }: Forwarded<Decision>): Forwarded<Decision> {
  return { sdp, decision };
}

/** Ports as a first call would get them; a real call gets whatever is free. */
function samplePorts(config: Config, sipInterface: SipInterface, count: number): LocalPorts[] {
  const realm = config.realms.find(({ name }) => name === sipInterface.realm);
  if (realm === undefined) throw new Error(`realm ${sipInterface.realm} is checked at load`);
  const { address, advertised, portMin } = realm.media;
  const firstEven = portMin + (portMin % 2);
  return Array.from({ length: count }, (_, index) => ({
    address: advertised ?? address,
    rtpPort: firstEven + 2 * index,
    rtcpPort: firstEven + 2 * index + 1,
  }));
}

function announcesKpml(allowEvents: string | undefined): boolean {
  const events = (allowEvents ?? '').split(',').map((event) => event.trim().toLowerCase());
  return events.includes('kpml');
}

/** Text editors write LF; SDP wants CRLF. */
function readSdp(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/\r?\n/g, '\r\n');
}
