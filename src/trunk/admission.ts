import type { Config, Constraints } from '../config/config.ts';
import { AdmissionCounter, type CallDirection, type ConstraintName } from './admission-counter.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { CallPace } from './call-pace.ts';
import {
  CALM,
  type LoadSample,
  nextOverload,
  type OverloadReason,
  type OverloadState,
} from './overload.ts';

/** Right to one call; `release` gives it back and may be called more than once. */
export interface Session {
  readonly type: 'session';
  release(): void;
}

/** Which constraint of what stands against a call. */
export interface SessionRefusal {
  readonly type: 'refused';
  readonly scope: 'total' | 'interface' | 'agent';
  /** Of the interface or agent; empty for `total`. */
  readonly name: string;
  readonly constraint: ConstraintName;
  /** When a rate lets the next call in; absent where that depends on the calls that are up. */
  readonly freeAfterMs?: number | undefined;
}

/** Where a call comes in or goes out. */
export interface Passage {
  readonly direction: CallDirection;
  readonly interfaceName: string;
  readonly agentName: string | undefined;
}

/** How many new calls may come. */
export interface CallPacing {
  /** `undefined`: all. */
  readonly callsPerSecond: number | undefined;
  /** No new call while this process has been silent for so long; `undefined`: never mind. */
  readonly lateMs: number | undefined;
}

/** A short block that nobody would notice must not cost calls; one that lasts longer makes their INVITEs repeat. */
const LATE_WHEN_CALM = 2;
const MS_PER_SECOND = 1000;
/** Weight of what was measured last: a single window holds few calls. */
const LAST_WEIGHT = 0.4;

/**
 * May one more call pass: limits of the whole SBC, of each interface and of each agent, and the load of the machine.
 * A call counts once in total, when it comes in, but for the outbound rates; on interface and agent once for each leg.
 */
export class CallAdmission {
  readonly #agents: Pick<AgentRegistry, 'counter'>;
  readonly #total: AdmissionCounter;
  /** Legs to callees, for the rates of that direction. */
  readonly #totalOutbound: AdmissionCounter;
  #interfaces = new Map<string, AdmissionCounter>();
  #config: Config;
  #overload: OverloadState = CALM;
  readonly #pace = new CallPace();
  readonly #recent = new RecentCalls();
  #refusedForLoad = 0;

  constructor(config: Config, agents: Pick<AgentRegistry, 'counter'>) {
    this.#config = config;
    this.#agents = agents;
    const { constraints } = config.admission;
    this.#total = new AdmissionCounter(constraints);
    this.#totalOutbound = new AdmissionCounter(outboundRates(constraints));
    this.reconfigure(config);
  }

