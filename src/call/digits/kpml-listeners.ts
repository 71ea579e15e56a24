/** What is written down when KPML machines report, and what of it their call must act on. */
import type { NotifierListener } from '../../sip/notifier.ts';
import type { SubscriberListener } from '../../sip/subscriber.ts';
import type { Side } from '../../wire/side.ts';
import type { DigitJournal } from './digit-journal.ts';
import type { PressShares } from './press-shares.ts';

/** What a call does with the reports of a notifier. */
export interface NotifierEvents extends Pick<NotifierListener, 'changed' | 'bug'> {
  readonly shares: PressShares;
}

/** Of a notifier towards `side`. */
export function notifierListener(
  side: Side,
  journal: DigitJournal,
  { shares, changed, bug }: NotifierEvents,
): NotifierListener {
  const drop = (pressId: string, reason: Parameters<DigitJournal['drop']>[1]): void => {
    if (shares.dropped(pressId)) journal.drop(pressId, reason);
  };
  return {
    notified: ({ pressIds, status, cseq, sentAtMs }) => {
      for (const pressId of pressIds) {
        journal.sent(pressId, { type: 'notify', cseq, status, atMs: sentAtMs });
        if (status < 200 || status >= 300) drop(pressId, 'notify-failed');
        else shares.delivered(pressId);
      }
      journal.record('dtmf', side, `KPML NOTIFY to ${side} answered ${status}`);
    },
    dropped: drop,
    changed,
    bug,
  };
}

/** What a call does with the reports of a subscriber. */
export interface SubscriberEvents extends Pick<SubscriberListener, 'digits' | 'bug'> {
  /** The subscription lives. */
  active(): void;
}

/** Of our subscription to `side`. */
export function subscriberListener(
  side: Side,
  journal: DigitJournal,
  events: SubscriberEvents,
): SubscriberListener {
  return {
    digits: (digits, cseq) => events.digits(digits, cseq),
    ignored: (characters, reason, cseq) => {
      if (characters === '') journal.dropUnread(side, reason, { type: 'notify', cseq });
      for (const character of characters) {
        journal.drop(journal.enter(side, character, { type: 'notify', cseq }), reason);
      }
    },
    state: (state, reason) => {
      journal.record('dtmf', side, `KPML subscription to ${side}: ${state} ${reason}`);
      if (state === 'active') events.active();
    },
    bug: (error) => events.bug(error),
  };
}
