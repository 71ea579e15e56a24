/** The KPML machines of a leg, as its parameters want them. */
import { KpmlNotifier } from '../../dtmf/kpml-notifier.ts';
import { KpmlSubscriber } from '../../dtmf/kpml-subscriber.ts';
import type { LegSettings } from '../../config/effective.ts';
import type { DialogIdentity } from '../../sip/dialog.ts';

/** For the subscriptions of the peer to us, in one dialog. */
export function notifierMachine(
  settings: LegSettings,
  identity: DialogIdentity,
  maxSubscriptions?: number,
): KpmlNotifier {
  const { callId, localTag, remoteTag } = identity;
  return new KpmlNotifier({
    bodylessRefresh: settings.kpmlBodylessRefresh.value,
    defaultPattern: settings.kpmlDefaultPattern.value,
    flash: settings.kpmlFlash.value,
    dialog: { callId, localTag, remoteTag },
    ...(maxSubscriptions === undefined ? {} : { maxSubscriptions }),
  });
}

/** For our subscription to the peer. */
export function subscriberMachine(settings: LegSettings, identity: DialogIdentity): KpmlSubscriber {
  const { callId, localTag, remoteTag } = identity;
  // Seen from the notifier, whose own tag is the peer's.
  const reference = { callId, localTag: remoteTag, remoteTag: localTag };
  // In a dialog of its own nothing else says which call is meant.
  const isNamed =
    settings.kpmlEventParameters.value === 'full' || settings.kpmlSubscription.value === 'separate';
  return new KpmlSubscriber({
    expiresSeconds: settings.kpmlSubscribeExpiresSeconds.value,
    flash: settings.kpmlFlash.value,
    eventParameters: isNamed ? reference : undefined,
    tolerateMissingState: settings.kpmlTolerateMissingState.value,
    random: Math.random,
  });
}
