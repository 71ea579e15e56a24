/**
 * The parameters that count for one leg, each with the place it comes from.
 *
 *   session agent sets it  ->  the agent's value      ("session-agent carrier")
 *   else interface sets it ->  the interface's value  ("sip-interface core")
 *   else                   ->  the default            ("default")
 *
 * inherit, none and 0 on an agent read as "not set" (spec: interworking §2).
 */
import type { LegOverrides, LegValues, SessionAgent, SipInterface } from './config.ts';

export interface Setting<T> {
  readonly value: T;
  /** `session-agent NAME`, `sip-interface NAME` or `default`. */
  readonly origin: string;
}

export type LegSettings = { readonly [Key in keyof LegValues]: Setting<LegValues[Key]> };

/** The values in force where neither agent nor interface says anything. */
export const LEG_DEFAULTS: LegValues = Object.freeze({
  kpmlInterworking: false,
  rfc2833Mode: 'transparent',
  rfc2833Payload: 101,
  kpmlOnHairpin: false,
  sipInfo: 'disabled',
  kpmlSubscription: 'in-dialog',
  mediaSource: 'sdp',
  dtmfDurationMs: 100,
  dtmfGapMs: 60,
  dtmfPacketIntervalMs: undefined,
  dtmfDrainOnByeMs: 0,
  dtmfRepairMovedEnd: true,
  dtmfMergeWindowMs: 0,
  kpmlSubscribeExpiresSeconds: 7200,
  kpmlEventParameters: 'none',
  kpmlFlash: false,
  kpmlBodylessRefresh: 'keep',
  kpmlDefaultPattern: false,
  kpmlTolerateMissingState: false,
  addSdpInvite: 'disabled',
  followRedirects: 'agents',
  inDialogInfo: 'relay',
  inDialogMessage: 'relay',
  refer: 'relay',
  replaces: false,
  trust: 'untrusted',
  sessionTimer: 'enabled',
  sessionExpiresSeconds: 1800,
  minSeSeconds: 90,
  sessionRefresher: 'auto',
  dialogPingSeconds: 600,
} as const);

/** By interface and then by agent, or the interface again where there is none. */
const resolved = new WeakMap<SipInterface, WeakMap<SipInterface | SessionAgent, LegSettings>>();

/**
 * Resolves every leg parameter; `agent` is `undefined` when the peer is no configured session agent. All legs of the same
 * interface and agent share one value.
 */
export function effectiveSettings(
  sipInterface: SipInterface,
  agent: SessionAgent | undefined,
): LegSettings {
  const ofInterface = resolved.get(sipInterface) ?? new WeakMap();
  resolved.set(sipInterface, ofInterface);
  const settings = ofInterface.get(agent ?? sipInterface) ?? resolve(sipInterface, agent);
  ofInterface.set(agent ?? sipInterface, settings);
  return settings;
}

function resolve(sipInterface: SipInterface, agent: SessionAgent | undefined): LegSettings {
  const pick = <Key extends keyof LegValues>(key: Key): Setting<LegValues[Key]> => {
    const fromAgent: LegOverrides[Key] | undefined = agent?.leg[key];
    if (fromAgent !== undefined) {
      return { value: fromAgent, origin: `session-agent ${agent?.name ?? ''}` };
    }
    const fromInterface: LegOverrides[Key] = sipInterface.leg[key];
    if (fromInterface !== undefined) {
      return { value: fromInterface, origin: `sip-interface ${sipInterface.name}` };
    }
    return { value: LEG_DEFAULTS[key], origin: 'default' };
  };
  return {
    kpmlInterworking: pick('kpmlInterworking'),
    rfc2833Mode: pick('rfc2833Mode'),
    rfc2833Payload: pick('rfc2833Payload'),
    kpmlOnHairpin: pick('kpmlOnHairpin'),
    sipInfo: pick('sipInfo'),
    kpmlSubscription: pick('kpmlSubscription'),
    mediaSource: pick('mediaSource'),
    dtmfDurationMs: pick('dtmfDurationMs'),
    dtmfGapMs: pick('dtmfGapMs'),
    dtmfPacketIntervalMs: pick('dtmfPacketIntervalMs'),
    dtmfDrainOnByeMs: pick('dtmfDrainOnByeMs'),
    dtmfRepairMovedEnd: pick('dtmfRepairMovedEnd'),
    dtmfMergeWindowMs: pick('dtmfMergeWindowMs'),
    kpmlSubscribeExpiresSeconds: pick('kpmlSubscribeExpiresSeconds'),
    kpmlEventParameters: pick('kpmlEventParameters'),
    kpmlFlash: pick('kpmlFlash'),
    kpmlBodylessRefresh: pick('kpmlBodylessRefresh'),
    kpmlDefaultPattern: pick('kpmlDefaultPattern'),
    kpmlTolerateMissingState: pick('kpmlTolerateMissingState'),
    addSdpInvite: pick('addSdpInvite'),
    followRedirects: pick('followRedirects'),
    inDialogInfo: pick('inDialogInfo'),
    inDialogMessage: pick('inDialogMessage'),
    refer: pick('refer'),
    replaces: pick('replaces'),
    trust: pick('trust'),
    sessionTimer: pick('sessionTimer'),
    sessionExpiresSeconds: pick('sessionExpiresSeconds'),
    minSeSeconds: pick('minSeSeconds'),
    sessionRefresher: pick('sessionRefresher'),
    dialogPingSeconds: pick('dialogPingSeconds'),
  };
}
