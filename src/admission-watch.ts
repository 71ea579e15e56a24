/** Joins the session agents, their health checks and the guard against overload to the SIP stack and the observers. */
import type { Config } from './config/config.ts';
import { nowMs } from './observe/clock.ts';
import { watchLoad } from './observe/load-watch.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { SipStack } from './sip/stack.ts';
import type { CallAdmission, CallPacing } from './trunk/admission.ts';
import { AGENT_STATES } from './trunk/agent-entry.ts';
import { AgentPinger } from './trunk/agent-pinger.ts';
import type { AgentRegistry, AgentView } from './trunk/agent-registry.ts';

const LEAST_SAMPLE_MS = 50;
const SAMPLE_MS = 250;
/** A line for each refusal would cost more than the refusal. */
const LOG_REFUSALS_MS = 1000;

/** One line for each agent that goes out of service or comes back. */
export function logHealth(log: Log): (view: AgentView) => void {
  return ({ agent, isAnswering, reason, lastPing }) => {
    const fields = { agent: agent.name, reason, status: lastPing?.status };
    if (isAnswering) log.info(fields, 'session agent back in service');
    else log.warn(fields, 'session agent out of service');
  };
}

interface Parts {
  readonly stack: SipStack;
  readonly agents: AgentRegistry;
  readonly admission: CallAdmission;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Tells the SIP engine how many new calls may come. */
  readonly paceCalls: (pacing: CallPacing) => void;
}

/** Starts the health checks and the guard; `stop` ends both, a drain stops the `pinger` alone. */
export function watchTrunks(
  config: Config,
  parts: Parts,
): { readonly pinger: AgentPinger; stop(): void } {
  const pinger = startPings(config, parts);
  const guard = guardAgainstOverload(config, parts);
  return {
    pinger,
    stop: () => {
      pinger.stop();
      guard.stop();
    },
  };
}

function startPings(config: Config, { stack, agents, metrics }: Parts): AgentPinger {
  const pinger = new AgentPinger({
    agents,
    ping: ({ agent, ...request }) => stack.ping({ ...request, digest: agents.digestOf(agent) }),
    onAnswer: (agent, rttMs) => metrics.admission.optionsAnswered(agent, rttMs),
    nowMs,
    random: Math.random,
  });
  pinger.apply(config);
  metrics.onScrape(() => {
    const views = agents.list().map(({ agent, isAnswering, state }) => ({
      agent: agent.name,
      isUp: isAnswering,
      state,
    }));
    metrics.agents(views, AGENT_STATES);
  });
  return pinger;
}

/** Measures the load and tells the admission of calls, and through it the SIP engine. */
function guardAgainstOverload(
  { admission: { overload } }: Config,
  { admission, metrics, log, paceCalls }: Parts,
): { stop(): void } {
  const windowMs = Math.min(SAMPLE_MS, Math.max(LEAST_SAMPLE_MS, overload.holdMs / 2));
  const logRefusals = refusalLog(admission, log);
  let paced: CallPacing = { callsPerSecond: undefined, lateMs: undefined };
  const pace = (): void => {
    const { callsPerSecond, lateMs } = admission.pacing;
    if (callsPerSecond === paced.callsPerSecond && lateMs === paced.lateMs) return;
    paced = { callsPerSecond, lateMs };
    paceCalls(paced);
  };
  pace();
  return watchLoad({
    windowMs,
    report: (load) => {
      const before = admission.overload.type;
      const atMs = nowMs();
      const state = admission.sampled(load, atMs);
      pace();
      logRefusals(atMs);
      metrics.admission.paced(admission.pacing.callsPerSecond);
      if (state.type === before) return;
      metrics.admission.overloaded(state.type === 'overloaded');
      if (state.type === 'overloaded') {
        const { reason, callsPerSecond } = state;
        log.warn({ ...load, reason, callsPerSecond }, 'overloaded, not all new calls are taken');
      } else log.info(load, 'load is normal again, all new calls are taken');
    },
  });
}

/** Says how many calls were refused for the load, once in a while. */
function refusalLog(
  admission: Pick<CallAdmission, 'refusedForLoad'>,
  log: Log,
): (nowMs: number) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  let said = 0;
  return (atMs) => {
    const calls = admission.refusedForLoad - said;
    if (calls === 0 || atMs - saidMs < LOG_REFUSALS_MS) return;
    said += calls;
    saidMs = atMs;
    log.warn({ calls }, 'new calls refused, too much to do');
  };
}
