/** How an explanation reads in a terminal. */
import type { LegSettings } from '../config/effective.ts';
import { type LocalPolicy, policyText } from '../config/routing-config.ts';
import type { Hop } from '../trunk/policy.ts';
import type { Origin } from './explain-route.ts';
import { formatTable } from './table.ts';

/** The YAML name of each leg parameter. */
const PARAMETER_NAMES: Readonly<Record<keyof LegSettings, string>> = {
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

export interface ParameterRow {
  readonly parameter: string;
  /** In the spelling of the configuration file. */
  readonly value: string;
  readonly origin: string;
}

export function parameterRows(settings: LegSettings): ParameterRow[] {
  const rows: ParameterRow[] = [];
  let key: keyof LegSettings;
  for (key in PARAMETER_NAMES) {
    const { value, origin } = settings[key];
    rows.push({ parameter: PARAMETER_NAMES[key], value: spell(value), origin });
  }
  return rows;
}

function spell(value: string | number | boolean | undefined): string {
  if (value === undefined) return 'packet time';
  if (typeof value === 'boolean') return value ? 'enabled' : 'disabled';
  return String(value);
}

export function describeOrigin(origin: Origin): string {
  const { sipInterface, agent, admittedAs } = origin;
  const who =
    agent === undefined
      ? `no session agent, admitted as: ${admittedAs}`
      : `session agent ${agent.name}`;
  return `sip-interface ${sipInterface.name} (realm ${sipInterface.realm}), ${who}`;
}

export function describePolicy(policy: LocalPolicy, index: number): string {
  return `local-policies[${index}]: ${policyText(policy)}`;
}

/** `calling` is the number that the hop is shown, if one is known. */
export function describeHop(hop: Hop, calling = ''): string {
  const who = hop.agent === undefined ? 'no session agent' : `session agent ${hop.agent.name}`;
  const from = calling === '' ? '' : ` from ${calling}`;
  return `sip-interface ${hop.sipInterface.name}, ${who}: ${hop.requestUri}${from} via ${hop.nextHop}`;
}

/** The parameters of a leg that are set somewhere, or all of them. */
export function formatLeg(title: string, settings: LegSettings, isWhole = false): string {
  const rows = parameterRows(settings);
  const shown = rows.filter(({ origin }) => isWhole || origin !== 'default');
  const cells = shown.map(({ parameter, value, origin }) => [`  ${parameter}`, value, origin]);
  const table = shown.length === 0 ? '' : formatTable(['  parameter', 'value', 'from'], cells);
  const left = rows.length - shown.length;
  return `${title}\n${table}${left === 0 ? '' : `  ${left} by default (--all)\n`}`;
}
