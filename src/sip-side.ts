/** Builds the SIP side: the embedded engine or the connections to drachtio-servers, and the stack on top of them. */
import { randomBytes } from 'node:crypto';
import type { PreparePart } from './api/reload-part.ts';
import type { Config } from './config/config.ts';
import { superviseEngines } from './engine/engine-supervisor.ts';
import type { EngineThread } from './engine/engine-thread.ts';
import type { NamedEngineOptions } from './engine/engine-protocol.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { sipReload } from './reload.ts';
import { serverConnections } from './server-connections.ts';
import {
  countOwnAnswers,
  engineLimits,
  nameKnownPeers,
  refusedInvites,
  watchDrops,
} from './sip-limits.ts';
import { engineTls, watchHandshakes } from './sip-tls.ts';
import { SipStack } from './sip/stack.ts';
import type { StackConnection } from './sip/stack-connection.ts';
import { type Ready, stackHandlers } from './stack-handlers.ts';
import type { CallPacing } from './trunk/admission.ts';
import type { AgentRegistry } from './trunk/agent-registry.ts';

export interface SipSideParts {
  readonly ready: Ready;
  readonly onLost: ((reason: string) => void) | undefined;
  /** Gets what must be closed again, last opened last. */
  readonly closers: (() => Promise<void> | void)[];
  readonly log: Log;
  readonly agents: AgentRegistry;
  readonly metrics: Metrics;
}

export interface SipSide {
  readonly stack: SipStack;
  /** Tells the embedded engine the addresses of the session agents. */
  readonly nameAgents: () => void;
  /** Tells the embedded engine how many new calls may come. */
  readonly paceCalls: (pacing: CallPacing) => void;
  /** Makes sockets and connections ready for another configuration; absent where a reload changes none. */
  readonly prepareReload: PreparePart | undefined;
}

export async function startSipSide(config: Config, parts: SipSideParts): Promise<SipSide> {
  return config.sip.engine === 'embedded'
    ? await startEmbedded(config, parts)
    : await startOnServers(config, parts);
}

async function startOnServers(config: Config, parts: SipSideParts): Promise<SipSide> {
  parts.log.warn(
    'a drachtio-server detaches a call when its peer sends NOTIFY with Subscription-State terminated inside it',
  );
  return {
    stack: await startStack(config, serverConnections(config), parts),
    nameAgents: () => undefined,
    paceCalls: () => undefined,
    prepareReload: undefined,
  };
}

/** One engine with an admin port of its own per sip-interface, all in one thread. */
async function startEmbedded(config: Config, parts: SipSideParts): Promise<SipSide> {
  const { agents, closers } = parts;
  const secret = randomBytes(16).toString('hex');
  const enginesFor = (wanted: Config): readonly NamedEngineOptions[] =>
    engineOptions(wanted, secret, agents);
  const running = enginesFor(config);
  let stack: SipStack | undefined;
  const onRetired = (name: string): void => {
    parts.log.info({ interface: name }, 'removed sip-interface closed');
    stack?.interfaceClosed(name);
  };
  const thread = await superviseEngines(running, { ...engineListener(parts), onRetired });
  closers.push(() => thread.close());
  const connectionsTo = ({ engines }: Pick<EngineThread, 'engines'>): readonly StackConnection[] =>
    engines.map(({ name, adminPort }) => ({
      host: '127.0.0.1',
      port: adminPort,
      secret,
      interfaces: [{ name, hostports: [] }],
      keepsBranch: true,
    }));
  stack = await startStack(config, connectionsTo(thread), parts);
  return {
    stack,
    nameAgents: () => nameKnownPeers(thread, agents),
    paceCalls: (pacing) => thread.paceCalls(pacing),
    prepareReload: sipReload({ thread, stack, running, enginesFor, connectionsTo }),
  };
}

async function startStack(
  config: Config,
  connections: readonly StackConnection[],
  { ready, metrics, log, closers }: SipSideParts,
): Promise<SipStack> {
  const handlers = stackHandlers(ready, metrics, log);
  const stack = await SipStack.start(connections, handlers, config.sip.reconnectHoldMs);
  closers.push(() => stack.close());
  return stack;
}

/** @throws TlsFilesProblem when a certificate or key is unusable. */
function engineOptions(
  config: Config,
  secret: string,
  agents: AgentRegistry,
): readonly NamedEngineOptions[] {
  const peers = agents.sourcesByInterface();
  const limits = engineLimits(config.sip.limits);
  return config.sipInterfaces.map((item) => ({
    name: item.name,
    listen: item.sipPorts.map(({ transport, address, port }) => ({
      protocol: transport,
      address,
      port,
    })),
    admin: { host: '127.0.0.1', port: 0 },
    secret,
    udpSizeSwitchBytes: config.sip.udpSizeLimitBytes,
    limits: { ...limits, pingIntervalMs: item.keepAliveIntervalMs },
    tls: engineTls(item),
    knownPeers: peers.get(item.name) ?? [],
  }));
}

function engineListener({
  ready,
  onLost,
  metrics,
  log,
}: SipSideParts): Parameters<typeof superviseEngines>[1] {
  return {
    onLost: (reason) => onLost?.(`SIP engine: ${reason}`),
    onCrashed: (reason) => {
      metrics.engineCrashed();
      log.error({ reason }, 'SIP engine crashed, starting it anew');
    },
    onRestarted: () => log.warn('SIP engine runs again'),
    onBug: (_name, stack) => stackHandlers(ready, metrics, log).onBug(stack),
    onDropped: watchDrops(metrics, log),
    onAnswered: (answers) => countOwnAnswers(metrics, answers),
    onRefused: (name, calls) => ready.calls?.refusedBefore(name, refusedInvites(calls)),
    onHandshakeFailed: watchHandshakes(log),
  };
}
