import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { NamedSeries } from './named-series.ts';

/** Why a new call was refused although its source may call. */
export const ADMISSION_REJECTIONS = [
  'draining',
  'overload',
  'total-constraint',
  'interface-constraint',
  'agent-constraint',
] as const;
export type AdmissionRejection = (typeof ADMISSION_REJECTIONS)[number];

/** Why a source may not send requests at all. */
export const ACL_RULES = ['denied', 'unknown-source'] as const;
export type AclRule = (typeof ACL_RULES)[number];

/** A session agent as the gauges show it. */
export interface AgentGauges {
  readonly agent: string;
  readonly isUp: boolean;
  readonly state: string;
}

const RTT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
const MS_PER_SECOND = 1_000;

/** The metrics about session agents and about who is let in. */
export class AdmissionMetrics {
  readonly #agents: ReturnType<typeof agentMetrics>;
  readonly #admission: ReturnType<typeof admissionMetrics>;
  readonly #ofAgents = new NamedSeries();

  constructor(registry: Registry) {
    this.#agents = agentMetrics(registry);
    this.#admission = admissionMetrics(registry);
  }

  /** All agents there are; others disappear. `states` are the values that `state` can have. */
  agents(agents: readonly AgentGauges[], states: readonly string[]): void {
    this.#agents.up.reset();
    this.#agents.state.reset();
    for (const { agent, isUp, state } of agents) {
      this.#agents.up.set({ agent }, isUp ? 1 : 0);
      for (const known of states) {
        this.#agents.state.set({ agent, state: known }, known === state ? 1 : 0);
      }
    }
  }

  /** OPTIONS to its answer. */
  optionsAnswered(agent: string, rttMs: number): void {
    this.#agents.rtt.observe({ agent }, rttMs / MS_PER_SECOND);
    this.#ofAgents.note(agent, 'rtt', () => this.#agents.rtt.remove({ agent }));
  }

  /** `constraint` comes from a closed list. */
  agentConstrained(agent: string, constraint: string): void {
    const labels = { agent, constraint };
    this.#agents.constrained.inc(labels);
    this.#ofAgents.note(agent, constraint, () => this.#agents.constrained.remove(labels));
  }

  /** The series of other agents disappear. */
  keepAgents(names: ReadonlySet<string>): void {
    this.#ofAgents.keep(names);
  }

  rejected(reason: AdmissionRejection): void {
    this.#admission.rejections.inc({ reason });
  }

  denied(rule: AclRule): void {
    this.#admission.denied.inc({ rule });
  }

  /** Pace of new calls; `undefined`: all are taken. */
  paced(callsPerSecond: number | undefined): void {
    this.#admission.pace.set(callsPerSecond ?? Number.POSITIVE_INFINITY);
  }

  overloaded(isOverloaded: boolean): void {
    this.#admission.overloaded.set(isOverloaded ? 1 : 0);
  }
}

function agentMetrics(registry: Registry) {
  const registers = [registry];
  return {
    up: new Gauge({
      name: 'sbc_agent_up',
      help: '0 for a session agent that does not answer.',
      labelNames: ['agent'],
      registers,
    }),
    state: new Gauge({
      name: 'sbc_agent_state',
      help: '1 for the state that the session agent is in.',
      labelNames: ['agent', 'state'],
      registers,
    }),
    rtt: new Histogram({
      name: 'sbc_agent_options_rtt_seconds',
      help: 'OPTIONS to its answer.',
      labelNames: ['agent'],
      buckets: RTT_BUCKETS,
      registers,
    }),
    constrained: new Counter({
      name: 'sbc_agent_constraint_rejections_total',
      help: 'Calls from or to a session agent that one of its constraints kept out.',
      labelNames: ['agent', 'constraint'],
      registers,
    }),
  };
}

function admissionMetrics(registry: Registry) {
  const registers = [registry];
  const rejections = new Counter({
    name: 'sbc_admission_rejections_total',
    help: 'Calls refused for lack of room, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const denied = new Counter({
    name: 'sbc_acl_denied_total',
    help: 'Requests refused for their source, by rule.',
    labelNames: ['rule'],
    registers,
  });
  // Present from the start, so that the first refusal already shows as a rise.
  for (const reason of ADMISSION_REJECTIONS) rejections.inc({ reason }, 0);
  for (const rule of ACL_RULES) denied.inc({ rule }, 0);
  const overloaded = new Gauge({
    name: 'sbc_overloaded',
    help: '1 while the machine has too much to do for all new calls.',
    registers,
  });
  overloaded.set(0);
  const pace = new Gauge({
    name: 'sbc_overload_calls_per_second',
    help: 'New calls per second that are taken for the load; +Inf: all.',
    registers,
  });
  pace.set(Number.POSITIVE_INFINITY);
  return { rejections, denied, overloaded, pace };
}
