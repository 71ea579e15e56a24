/**
 * The digits of one call: runs what the interworking plan says, per direction.
 *
 *   2833 -> KPML   media press -> DialogNotifier of the other leg -> NOTIFY
 *   KPML -> 2833   DialogSubscriber of the leg -> digits -> MediaStream.playDigit to the other leg
 *   2833 -> 2833   the relay forwards the events; the press is only entered in the ledger
 *   KPML -> KPML   SUBSCRIBE and NOTIFY cross from dialog to dialog
 *   none           the press is entered and dropped
 *
 * One notifier and one subscriber per leg at most; they live as long as the leg's dialog.
 */
import { KpmlNotifier } from '../dtmf/kpml-notifier.ts';
import { KpmlSubscriber } from '../dtmf/kpml-subscriber.ts';
import type { DirectionPlan, EarlySubscribe, InterworkingPlan } from '../dtmf/interworking-plan.ts';
import type {
  DetectedDigit,
  DroppedDigit,
  ReleasedDigit,
  SentDigit,
} from '../media/media-engine.ts';
import { DialogNotifier, type NotifierListener } from '../sip/notifier.ts';
import { OUR_EVENT_PACKAGES } from '../sip/stray-requests.ts';
import { DialogSubscriber, type SubscriberListener } from '../sip/subscriber.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import type { SipDialog } from '../sip/dialog.ts';
import { eventOfDigit, type Digit } from '../wire/telephone-event.ts';
import { otherSide, SIDES, type Side } from '../wire/side.ts';
import type { CallLeg } from './call-leg.ts';
import type { CallMedia } from './call-media.ts';
import { DigitJournal, type DigitContext } from './digit-journal.ts';
import { KpmlRelay } from './kpml-relay.ts';

/** Event code of a hook flash (RFC 2833 §3.10). */
const FLASH_EVENT = 16;

/** What the digits need from their call. */
export interface DtmfInterworkingOptions {
  readonly callId: string;
  readonly legs: Readonly<Record<Side, Pick<CallLeg, 'dialog' | 'settings'>>>;
  readonly media: Pick<CallMedia, 'playDigit'>;
  readonly context: DigitContext;
  /** What becomes of a SUBSCRIBE of a side before there is a plan. */
  readonly earlySubscribe: (side: Side) => EarlySubscribe;
  /** A broken invariant: ends the call. */
  readonly onBug: (error: unknown) => void;
}

interface LegDtmf {
  /** True once the dialog is acknowledged; nothing is subscribed before. */
  isReady: boolean;
  notifier: DialogNotifier | undefined;
  subscriber: DialogSubscriber | undefined;
}

export class DtmfInterworking {
  readonly #options: DtmfInterworkingOptions;
  readonly #journal: DigitJournal;
  readonly #relay: KpmlRelay;
  readonly #legs: Record<Side, LegDtmf> = { caller: newLeg(), callee: newLeg() };
  /** Press ids of keys that are still held, by side, SSRC, timestamp and event. */
  readonly #held = new Map<string, string>();
  #plan: InterworkingPlan | undefined;
  /** When the first plan came into force, until the gap to the first subscription is measured. */
  #answeredAtMs: number | undefined;
  #state: 'running' | 'ended' = 'running';

  constructor(options: DtmfInterworkingOptions) {
    this.#options = options;
    this.#journal = new DigitJournal(options.callId, options.context);
    this.#relay = new KpmlRelay(options.legs, this.#journal);
  }

  get plan(): InterworkingPlan | undefined {
    return this.#plan;
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
    this.#legs[side].isReady = true;
    if (this.#plan !== undefined) this.#openPaths(side, this.#plan);
  }

  /** Answers an in-dialog SUBSCRIBE of `side`. */
  receiveSubscribe(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    if (this.#isRelayed(side)) {
      this.#passOn(side, dialog, request);
      return;
    }
    const notifier = this.#notifierOf(side, dialog);
    if (notifier === undefined) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': OUR_EVENT_PACKAGES } });
      return;
    }
    notifier.receiveSubscribe(request);
  }

  /** Answers an in-dialog NOTIFY of `side`. */
  receiveNotify(side: Side, dialog: SipDialog, request: ReceivedRequest, isKpml: boolean): void {
    const { subscriber } = this.#legs[side];
    if (!isKpml) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': OUR_EVENT_PACKAGES } });
      return;
    }
    if (subscriber !== undefined && isLive(subscriber)) {
      subscriber.receiveNotify(request);
      return;
    }
    if (this.#isRelayed(otherSide(side))) this.#passOn(side, dialog, request);
    else if (subscriber === undefined) dialog.respond(request, 481);
    else subscriber.receiveNotify(request);
  }

