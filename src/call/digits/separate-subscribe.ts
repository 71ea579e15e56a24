/** SUBSCRIBE for kpml outside the dialogs of calls, in both roles. */
import { KpmlNotifier } from '../../dtmf/kpml-notifier.ts';
import type { SipDialog } from '../../sip/dialog.ts';
import type { IncomingSubscription } from '../../sip/incoming-subscription.ts';
import { DialogNotifier } from '../../sip/notifier.ts';
import type { SubscribeTarget } from '../../sip/outgoing-subscription.ts';
import { parseNameAddr } from '../../wire/sip-headers.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';
import type { CallLeg } from '../call-leg.ts';
import type { SubscriptionBudget } from './subscription-budget.ts';

/** Names no dialog that there can be. */
const NO_DIALOG = { callId: '', localTag: '', remoteTag: '' };

/** Tells a subscriber that the dialog it names is not there: 200, then NOTIFY with KPML 481 (RFC 4730 §4.7). */
export function answerUnknownDialog(
  subscribe: IncomingSubscription,
  context: {
    readonly budget: SubscriptionBudget;
    readonly nowMs: () => number;
    readonly onBug: (error: unknown) => void;
  },
): void {
  const { budget, nowMs, onBug } = context;
  const count = budget.share();
  const notifier = new DialogNotifier({
    machine: new KpmlNotifier({ dialog: NO_DIALOG }),
    dialog: subscribe,
    listener: {
      notified: () => undefined,
      dropped: () => undefined,
      changed: () => undefined,
      bug: onBug,
    },
    nowMs,
    mayGrow: budget.mayGrow,
  });
  // Counted although it is none: its dialog lives until the NOTIFY is answered.
  count(1);
  subscribe.serve({
    onRequest: (request) => subscribe.respond(request, 481),
    onEnd: () => {
      count(0);
      notifier.end();
    },
    onTrace: () => undefined,
  });
  notifier.setMode('active');
  notifier.receiveSubscribe(subscribe.received);
}

/**
 * Where our SUBSCRIBE for a leg goes: to the remote target of its dialog, over its first proxy, with the transport of
 * the leg where the URI names none.
 */
export function subscribeTarget(
  leg: Pick<CallLeg, 'side' | 'transport' | 'invite'>,
  dialog: SipDialog,
): SubscribeTarget {
  // A dialog without Contact does not come about.
  const { remoteTarget = '', firstRoute } = dialog.identity;
  const { from = '', to = '' } = leg.invite ?? {};
  const [local, remote] = leg.side === 'caller' ? [to, from] : [from, to];
  const headers = { ...addressHeader('From', local), ...addressHeader('To', remote) };
  const nextHop = withTransport(firstRoute ?? remoteTarget, leg.transport);
  return { uri: remoteTarget, nextHop, headers };
}

/** An address of the call without its tag, which names another dialog. */
function addressHeader(name: 'From' | 'To', value: string): Record<string, string> {
  try {
    return { [name]: `<${parseNameAddr(value).uri}>` };
  } catch {
    return {};
  }
}

function withTransport(uri: string, transport: CallLeg['transport']): string {
  try {
    const { host, parameters, scheme } = parseSipUri(uri);
    const isNamed = host === '' || parameters.has('transport') || scheme === 'sips';
    return isNamed || transport === 'udp' ? uri : `${uri};transport=${transport}`;
  } catch {
    return uri;
  }
}
