import type { SessionAgent } from '../config/config.ts';
import { AdmissionCounter, type ConstraintName } from './admission-counter.ts';
import {
  type AgentHealth,
  type AgentOutcome,
  type FailureReason,
  initialHealth,
  nextHealth,
} from './agent-health.ts';

/** What an agent is to routing; only `in-service` gets calls. */
export const AGENT_STATES = ['in-service', 'constrained', 'out-of-service', 'locked'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export type AgentReason =
  /** Healthy: nothing is known yet, it answers, or nobody asks. */
  | 'started'
  | 'answers'
  | 'not-probed'
  | FailureReason
  | ConstraintName
  /** Locked by hand. */
  | 'operator';

export interface AgentStatus {
  readonly state: AgentState;
  readonly reason: AgentReason;
  /** Wall clock. */
  readonly sinceMs: number;
}

/** The agent went from one state to another; being full of calls for a while is none. */
export interface AgentChange {
  /** Wall clock. */
  readonly atMs: number;
  readonly from: AgentState;
  readonly to: AgentState;
  readonly reason: AgentReason;
}

/** What came of the last OPTIONS. */
export interface PingResult {
  readonly atMs: number;
  /** SIP status, `undefined` when no answer came. */
  readonly status: number | undefined;
  readonly rttMs: number | undefined;
}

const MAX_CHANGES = 50;

/**
 * One session agent at run time: lock, health and calls. What stands against it is looked at in this order:
 *
 *   locked by hand -> out of service -> constrained by its calls -> in service
 */
export class AgentEntry {
  readonly counter: AdmissionCounter;
  #agent: SessionAgent;
  #health: AgentHealth;
  #lockedSinceMs: number | undefined;
  #lastPing: PingResult | undefined;
  readonly #changes: AgentChange[] = [];

  constructor(agent: SessionAgent, nowMs: number) {
    this.#agent = agent;
    this.counter = new AdmissionCounter(agent.constraints);
    this.#health = initialHealth(nowMs);
  }

  get agent(): SessionAgent {
    return this.#agent;
  }

  get lastPing(): PingResult | undefined {
    return this.#lastPing;
  }

  /** Changes of lock and health, oldest first; the last 50. */
  get changes(): readonly AgentChange[] {
    return this.#changes;
  }

  /** False from down-after failures until up-after answers, whatever else stands against the agent. */
  get isAnswering(): boolean {
    return this.#health.type === 'inService';
  }

  /** Takes over new parameters; an agent that is somewhere else now starts anew in service. */
  reconfigure(agent: SessionAgent, nowMs: number): void {
    const before = this.#lasting().state;
    if (!isSamePlace(this.#agent, agent) || agent.optionsPing === undefined) {
      if (!this.isAnswering || !isSamePlace(this.#agent, agent))
        this.#health = initialHealth(nowMs);
      this.#lastPing = undefined;
    }
    this.#agent = agent;
    this.counter.reconfigure(agent.constraints);
    this.#note(before, nowMs);
  }

  setLocked(isLocked: boolean, nowMs: number): void {
    const before = this.#lasting().state;
    this.#lockedSinceMs = isLocked ? (this.#lockedSinceMs ?? nowMs) : undefined;
    this.#note(before, nowMs);
  }

  pinged(result: PingResult): void {
    this.#lastPing = result;
  }

  /**
   * Counts an outcome; of agents that are not probed there is no health, since nothing would bring them back.
   *
   * @returns whether the agent went out of service or came back.
   */
  report(outcome: AgentOutcome, nowMs: number): boolean {
    const { optionsPing, outServiceCodes } = this.#agent;
    if (optionsPing === undefined) return false;
    const rules = { ...optionsPing, failureCodes: outServiceCodes };
    const before = this.#health.type;
    const stateBefore = this.#lasting().state;
    this.#health = nextHealth(this.#health, outcome, rules, nowMs);
    if (this.#health.type === before) return false;
    this.#note(stateBefore, nowMs);
    return true;
  }

  status(nowMs: number): AgentStatus {
    const lasting = this.#lasting();
    if (lasting.state !== 'in-service') return lasting;
    const constraint = this.counter.obstacle('outbound', nowMs);
    if (constraint !== undefined) {
      const fullSinceMs = this.counter.lastOpenMs ?? nowMs;
      return { state: 'constrained', reason: constraint, sinceMs: fullSinceMs };
    }
    return lasting;
  }

  /** The state without what the calls of the moment make of it. */
  #lasting(): AgentStatus {
    if (this.#lockedSinceMs !== undefined) {
      return { state: 'locked', reason: 'operator', sinceMs: this.#lockedSinceMs };
    }
    const { type, reason, sinceMs } = this.#health;
    if (type === 'outOfService') return { state: 'out-of-service', reason, sinceMs };
    const isProbed = this.#agent.optionsPing !== undefined;
    return { state: 'in-service', reason: isProbed ? reason : 'not-probed', sinceMs };
  }

  #note(before: AgentState, nowMs: number): void {
    const { state, reason } = this.#lasting();
    if (state === before) return;
    this.#changes.push({ atMs: nowMs, from: before, to: state, reason });
    if (this.#changes.length > MAX_CHANGES) this.#changes.shift();
  }
}

function isSamePlace(a: SessionAgent, b: SessionAgent): boolean {
  return (
    a.host === b.host && a.port === b.port && a.transport === b.transport && a.realm === b.realm
  );
}
