/**
 * A SUBSCRIBE for kpml outside every dialog: which call it means, and whether its sender may hear of that call.
 *
 *   Event without call-id              489
 *   no dialog of that name             200, then NOTIFY with KPML 481
 *   not from the other end of the leg  403
 *   otherwise                          the call answers
 */
import type { SipDialog } from '../../sip/dialog.ts';
import type { IncomingSubscription } from '../../sip/incoming-subscription.ts';
import { OUR_EVENT_PACKAGES } from '../../sip/stray-requests.ts';
import type { AgentRegistry, RequestSource } from '../../trunk/agent-registry.ts';
import { parseEvent, type DialogReference } from '../../wire/event-headers.ts';
import { attempt } from '../../wire/wire-error.ts';
import { getHeader } from '../../wire/sip-message.ts';
import { parseHostPort } from '../../wire/sip-uri.ts';
import type { Call } from '../call.ts';
import type { CallLeg } from '../call-leg.ts';
import { findReferenced } from './kpml-references.ts';
import { answerUnknownDialog } from './separate-subscribe.ts';

type UnknownContext = Parameters<typeof answerUnknownDialog>[1];

interface WatchedLeg {
  readonly identity: Required<DialogReference>;
  readonly call: Call;
  readonly leg: CallLeg;
  readonly dialog: SipDialog;
}

/** Answers `subscribe`, which came from `source`. */
export function admitSubscribe(
  subscribe: IncomingSubscription,
  source: RequestSource,
  context: UnknownContext & {
    readonly calls: Iterable<Call>;
    readonly agents: Pick<AgentRegistry, 'match'>;
  },
): void {
  const reference = referenceIn(subscribe);
  if (reference?.callId === undefined) {
    subscribe.reject(489, { 'Allow-Events': OUR_EVENT_PACKAGES });
    return;
  }
  const watched = findReferenced(reference, watchedLegs(context.calls));
  if (watched === undefined) {
    answerUnknownDialog(subscribe, context);
    return;
  }
  const { call, leg, dialog } = watched;
  const isInterface = leg.sipInterface.name === subscribe.interfaceName;
  if (isInterface && isPeerOf(leg, source, context.agents)) {
    call.subscribed(leg.side, dialog, subscribe);
  } else subscribe.reject(403);
}

/** Whether requests from `source` come from the other end of `leg`: its agent, else its address, and no plain one on TLS. */
export function isPeerOf(
  leg: Pick<CallLeg, 'sipInterface' | 'agent' | 'remote' | 'transport'>,
  source: RequestSource,
  agents: Pick<AgentRegistry, 'match'>,
): boolean {
  if (leg.transport === 'tls' && source.transport !== 'tls') return false;
  const agent = agents.match(leg.sipInterface, source);
  if (leg.agent !== undefined || agent !== undefined) return agent?.name === leg.agent?.name;
  return parseHostPort(leg.remote).host === source.address;
}

function referenceIn({ message }: IncomingSubscription): DialogReference | undefined {
  return attempt<DialogReference | undefined>(
    () => parseEvent(getHeader(message, 'Event') ?? '').dialog,
    () => undefined,
  );
}

function* watchedLegs(calls: Iterable<Call>): Generator<WatchedLeg> {
  for (const call of calls) {
    for (const leg of Object.values(call.session?.legs ?? {})) {
      const dialog = leg.reach;
      if (dialog !== undefined) yield { identity: dialog.identity, call, leg, dialog };
    }
  }
}
