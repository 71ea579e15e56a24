/**
 * The composition root: builds the rooms from the configuration, joins them by callbacks, takes them down again.
 *
 *   engine thread <- sip stack <- call registry -> media pool
 *                                      |
 *                         ledger, ladder, metrics, CDR, HTTP
 */
import { randomBytes } from 'node:crypto';
import { logHealth, watchTrunks } from './admission-watch.ts';
import { startApi, type Api } from './api/server.ts';
import { SbcBackend } from './api/sbc-backend.ts';
import { openCallRecords, recoverCallRecords } from './call-records.ts';
import { Registrations } from './call/outside/registrations.ts';
import { MEDIA_CAUSES } from './call/call-media.ts';
import { CallRegistry } from './call/registry.ts';
import { RequestRelay } from './call/outside/request-relay.ts';
import type { Config } from './config/config.ts';
import type { LoadedConfig } from './config/load.ts';
import { superviseEngines } from './engine/engine-supervisor.ts';
import type { EngineThread } from './engine/engine-thread.ts';
import { type FeatureKeys, openFeatureKeys } from './feature-keys-runtime.ts';
import { PassRelay, type PassRelayParts } from './feature-keys/pass-relay.ts';
import { warnOfPorts } from './media-ports.ts';
import type { MediaEngine } from './media/media-engine.ts';
import { RelayPool } from './media/relay-pool.ts';
import type { CdrWriter } from './observe/cdr-writer.ts';
import { nowMs } from './observe/clock.ts';
import { DigitLedger } from './observe/digit-ledger.ts';
import { watchEventLoop } from './observe/event-loop-lag.ts';
import { LadderRecorder } from './observe/ladder.ts';
import { createLog, type Log } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { engineLimits, nameKnownPeers, refusedInvites, watchDrops } from './sip-limits.ts';
import { engineTls, watchHandshakes } from './sip-tls.ts';
import { serverConnections } from './server-connections.ts';
import { SipStack, type StackHandlers } from './sip/stack.ts';
import type { StackConnection } from './sip/stack-connection.ts';
import { type Ready, stackHandlers } from './stack-handlers.ts';
import { CallAdmission, type CallPacing } from './trunk/admission.ts';
import { lookUpAgents } from './trunk/agent-addresses.ts';
import { AgentRegistry } from './trunk/agent-registry.ts';

/** Version in health, metrics and logs. */
export const VERSION = '0.1.0';

export interface SbcOptions {
  /** Loads `text`, or the file in use, for check and reload; reload is refused without it. */
  readonly readConfig?: (text?: string) => LoadedConfig;
  readonly log?: Log;
  /** A part that cannot be started anew is gone; the process should end. */
  readonly onLost?: (reason: string) => void;
}

/** A running SBC. */
export interface Sbc {
  readonly apiAddress: { readonly address: string; readonly port: number };
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly calls: CallRegistry;
  readonly stack: SipStack;
  readonly media: MediaEngine;
  readonly log: Log;
  /** Refuses new calls from now on; resolves when the last one has ended. */
  drain(): Promise<void>;
  /** Takes over a new configuration for new calls; see `SbcBackend.reload`. */
  reload(): Promise<void>;
  /** Ends every call and closes everything; resolves when no port is left. */
  close(): Promise<void>;
}

const SHUT_DOWN = { name: 'operator', by: 'sbc', text: 'shutting down' } as const;

/** What must be closed again, last opened first. */
type Closer = () => Promise<void> | void;

