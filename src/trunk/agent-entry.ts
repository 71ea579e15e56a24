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

/** What came of the last OPTIONS. */
export interface PingResult {
  readonly atMs: number;
  /** SIP status, `undefined` when no answer came. */
  readonly status: number | undefined;
  readonly rttMs: number | undefined;
}

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

  /** False from down-after failures until up-after answers, whatever else stands against the agent. */
  get isAnswering(): boolean {
    return this.#health.type === 'inService';
  }

  /** Takes over new parameters; an agent that is somewhere else now starts anew in service. */
  reconfigure(agent: SessionAgent, nowMs: number): void {
    if (!isSamePlace(this.#agent, agent) || agent.optionsPing === undefined) {
      if (!this.isAnswering || !isSamePlace(this.#agent, agent))
        this.#health = initialHealth(nowMs);
      this.#lastPing = undefined;
    }
    this.#agent = agent;
    this.counter.reconfigure(agent.constraints);
  }

  setLocked(isLocked: boolean, nowMs: number): void {
    this.#lockedSinceMs = isLocked ? (this.#lockedSinceMs ?? nowMs) : undefined;
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
    this.#health = nextHealth(this.#health, outcome, rules, nowMs);
    return this.#health.type !== before;
  }

  status(nowMs: number): AgentStatus {
    if (this.#lockedSinceMs !== undefined) {
      return { state: 'locked', reason: 'operator', sinceMs: this.#lockedSinceMs };
    }
    const { type, reason, sinceMs } = this.#health;
    if (type === 'outOfService') return { state: 'out-of-service', reason, sinceMs };
    const constraint = this.counter.obstacle('outbound', nowMs);
    if (constraint !== undefined) {
      const fullSinceMs = this.counter.lastOpenMs ?? nowMs;
      return { state: 'constrained', reason: constraint, sinceMs: fullSinceMs };
    }
    const isProbed = this.#agent.optionsPing !== undefined;
    return { state: 'in-service', reason: isProbed ? reason : 'not-probed', sinceMs };
  }
}

function isSamePlace(a: SessionAgent, b: SessionAgent): boolean {
  return (
    a.host === b.host && a.port === b.port && a.transport === b.transport && a.realm === b.realm
  );
}
