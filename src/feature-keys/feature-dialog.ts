/**
 * One subscription of a phone, in the dialog that its SUBSCRIBE opened.
 *
 *   opening --2xx--> active --Expires 0, expiry, shutdown--> ending --last NOTIFY answered--> over
 *      |                '------- fatal answer to NOTIFY, silence, connection lost -------------^
 *      '------ refused ------------------------------------------------------------------------^
 *
 * Nothing is sent between a SUBSCRIBE and its 2xx. From `ending` on a SUBSCRIBE in the dialog gets 481.
 */
import type { NotifierDialog } from '../sip/notifier-dialog.ts';
import type { ReceivedRequest, SipHeaders } from '../sip/sip-connection.ts';
import { WakeUp } from '../sip/wake-up.ts';
import { ownText } from '../wire/own-bytes.ts';
import { getHeader } from '../wire/sip-message.ts';
import type { FeatureNotice, FeatureService, FeatureWatcher } from './feature-service.ts';
import type { FeatureSettings } from './feature-settings.ts';
import type { AccountState } from './feature-state.ts';
import type { NotifyRule, Termination } from './notify-dues.ts';
import { formatNotify, LARGE_BYTES, type NotifySubject } from './notify-message.ts';
import { type LastNotify, NotifySender, type SenderHome } from './notify-sender.ts';
import type { FeatureAccount } from './presentity.ts';
import {
  type AcceptedSubscribe,
  FEATURE_PACKAGE,
  type KnownDialog,
  type LadderResult,
} from './subscribe-ladder.ts';
import { deviceIn, takeTurn, type TurnDone } from './subscribe-turn.ts';

/** What a dialog needs of the server it belongs to. */
export interface DialogHome extends SenderHome {
  readonly service: FeatureService;
  judge(request: ReceivedRequest, dialog: KnownDialog): LadderResult;
  /** The answer to a SUBSCRIBE has been given. */
  answered(status: number): void;
  /** There is no subscription any more. */
  over(dialog: FeatureDialog): void;
}

type Phase =
  | { readonly type: 'opening' }
  | { readonly type: 'active'; readonly expiresAtMs: number; readonly unwatch: () => void }
  | { readonly type: 'ending' }
  | { readonly type: 'over' };

export class FeatureDialog implements FeatureWatcher {
  readonly id: string;
  readonly account: FeatureAccount;
  /** The sip-interface it was opened on. */
  readonly interfaceName: string;
  readonly userAgent: string;
  readonly callId: string;
  readonly #link: NotifierDialog;
  readonly #home: DialogHome;
  readonly #eventId: string | undefined;
  readonly #wakeUp: WakeUp;
  #sender: NotifySender | undefined;
  #phase: Phase = { type: 'opening' };
  #source: ReceivedRequest['source'];
  #cseq: number;
  #device: string | undefined;