  /** A key went down in the RTP of `detected.side`. */
  pressed(detected: DetectedDigit): void {
    const { side, digit, ssrc, rtpTimestamp, atMs } = detected;
    const pressId = this.#journal.enter(side, digit, { type: 'rtp', ssrc, rtpTimestamp }, atMs);
    this.#held.set(heldKey(detected), pressId);
    const translator = this.#directionFrom(side)?.translator;
    if (translator === 'rtp-relay') this.#journal.sent(pressId, { type: 'relay' });
    else if (translator !== '2833-to-kpml') this.#journal.drop(pressId, 'no-translator');
    this.#notifyPress(side, pressId, digit);
  }

  /** The key went up again, or its end was concluded. */
  released(detected: ReleasedDigit): void {
    const key = heldKey(detected);
    const pressId = this.#held.get(key);
    if (pressId === undefined) return;
    this.#held.delete(key);
    const { digit, durationMs } = detected;
    for (const side of SIDES) this.#legs[side].notifier?.release({ pressId, digit, durationMs });
  }

  /** A digit of ours left as telephone-event. */
  played(sent: SentDigit): void {
    const { rtpTimestamp, firstPacketAtMs, to } = sent;
    this.#journal.sent(sent.digitId, { type: 'rtp', rtpTimestamp, atMs: firstPacketAtMs });
    this.#journal.record('dtmf', to, `telephone-event to ${to}, RTP timestamp ${rtpTimestamp}`);
  }

  /** A digit of ours could not be played. */
  notPlayed(dropped: DroppedDigit): void {
    this.#journal.drop(dropped.digitId, dropped.reason);
  }

  /** The call is over: translators stop at once, subscriptions get their last NOTIFY. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    for (const side of SIDES) {
      this.#legs[side].notifier?.end();
      this.#legs[side].subscriber?.abandon();
    }
    this.#held.clear();
  }

  /** Subscriptions held by the peer (`notifier`) and by us (`subscriber`), for views. */
  subscriptions(side: Side): {
    notifier: DialogNotifier['subscriptions'];
    subscriber: DialogSubscriber['state'] | undefined;
  } {
    const leg = this.#legs[side];
    return { notifier: leg.notifier?.subscriptions ?? [], subscriber: leg.subscriber?.state };
  }

