import { decideEarlySubscribe, type EarlySubscribe } from '../dtmf/interworking-plan.ts';
import { type FormerPlace, OfferAnswer } from './offer/offer-answer.ts';
import { type CallLog, SdpReceipts } from './sdp-receipts.ts';
import type { CallContext } from './call-context.ts';
import type { CallLeg } from './call-leg.ts';
import type { CallMedia } from './call-media.ts';
import { DtmfInterworking } from './digits/dtmf-interworking.ts';
import type { FormerDigits } from './digits/dtmf-options.ts';
import { withPressesBefore } from './digits/presses-before.ts';
import { EarlyExchange } from './setup/early-exchange.ts';
import { subscribeTarget } from './digits/separate-subscribe.ts';
import type { SubscribeTarget } from '../sip/outgoing-subscription.ts';
import { hasKpml } from '../wire/allow-events.ts';
import { addressFamily } from '../wire/sdp-address.ts';
import type { SipMessage } from '../wire/sip-message.ts';
import type { Side } from '../wire/side.ts';
import { WireError } from '../wire/wire-error.ts';
import type { EndCauseName } from './end-cause.ts';

/** A message body to send and what becomes of Allow-Events beside it. */
export interface Forwarded {
  readonly type: 'forward';
  readonly sdp: string | undefined;
  readonly allowEvents: ReturnType<OfferAnswer['forwardOffer']>['allowEvents'];
}

export type ForwardOutcome =
  | Forwarded
  | { readonly type: 'failed'; readonly cause: EndCauseName; readonly text?: string };

/** Sides of a new call whose dialogs come from other calls, and where they were there. */
export type StandingPlaces = Readonly<Partial<Record<Side, FormerPlace & FormerDigits>>>;

/**
 * The two legs of a call joined: every session description passes here on its way from one leg to the other, and the
 * outcome reaches media and DTMF.
 */
export class CallSession {
  readonly legs: Readonly<Record<Side, CallLeg>>;
  readonly media: CallMedia;
  readonly dtmf: DtmfInterworking;
  readonly early = new EarlyExchange();
  readonly #negotiation: OfferAnswer;
  readonly #receipts: SdpReceipts;

  constructor(options: {
    readonly callId: string;
    readonly legs: Readonly<Record<Side, CallLeg>>;
    readonly media: CallMedia;
    readonly context: CallContext;
    readonly log: CallLog;
    readonly sessionIds: Readonly<Record<Side, string>>;
    /** The attempt at another callee before this one: what the caller was shown and asked for goes on. */
    readonly previous: CallSession | undefined;
    /** Sides whose dialogs come from other calls. */
    readonly standing?: StandingPlaces | undefined;
    readonly onBug: (error: unknown) => void;
  }) {
    const { callId, legs, media, context, onBug } = options;
    this.legs = legs;
    this.media = media;
    this.#receipts = new SdpReceipts(options.log);
    const negotiation = new OfferAnswer({
      settings: { caller: legs.caller.settings, callee: legs.callee.settings },
      sessionIds: options.sessionIds,
      families: {
        caller: addressFamily(legs.caller.realm.media.address),
        callee: addressFamily(legs.callee.realm.media.address),
      },
      previous: options.previous?.negotiation,
      standing: options.standing,
    });
    this.#negotiation = negotiation;
    const earlySubscribe = (side: Side): EarlySubscribe =>
      decideEarlySubscribe(negotiation.advertised(side));
    this.dtmf = new DtmfInterworking({
      callId,
      legs,
      media,
      context,
      earlySubscribe,
      onBug,
      openSubscription: (side, dialog, handler) => {
        const target = (): SubscribeTarget => subscribeTarget(legs[side], dialog);
        return context.stack.subscribe(legs[side].sipInterface.name, target, handler);
      },
      budget: context.budget,
      keepsSubscriptions: context.config.sip.engine === 'drachtio',
      standing: options.standing,
    });
    if (options.previous !== undefined) this.dtmf.takeOver(options.previous.dtmf);
  }

  get negotiation(): OfferAnswer {
    return this.#negotiation;
  }

  /** Takes an offer (or an INVITE without one) of `from` and makes it what the other leg gets. */
  async forwardOffer(from: Side, message: SipMessage): Promise<ForwardOutcome> {
    const facts = this.#receipts.logged(from, () =>
      this.#negotiation.receiveOffer(from, bodyOf(message), hasKpml(message)),
    );
    const opened = await this.media.open(facts.streamCount);
    if (opened.type === 'failed') return opened;
    if (facts.digitStream !== undefined) this.media.useForDigits(facts.digitStream);
    const to = from === 'caller' ? 'callee' : 'caller';
    const { sdp, allowEvents } = this.#negotiation.forwardOffer(this.media.local(to));
    return { type: 'forward', sdp, allowEvents };
  }

  /** Takes an answer of `from`; a final one puts media and the new plan in force. */
  forwardAnswer(from: Side, message: SipMessage, isFinal: boolean): Forwarded {
    this.#receipts.logged(from, () =>
      this.#negotiation.receiveAnswer(from, bodyOf(message), hasKpml(message), isFinal),
    );
    const to = from === 'caller' ? 'callee' : 'caller';
    const forwarded = this.#negotiation.forwardAnswer(this.media.local(to), isFinal);
    this.media.update(
      forwarded.streams.map((update) => update && withPressesBefore(update, this.dtmf)),
    );
    if (forwarded.plan !== undefined) this.dtmf.applyPlan(forwarded.plan);
    return { type: 'forward', sdp: forwarded.sdp, allowEvents: forwarded.allowEvents };
  }

  /**
   * Takes the answer of `from` to an offer in a running call.
   *
   * @throws WireError when it brings no description, or one that does not fit the offer
   */
  completeExchange(from: Side, message: SipMessage): Forwarded {
    if (message.body.length === 0) throw new WireError('the answer brings no description');
    return this.forwardAnswer(from, message, true);
  }

  /** Takes a response of the callee after the exchange: what the caller was told stands. */
  repeatAnswer(message: SipMessage): Forwarded {
    const { sdp, allowEvents } = this.#negotiation.repeatAnswer('callee', hasKpml(message));
    return { type: 'forward', sdp, allowEvents };
  }

  /** Another branch answers the offer of the INVITE. */
  reopenOffer(): void {
    this.#negotiation.reopenOffer();
  }

  /** The offer under way was refused: everything stays as it was. */
  abandonOffer(): void {
    this.#negotiation.abandonOffer();
  }
}

/** The part of a session that offers inside the call go through. */
export type NegotiatedSession = Pick<
  CallSession,
  'legs' | 'early' | 'negotiation' | 'forwardOffer' | 'completeExchange' | 'abandonOffer'
>;

/** The session description in `message`, `undefined` when it has none. */
export function bodyOf(message: SipMessage): string | undefined {
  return message.body.length === 0 ? undefined : message.body.toString();
}
