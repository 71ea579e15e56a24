/**
 * The digits of one call: runs what the interworking plan says, per direction.
 *
 *   2833 -> KPML   media press -> DialogNotifier of the other leg -> NOTIFY
 *   KPML -> 2833   DialogSubscriber of the leg -> digits -> MediaStream.playDigit to the other leg
 *   2833 -> 2833   the relay forwards the events; the press is only entered in the ledger
 *   KPML -> KPML   SUBSCRIBE and NOTIFY cross from dialog to dialog
 *   INFO           info-digits.ts; a press in RTP goes as INFO after its end, when its duration is known
 *   none           the press is entered and dropped
 *
 * One notifier and one subscriber per leg at most; they live as long as the leg's dialog. While a leg is not answered
 * each of its early dialogs may have a notifier: that of the answered one stays, the others end. Beside them stand the
 * notifiers of subscriptions that have dialogs of their own (separate-notifiers.ts).
 */
import type { DirectionPlan, InterworkingPlan } from '../../dtmf/interworking-plan.ts';
import type {
  DetectedDigit,
  DroppedDigit,
  ReleasedDigit,
  SentDigit,
} from '../../media/media-engine.ts';
import type { IncomingSubscription } from '../../sip/incoming-subscription.ts';
import { OUR_EVENT_PACKAGES } from '../../sip/stray-requests.ts';
import type { DialogSubscriber } from '../../sip/subscriber.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import type { SipDialog } from '../../sip/dialog.ts';
import { eventOfDigit, FLASH_EVENT_CODE, type Digit } from '../../wire/telephone-event.ts';
import { otherSide, SIDES, type Side } from '../../wire/side.ts';
import { DigitJournal } from './digit-journal.ts';
import type { DtmfInterworkingOptions, FormerDigits } from './dtmf-options.ts';
import { HeldKeys } from './held-keys.ts';
import { InfoDigits, type InfoVerdict } from './info-digits.ts';
import { KpmlRelay } from './kpml-relay.ts';
import { LegKpml, type LegSubscriptions } from './leg-kpml.ts';
import { PressShares } from './press-shares.ts';

export class DtmfInterworking {
  readonly #options: DtmfInterworkingOptions;
  readonly #journal: DigitJournal;
  readonly #relay: KpmlRelay;
  readonly #info: InfoDigits;
  readonly #legs: Record<Side, LegKpml>;
  /** Legs whose dialog is acknowledged; nothing is subscribed before. */
  readonly #ready = { caller: false, callee: false };
  readonly #held = new HeldKeys();
  readonly #shares = new PressShares();
  #plan: InterworkingPlan | undefined;
  /** When the first plan came into force, until the gap to the first subscription is measured. */
  #answeredAtMs: number | undefined;
  #state: 'running' | 'ended' = 'running';

