/**
 * How one leg agrees on a session timer (RFC 4028): pure. The legs of a call agree each for itself.
 *
 *   request of the peer            our 2xx says (§9, table 2)
 *   knows timer, refresher=uac     uac: the peer refreshes
 *   knows timer, refresher=uas     uas: we refresh
 *   knows timer, names nobody      as it was so far; at first as configured, the peer if that is `auto`
 *   does not know timer            uas: we refresh, if there is a timer at all
 */
import type { LegSettings } from '../../config/effective.ts';
import { listsExtension } from '../../sip/stray-requests.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';

/** The extension as Supported and Require name it. */
export const TIMER = 'timer';

/** What a Min-SE that is not there stands for, seconds (RFC 4028 §5). */
const DEFAULT_MIN_SE = 90;
/** However short the interval that a peer imposes, no refresh is due more often than twice in this time, seconds. */
const SHORTEST_IMPOSED = 10;

export type Refresher = 'us' | 'peer';

/** What both ends of a leg have agreed on. */
export interface SessionAgreement {
  readonly intervalSeconds: number;
  readonly refresher: Refresher;
}

/** What a leg is to do, as configured. */
export interface SessionTimerSettings {
  readonly mode: LegSettings['sessionTimer']['value'];
  readonly expiresSeconds: number;
  readonly minSeSeconds: number;
  readonly refresher: LegSettings['sessionRefresher']['value'];
  /** 0: never. */
  readonly pingSeconds: number;
}

export type TimerHeaders = Record<string, string>;

/** The value of a Session-Expires header. */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** The settings of a leg that concern its session timer. */
export function sessionTimerSettings(settings: LegSettings): SessionTimerSettings {
  const minSeSeconds = settings.minSeSeconds.value;
  return {
    mode: settings.sessionTimer.value,
    expiresSeconds: Math.max(settings.sessionExpiresSeconds.value, minSeSeconds),
    minSeSeconds,
    refresher: settings.sessionRefresher.value,
    pingSeconds: settings.dialogPingSeconds.value,
  };
}

/** Session-Expires of `message`; `undefined` when it has none that can be read. */
export function sessionExpiresOf(message: SipMessage): SessionExpires | undefined {
  const value = getHeader(message, 'Session-Expires') ?? '';
  const [, digits, parameters = ''] = /^\s*(\d{1,10})\s*(;.*)?$/.exec(value) ?? [];
  if (digits === undefined || Number(digits) === 0) return undefined;
  const refresher = /;\s*refresher\s*=\s*(ua[cs])\s*(?:;|$)/i.exec(parameters)?.[1]?.toLowerCase();
  const isKnown = refresher === 'uac' || refresher === 'uas';
  return { seconds: Number(digits), refresher: isKnown ? refresher : undefined };
}

