/** A call without media between the ends of a stage, with session timer headers of each end, for what RFC 4028 says. */

import { plainOffer, type CallStage } from './call-stage.ts';
import type { SipDialog } from './sip-dialog.ts';
import { headerValue, methodOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';

export interface TimedCall {
  readonly alice: SipDialog;
  readonly bob: SipDialog;
  /** The INVITE that bob got. */
  readonly invite: SipText;
  /** The 200 that alice got. */
  readonly answer: SipText;
}

export interface TimedHeaders {
  readonly alice?: readonly Header[];
  readonly bob?: readonly Header[];
}

/** Alice calls, bob answers, each with headers of its own; both then take any offer. */
export async function timedCall(stage: CallStage, headers: TimedHeaders = {}): Promise<TimedCall> {
  const { alice, bob, running } = stage;
  const outgoing = alice.sip.invite({
    to: '5551000',
    via: running.access,
    headers: headers.alice ?? [],
    body: plainOffer(alice.sip),
  });
  const incoming = await bob.sip.nextCall();
  const [answer] = await Promise.all([
    outgoing.finished(),
    incoming.answer({ headers: headers.bob ?? [], body: plainOffer(bob.sip) }),
  ]);
  const call = { alice: outgoing.dialog, bob: incoming.dialog, invite: incoming.invite, answer };
  for (const end of ['alice', 'bob'] as const) {
    const body = plainOffer(stage[end].sip);
    call[end].handle('INVITE', () => ({ status: 200, body }));
    call[end].handle('UPDATE', (request) => ({
      status: 200,
      ...(request.body === '' ? {} : { body }),
    }));
  }
  return call;
}

/** Alice hangs up, bob hears of it. */
export async function endTimedCall({ alice, bob }: TimedCall): Promise<void> {
  await alice.bye();
  await bob.waitForEnd();
}

/** Session-Expires, Min-SE, Supported and Require of a message, as far as they are there. */
export function timerHeaders(message: SipText): Record<string, string> {
  const names = ['Session-Expires', 'Min-SE', 'Supported', 'Require'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headerValue(message, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The methods of the requests that `dialog` has received, in order. */
export function methodsIn(dialog: SipDialog): string[] {
  return dialog.received.map((request) => methodOf(request));
}
