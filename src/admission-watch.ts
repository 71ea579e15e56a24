/** Joins the session agents, their health checks and the guard against overload to the SIP stack and the observers. */
import type { Config } from './config/config.ts';
import { nowMs } from './observe/clock.ts';
import { watchLoad } from './observe/load-watch.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { SipStack } from './sip/stack.ts';
import type { CallAdmission } from './trunk/admission.ts';
import { AGENT_STATES } from './trunk/agent-entry.ts';
import { AgentPinger } from './trunk/agent-pinger.ts';
import type { AgentRegistry, AgentView } from './trunk/agent-registry.ts';

const LEAST_SAMPLE_MS = 50;
const SAMPLE_MS = 500;

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
    metrics.admission.agents(views, AGENT_STATES);
  });
  return pinger;
}

/** Measures the load and tells the admission of calls. */
function guardAgainstOverload(
  { admission: { overload } }: Config,
  { admission, metrics, log }: Parts,
): { stop(): void } {
  const windowMs = Math.min(SAMPLE_MS, Math.max(LEAST_SAMPLE_MS, overload.holdMs / 2));
  return watchLoad({
    windowMs,
    report: (load) => {
      const before = admission.overload.type;
      const state = admission.sampled(load, nowMs());
      if (state.type === before) return;
      metrics.admission.overloaded(state.type === 'overloaded');
      if (state.type === 'overloaded') {
        log.warn({ ...load, reason: state.reason }, 'overloaded, new calls are refused');
      } else log.info(load, 'load is normal again, new calls are taken');
    },
  });
}
