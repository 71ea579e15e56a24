/**
 * The session agents at run time: who sent a request, may it come in, how many calls does each agent carry.
 *
 * A source is an agent of the interface's realm when address and transport are equal and, on UDP, the port too if the
 * agent has one. TCP and TLS peers connect from any port. An agent with a port beats one without.
 */
import { BlockList, isIP } from 'node:net';
import type { Config, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import { addNetwork } from '../config/values.ts';
import type { TrunkView } from './group-strategy.ts';

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
  | { readonly type: 'refused'; readonly reason: 'unknown-source' };

/** Right to one call on an agent; `release` gives it back and may be called more than once. */
export interface Session {
  readonly type: 'session';
  release(): void;
}

export type SessionRefusal = {
  readonly type: 'refused';
  readonly constraint: 'max-sessions' | 'max-burst-rate';
};

/** Administrative state; health checks will add theirs beside it. */
export type AgentState = 'up' | 'locked';

export interface AgentView {
  readonly agent: SessionAgent;
  readonly state: AgentState;
  readonly sessions: number;
}

interface Entry {
  readonly agent: SessionAgent;
  addresses: BlockList;
  /** What `addresses` was made of. */
  addressTexts: readonly string[];
  state: AgentState;
  sessions: number;
  /** Start times of the calls of the last second. */
  starts: number[];
}

const BURST_WINDOW_MS = 1000;

export class AgentRegistry implements TrunkView {
  readonly random: () => number;
  #entries = new Map<string, Entry>();
  #allowed = new Map<string, BlockList>();
  #interfaces: readonly SipInterface[] = [];
  readonly #turns = new Map<string, number>();

  constructor(config: Config, random: () => number = Math.random) {
    this.random = random;
    this.reconfigure(config);
  }

  /** Takes over a new configuration; agents that stay keep their calls and their lock. */
  reconfigure(config: Config): void {
    const entries = new Map<string, Entry>();
    for (const agent of config.sessionAgents) {
      const known = this.#entries.get(agent.name);
      const entry: Entry = known === undefined ? newEntry(agent) : adopt(known, agent);
      entries.set(agent.name, entry);
    }
    this.#entries = entries;
    this.#interfaces = config.sipInterfaces;
    this.#allowed = new Map(
      config.sipInterfaces.map((sipInterface) => [sipInterface.name, networks(sipInterface.allow)]),
    );
  }

  /** Names the IP addresses behind an agent's host name; until then such an agent matches no source. */
  setAddresses(agentName: string, addresses: readonly string[]): void {
    const entry = this.#entries.get(agentName);
    if (entry === undefined) return;
    entry.addresses = networks(addresses);
    entry.addressTexts = addresses;
  }

  /** By interface name: the IP addresses of its agents as far as they are known, and its `allow` networks. */
  sourcesByInterface(): ReadonlyMap<string, readonly string[]> {
    const entries = [...this.#entries.values()];
    return new Map(
      this.#interfaces.map(({ name, realm, allow }) => {
        const agents = entries.filter(({ agent }) => agent.realm === realm);
        return [name, [...agents.flatMap(({ addressTexts }) => addressTexts), ...allow]];
      }),
    );
  }

  /** The agent a request on `sipInterface` comes from. */
  match(sipInterface: SipInterface, source: RequestSource): SessionAgent | undefined {
    let withoutPort: SessionAgent | undefined;
    for (const { agent, addresses } of this.#entries.values()) {
      if (agent.realm !== sipInterface.realm || agent.transport !== source.transport) continue;
      if (!contains(addresses, source.address)) continue;
      if (agent.port === undefined) withoutPort ??= agent;
      else if (source.transport !== 'udp' || agent.port === source.port) return agent;
    }
    return withoutPort;
  }

  /** Whether a request may come in at all, and as whom. */
  admit(sipInterface: SipInterface, source: RequestSource): Admission {
    const agent = this.match(sipInterface, source);
    if (agent !== undefined) return { type: 'agent', agent };
    if (sipInterface.admit === 'anyone') return { type: 'stranger', by: 'anyone' };
    const allowed = this.#allowed.get(sipInterface.name);
    return allowed !== undefined && contains(allowed, source.address)
      ? { type: 'stranger', by: 'network' }
      : { type: 'refused', reason: 'unknown-source' };
  }

  /** Counts a call on `agentName`, unless a constraint stands against it. */
  openSession(agentName: string, nowMs: number): Session | SessionRefusal {
    const entry = this.#entries.get(agentName);
    // Not configured any more: the call keeps its old configuration and has nothing to count on.
    if (entry === undefined) return { type: 'session', release: () => undefined };
    const { maxSessions, maxBurstRate } = entry.agent.constraints;
    if (maxSessions > 0 && entry.sessions >= maxSessions) {
      return { type: 'refused', constraint: 'max-sessions' };
    }
    entry.starts = entry.starts.filter((startMs) => nowMs - startMs < BURST_WINDOW_MS);
    if (maxBurstRate > 0 && entry.starts.length >= maxBurstRate) {
      return { type: 'refused', constraint: 'max-burst-rate' };
    }
    if (maxBurstRate > 0) entry.starts.push(nowMs);
    entry.sessions += 1;
    let isOpen = true;
    const release = (): void => {
      if (!isOpen) return;
      isOpen = false;
      // Looked up anew: a reload may have put another entry in the place of this one.
      const current = this.#entries.get(agentName);
      if (current !== undefined && current.sessions > 0) current.sessions -= 1;
    };
    return { type: 'session', release };
  }

  /** Locks an agent (no new calls towards it) or unlocks it; false when it is unknown. */
  setLocked(agentName: string, isLocked: boolean): boolean {
    const entry = this.#entries.get(agentName);
    if (entry === undefined) return false;
    entry.state = isLocked ? 'locked' : 'up';
    return true;
  }

  list(): AgentView[] {
    return [...this.#entries.values()].map(({ agent, state, sessions }) => ({
      agent,
      state,
      sessions,
    }));
  }

  readonly isUsable = (agentName: string): boolean => {
    const entry = this.#entries.get(agentName);
    if (entry === undefined || entry.state === 'locked') return false;
    const { maxSessions } = entry.agent.constraints;
    return maxSessions === 0 || entry.sessions < maxSessions;
  };

  readonly sessions = (agentName: string): number => this.#entries.get(agentName)?.sessions ?? 0;

  readonly nextTurn = (groupName: string): number => {
    const turn = this.#turns.get(groupName) ?? 0;
    this.#turns.set(groupName, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return turn;
  };
}

function newEntry(agent: SessionAgent): Entry {
  const addressTexts = literalAddress(agent);
  const addresses = networks(addressTexts);
  return { agent, addresses, addressTexts, state: 'up', sessions: 0, starts: [] };
}

function adopt(known: Entry, agent: SessionAgent): Entry {
  if (known.agent.host === agent.host) return { ...known, agent };
  const addressTexts = literalAddress(agent);
  return { ...known, agent, addresses: networks(addressTexts), addressTexts };
}

function literalAddress(agent: SessionAgent): readonly string[] {
  return isIP(agent.host) === 0 ? [] : [agent.host];
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
