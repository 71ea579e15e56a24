/** Rules about addresses that do not fit together: families, loopback, private ones. */
import { isIP } from 'node:net';
import { isLoopback, isWildcard } from './address.ts';
import { isInternal, isPublic } from './address-scope.ts';
import type { Config, Realm, SessionAgent, SipPort } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import type { Path } from './problem.ts';

function portsByRealm({ sipInterfaces }: Config): ReadonlyMap<string, readonly SipPort[]> {
  const byRealm = Map.groupBy(sipInterfaces, ({ realm }) => realm);
  return new Map(
    [...byRealm].map(([realm, own]) => [realm, own.flatMap(({ sipPorts }) => sipPorts)]),
  );
}

/** Agents with an IP address; what a name stands for is not known here. */
function forEachAddress(
  config: Config,
  find: (agent: SessionAgent, ports: readonly SipPort[]) => string | undefined,
): RuleFinding[] {
  const byRealm = portsByRealm(config);
  return config.sessionAgents.flatMap((agent, index) => {
    if (isIP(agent.host) === 0) return [];
    const ports = byRealm.get(agent.realm)?.filter((p) => p.transport === agent.transport) ?? [];
    const message = find(agent, ports);
    return message === undefined ? [] : [{ path: ['session-agents', index, 'address'], message }];
  });
}

function unspokenFamily(config: Config): RuleFinding[] {
  return forEachAddress(config, ({ name, host, realm, transport }, ports) => {
    const family = isIP(host);
    return ports.some(({ address }) => isIP(address) === family)
      ? undefined
      : `agent "${name}" has an IPv${family} address, and realm "${realm}" no IPv${family} ${transport} port`;
  });
}

function agentsBehindLoopback(config: Config): RuleFinding[] {
  return forEachAddress(config, ({ name, host }, ports) => {
    const own = ports.filter(({ address }) => isIP(address) === isIP(host));
    const [first] = own;
    if (isLoopback(host) || first === undefined) return undefined;
    return own.every(({ address }) => isLoopback(address))
      ? `agent "${name}" at ${host} cannot be reached from ${first.address}`
      : undefined;
  });
}

function forEachRealm(
  config: Config,
  find: (realm: Realm, ports: readonly SipPort[]) => { key: string; message: string } | undefined,
): RuleFinding[] {
  const byRealm = portsByRealm(config);
  return config.realms.flatMap((realm, index) => {
    const found = find(realm, byRealm.get(realm.name) ?? []);
    if (found === undefined) return [];
    const path: Path = ['realms', index, 'media', found.key];
    return [{ path, message: found.message }];
  });
}

/** The same where the addresses of realms are those of media: rtpengine has its own. */
function forEachOwnRealm(...[config, find]: Parameters<typeof forEachRealm>): RuleFinding[] {
  return config.media.engine === 'relay' ? forEachRealm(config, find) : [];
}

function mediaOnLoopback(config: Config): RuleFinding[] {
  return forEachOwnRealm(config, ({ name, media }, ports) => {
    const { address, advertised } = media;
    const isReached = ports.some((port) => !isLoopback(port.address));
    if (!isReached || !isLoopback(advertised ?? address)) return undefined;
    const key = advertised === undefined ? 'address' : 'advertised';
    const message = `realm "${name}" takes calls from other machines and has its media at ${advertised ?? address}`;
    return { key, message };
  });
}

function otherMediaFamily(config: Config): RuleFinding[] {
  return forEachRealm(config, ({ name, media }, ports) => {
    const shown = media.advertised ?? media.address;
    const family = isIP(shown);
    if (isWildcard(shown) || ports.length === 0) return undefined;
    if (ports.some(({ address }) => isIP(address) === family)) return undefined;
    const message = `realm "${name}" speaks SIP over IPv${family === 4 ? 6 : 4} and has its media at ${shown}`;
    return { key: media.advertised === undefined ? 'address' : 'advertised', message };
  });
}

function otherAdvertisedFamily(config: Config): RuleFinding[] {
  return forEachOwnRealm(config, ({ media: { address, advertised } }) => {
    if (advertised === undefined || isIP(advertised) === isIP(address)) return undefined;
    // The socket on all addresses takes IPv4 as well.
    if (address === '::') return undefined;
    const message = `${advertised} is advertised for a socket at ${address}, which is of the other family`;
    return { key: 'advertised', message };
  });
}

function privateMedia(config: Config): RuleFinding[] {
  const agents = new Map<string, SessionAgent>();
  for (const agent of config.sessionAgents) {
    if (!agents.has(agent.realm) && isPublic(agent.host)) agents.set(agent.realm, agent);
  }
  return forEachOwnRealm(config, ({ name, media }) => {
    const shown = media.advertised ?? media.address;
    const agent = agents.get(name);
    if (agent === undefined || !isInternal(shown)) return undefined;
    const message = `agent "${agent.name}" at ${agent.host} is told to send its media to ${shown}`;
    return { key: media.advertised === undefined ? 'address' : 'advertised', message };
  });
}

function unusableAdvertised(config: Config): RuleFinding[] {
  return forEachOwnRealm(config, ({ name, media: { advertised } }) =>
    advertised !== undefined && isWildcard(advertised)
      ? { key: 'advertised', message: `realm "${name}" would write ${advertised} into SDP` }
      : undefined,
  );
}

function randomSipPort(config: Config): RuleFinding[] {
  return config.sipInterfaces.flatMap(({ name, sipPorts }, index) =>
    sipPorts.flatMap(({ port }, position): RuleFinding[] =>
      port === 0
        ? [
            {
              path: ['sip-interfaces', index, 'sip-ports', position],
              message: `interface "${name}" has another port after each start`,
            },
          ]
        : [],
    ),
  );
}

export const ADDRESS_RULES: readonly LintRule[] = [
  {
    code: 'agent-address-family',
    severity: 'error',
    explanation:
      'No request can leave for it. Add a port of that family to an interface of the realm, or correct the address.',
    find: unspokenFamily,
  },
  {
    code: 'loopback-interface',
    severity: 'warning',
    explanation:
      'A socket on loopback reaches this machine alone. Bind the interface to an address of the network.',
    find: agentsBehindLoopback,
  },
  {
    code: 'loopback-media',
    severity: 'warning',
    explanation:
      'Peers would send RTP to themselves and hear nothing. Name an address of the network, or set advertised.',
    find: mediaOnLoopback,
  },
  {
    code: 'media-family',
    severity: 'warning',
    explanation:
      'Peers that speak one family seldom take media of the other. Give the realm a media address of the family of its interfaces.',
    find: otherMediaFamily,
  },
  {
    code: 'advertised-family',
    severity: 'warning',
    explanation:
      'What is sent to that address cannot arrive at this socket. Advertise an address of the same family.',
    find: otherAdvertisedFamily,
  },
  {
    code: 'private-media-address',
    severity: 'warning',
    explanation:
      'A peer on the Internet cannot send to a private address: the caller hears nothing. Set advertised to the public address of the NAT.',
    find: privateMedia,
  },
  {
    code: 'wildcard-advertised',
    severity: 'error',
    explanation: 'Peers cannot send to an address that means all addresses. Name one.',
    find: unusableAdvertised,
  },
  {
    code: 'random-sip-port',
    severity: 'warning',
    explanation: 'Peers cannot know where to send. Write the port; 0 is for tests.',
    find: randomSipPort,
  },
];
