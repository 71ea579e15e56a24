/** Rules about keys that are valid and, as the rest of the file stands, do nothing. */
import type { Config, LegOverrides, SipLimits } from './config.ts';
import { coveredBy } from './leg-cover.ts';
import { type LegKind, legKinds } from './leg-kinds.ts';
import { LEG_PARAMETER_NAMES } from './leg-parameter-names.ts';
import type { LintRule, RuleFinding } from './lint.ts';

const KPML_KEYS = [
  'kpmlSubscription',
  'kpmlSubscribeExpiresSeconds',
  'kpmlEventParameters',
  'kpmlFlash',
  'kpmlBodylessRefresh',
  'kpmlDefaultPattern',
  'kpmlTolerateMissingState',
] as const;

/** Parameters written on an interface or agent none of whose legs satisfies `needs`. */
function parametersWithout(
  config: Config,
  keys: readonly (keyof LegOverrides)[],
  needs: (kind: LegKind) => boolean,
): RuleFinding[] {
  // What stands on an interface counts for its agents as well.
  const covered = coveredBy(config, () => false);
  return legKinds(config).flatMap((owner) => {
    const { leg } = owner.agent ?? owner.sipInterface;
    const key = keys.find((each) => leg[each] !== undefined);
    if (key === undefined || covered(owner).some((kind) => needs(kind))) return [];
    const name = LEG_PARAMETER_NAMES[key];
    return [{ path: [...owner.path, name], message: `${owner.label} has ${name}` }];
  });
}

function kpmlParameters(config: Config): RuleFinding[] {
  return parametersWithout(config, KPML_KEYS, ({ settings }) => settings.kpmlInterworking.value);
}

function unusedPayload(config: Config): RuleFinding[] {
  return parametersWithout(
    config,
    ['rfc2833Payload'],
    ({ settings }) => settings.rfc2833Mode.value !== 'transparent',
  );
}

function shortTones(config: Config): RuleFinding[] {
  return legKinds(config).flatMap((kind): RuleFinding[] => {
    const { leg } = kind.agent ?? kind.sipInterface;
    if (leg.dtmfDurationMs === undefined && leg.dtmfPacketIntervalMs === undefined) return [];
    const { dtmfDurationMs: duration, dtmfPacketIntervalMs: interval } = kind.settings;
    if (interval.value === undefined || duration.value >= interval.value) return [];
    const key = leg.dtmfDurationMs === undefined ? 'dtmfPacketIntervalMs' : 'dtmfDurationMs';
    const message = `${kind.label}: a tone of ${duration.value} ms is shorter than a packet interval of ${interval.value} ms`;
    return [{ path: [...kind.path, LEG_PARAMETER_NAMES[key]], message }];
  });
}

function otherEngines({ sip, media, sipInterfaces }: Config): RuleFinding[] {
  const found: RuleFinding[] = [];
  if (media.engine !== 'rtpengine' && media.rtpengine.length > 0) {
    const message = `no rtpengine is used with media.engine ${media.engine}`;
    found.push({ path: ['media', 'rtpengine'], message });
  }
  if (sip.engine !== 'embedded') return found;
  const message = 'no drachtio-server is used with sip.engine embedded';
  if (sip.drachtio !== undefined) found.push({ path: ['sip', 'drachtio'], message });
  for (const [index, { drachtio }] of sipInterfaces.entries()) {
    if (drachtio === undefined) continue;
    found.push({ path: ['sip-interfaces', index, 'drachtio'], message });
  }
  return found;
}

function tlsWithoutPort({ sipInterfaces }: Config): RuleFinding[] {
  return sipInterfaces.flatMap(({ name, sipPorts, tls }, index) => {
    if (tls === undefined || sipPorts.some(({ transport }) => transport === 'tls')) return [];
    const message = `interface "${name}" has certificates and no tls/… port`;
    return [{ path: ['sip-interfaces', index, 'tls'], message }];
  });
}

function limitsOutOfOrder({ sip: { limits } }: Config): RuleFinding[] {
  return LIMIT_ORDERS.flatMap(({ key, why, of }): RuleFinding[] =>
    of(limits) ? [{ path: ['sip', 'limits', key], message: why }] : [],
  );
}

interface LimitOrder {
  readonly key: string;
  readonly why: string;
  readonly of: (limits: SipLimits) => boolean;
}

/** 0 messages per second mean unlimited. */
function isAbove(rate: number, limit: number): boolean {
  return limit > 0 && (rate === 0 || rate > limit);
}

const LIMIT_ORDERS: readonly LimitOrder[] = [
  {
    key: 'header-bytes',
    why: 'header-bytes is above message-bytes, which is reached first',
    of: ({ headerBytes, messageBytes }) => headerBytes > messageBytes,
  },
  {
    key: 'agent-per-second',
    why: 'a session agent may send less than a stranger',
    of: ({ agent, source }) => isAbove(source.perSecond, agent.perSecond),
  },
  {
    key: 'source-per-second',
    why: 'one stranger may send more than all strangers together',
    of: ({ source, strangers }) => isAbove(source.perSecond, strangers.perSecond),
  },
];

function unusedRealms(config: Config): RuleFinding[] {
  const served = new Set(config.sipInterfaces.map(({ realm }) => realm));
  return config.realms.flatMap(({ name }, index) =>
    served.has(name)
      ? []
      : [{ path: ['realms', index], message: `no sip-interface serves realm "${name}"` }],
  );
}

function noRecords({ cdr }: Config): RuleFinding[] {
  if (cdr.file !== '') return [];
  return [{ path: ['cdr', 'file'], message: 'no call records are written' }];
}

export const IDLE_KEY_RULES: readonly LintRule[] = [
  {
    code: 'kpml-parameter-without-kpml',
    severity: 'info',
    explanation: 'The parameter is for KPML and does nothing where kpml-interworking is off.',
    find: kpmlParameters,
  },
  {
    code: 'payload-without-preferred',
    severity: 'info',
    explanation:
      'The number is used only where we insert telephone-event, which rfc2833-mode transparent never does. Set preferred, or remove it.',
    find: unusedPayload,
  },
  {
    code: 'tone-below-interval',
    severity: 'warning',
    explanation:
      'The press would last longer than asked for. Make dtmf-duration-ms at least one interval.',
    find: shortTones,
  },
  {
    code: 'other-engine',
    severity: 'info',
    explanation: 'It is kept and not connected to. Set the engine, or remove it.',
    find: otherEngines,
  },
  {
    code: 'tls-without-port',
    severity: 'info',
    explanation: 'Nothing is encrypted. Add a port such as tls/192.0.2.1:5061, or remove the key.',
    find: tlsWithoutPort,
  },
  {
    code: 'limits-out-of-order',
    severity: 'warning',
    explanation: 'One of the two has no effect, or the wrong one. Change one of them.',
    find: limitsOutOfOrder,
  },
  {
    code: 'unused-realm',
    severity: 'warning',
    explanation: 'Neither calls nor media use it. Add an interface, or remove the realm.',
    find: unusedRealms,
  },
  {
    code: 'no-call-records',
    severity: 'info',
    explanation: 'Nothing is left of a call once it has ended. Name a file to keep accounts.',
    find: noRecords,
  },
];