  constructor(options: DtmfInterworkingOptions) {
    this.#options = options;
    this.#journal = new DigitJournal(options.callId, options.context);
    const { legs, onBug } = options;
    this.#legs = { caller: this.#newLeg('caller'), callee: this.#newLeg('callee') };
    this.#relay = new KpmlRelay(legs, this.#journal);
    this.#info = new InfoDigits({
      legs,
      journal: this.#journal,
      translatorFrom: (side) => this.#directionFrom(side)?.translator,
      onDigit: (side, { pressId, key, durationMs }) =>
        this.#forward(side, pressId, key, durationMs),
      onBug,
    });
  }

  get plan(): InterworkingPlan | undefined {
    return this.#plan;
  }

  /** Goes on where the attempt at another callee stopped: what the caller subscribed to early is pending again. */
  takeOver(previous: DtmfInterworking): void {
    this.#legs.caller.notifiers.takeOver(previous.#legs.caller.notifiers);
    previous.end();
  }

  /** Offer and answer are complete in the early `dialog` of `side`: what was subscribed to in it is told of keys. */
  settled(side: Side, dialog: SipDialog): void {
    this.#legs[side].notifiers.settle(dialog);
  }

  /** `side` is answered, in `dialog`: what was subscribed to in it goes on, in other early dialogs it ends. */
  answered(side: Side, dialog: SipDialog): void {
    const former = this.#options.standing?.[side];
    if (former !== undefined) this.#inherit(side, former);
    this.#legs[side].notifiers.answer(dialog);
    // A plan made before the answer does not start the wait for the subscription, which follows the answer.
    if (this.#answeredAtMs !== undefined) this.#answeredAtMs = this.#options.context.nowMs();
  }

  /** Puts a new plan in force; the old path is closed before the new one opens. */
  applyPlan(plan: InterworkingPlan): void {
    if (this.#state === 'ended') return;
    if (this.#plan === undefined) this.#answeredAtMs = this.#options.context.nowMs();
    this.#plan = plan;
    for (const side of SIDES) {
      const direction = this.#directionFrom(side);
      const summary = `${side} -> ${otherSide(side)}: ${direction?.translator ?? 'none'} (${direction?.row ?? '-'}): ${direction?.reason ?? ''}`;
      this.#journal.record('decision', side, summary);
    }
    for (const side of SIDES) this.#closePaths(side, plan);
    for (const side of SIDES) this.#openPaths(side, plan);
  }

  /** The dialog of `side` is acknowledged: from now on it may be subscribed to. */
  legReady(side: Side): void {
    this.#ready[side] = true;
    this.#info.legReady(side);
    if (this.#plan !== undefined) this.#openPaths(side, this.#plan);
  }

  /** Answers an in-dialog SUBSCRIBE of `side`. */
  receiveSubscribe(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    if (this.#isRelayed(side)) {
      this.#passOn(side, dialog, request);
      return;
    }
    const { notifiers } = this.#legs[side];
    if (notifiers.of(dialog) === undefined && !this.#isSink(side)) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': OUR_EVENT_PACKAGES } });
      return;
    }
    this.#legs[side].notifierOf(dialog, this.#notifierMode()).receiveSubscribe(request);
  }

  /** Answers a SUBSCRIBE that wants a dialog of its own, for the keys of `monitored`. */
  receiveSeparate(side: Side, monitored: SipDialog, subscribe: IncomingSubscription): void {
    if (this.#isRelayed(side) || !this.#isSink(side)) {
      subscribe.reject(489, { 'Allow-Events': OUR_EVENT_PACKAGES });
    } else this.#legs[side].receiveSeparate(monitored, this.#notifierMode(), subscribe);
  }

  /** Answers an in-dialog NOTIFY of `side`. */
  receiveNotify(side: Side, dialog: SipDialog, request: ReceivedRequest, isKpml: boolean): void {
    const subscriber = this.#legs[side].inDialog;
    if (!isKpml) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': OUR_EVENT_PACKAGES } });
      return;
    }
    const isRelayed = this.#isRelayed(otherSide(side));
    const isWanted = this.#plan?.subscribeTo.includes(side) === true || !isRelayed;
    if (subscriber !== undefined && isLive(subscriber) && isWanted) {
      subscriber.receiveNotify(request);
      return;
    }
    if (isRelayed) this.#passOn(side, dialog, request);
    else if (subscriber === undefined) dialog.respond(request, 481);
    else subscriber.receiveNotify(request);
  }

  /** Takes an in-dialog INFO of `side`, which may bring a digit; one that is not to be relayed is answered. */
  receiveInfo(side: Side, dialog: SipDialog, request: ReceivedRequest): InfoVerdict {
    if (this.#state === 'ended') return { type: 'relay' };
    return this.#info.receive(side, dialog, request);
  }

  /** A key went down in the RTP of `detected.side`. */
  pressed(detected: DetectedDigit): void {
    const { side, digit, ssrc, rtpTimestamp, atMs } = detected;
    const pressId = this.#journal.enter(side, digit, { type: 'rtp', ssrc, rtpTimestamp }, atMs);
    const translator = this.#directionFrom(side)?.translator;
    const isForInfo = translator === '2833-to-info';
    this.#held.press(detected, { pressId, isForInfo });
    if (translator === 'rtp-relay') this.#journal.sent(pressId, { type: 'relay' });
    else if (translator !== '2833-to-kpml' && !isForInfo) {
      this.#journal.drop(pressId, 'no-translator');
    }
    this.#notifyPress(side, pressId, digit);
  }

  /** The key went up again, or its end was concluded. */
  released(detected: ReleasedDigit): void {
    const held = this.#held.release(detected);
    if (held === undefined) return;
    const { side, digit, durationMs } = detected;
    const { pressId } = held;
    this.#release(pressId, digit, durationMs);
    if (!held.isForInfo) return;
    if (this.#directionFrom(side)?.translator === '2833-to-info') {
      this.#info.send(otherSide(side), { pressId, key: digit, durationMs });
    } else {
      this.#journal.drop(pressId, 'no-translator');
    }
  }

  /** A digit of ours left as telephone-event. */
  played(sent: SentDigit): void {
    const { rtpTimestamp, firstPacketAtMs, to } = sent;
    this.#journal.sent(sent.digitId, { type: 'rtp', rtpTimestamp, atMs: firstPacketAtMs });
    this.#journal.record('dtmf', to, `telephone-event to ${to}, RTP timestamp ${rtpTimestamp}`);
  }

  /** A digit of ours could not be played. */
  notPlayed({ digitId, reason }: DroppedDigit): void {
    // The end of the call closes its streams.
    const isOfEnd = reason === 'stream-closed' && this.#state === 'ended';
    this.#journal.drop(digitId, isOfEnd ? 'call-ended' : reason);
  }

  /** The last press in RTP of `side` while its leg was in another call. */
  pressBefore(side: Side): DetectedDigit | undefined {
    const former = this.#options.standing?.[side];
    return former === undefined ? undefined : former.dtmf.#held.last(former.side);
  }

  /** The leg that was kept has found no other call. */
  endKept(side: Side): void {
    this.#legs[side].end();
  }

  /**
   * The call is over: translators stop at once, subscriptions get their last NOTIFY.
   *
   * @param kept the side whose leg goes to another call, and what it subscribed to with it
   */
  end(kept?: Side): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    for (const side of SIDES) this.#legs[side].end(side === kept);
    this.#info.end();
    for (const { pressId, isForInfo } of this.#held.clear()) {
      if (isForInfo) this.#journal.drop(pressId, 'call-ended');
    }
  }

  /** Subscriptions of a leg in both roles, for views. */
  subscriptions(side: Side): LegSubscriptions {
    return this.#legs[side].subscriptions;
  }

  /** Whether every NOTIFY to the subscribers of `side` has been answered. */
  hasReported(side: Side): boolean {
    return this.#legs[side].notifiers.all.every(({ isIdle }) => isIdle);
  }

  /** What `side` subscribed to in its former call goes on, as the plan of this one says. */
  #inherit(side: Side, { dtmf, side: formerSide }: FormerDigits): void {
    const isRefused = this.#plan?.acceptSubscribeFrom.includes(side) === false;
    const refusal = this.#isRelayed(side) ? 'relayed' : 'refused';
    const mode = isRefused ? refusal : this.#notifierMode();
    this.#legs[side].inherit(dtmf.#legs[formerSide], mode);
    if (this.#state === 'ended') this.#legs[side].end();
  }

  #closePaths(side: Side, plan: InterworkingPlan): void {
    const leg = this.#legs[side];
    if (!plan.acceptSubscribeFrom.includes(side)) {
      leg.notifiers.setMode(plan.relaySubscribeFrom.includes(side) ? 'relayed' : 'refused');
    }
    // One that stays is mute: its NOTIFYs are answered, its keys have no translator.
    if (!plan.subscribeTo.includes(side)) leg.unsubscribe(this.#options.keepsSubscriptions);
  }

  #openPaths(side: Side, plan: InterworkingPlan): void {
    if (plan.acceptSubscribeFrom.includes(side)) this.#legs[side].notifiers.setMode('active');
    if (plan.subscribeTo.includes(side)) this.#subscribeTo(side);
  }

  #subscribeTo(side: Side): void {
    const { dialog } = this.#options.legs[side];
    if (this.#ready[side] && dialog !== undefined) this.#legs[side].subscribe(dialog);
  }

  /** Whether keys are, or may yet be, reported to `side`. */
  #isSink(side: Side): boolean {
    if (this.#state === 'ended') return false;
    const plan = this.#plan;
    if (plan !== undefined) return plan.acceptSubscribeFrom.includes(side);
    return this.#options.earlySubscribe(side) === 'pending';
  }

  /** Nothing is known before the plan. */
  #notifierMode(): 'pending' | 'active' {
    return this.#plan === undefined ? 'pending' : 'active';
  }

  #newLeg(side: Side): LegKpml {
    const { legs, context, budget, openSubscription, onBug } = this.#options;
    return new LegKpml(side, {
      leg: legs[side],
      journal: this.#journal,
      shares: this.#shares,
      budget,
      openSubscription,
      nowMs: context.nowMs,
      onDigits: (digits, cseq) => {
        for (const digit of digits) this.#takeFromKpml(side, digit, cseq);
      },
      onActive: () => this.#countGap(),
      onBug,
    });
  }

  /** Digits of a KPML leg are lost between the answer and the subscription: the first one of a call is measured. */
  #countGap(): void {
    if (this.#answeredAtMs === undefined) return;
    const { callId, context } = this.#options;
    context.metrics.kpmlGap(context.nowMs() - this.#answeredAtMs, callId);
    this.#answeredAtMs = undefined;
  }

  #takeFromKpml(side: Side, digit: Digit | 'R', cseq: number): void {
    const pressId = this.#journal.enter(side, digit, { type: 'notify', cseq });
    const translator = this.#directionFrom(side)?.translator;
    const isTranslated = translator === 'kpml-to-2833' || translator === 'kpml-to-info';
    if (this.#state === 'running' && isTranslated) this.#forward(side, pressId, digit);
    else this.#journal.drop(pressId, 'no-translator');
  }

  /** Passes a digit on that `side` has signalled, as the other leg takes it. */
  #forward(side: Side, pressId: string, digit: Digit | 'R', statedMs?: number): void {
    const { media, legs } = this.#options;
    const to = otherSide(side);
    const durationMs = statedMs ?? legs[to].settings.dtmfDurationMs.value;
    this.#notifyPress(side, pressId, digit);
    const translator = this.#directionFrom(side)?.translator;
    if (translator === 'info-to-2833' || translator === 'info-to-kpml') {
      this.#release(pressId, digit, durationMs);
    }
    if (translator === 'info-to-kpml') return;
    if (translator === 'kpml-to-info') {
      this.#info.send(to, { pressId, key: digit, durationMs });
      return;
    }
    const eventCode = digit === 'R' ? FLASH_EVENT_CODE : eventOfDigit(digit);
    if (!media.playDigit(to, { digitId: pressId, eventCode, durationMs })) {
      this.#journal.drop(pressId, 'stream-closed');
    }
  }

  #release(pressId: string, digit: Digit | 'R', durationMs: number): void {
    for (const side of SIDES) {
      const { heard, separate } = this.#legs[side].notifiers;
      heard?.release({ pressId, digit, durationMs });
      for (const notifier of separate) notifier.release({ pressId, digit, durationMs });
    }
  }

  /** Reports a press of `side` to whoever subscribed to it: the other end, and `side` itself by `<reverse/>`. */
  #notifyPress(side: Side, pressId: string, digit: Digit | 'R'): void {
    const plan = this.#directionFrom(side);
    const isSink = plan?.translator === '2833-to-kpml' || plan?.translator === 'info-to-kpml';
    const others = this.#legs[otherSide(side)].notifiers.listening(false);
    const listeners = isSink || plan?.alsoNotify === true ? others : [];
    const own = this.#legs[side].notifiers.listening(true);
    if (isSink && listeners.length === 0) this.#journal.drop(pressId, 'no-subscription');
    this.#shares.begin(pressId, listeners.length + own.length);
    for (const listener of listeners) listener.press({ pressId, digit });
    for (const listener of own) listener.press({ pressId, digit, isFromSubscriber: true });
  }

  /** Whether a SUBSCRIBE of `side` goes to the other leg. */
  #isRelayed(side: Side): boolean {
    if (this.#state === 'ended') return false;
    if (this.#plan !== undefined) return this.#plan.relaySubscribeFrom.includes(side);
    return this.#options.earlySubscribe(side) === 'relay';
  }

  #passOn(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    this.#relay.relay(side, dialog, request).catch((error: unknown) => this.#options.onBug(error));
  }

  #directionFrom(side: Side): DirectionPlan | undefined {
    if (this.#plan === undefined) return undefined;
    return side === 'caller' ? this.#plan.callerToCallee : this.#plan.calleeToCaller;
  }
}

/** Whether NOTIFYs of the leg belong to our own subscription. */
function isLive(subscriber: DialogSubscriber): boolean {
  return subscriber.state !== 'ended' && subscriber.state !== 'failed';
}
