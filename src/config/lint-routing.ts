/** Rules about agents and groups. */
import { isIP } from 'node:net';
import { isLoopback, isWildcard } from './address.ts';
import type { Config, SessionAgent, SipInterface } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

function unusedAgents(config: Config): RuleFinding[] {
  const targets = new Set([
    ...config.localPolicies.map((policy) => policy.nextHop),
    ...[...config.sipInterfaces, ...config.sessionAgents].flatMap(({ methods }) =>
      Object.values(methods ?? {}),
    ),
  ]);
  const members = config.sessionGroups
    .filter((group) => targets.has(group.name))
    .flatMap((group) => group.members);
  const findings = config.sessionAgents.flatMap((agent, index): RuleFinding[] =>
    targets.has(agent.name) || members.includes(agent.name)
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
    const key = JSON.stringify([agent.realm, agent.host, agent.port, agent.transport]);
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, agent);
      return [];
    }
    const message = `requests from here count as agent "${earlier.name}", never as "${agent.name}"`;
    return [{ path: ['session-agents', index, 'address'], message }];
  });
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
  const targets = new Set(config.localPolicies.map((policy) => policy.nextHop));
  return config.sessionAgents.flatMap((agent, index): RuleFinding[] => {
    const names = [
      agent.name,
      ...config.sessionGroups.filter(({ members }) => members.includes(agent.name)).map(nameOf),
    ];
    const own = config.sipInterfaces.find((sipInterface) => isAt(agent, sipInterface));
    if (own === undefined || !names.some((name) => targets.has(name))) return [];
    const message = `calls to agent "${agent.name}" arrive at our own sip-interface "${own.name}"`;
    return [{ path: ['session-agents', index, 'address'], message }];
  });
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function isAt(agent: SessionAgent, { sipPorts }: SipInterface): boolean {
  const agentPort = agent.port ?? (agent.transport === 'tls' ? 5061 : 5060);
  return sipPorts.some(
    ({ transport, address, port }) =>
      transport === agent.transport &&
      port === agentPort &&
      (address === agent.host || (isWildcard(address) && isLoopback(agent.host))),
  );
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
  const found = new Map<number, RuleFinding>();
  for (const { place, toRealm } of localPolicies) {
    if (toRealm === undefined || sipInterfaces.some(({ realm }) => realm === toRealm)) continue;
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