  constructor(
    id: string,
    accepted: AcceptedSubscribe,
    received: ReceivedRequest,
    parts: {
      readonly link: NotifierDialog;
      readonly home: DialogHome;
      readonly interfaceName: string;
    },
  ) {
    this.id = id;
    this.account = accepted.account;
    this.interfaceName = parts.interfaceName;
    this.userAgent = ownText(getHeader(received.message, 'User-Agent') ?? '').slice(0, 256);
    this.callId = ownText(getHeader(received.message, 'Call-ID') ?? '');
    this.#eventId = accepted.event.id === undefined ? undefined : ownText(accepted.event.id);
    this.#cseq = accepted.cseq;
    this.#source = received.source;
    this.#link = parts.link;
    this.#home = parts.home;
    this.#wakeUp = new WakeUp({
      expiresAtMs: () => (this.#phase.type === 'active' ? this.#phase.expiresAtMs : undefined),
      nowMs: parts.home.nowMs,
      ring: () => this.#expire(),
    });
  }

  get isActive(): boolean {
    return this.#phase.type === 'active';
  }

  get source(): ReceivedRequest['source'] {
    return this.#source;
  }

  /** What is left of the subscription in milliseconds; 0 when it has ended. */
  get remainingMs(): number {
    return this.#phase.type === 'active'
      ? Math.max(0, this.#phase.expiresAtMs - this.#home.nowMs())
      : 0;
  }

  get lastNotify(): LastNotify | undefined {
    return this.#sender?.lastNotify;
  }

  get due(): NotifySender['due'] | undefined {
    return this.#sender?.due;
  }

  /** Reads or changes the state, answers the SUBSCRIBE and, with 2xx, begins to notify. */
  async open(accepted: AcceptedSubscribe, received: ReceivedRequest): Promise<void> {
    const turn = await takeTurn(this.#home.service, accepted, received);
    if (this.#phase.type === 'over') return;
    if (turn.type === 'refused') {
      received.respond(turn.status, { headers: turn.headers });
      this.#home.answered(turn.status);
      this.#finish();
      return;
    }
    this.#device = deviceIn(accepted);
    const { successCode } = this.#profile();
    const headers = answerHeaders(accepted, turn);
    const handler = {
      judgesOrder: true,
      onSubscribe: (request: ReceivedRequest) => this.#receive(request),
      onLost: () => this.#finish(),
    };
    this.#link.accept(successCode, headers, handler, (isOpen) => {
      this.#home.answered(successCode);
      if (isOpen) this.#begin(accepted, turn.state);
      else this.#finish();
    });
  }

  notice(notice: FeatureNotice): void {
    this.#sender?.notice(notice);
  }

  whenTold(): Promise<boolean> {
    return this.#sender?.whenTold() ?? Promise.resolve(false);
  }

  /** Ends the subscription with a last NOTIFY. */
  terminate(termination: Termination): void {
    if (this.#phase.type !== 'active') return;
    this.#leave();
    this.#sender?.terminate(termination);
  }

  /** The configuration has changed. */
  reconfigured(): void {
    this.#sender?.setRule(this.#rule());
  }

  /** Ends without a word. */
  close(): void {
    this.#finish();
  }

  #begin(accepted: AcceptedSubscribe, state: AccountState): void {
    const part = {
      id: this.id,
      link: this.#link,
      subject: () => this.#subject(),
      onOver: () => this.#finish(),
    };
    const sender = new NotifySender(this.#home, part, this.#rule(), state);
    this.#sender = sender;
    sender.hold();
    if (accepted.expiresSeconds === 0) {
      // A single question: always answered with everything.
      this.#phase = { type: 'ending' };
      sender.terminate({ reason: 'timeout', body: 'full' });
    } else {
      sender.notice({ mark: { type: 'full' }, state, isOwed: true });
      // What changed since the state was read is told along with it.
      const unwatch = this.#home.service.watch(this.account.presentity, this, state);
      this.#phase = { type: 'active', expiresAtMs: this.#expiryOf(accepted), unwatch };
      this.#wakeUp.rearm();
    }
    sender.release();
  }

  #receive(request: ReceivedRequest): void {
    if (this.#phase.type !== 'active') {
      this.#answer(request, 481, {});
      return;
    }
    const known = { account: this.account, eventId: this.#eventId, cseq: this.#cseq };
    const judged = this.#home.judge(request, known);
    if (judged.type === 'refused') {
      this.#answer(request, judged.status, judged.headers);
      return;
    }
    this.#cseq = judged.cseq;
    this.#sender?.hold();
    this.#serve(judged, request).catch((error: unknown) => {
      this.#home.bug(error);
      this.#answer(request, 500, {}, this.#release);
    });
  }

  async #serve(accepted: AcceptedSubscribe, request: ReceivedRequest): Promise<void> {
    const turn = await takeTurn(this.#home.service, accepted, request, this);
    if (turn.type === 'refused' || this.#phase.type !== 'active') {
      const { status, headers } = turn.type === 'refused' ? turn : { status: 481, headers: {} };
      this.#answer(request, status, headers, this.#release);
      return;
    }
    this.#source = request.source;
    this.#device = deviceIn(accepted) ?? this.#device;
    const { successCode } = this.#profile();
    const headers = answerHeaders(accepted, turn);
    if (accepted.expiresSeconds === 0) this.#end(turn.state);
    else this.#renew(accepted, turn.state);
    this.#answer(request, successCode, headers, this.#release);
  }

  #renew(accepted: AcceptedSubscribe, state: AccountState): void {
    if (this.#phase.type !== 'active') return;
    this.#phase = { ...this.#phase, expiresAtMs: this.#expiryOf(accepted) };
    this.#wakeUp.rearm();
    // Of a set the service itself gives notice.
    if (accepted.sets.length === 0) {
      this.#sender?.notice({ mark: { type: 'full' }, state, isOwed: true });
    }
  }

  /** The phone leaves. */
  #end(state: AccountState): void {
    this.#leave();
    const { terminatedNotify: body } = this.#profile();
    if (body === 'none') this.#sender?.end();
    else this.#sender?.terminate({ reason: 'timeout', body }, state);
  }

  #expire(): void {
    const phase = this.#phase;
    if (phase.type !== 'active' || phase.expiresAtMs > this.#home.nowMs()) return;
    this.#leave();
    if (this.#profile().terminatedNotify === 'none') this.#sender?.end();
    else this.#sender?.terminate({ reason: 'timeout', body: 'empty' });
  }

  /** No changes are heard of any more. */
  #leave(): void {
    if (this.#phase.type !== 'active') return;
    const { unwatch } = this.#phase;
    this.#phase = { type: 'ending' };
    this.#wakeUp.stop();
    unwatch();
  }

  #answer(
    request: ReceivedRequest,
    status: number,
    headers: SipHeaders,
    onAnswered?: () => void,
  ): void {
    this.#home.answered(status);
    this.#link.respond(request, status, headers, onAnswered);
  }

  readonly #release = (): void => {
    this.#sender?.release();
  };

  #finish(): void {
    if (this.#phase.type === 'over') return;
    this.#leave();
    this.#phase = { type: 'over' };
    this.#sender?.close();
    this.#link.end();
    this.#home.over(this);
  }

  #profile(): ReturnType<FeatureSettings['profiles']['of']> {
    return this.#home.settings().profiles.of(this.userAgent);
  }

  #rule(): NotifyRule {
    const { defaultRings, largeNotifyOnUdp } = this.#home.settings();
    const { isSeparate, gapMs } = this.#profile();
    return {
      gapMs,
      defaultRings,
      isSeparate: (reports) => {
        if (isSeparate) return true;
        if (largeNotifyOnUdp !== 'separate' || this.#source.protocol !== 'udp') return false;
        const { body = '' } = formatNotify({ reports, isOwed: false }, this.#subject());
        return body.length > LARGE_BYTES;
      },
    };
  }

  #subject(): NotifySubject {
    const { deviceId, partHeads } = this.#profile();
    const device = deviceId || this.#device || this.#home.settings().deviceId || this.account.user;
    return { eventId: this.#eventId, remainingMs: this.remainingMs, device, partHeads };
  }

  #expiryOf({ expiresSeconds }: AcceptedSubscribe): number {
    return this.#home.nowMs() + expiresSeconds * 1000;
  }
}

function answerHeaders(accepted: AcceptedSubscribe, turn: TurnDone): SipHeaders {
  return {
    Expires: String(accepted.expiresSeconds),
    'Allow-Events': FEATURE_PACKAGE,
    ...turn.headers,
  };
}
