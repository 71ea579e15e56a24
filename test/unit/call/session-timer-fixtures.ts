/** Messages of a peer as far as session timers read them. */
import type { SessionTimerSettings } from '../../../src/call/mid-call/session-timer-negotiation.ts';
import type { SipRequest, SipResponse } from '../../../src/wire/sip-message.ts';

export type Headers = Readonly<Record<string, string>>;

export const SETTINGS: SessionTimerSettings = {
  mode: 'enabled',
  expiresSeconds: 1800,
  minSeSeconds: 90,
  refresher: 'auto',
  pingSeconds: 600,
};

export function requestWith(headers: Headers = {}, method = 'INVITE'): SipRequest {
  return {
    type: 'request',
    method,
    uri: 'sip:us@sbc',
    headers: fields(headers),
    body: Buffer.alloc(0),
  };
}

export function responseWith(headers: Headers = {}, status = 200): SipResponse {
  return { type: 'response', status, reason: '', headers: fields(headers), body: Buffer.alloc(0) };
}

function fields(headers: Headers): { name: string; value: string }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}
