/**
 * The digits of a call that come by SIP INFO, and the senders of those that go by it.
 *
 *   translator of the direction     an INFO with a digit
 *   info-to-2833, info-to-kpml      200 at once, the digit goes to the other leg
 *   info-relay                      relayed as it is, with an entry in the ledger
 *   2833-to-info, kpml-to-info      200 and dropped: the digit also comes the other way, and would arrive twice
 *   any other                       relayed as it is, as every INFO with another body is
 */
import { dtmfInfoTypeOf, parseDtmfInfo, type DtmfInfo } from '../../wire/dtmf-info.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { Translator } from '../../dtmf/interworking-plan.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import type { DialogResponse, SipDialog } from '../../sip/dialog.ts';
import type { CallLeg } from '../call-leg.ts';
import type { DigitJournal } from './digit-journal.ts';
import { InfoSender, type InfoDigit } from './info-sender.ts';

/** Bounds of a duration that is played, as those of `dtmf-duration-ms`. */
const MIN_DURATION_MS = 40;
const MAX_DURATION_MS = 5_000;

/** What is done with an INFO that brings a digit. */
const HANDLING: Readonly<Record<Translator, 'translate' | 'drop' | 'watch' | 'relay'>> = {
  'info-to-2833': 'translate',
  'info-to-kpml': 'translate',
  '2833-to-info': 'drop',
  'kpml-to-info': 'drop',
  'info-relay': 'watch',
  'rtp-relay': 'relay',
  'kpml-to-2833': 'relay',
  '2833-to-kpml': 'relay',
  'kpml-relay': 'relay',
  none: 'relay',
};

/** What becomes of an INFO. */
export type InfoVerdict =
  | { readonly type: 'answered' }
  /** It goes to the other leg; `onAnswer` wants to hear what that says. */
  | { readonly type: 'relay'; readonly onAnswer?: (response: DialogResponse) => void };

export interface InfoDigitsOptions {
  readonly legs: Readonly<Record<Side, Pick<CallLeg, 'dialog'>>>;
  readonly journal: DigitJournal;
  readonly translatorFrom: (side: Side) => Translator | undefined;
  /** A digit of `side` that is to be translated; a duration that is stated is within the bounds. */
  readonly onDigit: (side: Side, digit: DtmfInfo & { readonly pressId: string }) => void;
  readonly onBug: (error: unknown) => void;
}

export class InfoDigits {
  readonly #options: InfoDigitsOptions;
  readonly #senders: Readonly<Record<Side, InfoSender>>;

  constructor(options: InfoDigitsOptions) {
    this.#options = options;
    const { journal, legs, onBug } = options;
    const senderTo = (side: Side): InfoSender =>
      new InfoSender({ side, dialog: () => legs[side].dialog, journal, onBug });
    this.#senders = { caller: senderTo('caller'), callee: senderTo('callee') };
  }

  /** The dialog of `side` is acknowledged. */
  legReady(side: Side): void {
    this.#senders[side].ready();
  }

  send(to: Side, digit: InfoDigit): void {
    this.#senders[to].send(digit);
  }

  end(): void {
    this.#senders.caller.end();
    this.#senders.callee.end();
  }

  /** Takes an INFO of `side`; one that is not to be relayed is answered here. */
  receive(side: Side, dialog: SipDialog, request: ReceivedRequest): InfoVerdict {
    const { message } = request;
    const type = digitTypeOf(message);
    if (type === undefined) return { type: 'relay' };
    this.#senders[side].learn(type);
    const handling = HANDLING[this.#options.translatorFrom(side) ?? 'none'];
    if (handling === 'watch') return this.#watched(side, message);
    if (handling === 'relay') return { type: 'relay' };
    if (handling === 'translate') this.#translate(side, dialog, request);
    else this.#dropTwin(side, dialog, request);
    return { type: 'answered' };
  }

  #translate(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    const info = read(request.message);
    if (info === undefined) {
      this.#dropUnread(side, request.message);
      dialog.respond(request, 400, { reason: 'Unreadable Digit' });
      return;
    }
    // The answer does not wait for the digit: a peer that gets none in time sends it again.
    dialog.respond(request, 200);
    const { key, durationMs } = info;
    const pressId = this.#enter(side, request.message, key);
    const length =
      durationMs === undefined
        ? undefined
        : Math.min(Math.max(durationMs, MIN_DURATION_MS), MAX_DURATION_MS);
    this.#options.onDigit(side, { key, durationMs: length, pressId });
  }

  #dropTwin(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    const { message } = request;
    dialog.respond(request, 200);
    const info = read(message);
    if (info === undefined) this.#dropUnread(side, message);
    else this.#options.journal.drop(this.#enter(side, message, info.key), 'other-method');
  }

  #watched(side: Side, message: SipMessage): InfoVerdict {
    const info = read(message);
    if (info === undefined) return { type: 'relay' };
    const { journal } = this.#options;
    const pressId = this.#enter(side, message, info.key);
    const atMs = journal.nowMs();
    const onAnswer = ({ status, message: answer }: DialogResponse): void => {
      journal.sent(pressId, { type: 'info', status, atMs });
      if (status < 300) return;
      journal.drop(pressId, answer === undefined ? 'info-unanswered' : 'info-refused');
    };
    return { type: 'relay', onAnswer };
  }

  #enter(side: Side, message: SipMessage, key: string): string {
    return this.#options.journal.enter(side, key, sourceOf(message));
  }

  #dropUnread(side: Side, message: SipMessage): void {
    this.#options.journal.dropUnread(side, 'unknown-character', sourceOf(message));
  }
}

/** The type of the digit in `message`; `undefined` for other bodies, those of an Info-Package and encoded ones. */
function digitTypeOf(message: SipMessage): ReturnType<typeof dtmfInfoTypeOf> {
  const encoding = getHeader(message, 'Content-Encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' || getHeader(message, 'Info-Package') !== undefined) return undefined;
  return dtmfInfoTypeOf(getHeader(message, 'Content-Type'));
}

function read(message: SipMessage): DtmfInfo | undefined {
  try {
    return parseDtmfInfo(message.body);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function sourceOf(message: SipMessage): { readonly type: 'info'; readonly cseq: number } {
  return { type: 'info', cseq: Number.parseInt(getHeader(message, 'CSeq') ?? '', 10) };
}