/** Min-SE of `message` in seconds; `undefined` when it has none that can be read. */
export function minSeOf(message: SipMessage): number | undefined {
  const digits = /^\s*(\d{1,10})\s*(?:;.*)?$/.exec(getHeader(message, 'Min-SE') ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether the sender of `message` knows session timers. */
export function knowsTimer(message: SipMessage): boolean {
  return listsExtension(message, 'Supported', TIMER) || listsExtension(message, 'Require', TIMER);
}

/** Whether `message` says that its sender takes UPDATE; `undefined` when it says nothing. */
export function allowsUpdate(message: SipMessage): boolean | undefined {
  const allow = getHeader(message, 'Allow');
  return allow?.split(',').some((method) => method.trim().toUpperCase() === 'UPDATE');
}

/** The headers of a 422 to `request`; `undefined` when its interval will do, or its sender could not help it. */
export function intervalRefusal(
  request: SipMessage,
  settings: SessionTimerSettings,
  current?: SessionAgreement,
): TimerHeaders | undefined {
  const asked = sessionExpiresOf(request);
  if (asked === undefined || !knowsTimer(request)) return undefined;
  if (current === undefined && !takesPart(request, settings)) return undefined;
  const minSe = settings.minSeSeconds;
  return asked.seconds < minSe ? { 'Min-SE': String(minSe) } : undefined;
}

/** What our 2xx to `request` agrees to; `current` is in force. */
export function agreementAsServer(
  request: SipMessage,
  settings: SessionTimerSettings,
  current: SessionAgreement | undefined,
): SessionAgreement | undefined {
  const knows = knowsTimer(request);
  const asked = sessionExpiresOf(request);
  if (current === undefined && !isWanted(request, settings)) return undefined;
  const ours = current?.intervalSeconds ?? settings.expiresSeconds;
  const intervalSeconds =
    asked === undefined
      ? Math.max(ours, minSeOf(request) ?? 0)
      : shortened(asked.seconds, minSeOf(request) ?? DEFAULT_MIN_SE, settings);
  // A Session-Expires of somebody who knows no timer is that of a proxy (RFC 4028 §8.1).
  if (!knows) return { intervalSeconds: imposed(intervalSeconds, settings), refresher: 'us' };
  return { intervalSeconds, refresher: refresherAsServer(asked, settings, current) };
}

/** What `response`, a 2xx to our request, agrees to; `current` was in force. */
export function agreementAsClient(
  response: SipMessage,
  settings: SessionTimerSettings,
  current: SessionAgreement | undefined,
): SessionAgreement | undefined {
  const given = sessionExpiresOf(response);
  if (given !== undefined) {
    const intervalSeconds = imposed(given.seconds, settings);
    return { intervalSeconds, refresher: given.refresher === 'uas' ? 'peer' : 'us' };
  }
  // The peer keeps no time. Refreshing on does no harm, and a peer that only forgot to repeat itself is served.
  if (current?.refresher === 'us') return current;
  if (settings.mode !== 'force') return undefined;
  return { intervalSeconds: settings.expiresSeconds, refresher: 'us' };
}

/** The headers of our 2xx that say so. */
export function answerHeaders(
  request: SipMessage,
  agreement: SessionAgreement | undefined,
): TimerHeaders {
  if (agreement === undefined) return {};
  const { intervalSeconds, refresher } = agreement;
  const value = `${intervalSeconds};refresher=${refresher === 'us' ? 'uas' : 'uac'}`;
  return { 'Session-Expires': value, ...(knowsTimer(request) ? { Require: TIMER } : {}) };
}

/** The headers of a request of ours that asks for a session timer, or goes on with the one in force. */
export function requestHeaders(
  settings: SessionTimerSettings,
  { current, minSeSeconds }: { current: SessionAgreement | undefined; minSeSeconds: number },
): TimerHeaders {
  if (settings.mode === 'disabled' && current === undefined) return {};
  const seconds = Math.max(current?.intervalSeconds ?? settings.expiresSeconds, minSeSeconds);
  return {
    Supported: TIMER,
    'Session-Expires': `${seconds}${refresherParameter(current?.refresher ?? settings.refresher)}`,
    'Min-SE': String(minSeSeconds),
  };
}

function refresherParameter(refresher: Refresher | 'auto'): string {
  if (refresher === 'auto') return '';
  return `;refresher=${refresher === 'us' ? 'uac' : 'uas'}`;
}

/** Whether a timer that `request` asks for is our concern. */
function takesPart(request: SipMessage, settings: SessionTimerSettings): boolean {
  return settings.mode !== 'disabled' || listsExtension(request, 'Require', TIMER);
}

/** Whether a first timer comes of `request`. */
function isWanted(request: SipMessage, settings: SessionTimerSettings): boolean {
  if (!takesPart(request, settings)) return false;
  const isAsked = knowsTimer(request) || sessionExpiresOf(request) !== undefined;
  return isAsked || settings.mode === 'force';
}

function refresherAsServer(
  asked: SessionExpires | undefined,
  settings: SessionTimerSettings,
  current: SessionAgreement | undefined,
): Refresher {
  if (asked?.refresher !== undefined) return asked.refresher === 'uas' ? 'us' : 'peer';
  if (current !== undefined) return current.refresher;
  return settings.refresher === 'us' ? 'us' : 'peer';
}

/** The answer may shorten the interval, not below what the request allows, and never lengthen it (RFC 4028 §9). */
function shortened(askedSeconds: number, minSe: number, settings: SessionTimerSettings): number {
  return Math.min(askedSeconds, Math.max(settings.expiresSeconds, minSe));
}

/** The interval of a peer that we cannot refuse. */
function imposed(seconds: number, settings: SessionTimerSettings): number {
  return Math.max(seconds, Math.min(SHORTEST_IMPOSED, settings.minSeSeconds));
}