/** Starts every room; rejects, with nothing left open, when one of them cannot start. */
export async function startSbc(config: Config, options: SbcOptions = {}): Promise<Sbc> {
  const closers: Closer[] = [];
  try {
    return await buildSbc(config, options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function buildSbc(config: Config, options: SbcOptions, closers: Closer[]): Promise<Sbc> {
  refuseUnserved(config);
  const showDigits = !config.dtmf.maskDigits;
  const log = options.log ?? createLog(config.log.level, undefined, { showDigits });
  const observed = startObserving(config, log, closers);
  await warnOfPorts(config.realms, log);
  const media = startMedia(config, log, closers);
  const { ledger, ladder, metrics } = observed;
  const agents = new AgentRegistry(config, { nowMs, onHealthChange: logHealth(log) });
  const admission = new CallAdmission(config, agents);
  const trunks = { agents, admission, registrations: new Registrations() };
  const features = await openFeatureKeys(config, { log, metrics, ...trunks });
  closers.push(() => features.close());
  const ready: Ready = { calls: undefined, relay: undefined, pass: undefined, features };
  const { stack, nameAgents, paceCalls } = await startSip(config, {
    ready,
    onLost: options.onLost,
    closers,
    log,
    agents,
    metrics,
  });
  closers.push(() => features.leave());
  await recoverCallRecords(observed.cdr, metrics, log);
  const context = { config, stack, media, log, nowMs, features: features.calls, ...observed };
  const calls = new CallRegistry(context, trunks);
  ready.calls = calls;
  const relayParts = { ...trunks, stack, metrics, log, nowMs };
  ready.relay = new RequestRelay(config, relayParts, () => calls.isDraining);
  const subscribe: PassRelayParts['subscribe'] = (...target) => stack.subscribe(...target);
  const pass = new PassRelay(config, { agents, log, subscribe });
  ready.pass = pass;
  closers.push(() => pass.close());
  const watch = watchTrunks(config, { stack, agents, admission, metrics, log, paceCalls });
  closers.push(() => watch.stop());
  reportGauges(metrics, media, calls);
  const parts = { ledger, ladder, calls, stack, media, log };
  const backend = new SbcBackend({
    ...parts,
    agents,
    metrics,
    config,
    version: VERSION,
    readConfig: options.readConfig,
    admission,
    features,
    onReloaded: (loaded) => {
      watch.pinger.apply(loaded);
      ready.relay?.reconfigure(loaded);
      pass.reconfigure(loaded);
      findAgents(agents, log, nameAgents);
    },
  });
  backend.onDraining(() => watch.pinger.stop());
  findAgents(agents, log, nameAgents);
  const api = await openApi(config, backend, log);
  closers.push(() => api.close());
  log.info({ config: config.hash, api: `${api.address}:${api.port}` }, 'ready');
  return runningSbc(parts, { api, backend, features, closers });
}

interface Running {
  readonly api: Api;
  readonly backend: SbcBackend;
  readonly features: FeatureKeys;
  readonly closers: Closer[];
}

function runningSbc(
  parts: Pick<Sbc, 'ledger' | 'ladder' | 'calls' | 'stack' | 'media' | 'log'>,
  { api, backend, features, closers }: Running,
): Sbc {
  const { calls } = parts;
  let closed: Promise<void> | undefined;
  return {
    apiAddress: { address: api.address, port: api.port },
    ...parts,
    drain: () => {
      backend.beginDraining();
      // The phones stay until the last call has ended.
      return calls.drain().then(() => features.leave());
    },
    reload: () => backend.reload().then(() => undefined),
    close: () => (closed ??= calls.endAll(SHUT_DOWN).then(() => closeAll(closers))),
  };
}

function startMedia({ media }: Config, log: Log, closers: Closer[]): RelayPool {
  const pool = new RelayPool({
    workers: media.workers,
    inactivityTimeoutMs: media.inactivityTimeoutMs,
    holdTimeoutMs: media.holdTimeoutMs,
    quarantineMs: media.portQuarantineMs,
    onWorkerLost: (error, streams) => log.error({ err: error, streams }, 'relay worker lost'),
  });
  closers.push(() => pool.close());
  return pool;
}

/** Engines a configuration may name and this version does not have: starting without them would lose calls. */
function refuseUnserved({ media }: Config): void {
  if (media.engine === 'rtpengine') throw new Error('media engine rtpengine is not there yet');
}

interface Observers {
  readonly metrics: Metrics;
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  readonly cdr: CdrWriter;
}

function startObserving(config: Config, log: Log, closers: Closer[]): Observers {
  const showDigits = !config.dtmf.maskDigits;
  const metrics = new Metrics();
  metrics.buildInfo({ version: VERSION, node: process.version });
  metrics.configLoaded(config.hash);
  const ledger = new DigitLedger({ showDigits, onOutcome: (outcome) => metrics.digit(outcome) });
  const ladder = new LadderRecorder({ showDigits });
  const cdr = openCallRecords(config, metrics, log);
  closers.push(() => cdr.close());
  const lag = watchEventLoop({ report: (value) => metrics.eventLoopLag(value) });
  closers.push(() => lag.stop());
  return { metrics, ledger, ladder, cdr };
}

/** Values that are read when the metrics are, rather than counted. */
function reportGauges(metrics: Metrics, media: RelayPool, calls: CallRegistry): void {
  let restarts = 0;
  for (const cause of MEDIA_CAUSES) metrics.mediaFailed(cause, 0);
  metrics.onScrape(() => {
    for (const [pool, free] of Object.entries(media.portsFree)) metrics.mediaPortsFree(pool, free);
    for (; restarts < media.workerRestarts; restarts += 1) metrics.workerRestarted();
    for (const { role, state, count } of calls.countSubscriptions()) {
      metrics.kpmlSubscriptions(role, state, count);
    }
  });
}

/** Looks up the agents that have a host name, beside the running calls. */
function findAgents(agents: AgentRegistry, log: Log, nameAgents: () => void): void {
  nameAgents();
  const look = async (): Promise<void> => {
    for (const { agentName, host, reason } of await lookUpAgents(agents)) {
      log.warn({ agent: agentName, host, reason }, 'session agent not found, it matches no source');
    }
    nameAgents();
  };
  void look();
}

interface SipParts {
  readonly ready: Ready;
  readonly onLost: ((reason: string) => void) | undefined;
  readonly closers: Closer[];
  readonly log: Log;
  readonly agents: AgentRegistry;
  readonly metrics: Metrics;
}

interface SipConnections {
  readonly connections: readonly StackConnection[];
  /** Tells the embedded engine the addresses of the session agents. */
  readonly nameAgents: () => void;
  /** Tells the embedded engine how many new calls may come. */
  readonly paceCalls: (pacing: CallPacing) => void;
}

async function startSip(
  config: Config,
  parts: SipParts,
): Promise<{ readonly stack: SipStack } & Omit<SipConnections, 'connections'>> {
  const { ready, metrics, closers, log } = parts;
  const handlers = stackHandlers(ready, metrics, log);
  if (config.sip.engine === 'drachtio') {
    log.warn(
      'a drachtio-server detaches a call when its peer sends NOTIFY with Subscription-State terminated inside it',
    );
  }
  const { connections, ...engine } =
    config.sip.engine === 'embedded'
      ? await embeddedConnections(config, parts, handlers)
      : {
          connections: serverConnections(config),
          nameAgents: (): void => undefined,
          paceCalls: (): void => undefined,
        };
  const stack = await SipStack.start(connections, handlers, config.sip.reconnectHoldMs);
  closers.push(() => stack.close());
  return { stack, ...engine };
}

/** One engine with an admin port of its own per sip-interface, all in one thread. */
async function embeddedConnections(
  config: Config,
  { ready, onLost, closers, agents, metrics, log }: SipParts,
  handlers: StackHandlers,
): Promise<SipConnections> {
  const secret = randomBytes(16).toString('hex');
  const thread: EngineThread = await superviseEngines(
    config.sipInterfaces.map((item) => ({
      name: item.name,
      listen: item.sipPorts.map(({ transport, address, port }) => ({
        protocol: transport,
        address,
        port,
      })),
      admin: { host: '127.0.0.1', port: 0 },
      secret,
      udpSizeSwitchBytes: config.sip.udpSizeLimitBytes,
      limits: { ...engineLimits(config.sip.limits), pingIntervalMs: item.keepAliveIntervalMs },
      tls: engineTls(item),
      knownPeers: agents.sourcesByInterface().get(item.name) ?? [],
    })),
    {
      onLost: (reason) => onLost?.(`SIP engine: ${reason}`),
      onCrashed: (reason) => {
        metrics.engineCrashed();
        log.error({ reason }, 'SIP engine crashed, starting it anew');
      },
      onRestarted: () => log.warn('SIP engine runs again'),
      onBug: (_name, stack) => handlers.onBug(stack),
      onDropped: watchDrops(metrics, log),
      onRefused: (name, calls) => ready.calls?.refusedBefore(name, refusedInvites(calls)),
      onHandshakeFailed: watchHandshakes(log),
    },
  );
  closers.push(() => thread.close());
  const nameAgents = (): void => nameKnownPeers(thread, agents);
  const connections = thread.engines.map(({ name, adminPort }) => ({
    host: '127.0.0.1',
    port: adminPort,
    secret,
    interfaces: [{ name, hostports: [] }],
    keepsBranch: true,
  }));
  return { connections, nameAgents, paceCalls: (pacing) => thread.paceCalls(pacing) };
}

function openApi(config: Config, backend: SbcBackend, log: Log): Promise<Api> {
  const { address, port, token } = config.api;
  return startApi({ listen: { address, port }, token, backend, log });
}

async function closeAll(closers: Closer[]): Promise<void> {
  // Last opened first: nothing is closed while something above it still runs.
  for (const close of closers.splice(0).toReversed()) {
    try {
      await close();
    } catch {
      // One part that cannot be closed must not keep the others open.
    }
  }
}
