/**
 * Why a call ended: a closed union whose members carry their own verdict, so that no switch over names is needed
 * anywhere else.
 */
import type { CallResult } from '../observe/metrics.ts';

/** What a cause means to the caller that still waits, to the statistics and to the log. */
export interface EndVerdict {
  /** SIP status for a caller that was not answered yet. */
  readonly status: number;
  /** Q.850 cause for the Reason header (RFC 3326). */
  readonly q850: number;
  readonly result: CallResult;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

const VERDICTS = {
  /** One party hung up an answered call. */
  'hang-up': { status: 487, q850: 16, result: 'answered', level: 'info', text: 'hung up' },
  /** The other party has got a call elsewhere. */
  transferred: { status: 487, q850: 16, result: 'answered', level: 'info', text: 'transferred' },
  /** The caller gave up before the answer. */
  'caller-cancelled': {
    status: 487,
    q850: 16,
    result: 'cancelled',
    level: 'info',
    text: 'cancelled by the caller',
  },
  /** The callee, or every hop that was tried, refused. The status of the refusal is passed on. */
  'callee-refused': {
    status: 480,
    q850: 17,
    result: 'rejected',
    level: 'info',
    text: 'refused by the callee',
  },
  /** No request could be sent to the callee: no address, no connection, nobody at the port. */
  'next-hop-unreachable': {
    status: 503,
    q850: 27,
    result: 'failed',
    level: 'warn',
    text: 'next hop unreachable',
  },
  /** Nobody answered in time. */
  'no-answer': { status: 408, q850: 19, result: 'no-answer', level: 'info', text: 'no answer' },
  /** Do Not Disturb is on at the called account. The status is the configured one. */
  'do-not-disturb': {
    status: 486,
    q850: 17,
    result: 'busy',
    level: 'info',
    text: 'do not disturb',
  },
  /** The call has been forwarded to where it was before, or too often. */
  'forward-loop': {
    status: 482,
    q850: 25,
    result: 'rejected',
    level: 'warn',
    text: 'forwarding loop',
  },
  /** No local policy leads anywhere. */
  'no-route': { status: 404, q850: 3, result: 'rejected', level: 'info', text: 'no route' },
  /** The local policy for the number is a rejection. The status says which. */
  'rejected-by-policy': {
    status: 403,
    q850: 21,
    result: 'rejected',
    level: 'info',
    text: 'rejected by policy',
  },
  /** No local policy leads anywhere yet: the number is the beginning of one that may. */
  'address-incomplete': {
    status: 484,
    q850: 28,
    result: 'rejected',
    level: 'info',
    text: 'address incomplete',
  },
  /** The policy leads to agents, and each of them is locked, out of service or full. */
  'no-agent-available': {
    status: 503,
    q850: 42,
    result: 'failed',
    level: 'warn',
    text: 'no session agent available',
  },
  /** The source is no session agent and no allowed network. */
  'not-admitted': {
    status: 403,
    q850: 21,
    result: 'rejected',
    level: 'warn',
    text: 'source not admitted',
  },
  /** A configured limit is reached. */
  'limit-reached': {
    status: 503,
    q850: 42,
    result: 'rejected',
    level: 'warn',
    text: 'session limit reached',
  },
  /** The machine has too much to do for another call. */
  overloaded: { status: 503, q850: 42, result: 'rejected', level: 'warn', text: 'overloaded' },
  /** The SBC is being stopped. */
  draining: { status: 503, q850: 41, result: 'rejected', level: 'info', text: 'draining' },
  /** Max-Forwards ran out. */
  'too-many-hops': {
    status: 483,
    q850: 25,
    result: 'rejected',
    level: 'warn',
    text: 'too many hops',
  },
  /** The INVITE lacks something a dialog needs. */
  'bad-request': { status: 400, q850: 111, result: 'rejected', level: 'info', text: 'bad request' },
  /** The peer insists on an extension that is not supported. */
  'bad-extension': {
    status: 420,
    q850: 29,
    result: 'rejected',
    level: 'info',
    text: 'bad extension',
  },
  /** The INVITE is to take the place of a dialog. The status says whether that dialog is there. */
  'not-replaceable': {
    status: 481,
    q850: 41,
    result: 'rejected',
    level: 'info',
    text: 'dialog not replaceable',
  },
  /** The body is no session description, or encoded. */
  'bad-content': {
    status: 415,
    q850: 88,
    result: 'rejected',
    level: 'info',
    text: 'unsupported media type',
  },
  /** The session description cannot be read or used. */
  'bad-sdp': {
    status: 488,
    q850: 88,
    result: 'rejected',
    level: 'info',
    text: 'session description not acceptable',
  },
  /** The callee answered with a session description that cannot be used. */
  'bad-answer': { status: 502, q850: 88, result: 'failed', level: 'warn', text: 'unusable answer' },
  /** Our own calls use every media port of a realm. */
  'no-ports': { status: 503, q850: 42, result: 'failed', level: 'error', text: 'no media ports' },
  /** The media ports that calls do not use rest before their next use. */
  'ports-resting': {
    status: 503,
    q850: 42,
    result: 'failed',
    level: 'error',
    text: 'media ports at rest',
  },
  /** The media ports that calls do not use are held by other programs. */
  'ports-taken': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'media ports held by another program',
  },
  /** This host does not have the media address of a realm. */
  'media-address-unavailable': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'media address is not local',
  },
  /** This process may open no more sockets. */
  'no-descriptors': {
    status: 503,
    q850: 42,
    result: 'failed',
    level: 'error',
    text: 'no file descriptors left',
  },
  /** No RTP in either direction for too long. */
  'media-timeout': {
    status: 408,
    q850: 102,
    result: 'answered',
    level: 'warn',
    text: 'media timeout',
  },
  /** A relay worker died, and no other could go on with its streams. */
  'media-lost': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'media relay lost',
  },
  /** No media server answers, so nobody could carry the media of the call. */
  'media-engine-down': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'no media server answers',
  },
  /** The media server takes no more calls, or did not take this one. */
  'media-engine-refused': {
    status: 503,
    q850: 42,
    result: 'failed',
    level: 'error',
    text: 'refused by the media server',
  },
  /** The media server that carried the call is down, or knows nothing of it any more. */
  'media-engine-lost': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'media server lost',
  },
  /** The caller never acknowledged the 200. */
  'ack-timeout': { status: 408, q850: 102, result: 'failed', level: 'warn', text: 'ACK timeout' },
  /** One party answers requests in its dialog as if there were none (RFC 5057 §5.1). */
  'dialog-lost': {
    status: 481,
    q850: 41,
    result: 'answered',
    level: 'warn',
    text: 'dialog lost',
  },
  /** Nobody has refreshed the session of a leg in time (RFC 4028 §10). */
  'session-expired': {
    status: 408,
    q850: 102,
    result: 'answered',
    level: 'warn',
    text: 'session expired',
  },
  /** The session interval of the INVITE is shorter than its sender may ask for (RFC 4028 §6). */
  'interval-too-short': {
    status: 422,
    q850: 111,
    result: 'rejected',
    level: 'info',
    text: 'session interval too small',
  },
  /** The connection to the SIP engine, and every dialog with it, is gone. */
  'engine-lost': {
    status: 503,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'SIP engine lost',
  },
  /** An operator ended the call. */
  operator: { status: 480, q850: 31, result: 'answered', level: 'info', text: 'ended by operator' },
  /** The process was killed; only in records, which the next start writes. */
  'process-killed': {
    status: 500,
    q850: 41,
    result: 'failed',
    level: 'error',
    text: 'process killed',
  },
  /** A broken invariant in this program. */
  bug: { status: 500, q850: 41, result: 'failed', level: 'error', text: 'internal error' },
} as const satisfies Record<string, EndVerdict>;

