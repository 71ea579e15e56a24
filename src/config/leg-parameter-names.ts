/** The YAML name of each leg parameter, and how its values are spelt there. */
import type { LegValues } from './config.ts';

export const LEG_PARAMETER_NAMES: Readonly<Record<keyof LegValues, string>> = {
  kpmlInterworking: 'kpml-interworking',
  rfc2833Mode: 'rfc2833-mode',
  rfc2833Payload: 'rfc2833-payload',
  kpmlOnHairpin: 'kpmlRFC2833-iwf-on-hairpin',
  sipInfo: 'sip-info',
  kpmlSubscription: 'kpml-subscription',
  mediaSource: 'media-source',
  dtmfDurationMs: 'dtmf-duration-ms',
  dtmfGapMs: 'dtmf-gap-ms',
  dtmfPacketIntervalMs: 'dtmf-packet-interval-ms',
  dtmfDrainOnByeMs: 'dtmf-drain-on-bye-ms',
  dtmfRepairMovedEnd: 'dtmf-repair-moved-end',
  dtmfMergeWindowMs: 'dtmf-merge-window-ms',
  kpmlSubscribeExpiresSeconds: 'kpml-subscribe-expires',
  kpmlEventParameters: 'kpml-event-parameters',
  kpmlFlash: 'kpml-flash',
  kpmlBodylessRefresh: 'kpml-bodyless-refresh',
  kpmlDefaultPattern: 'kpml-default-pattern',
  kpmlTolerateMissingState: 'kpml-tolerate-missing-state',
  addSdpInvite: 'add-sdp-invite',
  followRedirects: 'follow-redirects',
  inDialogInfo: 'in-dialog-info',
  inDialogMessage: 'in-dialog-message',
  refer: 'refer',
  replaces: 'replaces',
  trust: 'trust',
  sessionTimer: 'session-timer',
  sessionExpiresSeconds: 'session-expires',
  minSeSeconds: 'min-se',
  sessionRefresher: 'session-refresher',
  dialogPingSeconds: 'dialog-ping',
};

/** A value in the spelling of the configuration file. */
export function spellLegValue(value: string | number | boolean | undefined): string {
  if (value === undefined) return 'packet time';
  if (typeof value === 'boolean') return value ? 'enabled' : 'disabled';
  return String(value);
}
