/**
 * Sends the NOTIFYs of one dialog: the machine of notify-dues on the wall clock, one NOTIFY unanswered at a time.
 *
 *   owed to a SUBSCRIBE: at once, behind its 2xx      caused by somebody else: after the gap, when the server's pace has a turn
 */
import type { NotifierDialog, NotifyResponse } from '../sip/notifier-dialog.ts';
import type { SentRequest, SipHeaders } from '../sip/sip-connection.ts';
import { WakeUp } from '../sip/wake-up.ts';
import type { FeatureNotice } from './feature-service.ts';
import type { FeatureSettings } from './feature-settings.ts';
import type { AccountState } from './feature-state.ts';
import { answerChallenge } from './notify-credentials.ts';
import { type DueNotify, NotifyDues, type NotifyRule, type Termination } from './notify-dues.ts';
import { formatNotify, judgeAnswer, type NotifySubject } from './notify-message.ts';
import type { NotifyTurns } from './notify-turns.ts';
import { ToldWaiters } from './told-waiters.ts';

/** What came of a NOTIFY, for the statistics. */
export type NotifyOutcome = 'told' | 'challenged' | 'later' | 'refused' | 'removed' | 'timeout';

/** What a sender needs of its server. */
export interface SenderHome {
  readonly turns: NotifyTurns;
  readonly nowMs: () => number;
  /** The configuration in use, asked anew at each use. */
  settings(): FeatureSettings;
  notified(outcome: NotifyOutcome): void;
  /** A broken invariant. */
  bug(error: unknown): void;
}

/** What a sender needs of its subscription. */
export interface SenderPart {
  readonly id: string;
  readonly link: NotifierDialog;
  /** What is true of the subscription now. */
  subject(): NotifySubject;
  /** The last NOTIFY was answered, or one was answered so that there is no subscription any more. */
  onOver(): void;
}

/** The last NOTIFY of a dialog. */
export interface LastNotify {
  readonly atMs: number;
  /** 0 while there is no answer. */
  readonly status: number;
}

const OUTCOMES = { told: 'told', again: 'challenged', later: 'later', failed: 'refused' } as const;
const NO_CREDENTIALS: FeatureSettings['credentials'] = new Map();

export class NotifySender {
  readonly #home: SenderHome;
  readonly #part: SenderPart;
  readonly #dues: NotifyDues;
  readonly #waiters = new ToldWaiters();
  readonly #wakeUp: WakeUp;
  #waitUntilMs: number | undefined;
  /** SUBSCRIBEs whose answer has not left yet: nothing overtakes a 2xx. */
  #holds = 0;
  #isClosed = false;
  #credentials: SipHeaders | undefined;
  #lastNotify: LastNotify | undefined;

  /** @param rule and state are those of the dues. */
  constructor(home: SenderHome, part: SenderPart, rule: NotifyRule, state: AccountState) {
    this.#home = home;
    this.#part = part;
    this.#dues = new NotifyDues(rule, state);
    this.#wakeUp = new WakeUp({
      expiresAtMs: () => this.#waitUntilMs,
      nowMs: home.nowMs,
      ring: () => this.#pump(),
    });
  }

  get lastNotify(): LastNotify | undefined {
    return this.#lastNotify;
  }

  get due(): NotifyDues['due'] {
    return this.#dues.due;
  }

  setRule(rule: NotifyRule): void {
    this.#dues.setRule(rule);
    this.#pump();
  }

  notice(notice: FeatureNotice): void {
    this.#dues.notice(notice);
    this.#pump();
  }

  terminate(termination: Termination, state?: AccountState): void {
    this.#dues.terminate(termination, state);
    this.#pump();
  }

  /** No last NOTIFY: `onOver` comes once nothing holds it back. */
  end(): void {
    this.#dues.end();
    this.#pump();
  }

  /** True when all that is due by now has been answered 2xx; false when the dialog ended before. */
  whenTold(): Promise<boolean> {
    return this.#waiters.wait(this.#dues.ticket, this.#dues.told);
  }

  /** Nothing is sent until as many calls of `release` came. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    this.#pump();
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#dues.end();
    this.#wakeUp.stop();
    this.#home.turns.drop(this.#part.id);
    this.#waiters.end();
  }

  /** Sends what is due and may leave now, and sets the clock for the rest. */
  #pump(): void {
    if (this.#isClosed || this.#holds > 0) return;
    if (this.#dues.isOver) {
      this.#part.onOver();
      return;
    }
    const next = this.#dues.next(this.#home.nowMs());
    this.#waitUntilMs = next.type === 'wait' ? next.untilMs : undefined;
    this.#wakeUp.rearm();
    if (next.type !== 'send') return;
    if (next.notify.isOwed) this.#start(next.notify);
    else this.#home.turns.ask(this.#part.id, () => this.#takeTurn());
  }

  #takeTurn(): void {
    if (this.#isClosed || this.#holds > 0) return;
    const next = this.#dues.next(this.#home.nowMs());
    if (next.type === 'send') this.#start(next.notify);
  }

  #start(due: DueNotify): void {
    this.#dues.sent(this.#home.nowMs());
    this.#home.turns.drop(this.#part.id);
    this.#send(due).catch((error: unknown) => {
      this.#home.bug(error);
      this.#part.onOver();
    });
  }

  async #send(due: DueNotify): Promise<void> {
    const { link } = this.#part;
    const atMs = this.#home.nowMs();
    const message = formatNotify(due, this.#part.subject());
    const credentials = this.#credentials;
    this.#credentials = undefined;
    this.#lastNotify = { atMs, status: 0 };
    let sent: SentRequest['message'];
    const response = await link.notify({
      ...message,
      isRepeatable: true,
      keepsTransport: this.#home.settings().largeNotifyOnUdp !== 'tcp',
      headers: { ...message.headers, ...credentials },
      onSent: (request) => {
        sent = request.message;
      },
    });
    this.#lastNotify = { atMs, status: response.status };
    if (this.#isClosed) return;
    // Credentials that were refused are not given a second time.
    const known = credentials === undefined ? this.#home.settings().credentials : NO_CREDENTIALS;
    this.#credentials = answerChallenge(response.message, sent, known);
    this.#answered(response);
  }

  #answered(response: NotifyResponse): void {
    if (response.isOvertaken === true) {
      this.#dues.answered({ type: 'again' }, this.#home.nowMs());
      this.#pump();
      return;
    }
    const isChallenged = this.#credentials !== undefined;
    const answer = isChallenged ? ({ type: 'again' } as const) : judgeAnswer(response);
    if (answer.type === 'removed') {
      const isSilent = response.isMadeUp || response.status === 408;
      this.#home.notified(isSilent ? 'timeout' : 'removed');
      this.#part.onOver();
      return;
    }
    this.#home.notified(OUTCOMES[answer.type]);
    this.#dues.answered(answer, this.#home.nowMs());
    this.#waiters.told(this.#dues.told);
    this.#pump();
  }
}