  /** Takes over new limits; calls that are up stay counted. The agents are reconfigured by their own registry. */
  reconfigure(config: Config): void {
    this.#config = config;
    const total = config.admission.constraints;
    this.#total.reconfigure(total);
    this.#totalOutbound.reconfigure(outboundRates(total));
    this.#interfaces = new Map(
      config.sipInterfaces.map(({ name, constraints }) => {
        const known = this.#interfaces.get(name);
        known?.reconfigure(constraints);
        return [name, known ?? new AdmissionCounter(constraints)];
      }),
    );
  }

  get overload(): OverloadState {
    return this.#overload;
  }

  /** Takes a sample of the load; the state after it. */
  sampled(load: Pick<LoadSample, 'lagMs' | 'cpuPercent'>, nowMs: number): OverloadState {
    const { overload } = this.#config.admission;
    const sample = { ...load, ...this.#recent.read(nowMs) };
    this.#overload = nextOverload(this.#overload, sample, overload, nowMs);
    this.#pace.set(callsPerSecond(this.#overload), nowMs);
    return this.#overload;
  }

  /** What the SIP engine needs to refuse calls in our place. */
  get pacing(): CallPacing {
    const { lag } = this.#config.admission.overload;
    const isCalm = this.#overload.type === 'calm';
    return {
      callsPerSecond: callsPerSecond(this.#overload),
      lateMs: lag.highMs === 0 ? undefined : lag.highMs * (isCalm ? LATE_WHEN_CALM : 1),
    };
  }

  /**
   * Why no call may begin now, for the load alone; one that may is counted.
   *
   * @param isPaced it has come through a SIP engine that keeps the pace itself.
   */
  obstacle(isPaced: boolean, nowMs: number): OverloadReason | undefined {
    if (this.#overload.type === 'calm' || isPaced || this.#pace.take(nowMs)) {
      this.#recent.taken += 1;
      return undefined;
    }
    this.refusedBefore(1);
    return this.#overload.reason;
  }

  /** Calls since the start. */
  get refusedForLoad(): number {
    return this.#refusedForLoad;
  }

  /** The SIP engine has refused so many. */
  refusedBefore(calls: number): void {
    this.#recent.refused += calls;
    this.#refusedForLoad += calls;
  }

  /** Counts a call everywhere, or nowhere when a constraint stands against it. */
  open(passage: Passage, nowMs: number): Session | SessionRefusal {
    const { direction } = passage;
    const counters = this.#countersOf(passage);
    for (const { counter, scope, name } of counters) {
      const constraint = counter.obstacle(direction, nowMs);
      if (constraint === undefined) continue;
      const freeAfterMs = counter.freeAfterMs(constraint, nowMs);
      return { type: 'refused', scope, name, constraint, freeAfterMs };
    }
    const releases = counters.map(({ counter }) => counter.open(direction, nowMs));
    return {
      type: 'session',
      release: () => {
        for (const release of releases) release();
      },
    };
  }

  #countersOf({ direction, interfaceName, agentName }: Passage): readonly ({
    readonly counter: AdmissionCounter;
  } & Pick<SessionRefusal, 'scope' | 'name'>)[] {
    const own = this.#interfaces.get(interfaceName);
    const total = direction === 'inbound' ? this.#total : this.#totalOutbound;
    const ofAgent = agentName === undefined ? undefined : this.#agents.counter(agentName);
    return [
      { counter: total, scope: 'total' as const, name: '' },
      ...(own === undefined
        ? []
        : [{ counter: own, scope: 'interface' as const, name: interfaceName }]),
      ...(ofAgent === undefined
        ? []
        : [{ counter: ofAgent, scope: 'agent' as const, name: agentName ?? '' }]),
    ];
  }
}

function callsPerSecond(state: OverloadState): number | undefined {
  return state.type === 'calm' ? undefined : state.callsPerSecond;
}

/** Calls taken and refused since the sample before. */
class RecentCalls {
  taken = 0;
  refused = 0;
  #average: number | undefined;
  #readAtMs: number | undefined;

  read(nowMs: number): Pick<LoadSample, 'takenPerSecond' | 'refused'> {
    const { taken, refused } = this;
    const elapsedMs = nowMs - (this.#readAtMs ?? nowMs);
    this.taken = 0;
    this.refused = 0;
    this.#readAtMs = nowMs;
    if (elapsedMs > 0) {
      const last = (taken * MS_PER_SECOND) / elapsedMs;
      const before = this.#average ?? last;
      this.#average = before + (last - before) * LAST_WEIGHT;
    }
    return { takenPerSecond: this.#average ?? 0, refused };
  }
}

/** Of the limits of all calls together, those that are about legs to callees. */
function outboundRates(constraints: Constraints): Constraints {
  return { ...constraints, maxSessions: 0, maxBurstRate: 0, maxSustainRate: 0 };
}

/** A refusal in words, such as `max-sessions of session agent carrier`. */
export function refusalText({ scope, name, constraint }: SessionRefusal): string {
  if (scope === 'total') return `${constraint} of the SBC`;
  return `${constraint} of ${scope === 'agent' ? 'session agent' : 'sip-interface'} ${name}`;
}