  #closePaths(side: Side, plan: InterworkingPlan): void {
    const { notifier, subscriber } = this.#legs[side];
    if (!plan.acceptSubscribeFrom.includes(side)) notifier?.setMode('refused');
    if (!plan.subscribeTo.includes(side)) subscriber?.stop();
  }

  #openPaths(side: Side, plan: InterworkingPlan): void {
    if (plan.acceptSubscribeFrom.includes(side)) this.#legs[side].notifier?.setMode('active');
    if (plan.subscribeTo.includes(side)) this.#subscribeTo(side);
  }

  /** Subscribes, or tries again where that failed; a subscription that lives stays as it is. */
  #subscribeTo(side: Side): void {
    const leg = this.#legs[side];
    const { dialog } = this.#options.legs[side];
    if (!leg.isReady || dialog === undefined) return;
    leg.subscriber ??= this.#createSubscriber(side, dialog);
    leg.subscriber.start();
  }

  #createSubscriber(side: Side, dialog: SipDialog): DialogSubscriber {
    const { settings } = this.#options.legs[side];
    const { callId, localTag, remoteTag } = dialog.identity;
    // Seen from the notifier, whose own tag is the peer's.
    const reference = { callId, localTag: remoteTag, remoteTag: localTag };
    const machine = new KpmlSubscriber({
      expiresSeconds: settings.kpmlSubscribeExpiresSeconds.value,
      flash: settings.kpmlFlash.value,
      eventParameters: settings.kpmlEventParameters.value === 'full' ? reference : undefined,
      tolerateMissingState: settings.kpmlTolerateMissingState.value,
      random: Math.random,
    });
    const { nowMs } = this.#options.context;
    return new DialogSubscriber({
      machine,
      dialog,
      listener: this.#subscriberListener(side),
      nowMs,
    });
  }

  #notifierOf(side: Side, dialog: SipDialog): DialogNotifier | undefined {
    const leg = this.#legs[side];
    if (leg.notifier !== undefined) return leg.notifier;
    const plan = this.#plan;
    const { settings } = this.#options.legs[side];
    const isSink =
      plan?.acceptSubscribeFrom.includes(side) ?? this.#options.earlySubscribe(side) === 'pending';
    if (!isSink || this.#state === 'ended') return undefined;
    const { callId, localTag, remoteTag } = dialog.identity;
    const machine = new KpmlNotifier({
      bodylessRefresh: settings.kpmlBodylessRefresh.value,
      defaultPattern: settings.kpmlDefaultPattern.value,
      flash: settings.kpmlFlash.value,
      dialog: { callId, localTag, remoteTag },
    });
    const { nowMs } = this.#options.context;
    const listener = this.#notifierListener(side);
    leg.notifier = new DialogNotifier({ machine, dialog, listener, nowMs });
    leg.notifier.setMode(plan === undefined ? 'pending' : 'active');
    return leg.notifier;
  }

  #notifierListener(side: Side): NotifierListener {
    const journal = this.#journal;
    return {
      notified: ({ pressIds, status, cseq, sentAtMs }) => {
        for (const pressId of pressIds) {
          journal.sent(pressId, { type: 'notify', cseq, status, atMs: sentAtMs });
          if (status < 200 || status >= 300) journal.drop(pressId, 'notify-failed');
        }
        journal.record('dtmf', side, `KPML NOTIFY to ${side} answered ${status}`);
      },
      dropped: (pressId, reason) => journal.drop(pressId, reason),
      changed: () => undefined,
      bug: this.#options.onBug,
    };
  }

  #subscriberListener(side: Side): SubscriberListener {
    const journal = this.#journal;
    return {
      digits: (digits, cseq) => {
        for (const digit of digits) this.#playDigit(side, digit, cseq);
      },
      ignored: (characters, reason, cseq) => {
        if (characters === '') journal.dropUnread(side, reason);
        for (const character of characters) {
          journal.drop(journal.enter(side, character, { type: 'notify', cseq }), reason);
        }
      },
      state: (state, reason) => {
        journal.record('dtmf', side, `KPML subscription to ${side}: ${state} ${reason}`);
        if (state === 'active') this.#countGap();
      },
      bug: this.#options.onBug,
    };
  }

  /** Digits of a KPML leg are lost between the answer and the subscription: the first one of a call is measured. */
  #countGap(): void {
    if (this.#answeredAtMs === undefined) return;
    const { metrics, nowMs } = this.#options.context;
    metrics.kpmlGap(nowMs() - this.#answeredAtMs);
    this.#answeredAtMs = undefined;
  }

  #playDigit(side: Side, digit: Digit | 'R', cseq: number): void {
    const { media, legs } = this.#options;
    const pressId = this.#journal.enter(side, digit, { type: 'notify', cseq });
    const plan = this.#directionFrom(side);
    if (this.#state === 'ended' || plan?.translator !== 'kpml-to-2833') {
      this.#journal.drop(pressId, 'no-translator');
      return;
    }
    const to = otherSide(side);
    this.#notifyPress(side, pressId, digit);
    const eventCode = digit === 'R' ? FLASH_EVENT : eventOfDigit(digit);
    const durationMs = legs[to].settings.dtmfDurationMs.value;
    if (!media.playDigit(to, { digitId: pressId, eventCode, durationMs })) {
      this.#journal.drop(pressId, 'stream-closed');
    }
  }

  /** Reports a press of `side` to whoever subscribed to it: the other end, and `side` itself by `<reverse/>`. */
  #notifyPress(side: Side, pressId: string, digit: Digit | 'R'): void {
    const plan = this.#directionFrom(side);
    const { notifier } = this.#legs[otherSide(side)];
    if (plan?.translator === '2833-to-kpml') {
      if (notifier === undefined) this.#journal.drop(pressId, 'no-subscription');
      else notifier.press({ pressId, digit });
    } else if (plan?.alsoNotify === true && notifier !== undefined && hears(notifier, false)) {
      notifier.press({ pressId, digit });
    }
    const own = this.#legs[side].notifier;
    if (own !== undefined && hears(own, true)) {
      own.press({ pressId, digit, isFromSubscriber: true });
    }
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

function newLeg(): LegDtmf {
  return { isReady: false, notifier: undefined, subscriber: undefined };
}

function heldKey(detected: DetectedDigit): string {
  const { side, ssrc, rtpTimestamp, eventCode } = detected;
  return `${side}:${ssrc}:${rtpTimestamp}:${eventCode}`;
}

/** Whether anybody is to hear of keys, either of the other party's or of the subscriber's own. */
function hears(notifier: DialogNotifier, isReverse: boolean): boolean {
  return notifier.subscriptions.some(
    (subscription) => subscription.state === 'active' && subscription.isReverse === isReverse,
  );
}

/** Whether NOTIFYs of the leg belong to our own subscription. */
function isLive(subscriber: DialogSubscriber): boolean {
  return subscriber.state !== 'ended' && subscriber.state !== 'failed';
}