export type EndCauseName = keyof typeof VERDICTS;

/** Every cause with its own verdict, as published in docs/cdr.md. */
export function allVerdicts(): Readonly<Record<EndCauseName, EndVerdict>> {
  return VERDICTS;
}

export interface EndCause {
  readonly name: EndCauseName;
  /** Who ended the call. */
  readonly by: 'caller' | 'callee' | 'sbc';
  /** Replaces the verdict's status: the callee's own refusal. */
  readonly status?: number;
  /** Replaces the verdict's text in records; it may quote a peer, so it is never sent to the other one. */
  readonly text?: string;
  /** Reason header of the peer that ended the call, passed on as it is (RFC 3326). */
  readonly reason?: string;
  /** Headers of the refusal for a caller that was not answered yet. */
  readonly refusalHeaders?: Readonly<Record<string, string>>;
  /** Further headers of that peer for the other one. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The Reason header that the legs are ended with. */
export function reasonHeader(cause: EndCause): string {
  const { q850, text } = VERDICTS[cause.name];
  return cause.reason ?? `Q.850;cause=${q850};text="${text}"`;
}

/** What the statistics make of a call that ended for `cause`. */
export function resultOf(cause: EndCause, wasAnswered: boolean): CallResult {
  if (cause.name === 'callee-refused') return resultOfRefusal(verdictOf(cause).status);
  const { result } = VERDICTS[cause.name];
  return result === 'answered' && !wasAnswered ? 'failed' : result;
}

/** What the statistics make of an attempt that was refused with `status`. */
export function resultOfRefusal(status: number): CallResult {
  if (status === 486 || status === 600) return 'busy';
  if (status === 408 || status === 480) return 'no-answer';
  if (status === 487) return 'cancelled';
  return status >= 500 && status < 600 ? 'failed' : 'rejected';
}

/** The verdict of `cause`, with the cause's own status and text where it brings them. */
export function verdictOf(cause: EndCause): EndVerdict {
  const verdict = VERDICTS[cause.name];
  return { ...verdict, status: cause.status ?? verdict.status, text: cause.text ?? verdict.text };
}
