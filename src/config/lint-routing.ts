/** Rules about agents and groups. */
import { isIP } from 'node:net';
import { isLoopback, isWildcard } from './address.ts';
import type { Config, SessionAgent } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

function unusedAgents(config: Config): RuleFinding[] {
  const targets = new Set([
    ...config.localPolicies.map((policy) => policy.nextHop),
    ...[...config.sipInterfaces, ...config.sessionAgents].flatMap(({ methods }) =>
      Object.values(methods ?? {}),
    ),
  ]);
  const members = new Set(
    config.sessionGroups
      .filter((group) => targets.has(group.name))
      .flatMap((group) => group.members),
  );
  const findings = config.sessionAgents.flatMap((agent, index): RuleFinding[] =>
    targets.has(agent.name) || members.has(agent.name)
      ? []
      : [{ path: ['session-agents', index], message: `no route leads to agent "${agent.name}"` }],
  );
  for (const [index, group] of config.sessionGroups.entries()) {
    if (targets.has(group.name)) continue;
    const message = `no route leads to group "${group.name}"`;
    findings.push({ path: ['session-groups', index], message });
  }
  return findings;
}

function sameSource(config: Config): RuleFinding[] {
  const seen = new Map<string, SessionAgent>();
  return config.sessionAgents.flatMap((agent, index) => {
    const key = JSON.stringify([agent.realm, agent.host, portOf(agent), agent.transport]);
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, agent);
      return [];
    }
    return [
      { path: ['session-agents', index, 'address'], message: sameSourceText(earlier, agent) },
    ];
  });
}

/** A port that is written goes before one that is not, for requests that come from it. */
function sameSourceText(earlier: SessionAgent, agent: SessionAgent): string {
  if (earlier.port === agent.port) {
    return `requests from here count as agent "${earlier.name}", never as "${agent.name}"`;
  }
  const [written, other] = earlier.port === undefined ? [agent, earlier] : [earlier, agent];
  return `requests from port ${portOf(agent)} here count as agent "${written.name}", never as "${other.name}"`;
}

function portOf({ port, transport }: Pick<SessionAgent, 'port' | 'transport'>): number {
  return port ?? (transport === 'tls' ? 5061 : 5060);
}

function unusedWeights(config: Config): RuleFinding[] {
  return config.sessionGroups.flatMap((group, index) =>
    group.strategy !== 'weighted' && Object.keys(group.weights).length > 0
      ? [
          {
            path: ['session-groups', index, 'weights'],
            message: `weights have no effect with strategy ${group.strategy}`,
          },
        ]
      : [],
  );
}

/** Agents at a port of our own: what a route sends there comes back as a new call. */
function routesToOurselves(config: Config): RuleFinding[] {
  const policies = new Set(config.localPolicies.map((policy) => policy.nextHop));
  const groups = config.sessionGroups.filter(({ name }) => policies.has(name));
  const targets = new Set([...policies, ...groups.flatMap(({ members }) => members)]);
  const ports = portsByPlace(config);
  return config.sessionAgents.flatMap((agent, index): RuleFinding[] => {
    const own = targets.has(agent.name) ? interfaceAt(agent, ports) : undefined;
    if (own === undefined) return [];
    const message = `calls to agent "${agent.name}" arrive at our own sip-interface "${own}"`;
    return [{ path: ['session-agents', index, 'address'], message }];
  });
}

interface OwnPort {
  readonly interfaceName: string;
  readonly index: number;
}

/** The first port of each place; that on all addresses of the machine has none of its own. */
function portsByPlace({ sipInterfaces }: Config): ReadonlyMap<string, OwnPort> {
  const ports = new Map<string, OwnPort>();
  for (const [index, { name, sipPorts }] of sipInterfaces.entries()) {
    for (const { transport, port, address } of sipPorts) {
      const places = isWildcard(address) ? [address, ANY_ADDRESS] : [address];
      for (const place of places.map((each) => `${transport} ${port} ${each}`)) {
        if (!ports.has(place)) ports.set(place, { interfaceName: name, index });
      }
    }
  }
  return ports;
}

const ANY_ADDRESS = '*';

/** Name of the first interface that takes what is sent to `agent`. */
function interfaceAt(
  { transport, host, port }: SessionAgent,
  ports: ReadonlyMap<string, OwnPort>,
): string | undefined {
  const agentPort = portOf({ port, transport });
  const hosts = isLoopback(host) ? [host, ANY_ADDRESS] : [host];
  const found = hosts.flatMap((each) => ports.get(`${transport} ${agentPort} ${each}`) ?? []);
  return found.toSorted((a, b) => a.index - b.index)[0]?.interfaceName;
}

function hostNames(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap((agent, index) =>
    isIP(agent.host) === 0
      ? [
          {
            path: ['session-agents', index, 'address'],
            message: `requests from "${agent.name}" are recognised by the addresses of ${agent.host}`,
          },
        ]
      : [],
  );
}

function unservedTargets({ localPolicies, sipInterfaces }: Config): RuleFinding[] {
  const served = new Set(sipInterfaces.map(({ realm }) => realm));
  const found = new Map<number, RuleFinding>();
  for (const { place, toRealm } of localPolicies) {
    if (toRealm === undefined || served.has(toRealm)) continue;
    const message = `no sip-interface serves realm "${toRealm}"`;
    found.set(place, { path: ['local-policies', place, 'to-realm'], message });
  }
  return [...found.values()];
}

export const ROUTING_RULES: readonly LintRule[] = [
  {
    code: 'unused-next-hop',
    severity: 'info',
    explanation: 'It may still send calls to us; nothing is sent to it.',
    find: unusedAgents,
  },
  {
    code: 'unserved-to-realm',
    severity: 'error',
    explanation: 'Every such request gets 503. Add an interface to the realm, or name another one.',
    find: unservedTargets,
  },
  {
    code: 'same-source',
    severity: 'warning',
    explanation:
      'Agents of one realm are told apart by address, transport and port. Give them different ports or realms.',
    find: sameSource,
  },
  {
    code: 'route-to-ourselves',
    severity: 'warning',
    explanation:
      'Each such call takes media ports again and again until Max-Forwards ends it with 483, or the SIP engine refuses to call itself. Correct the address, or the next-hop of the policy.',
    find: routesToOurselves,
  },
  {
    code: 'unused-weights',
    severity: 'warning',
    explanation: 'Set strategy: weighted or remove the weights.',
    find: unusedWeights,
  },
  {
    code: 'agent-host-name',
    severity: 'info',
    explanation: 'The name is looked up at start and reload; an address is recognised without DNS.',
    find: hostNames,
  },
];
