/**
 * The session agents at run time: who sent a request, may it come in, which agents can take calls.
 *
 * A source is an agent of the interface's realm when the address is equal and, on UDP, the port too if the agent has
 * one; TCP and TLS peers connect from any port. The agent's transport is the one towards it: it may send by others, and
 * must send by TCP what is too large for a datagram (RFC 3261 §18.1.1). One that is reached over TLS is believed over TLS
 * alone: a plain datagram may claim any address. Of several agents at one host the nearest counts: same port and
 * transport, same port, same transport, the first.
 */
import { BlockList, isIP } from 'node:net';
import type { Config, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import { addNetwork } from '../config/values.ts';
import { nowMs as wallClockMs } from '../observe/clock.ts';
import type { DigestClient } from '../sip/digest-client.ts';
import type { PeerSource } from '../sip/sip-connection.ts';
import type { AdmissionCounter } from './admission-counter.ts';
import { AgentCredentials } from './agent-credentials.ts';
import { type AgentChange, AgentEntry, type AgentStatus, type PingResult } from './agent-entry.ts';
import type { AgentOutcome } from './agent-health.ts';
import type { AgentObstacle, TrunkView } from './group-strategy.ts';

/** Where a request came from. */
export interface RequestSource {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
}

export type Admission =
  | { readonly type: 'agent'; readonly agent: SessionAgent }
  /** No agent, but inside an `allow` network or `admit: anyone`. */
  | { readonly type: 'stranger'; readonly by: 'network' | 'anyone' }
  /** `denied`: inside a `deny` network, which is looked at first. */
  | { readonly type: 'refused'; readonly reason: 'denied' | 'unknown-source' };

export interface AgentView extends AgentStatus {
  readonly agent: SessionAgent;
  /** Whatever else stands against it. */
  readonly isAnswering: boolean;
  readonly sessions: number;
  readonly lastPing: PingResult | undefined;
  /** Changes of lock and health, oldest first. */
  readonly changes: readonly AgentChange[];
}

export interface AgentRegistryOptions {
  /** 0 up to but not including 1. */
  readonly random?: () => number;
  readonly nowMs?: () => number;
  /** An agent went out of service or came back. */
  readonly onHealthChange?: (view: AgentView) => void;
}

interface Networks {
  readonly allowed: BlockList;
  readonly denied: BlockList;
}

/** Where an agent sends from, and the texts that this was made of. */
interface Addresses {
  readonly list: BlockList;
  readonly texts: readonly string[];
}

export class AgentRegistry implements TrunkView {
  readonly random: () => number;
  readonly #nowMs: () => number;
  readonly #onHealthChange: (view: AgentView) => void;
  #entries = new Map<string, AgentEntry>();
  #addresses = new Map<string, Addresses>();
  #networks = new Map<string, Networks>();
  #interfaces: readonly SipInterface[] = [];
  readonly #turns = new Map<string, number>();
  readonly #credentials = new AgentCredentials((agentName, source) =>
    this.isAddressOf(agentName, source),
  );

  constructor(config: Config, options: AgentRegistryOptions = {}) {
    this.random = options.random ?? Math.random;
    this.#nowMs = options.nowMs ?? wallClockMs;
    this.#onHealthChange = options.onHealthChange ?? ((): void => undefined);
    this.reconfigure(config);
  }

  /** Takes over a new configuration; agents that stay keep their calls, their lock and their health. */
  reconfigure(config: Config): void {
    const entries = new Map<string, AgentEntry>();
    const addresses = new Map<string, Addresses>();
    for (const agent of config.sessionAgents) {
      const { name, host } = agent;
      const known = this.#entries.get(name);
      const found = known?.agent.host === host ? this.#addresses.get(name) : undefined;
      addresses.set(name, found ?? addressesOf(isIP(host) === 0 ? [] : [host]));
      known?.reconfigure(agent, this.#nowMs());
      entries.set(name, known ?? new AgentEntry(agent, this.#nowMs()));
    }
    this.#entries = entries;
    this.#addresses = addresses;
    this.#interfaces = config.sipInterfaces;
    this.#networks = new Map(
      config.sipInterfaces.map(({ name, allow, deny }) => [
        name,
        { allowed: networks(allow), denied: networks(deny) },
      ]),
    );
  }

  /** Names the IP addresses behind an agent's host name; until then such an agent matches no source. */
  setAddresses(agentName: string, addresses: readonly string[]): void {
    if (this.#entries.has(agentName)) this.#addresses.set(agentName, addressesOf(addresses));
  }

  /** The first IP address of an agent, as far as it is known. */
  addressOf(agentName: string): string | undefined {
    return this.#addresses.get(agentName)?.texts[0];
  }

  /** By interface name: the IP addresses of its agents as far as they are known, and its `allow` networks. */
  sourcesByInterface(): ReadonlyMap<string, readonly string[]> {
    const entries = [...this.#entries.values()];
    return new Map(
      this.#interfaces.map(({ name, realm, allow }) => {
        const own = entries.filter(({ agent }) => agent.realm === realm);
        const texts = own.flatMap(({ agent }) => this.#addresses.get(agent.name)?.texts ?? []);
        return [name, [...texts, ...allow]];
      }),
    );
  }

  /** The agent a request on `sipInterface` comes from: of several the nearest, then the first. */
  match(sipInterface: SipInterface, source: RequestSource): SessionAgent | undefined {
    let best: { readonly agent: SessionAgent; readonly nearness: number } | undefined;
    for (const [name, { list }] of this.#addresses) {
      const agent = this.#entries.get(name)?.agent;
      if (agent?.realm !== sipInterface.realm || !contains(list, source.address)) continue;
      const nearness = nearnessOf(agent, source);
      if (nearness === undefined) continue;
      if (best === undefined || nearness > best.nearness) best = { agent, nearness };
    }
    return best?.agent;
  }

  /** Whether a request may come in at all, and as whom. */
  admit(sipInterface: SipInterface, source: RequestSource): Admission {
    const own = this.#networks.get(sipInterface.name);
    if (own !== undefined && contains(own.denied, source.address)) {
      return { type: 'refused', reason: 'denied' };
    }
    const agent = this.match(sipInterface, source);
    if (agent !== undefined) return { type: 'agent', agent };
    if (sipInterface.admit === 'anyone') return { type: 'stranger', by: 'anyone' };
    return own !== undefined && contains(own.allowed, source.address)
      ? { type: 'stranger', by: 'network' }
      : { type: 'refused', reason: 'unknown-source' };
  }

  /** The `deny` network of an interface that keeps `address` out; `undefined` when none does. */
  deniedBy(sipInterface: SipInterface, address: string): string | undefined {
    return sipInterface.deny.find((network) => contains(networks([network]), address));
  }

  /** Whether `source` is an address of the agent; TCP and TLS peers connect from any port. */
  isAddressOf(agentName: string, { address, port, protocol }: PeerSource): boolean {
    const agent = this.#entries.get(agentName)?.agent;
    const known = this.#addresses.get(agentName);
    if (agent === undefined || known === undefined || !contains(known.list, address)) return false;
    return protocol !== 'udp' || agent.port === undefined || agent.port === port;
  }

  /** What answers the challenges of an agent with `auth`. */
  digestOf(agent: SessionAgent | undefined): DigestClient | undefined {
    return agent === undefined ? undefined : this.#credentials.digestOf(agent);
  }

  /** `undefined` for an agent that is not configured (any more): its calls have nothing to count on. */
  counter(agentName: string): AdmissionCounter | undefined {
    return this.#entries.get(agentName)?.counter;
  }

  /** Locks an agent (no new calls towards it) or unlocks it; `undefined` when it is unknown. */
  setLocked(agentName: string, isLocked: boolean): AgentView | undefined {
    const entry = this.#entries.get(agentName);
    entry?.setLocked(isLocked, this.#nowMs());
    return entry === undefined ? undefined : this.#view(entry);
  }

  /** What came of an OPTIONS or a call. */
  report(agentName: string, outcome: AgentOutcome, ping?: PingResult): void {
    const entry = this.#entries.get(agentName);
    if (entry === undefined) return;
    if (ping !== undefined) entry.pinged(ping);
    if (entry.report(outcome, this.#nowMs())) this.#onHealthChange(this.#view(entry));
  }

  list(): AgentView[] {
    return [...this.#entries.values()].map((entry) => this.#view(entry));
  }

  readonly obstacle = (agentName: string): AgentObstacle | undefined => {
    const entry = this.#entries.get(agentName);
    if (entry === undefined) return { state: 'unknown', reason: 'not-configured' };
    const { state, reason } = entry.status(this.#nowMs());
    return state === 'in-service' ? undefined : { state, reason };
  };

  readonly isUsable = (agentName: string): boolean => this.obstacle(agentName) === undefined;

  readonly sessions = (agentName: string): number =>
    this.#entries.get(agentName)?.counter.sessions ?? 0;

  readonly nextTurn = (groupName: string): number => {
    const turn = this.#turns.get(groupName) ?? 0;
    this.#turns.set(groupName, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return turn;
  };

  #view(entry: AgentEntry): AgentView {
    const { agent, isAnswering, counter, lastPing, changes } = entry;
    const status = entry.status(this.#nowMs());
    return { ...status, agent, isAnswering, sessions: counter.sessions, lastPing, changes };
  }
}

/** How well a source at the agent's host is described by the agent; `undefined` when it is another one. */
function nearnessOf({ port, transport }: SessionAgent, source: RequestSource): number | undefined {
  if (transport === 'tls' && source.transport !== 'tls') return undefined;
  const isPort = port === source.port;
  if (port !== undefined && !isPort && source.transport === 'udp') return undefined;
  return (isPort ? 2 : 0) + (transport === source.transport ? 1 : 0);
}

function addressesOf(texts: readonly string[]): Addresses {
  return { list: networks(texts), texts };
}

function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) addNetwork(list, text);
  return list;
}

/** Also true for an IPv4 address that a dual-stack socket reports as ::ffff:a.b.c.d. */
function contains(list: BlockList, address: string): boolean {
  const [plain = ''] = address.split('%');
  const version = isIP(plain);
  return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}
