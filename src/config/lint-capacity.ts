/** Rules about how much fits: media ports, limits that never take effect. */
import type { Config, Constraints, Realm, SessionAgent } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { pairsNeeded } from './pairs-needed.ts';
import type { Path } from './problem.ts';

/** From which the system takes the ports of outgoing connections, where nobody has changed it (Linux). */
const LOCAL_PORTS = { min: 32_768, max: 60_999 };

/** RTP takes the even port of a pair, RTCP the odd one. */
export function pairCount({ portMin, portMax }: Realm['media']): number {
  const firstEven = portMin + (portMin % 2);
  return Math.max(0, Math.floor((portMax - firstEven + 1) / 2));
}

/** The realms whose ports are ours: rtpengine has a range of its own. */
function realmsWithPorts({ media, realms }: Config): readonly Realm[] {
  return media.engine === 'relay' ? realms : [];
}

function portsTooFew(config: Config): RuleFinding[] {
  const neededIn = pairsNeeded(config);
  return realmsWithPorts(config).flatMap((realm, index) => {
    const pairs = pairCount(realm.media);
    const needed = neededIn(realm.name);
    if (needed <= pairs) return [];
    const message = `realm "${realm.name}" has ports for ${pairs} legs, but max-sessions allows ${needed}`;
    return [{ path: ['realms', index, 'media', 'port-max'], message }];
  });
}

/** Resting ports are missing where calls come as fast as they may. */
function portsAtRest(config: Config): RuleFinding[] {
  const restSeconds = config.media.portQuarantineMs / 1000;
  const neededIn = pairsNeeded(config);
  const agents = Map.groupBy(config.sessionAgents, ({ realm }) => realm);
  return realmsWithPorts(config).flatMap((realm, index) => {
    const pairs = pairCount(realm.media);
    const needed = neededIn(realm.name);
    const own = agents.get(realm.name) ?? [];
    const rate = config.admission.constraints.maxSustainRate || sustainRate(own);
    const resting = Math.ceil(rate * restSeconds);
    if (resting === 0 || needed > pairs || needed + resting <= pairs) return [];
    const message = `realm "${realm.name}" has ports for ${pairs} legs; ${needed} calls and ${resting} pairs at rest (${rate}/s x ${restSeconds}s) need ${needed + resting}`;
    return [{ path: ['realms', index, 'media', 'port-max'], message }];
  });
}

function sustainRate(agents: readonly SessionAgent[]): number {
  return agents.reduce((sum, { constraints }) => sum + constraints.maxSustainRate, 0);
}

function portsWithoutPartner(config: Config): RuleFinding[] {
  return realmsWithPorts(config).flatMap(({ name, media }, index) => {
    const found: RuleFinding[] = [];
    const add = (key: string, port: number): void => {
      const message = `port ${port} of realm "${name}" has no partner and stays unused`;
      found.push({ path: ['realms', index, 'media', key], message });
    };
    if (media.portMin % 2 === 1) add('port-min', media.portMin);
    if (media.portMax % 2 === 0) add('port-max', media.portMax);
    return found;
  });
}

function localPorts(config: Config): RuleFinding[] {
  return realmsWithPorts(config).flatMap(({ name, media: { portMin, portMax } }, index) => {
    const low = Math.max(portMin, LOCAL_PORTS.min);
    const high = Math.min(portMax, LOCAL_PORTS.max);
    if (low > high) return [];
    const message = `ports ${low} to ${high} of realm "${name}" lie where the system takes ports for other programs`;
    return [{ path: ['realms', index, 'media', 'port-max'], message }];
  });
}

function noRest({ media }: Config): RuleFinding[] {
  if (media.portQuarantineMs > 0 || media.engine !== 'relay') return [];
  const message = 'a port of an ended call may serve the next one at once';
  return [{ path: ['media', 'port-quarantine'], message }];
}

function holdTooShort({ media }: Config): RuleFinding[] {
  if (media.holdTimeoutMs >= media.inactivityTimeoutMs) return [];
  const message = 'calls on hold are ended sooner than calls that should have media';
  return [{ path: ['media', 'hold-timeout'], message }];
}

const SHARES = [
  ['maxSessions', 'maxInboundSessions', 'max-inbound-sessions', 'max-sessions'],
  ['maxSessions', 'maxOutboundSessions', 'max-outbound-sessions', 'max-sessions'],
  ['maxBurstRate', 'maxInboundBurstRate', 'max-inbound-burst-rate', 'max-burst-rate'],
  ['maxBurstRate', 'maxOutboundBurstRate', 'max-outbound-burst-rate', 'max-burst-rate'],
  ['maxSustainRate', 'maxInboundSustainRate', 'max-inbound-sustain-rate', 'max-sustain-rate'],
  ['maxSustainRate', 'maxOutboundSustainRate', 'max-outbound-sustain-rate', 'max-sustain-rate'],
  ['maxBurstRate', 'maxSustainRate', 'max-sustain-rate', 'max-burst-rate'],
] as const;

/** Limits that another one keeps from ever being reached. */
function idleLimits(config: Config): RuleFinding[] {
  const places: { path: Path; constraints: Constraints }[] = [
    { path: ['admission', 'constraints'], constraints: config.admission.constraints },
    ...(['sip-interfaces', 'session-agents'] as const).flatMap((section) =>
      (section === 'sip-interfaces' ? config.sipInterfaces : config.sessionAgents).map(
        ({ constraints }, index) => ({ path: [section, index, 'constraints'], constraints }),
      ),
    ),
  ];
  return places.flatMap(({ path, constraints }) =>
    SHARES.flatMap(([whole, part, key, wholeKey]): RuleFinding[] => {
      const [limit, share] = [constraints[whole], constraints[part]];
      if (limit === 0 || share <= limit) return [];
      return [{ path: [...path, key], message: `${key} ${share} is above ${wholeKey} ${limit}` }];
    }),
  );
}

export const CAPACITY_RULES: readonly LintRule[] = [
  {
    code: 'ports-too-few',
    severity: 'warning',
    explanation:
      'Each call takes one pair of ports in each realm it touches, two where both of its legs are in the same. Widen the range or lower max-sessions.',
    find: portsTooFew,
  },
  {
    code: 'ports-at-rest',
    severity: 'info',
    explanation:
      'A closed port rests for port-quarantine. When no other is free it rests two seconds only; widen the range to avoid that.',
    find: portsAtRest,
  },
  {
    code: 'port-without-partner',
    severity: 'info',
    explanation: 'RTP takes an even port and RTCP the odd one above. Begin even and end odd.',
    find: portsWithoutPartner,
  },
  {
    code: 'local-port-range',
    severity: 'info',
    explanation:
      'Another program may hold a port there. Use ports below 32768, or reserve them with net.ipv4.ip_local_reserved_ports.',
    find: localPorts,
  },
  {
    code: 'no-port-quarantine',
    severity: 'warning',
    explanation:
      'A peer that still sends to the old call would be heard in the new one. Leave some seconds in between.',
    find: noRest,
  },
  {
    code: 'hold-below-inactivity',
    severity: 'warning',
    explanation:
      'Silence is normal on hold. Make hold-timeout at least as long as inactivity-timeout.',
    find: holdTooShort,
  },
  {
    code: 'limit-without-effect',
    severity: 'warning',
    explanation: 'The other limit is reached first. Lower this one, or remove it.',
    find: idleLimits,
  },
];
