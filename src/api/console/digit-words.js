/** Digits of the ledger in words: where they came from, where they went, why one was lost and what helps. */
import { millisecondWords } from './words.js';

/** By drop reason: what happened, and what to do about it. */
const DROPS = {
  'queue-full': [
    'Too many digits were waiting to be sent on this leg.',
    'Digits came faster than tones can be sent. Shorten dtmf-duration-ms and dtmf-gap-ms of the leg, or let the sender press more slowly.',
  ],
  'event-not-negotiated': [
    'The receiving leg did not negotiate telephone-event.',
    'Set rfc2833-mode: preferred on that leg, so that telephone-event is offered to it. The explanation of the call shows the offers.',
  ],
  'media-inactive': [
    'The receiving leg took no media at that moment, for example on hold.',
    'Nothing to repair when the leg was on hold. Otherwise look at the direction (sendonly, inactive) in the SDP of the ladder.',
  ],
  'stream-closed': [
    'The media stream was closed while the call went on, before the tone could be sent.',
    'Look at the offers and answers on the ladder: the audio was rejected or taken out of the call.',
  ],
  'relay-restart': [
    'The relay thread that carried this call was restarted.',
    'Look for an error of the relay in the log at that time and report it.',
  ],
  'no-subscription': [
    'The receiving side had not subscribed to KPML.',
    'Digits pressed before the SUBSCRIBE are dropped by design. If none ever came: does the peer know KPML, and did it get Allow-Events: kpml?',
  ],
  'no-match': [
    'The subscriber did not ask for this digit: no pattern of its KPML document matched.',
    'Look at the <regex> in the SUBSCRIBE on the ladder; it has to name the digit.',
  ],
  'buffer-overflow': [
    'The digit buffer of the subscription was full and its oldest digits were lost.',
    'The pattern of the subscriber waits for more digits than the buffer holds. Ask for single digits, or for a shorter pattern.',
  ],
  'subscription-ended': [
    'The KPML subscription ended before the digit could be notified.',
    'Look at why on the ladder: expired, ended by the peer, or the call was over. A subscriber has to refresh in time.',
  ],
  'unknown-character': [
    'The peer reported something that is no DTMF key.',
    'Look at the body of its NOTIFY or INFO on the ladder; only 0-9, *, # and A-D are keys.',
  ],
  'flash-disabled': [
    'A hook flash came, and this leg does not translate it.',
    'Set kpml-flash: enabled on the leg if flashes shall cross.',
  ],
  'rate-limited': [
    'More digits came in a short time than are accepted from one peer. The report was refused unread, so the key is not known.',
    'No person presses that fast: look for a peer that repeats itself or floods.',
  ],
  'no-translator': [
    'Nothing translates digits in this direction of the call.',
    'The explanation of the call names the row of the decision table and what would have to change for digits to cross.',
  ],
  'notify-failed': [
    'The peer refused the NOTIFY, or did not answer it.',
    'The answer stands on the ladder. 481 means that the peer has forgotten its subscription; silence points at the network or a NAT.',
  ],
  'info-refused': [
    'The peer refused the INFO that carried the digit.',
    'The peer may not take INFO. Set sip-info: disabled on that leg, or use another way for its digits.',
  ],
  'info-unanswered': [
    'The peer did not answer the INFO that carried the digit.',
    'Look at the ladder for the time of the INFO, and at the network in between.',
  ],
  'other-method': [
    'The same digit came in a second way on this leg, and was taken from the first.',
    'Nothing is lost. To make it stop, switch off one of the two ways at the sender.',
  ],
  'call-ended': [
    'The call ended before the digit had its turn.',
    'Set dtmf-drain-on-bye-ms, which lets a BYE wait for queued digits.',
  ],
};

/** @returns `{ what, help }`, two texts for people; the code itself for one that is not known here. */
export function dropWords(reason) {
  const [what, help] = DROPS[reason] ?? [reason, ''];
  return { what, help };
}

const WAYS = {
  rtp: 'RTP event',
  notify: 'KPML NOTIFY',
  info: 'SIP INFO',
  relay: 'relayed unchanged',
};

export function sourceWords(source) {
  if (source.type === 'rtp') return `RTP event, timestamp ${source.rtpTimestamp}`;
  return `${WAYS[source.type] ?? source.type}, CSeq ${source.cseq}`;
}

/** `KPML NOTIFY, answered 200 after 1003 ms`; when it was sent stands beside it. */
export function outputWords({ type, status, answerMs }) {
  const way = WAYS[type] ?? type;
  if (status === undefined) return way;
  if (status === 408) return `${way}, no answer`;
  const after = answerMs === undefined ? '' : ` after ${millisecondWords(answerMs)}`;
  return `${way}, answered ${status}${after}`;
}

/** `KPML NOTIFY, sent after 1.2 ms, answered 200 after 1003 ms`: both counted from the press. */
export function outputSteps(output) {
  const [way, ...answer] = outputWords(output).split(', ');
  if (output.latencyMs === undefined) return outputWords(output);
  return [way, `sent after ${millisecondWords(output.latencyMs)}`, ...answer].join(', ');
}

export const DIRECTIONS = {
  'caller-to-callee': 'caller → callee',
  'callee-to-caller': 'callee → caller',
};

/** `delivered`, `dropped` or `pending`: what became of a press as a whole. */
export function fateOf({ outputs, dropped }) {
  const isDelivered = outputs.some(({ status }) => status === undefined || isSuccess(status));
  if (isDelivered) return 'delivered';
  return dropped === undefined ? 'pending' : 'dropped';
}

function isSuccess(status) {
  return status >= 200 && status < 300;
}
