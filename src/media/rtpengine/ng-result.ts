/** What an answer of rtpengine means, checked; and what may be asked at all. */

import { parseSdp } from '../../wire/sdp.ts';
import { WireError } from '../../wire/wire-error.ts';
import type {
  EngineFailure,
  EngineFailureReason,
  EngineResult,
  EngineSdpResult,
  NgDictionary,
  NgValue,
} from './rtpengine-node.ts';
import { utf8Sdp } from './sdp-utf8.ts';

export type NgCommand =
  | 'ping'
  | 'offer'
  | 'answer'
  | 'delete'
  | 'query'
  | 'play DTMF'
  | 'block DTMF'
  | 'unblock DTMF';

/** How a request ended, before anybody looked at the answer. */
export type NgReply =
  | { readonly type: 'answer'; readonly answer: unknown }
  /** The engine answered with an error; the reason is text when it gave one. */
  | { readonly type: 'refused'; readonly reason: unknown };

const MAX_DETAIL = 200;
/** A request must fit a UDP datagram, cookie included. Bytes. */
export const MAX_REQUEST_BYTES = 60_000;

const NO_PORTS =
  /\bout of ports\b|\bno (?:more|free) ports\b|\b(?:allocat\w+|open) (?:\w+ )?ports\b/i;
const OVERLOAD = /\blimit (?:reached|exceeded)\b|^load limit$/i;
/** Characters that may be pressed keys. */
const KEYS = /[0-9*#]/g;
/** From the first line of SDP on, which may have keys of SRTP in it. */
const SDP_QUOTED = /(^|[^a-z-])[a-z]=\S[^]*$/i;
const UNPRINTABLE = /[^\u0020-\u007E]/g;

export function failure(reason: EngineFailureReason, detail: string): EngineFailure {
  return { type: 'failed', reason, detail: detail.slice(0, MAX_DETAIL) };
}

/** The result of `command`; `ok` only if the engine said exactly what it should. */
export function checkReply(command: NgCommand, reply: NgReply): EngineResult {
  if (reply.type === 'refused') return refusal(command, reply.reason);
  const { answer } = reply;
  if (!isDictionary(answer)) return failure('bad-answer', 'no dictionary');
  const result = own(answer, 'result');
  if (result === (command === 'ping' ? 'pong' : 'ok')) {
    const warning = own(answer, 'warning');
    if (typeof warning !== 'string') return { type: 'ok', answer };
    return { type: 'ok', answer, warning: words(command, warning) };
  }
  if (result === 'load limit') return failure('overload', overloadWords(command, answer));
  if (result === 'error') return refusal(command, own(answer, 'error-reason'));
  return failure('bad-answer', 'neither success nor error');
}

/** The same for a command that is answered with SDP. */
export function checkSdpReply(command: NgCommand, reply: NgReply): EngineSdpResult {
  const checked = checkReply(command, reply);
  if (checked.type === 'failed') return checked;
  const text = own(checked.answer, 'sdp');
  if (typeof text !== 'string') return failure('bad-answer', 'no SDP');
  const sdp = utf8Sdp(text);
  if (sdp === undefined) return failure('bad-answer', 'SDP that is not UTF-8');
  try {
    parseSdp(sdp);
  } catch (error) {
    if (error instanceof WireError) return failure('bad-answer', 'SDP that cannot be read');
    throw error;
  }
  return { ...checked, sdp };
}

/** Why `request` cannot be asked; `undefined` when it can. */
export function requestProblem(request: NgDictionary): string | undefined {
  for (const [key, value] of Object.entries(request)) {
    if (key === 'command') return 'a request names its command itself';
    if (value !== undefined && !isEncodable(value)) return `${key} is nothing the engine can read`;
  }
  return undefined;
}

function isEncodable(value: NgValue): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value);
  const values: readonly (NgValue | undefined)[] = isList(value) ? value : Object.values(value);
  return values.every((item) => item === undefined || isEncodable(item));
}

function isList(value: NgDictionary | readonly NgValue[]): value is readonly NgValue[] {
  return Array.isArray(value);
}

function refusal(command: NgCommand, reason: unknown): EngineFailure {
  if (typeof reason !== 'string' || reason === '') {
    return failure('engine-error', 'the engine gave no reason');
  }
  return failure(refusalReason(reason), words(command, reason));
}

function refusalReason(reason: string): EngineFailureReason {
  if (OVERLOAD.test(reason)) return 'overload';
  return NO_PORTS.test(reason) ? 'no-ports' : 'engine-error';
}

function overloadWords(command: NgCommand, answer: NgDictionary): string {
  const message = own(answer, 'message');
  return typeof message === 'string' ? words(command, message) : 'load limit';
}

/** The engine's own words, fit for a log: printable, and neither keys nor SDP in them. */
function words(command: NgCommand, text: string): string {
  const printable = text
    .slice(0, MAX_DETAIL)
    .replace(SDP_QUOTED, '$1...')
    .replace(UNPRINTABLE, '?');
  return command === 'play DTMF' ? printable.replace(KEYS, '?') : printable;
}

function isDictionary(value: unknown): value is NgDictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key of the answer itself: a dictionary from outside may name `__proto__`. */
function own(answer: NgDictionary, key: string): NgValue | undefined {
  return Object.hasOwn(answer, key) ? answer[key] : undefined;
}
