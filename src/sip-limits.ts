/** Joins `sip.limits`, the session agents and the observers to the embedded SIP engine. */
import type { RefusedInvite } from './call/setup/refused-attempt.ts';
import type { SipLimits } from './config/config.ts';
import type { EngineThread, EngineThreadListener } from './engine/engine-thread.ts';
import type { NamedEngineOptions } from './engine/engine-protocol.ts';
import { DROP_REASONS } from './engine/transport/drop-journal.ts';
import type { OwnAnswer } from './engine/transaction/own-answers.ts';
import type { RefusedCall } from './engine/transaction/refused-calls.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { AgentRegistry } from './trunk/agent-registry.ts';
import { DEFAULT_MESSAGE_LIMITS } from './wire/sip-message.ts';

const NO_BODY = Buffer.alloc(0);

/** What the configuration says of limits, as the engine wants it. */
export function engineLimits(limits: SipLimits): NonNullable<NamedEngineOptions['limits']> {
  const { messageBytes, headerBytes, source, agent, strangers } = limits;
  return {
    message: { ...DEFAULT_MESSAGE_LIMITS, headBytes: headerBytes, bodyBytes: messageBytes },
    messageBytes,
    serverTransactions: limits.pendingTransactions,
    connections: limits.streamConnections,
    connectionsPerSource: limits.streamConnectionsPerSource,
    idleTimeoutMs: limits.streamIdleTimeoutMs,
    rates: { stranger: source, agent, strangers },
  };
}

/** Tells every engine of `thread` which addresses the agents of its interface have now. */
export function nameKnownPeers(
  thread: Pick<EngineThread, 'setKnownPeers'>,
  agents: AgentRegistry,
): void {
  for (const [name, sources] of agents.sourcesByInterface()) thread.setKnownPeers(name, sources);
}

/** Calls that the engine has refused, as the registry of calls takes them. */
export function refusedInvites(calls: readonly RefusedCall[]): readonly RefusedInvite[] {
  return calls.map(({ atMs, source, uri, headers }) => ({
    atMs,
    source,
    message: { type: 'request', method: 'INVITE', uri, headers: [...headers], body: NO_BODY },
  }));
}

/** Puts what the engine answers by itself into the metrics. */
export function countOwnAnswers(metrics: Metrics, answers: readonly OwnAnswer[]): void {
  for (const { method, status, count } of answers) {
    metrics.sipRequestAnswered({ direction: 'inbound', method, status }, count);
  }
}

/** Puts what the engine drops into metrics and log. */
export function watchDrops(
  metrics: Metrics,
  log: Log,
): NonNullable<EngineThreadListener['onDropped']> {
  // Present from the start, so that the first drop already shows as a rise.
  for (const reason of DROP_REASONS) metrics.sipDropped(reason, 0);
  return (sipInterface, { counts, sources }) => {
    for (const reason of DROP_REASONS) metrics.sipDropped(reason, counts[reason] ?? 0);
    for (const { source, reason, count } of sources) {
      log.warn({ sipInterface, source, reason, count }, 'SIP from this source is dropped');
    }
  };
}
