/** Who is where: the caller of a scenario, and whoever the SBC calls. */
import { isIP } from 'node:net';
import { parseHostPort } from '../config/address.ts';
import type { Config, SessionAgent, SipInterface } from '../config/config.ts';
import { listed, nearest } from '../config/suggestion.ts';
import type { AgentRegistry } from '../trunk/agent-registry.ts';
import { interfaceFor } from '../trunk/interface-choice.ts';
import { telUser } from '../trunk/numbering.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { CallTarget } from './endpoint.ts';
import type { SipPlace } from './memory-network.ts';
import { placesOf } from './sbc-rooms.ts';
import type { CalleeScript, CallerScript, Scenario } from './scenario.ts';

/** A scenario that does not fit the configuration. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

export interface CallerEnd {
  readonly place: SipPlace;
  readonly user: string;
  readonly target: CallTarget;
}

const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061 } as const;

/** RTP ports to choose from, far from each other. */
const RTP_PORTS = [40_000, 50_000, 60_000, 30_000, 10_000, 3000];

/** Addresses (RFC 5737) for agents that are configured by host name, each with its own. */
export function agentAliases(config: Config): ReadonlyMap<string, string> {
  const names = config.sessionAgents.map(({ host }) => host).filter((host) => isIP(host) === 0);
  return new Map([...new Set(names)].map((host, index) => [host, `198.51.100.${index + 1}`]));
}

/** Tells `registry` of the aliases and takes the agents out of service that are down in the scenario. */
export function prepareAgents(
  config: Config,
  registry: AgentRegistry,
  { agentsDown, callees }: Scenario,
): void {
  const aliases = agentAliases(config);
  for (const { name, host } of config.sessionAgents) {
    const alias = aliases.get(host);
    if (alias !== undefined) registry.setAddresses(name, [alias]);
  }
  for (const name of agentsDown) {
    agentNamed(config, name);
    registry.setLocked(name, true);
  }
  for (const name of callees.keys()) {
    const where = parseHostPort(name);
    const isAddress = where !== undefined && isIP(where.host) !== 0;
    if (!isAddress) agentNamed(config, name);
  }
}

/** @throws ScenarioError when the scenario names what the configuration does not have. */
export function callerEnd(
  config: Config,
  registry: AgentRegistry,
  caller: CallerScript,
): CallerEnd {
  const { sipInterface, place } =
    caller.fromAgent === undefined
      ? strangersWay(config, registry, caller)
      : agentsWay(config, agentNamed(config, caller.fromAgent), caller);
  const family = place.host.includes(':');
  const doors = placesOf(sipInterface).filter(({ transport }) => transport === place.transport);
  const door = doors.find(({ host }) => host.includes(':') === family) ?? doors[0];
  if (door === undefined) {
    const { transport } = place;
    throw new ScenarioError(`sip-interface ${sipInterface.name} has no ${transport} port`);
  }
  const at = formatHostPort(door.host, door.port);
  const { from, to } = caller;
  const isUri = /^sips?:/i.test(to) || telUser(to) !== undefined;
  const uri = isUri ? to : `sip:${to}${to.includes('@') ? '' : `@${at}`}`;
  const nextHop = `sip:${at};transport=${door.transport}`;
  const host = formatHostPort(place.host, place.port);
  const isValue = from.includes('<') || /^(?:sips?|tel):/i.test(from);
  const value = isValue ? from : `<sip:${from}@${host}>`;
  return { place, user: isValue ? 'caller' : from, target: { uri, nextHop, from: value } };
}

/** Who is called at `place`. */
export function calleeAt(config: Config, scenario: Scenario, place: SipPlace): CalleeScript {
  const { callees, callee } = scenario;
  const agent = agentAt(config, place);
  const byAgent = agent === undefined ? undefined : callees.get(agent.name);
  const at = formatHostPort(place.host, place.port);
  return byAgent ?? callees.get(at) ?? callees.get(place.host) ?? callee;
}

/** A port for the RTP of an end at `address` that no realm uses there. */
export function rtpPortAt(config: Config, address: string, taken: number): number {
  const media = config.realms
    .map((realm) => realm.media)
    .filter((each) => each.address === address);
  const free = RTP_PORTS.find(
    (port) => !media.some(({ portMin, portMax }) => port + 999 >= portMin && port <= portMax),
  );
  return (free ?? 1024) + 2 * taken;
}

function agentAt(config: Config, place: SipPlace): SessionAgent | undefined {
  const aliases = agentAliases(config);
  return config.sessionAgents.find(
    ({ host, port, transport }) =>
      (aliases.get(host) ?? host) === place.host &&
      (port ?? DEFAULT_PORTS[transport]) === place.port,
  );
}

interface Way {
  readonly sipInterface: SipInterface;
  readonly place: SipPlace;
}

function agentsWay(config: Config, agent: SessionAgent, { sipInterface }: CallerScript): Way {
  const { transport, port = DEFAULT_PORTS[agent.transport] } = agent;
  const host = agentAliases(config).get(agent.host) ?? agent.host;
  const found =
    sipInterface === undefined
      ? interfaceFor(config, agent.realm, agent)
      : interfaceNamed(config, sipInterface);
  if (found === undefined) throw new ScenarioError(`no sip-interface serves ${agent.name}`);
  return { sipInterface: found, place: { transport, host, port } };
}

/** The interface that knows the address as an agent, else one that lets it in, else any. */
function strangersWay(config: Config, registry: AgentRegistry, caller: CallerScript): Way {
  const where = parseHostPort(caller.address ?? '');
  if (where === undefined || isIP(where.host) === 0) {
    throw new ScenarioError(`the caller's address ${caller.address} is no IP address`);
  }
  const { host, port = 5060 } = where;
  const candidates =
    caller.sipInterface === undefined
      ? config.sipInterfaces
      : [interfaceNamed(config, caller.sipInterface)];
  const doors = candidates.map((item) => {
    const source = { address: host, port, transport: transportOf(item) };
    return { item, admittedAs: registry.admit(item, source).type };
  });
  const best = (['agent', 'stranger', 'refused'] as const)
    .map((type) => doors.find(({ admittedAs }) => admittedAs === type))
    .find((door) => door !== undefined);
  const sipInterface = best?.item;
  if (sipInterface === undefined) throw new ScenarioError('there is no sip-interface');
  return { sipInterface, place: { transport: transportOf(sipInterface), host, port } };
}

/** What a stranger is taken to speak. */
function transportOf({ sipPorts }: SipInterface): SipPlace['transport'] {
  const speaksUdp = sipPorts.some(({ transport }) => transport === 'udp');
  return speaksUdp ? 'udp' : (sipPorts[0]?.transport ?? 'udp');
}

function agentNamed(config: Config, name: string): SessionAgent {
  const agent = config.sessionAgents.find((each) => each.name === name);
  if (agent !== undefined) return agent;
  throw new ScenarioError(unknown('session agent', name, config.sessionAgents));
}

function interfaceNamed(config: Config, name: string): SipInterface {
  const found = config.sipInterfaces.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new ScenarioError(unknown('sip-interface', name, config.sipInterfaces));
}

function unknown(kind: string, name: string, known: readonly { readonly name: string }[]): string {
  const names = known.map((each) => each.name);
  const near = nearest(name, names);
  const hint = near === undefined ? `there are: ${listed(names)}` : `did you mean "${near}"?`;
  return `"${name}" is no ${kind} of the configuration (${hint})`;
}
