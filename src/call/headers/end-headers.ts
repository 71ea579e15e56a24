/** What the message that ends one leg says on the other one. */
import type { SipMessage } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';
import { type EndCause, reasonHeader } from '../end-cause.ts';
import { crossing, leaving, pathFrom } from './header-crossing.ts';
import type { PolicyLeg } from './header-topology.ts';

type Legs = Readonly<Record<Side, PolicyLeg>>;

/** The end of a dialog; `bye` when the peer sent one. */
export interface DialogEnd {
  readonly by: 'peer' | 'engine' | 'connection';
  readonly reason: string;
  readonly bye?: SipMessage | undefined;
}

/** Why the call ends when the dialog of `side` does; `legs` once there are two. */
export function causeOfEnd(side: Side, end: DialogEnd, legs: Legs | undefined): EndCause {
  if (end.by === 'connection') return { name: 'engine-lost', by: 'sbc' };
  if (end.by === 'engine') {
    // A drachtio-server keeps the time of sessions as well.
    const isExpiry = /session timer/i.test(end.reason);
    const name = isExpiry ? 'session-expired' : 'ack-timeout';
    return { name, by: 'sbc', ...textOf(end.reason) };
  }
  return { name: 'hang-up', by: side, ...toldBy(side, end.bye, legs) };
}

/** The cause of a caller's CANCEL. */
export function causeOfCancel(cancel: SipMessage | undefined, legs: Legs | undefined): EndCause {
  return { name: 'caller-cancelled', by: 'caller', ...toldBy('caller', cancel, legs) };
}

/** The cause when the engine did not send our 200: a CANCEL was quicker, or the engine is gone. */
export function causeOfUnsentAnswer(reason: string): EndCause {
  if (reason === 'connection-lost') return { name: 'engine-lost', by: 'sbc' };
  return { name: 'caller-cancelled', by: 'caller', text: reason };
}

/** The headers of the BYE or CANCEL for `leg`. */
export function endHeaders(
  cause: EndCause,
  leg: PolicyLeg,
  method: 'BYE' | 'CANCEL',
): Record<string, string> {
  return leaving({ ...cause.headers, Reason: reasonHeader(cause) }, leg, { method });
}

function toldBy(
  side: Side,
  message: SipMessage | undefined,
  legs: Legs | undefined,
): Pick<EndCause, 'reason' | 'headers'> {
  if (message === undefined || legs === undefined) return {};
  const { Reason: reason, ...headers } = crossing(message, pathFrom(side, legs)).headers;
  return { headers, ...(reason === undefined ? {} : { reason }) };
}

function textOf(reason: string): { text?: string } {
  const text = /text="([^"]*)"/.exec(reason)?.[1];
  return text === undefined ? {} : { text };
}
