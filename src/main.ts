/**
 * The composition root: builds the rooms from the configuration, joins them by callbacks, takes them down again.
 *
 *   engine thread <- sip stack <- call registry -> media pool
 *                                      |
 *                         ledger, ladder, metrics, CDR, HTTP
 */
import { logHealth, watchTrunks } from './admission-watch.ts';
import type { ReloadView } from './api/backend.ts';
import type { ReadConfig } from './api/reload-part.ts';
import { startApi, type Api } from './api/server.ts';
import { SbcBackend } from './api/sbc-backend.ts';
import { recoverCallRecords } from './call-records.ts';
import { Registrations } from './call/outside/registrations.ts';
import { CallRegistry } from './call/registry.ts';
import { RequestRelay, type RelayParts } from './call/outside/request-relay.ts';
import type { Config } from './config/config.ts';
import type { LoadedConfig } from './config/load.ts';
import type { LoadThread } from './config/load-thread.ts';
import { type FeatureKeys, openFeatureKeys } from './feature-keys-runtime.ts';
import { PassRelay, type PassRelayParts } from './feature-keys/pass-relay.ts';
import { startMediaSide } from './media-side.ts';
import type { LegPorts, MediaEngine } from './media/media-engine.ts';
import { nowMs } from './observe/clock.ts';
import type { DigitLedger } from './observe/digit-ledger.ts';
import type { LadderRecorder } from './observe/ladder.ts';
import { createLog, type Log } from './observe/log.ts';
import { startObserving } from './observers.ts';
import type { SipStack } from './sip/stack.ts';
import { startSipSide } from './sip-side.ts';
import type { Ready } from './stack-handlers.ts';
import { CallAdmission } from './trunk/admission.ts';
import { lookUpAgents } from './trunk/agent-addresses.ts';
import { AgentRegistry } from './trunk/agent-registry.ts';

/** Version in health, metrics and logs. */
export const VERSION = '0.1.0';

export interface SbcOptions {
  /** Loads `text`, or the file in use, for check and reload; reload is refused without it. */
  readonly readConfig?: (text?: string) => LoadedConfig;
  /** The same for reloads, without holding up calls. */
  readonly loadConfig?: () => Promise<ReadConfig>;
  /** The same for checks and plans. */
  readonly configThread?: Pick<LoadThread, 'check' | 'plan'>;
  /** Name of that file, for those who ask. */
  readonly configFile?: string;
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
  reload(): Promise<ReloadView>;
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
  const showDigits = !config.dtmf.maskDigits;
  const log = options.log ?? createLog(config.log.level, undefined, { showDigits });
  const observed = startObserving(config, log, VERSION, closers);
  const { ledger, ladder, metrics } = observed;
  const mediaSide = await startMediaSide(config, { log, metrics, closers });
  const media = mediaSide.engine;
  const agents = new AgentRegistry(config, { nowMs, onHealthChange: logHealth(log) });
  const admission = new CallAdmission(config, agents);
  const trunks = { agents, admission, registrations: new Registrations() };
  const features = await openFeatureKeys(config, { log, metrics, ...trunks });
  closers.push(() => features.close());
  const ready: Ready = { calls: undefined, relay: undefined, pass: undefined, features };
  const sipParts = { ready, closers, log, agents, metrics, onLost: options.onLost };
  const { stack, nameAgents, paceCalls, prepareReload } = await startSipSide(config, sipParts);
  closers.push(() => features.leave());
  await recoverCallRecords(observed.cdr, metrics, log);
  const context = { config, stack, media, log, nowMs, features: features.calls, ...observed };
  const calls = new CallRegistry(context, trunks);
  ready.calls = calls;
  observed.watch({ media: mediaSide, calls, agents });
  const relays = openRelays(config, { ...trunks, stack, metrics, log }, () => calls.isDraining);
  ready.relay = relays.relay;
  ready.pass = relays.pass;
  closers.push(() => relays.pass.close());
  const watch = watchTrunks(config, { stack, agents, admission, metrics, log, paceCalls });
  closers.push(() => watch.stop());
  const parts = { ledger, ladder, calls, stack, media, log };
  const backend = new SbcBackend({
    ...parts,
    ioInUse: mediaSide.ioInUse,
    agents,
    metrics,
    config,
    version: VERSION,
    readConfig: options.readConfig,
    loadConfig: options.loadConfig,
    configThread: options.configThread,
    configFile: options.configFile,
    admission,
    features,
    prepareSip: prepareReload,
    onReloaded: (loaded) => {
      if (options.log === undefined) log.level = loaded.log.level;
      media.serve(rangesOf(loaded));
      watch.pinger.apply(loaded);
      for (const relay of [relays.relay, relays.pass]) relay.reconfigure(loaded);
      observed.apply(loaded);
      findAgents(agents, log, nameAgents);
    },
  });
  closers.push(() => backend.close());
  backend.onDraining(() => watch.pinger.stop());
  findAgents(agents, log, nameAgents);
  const api = await openApi(config, backend, log);
  closers.push(() => api.close());
  log.info({ config: config.hash, api: `${api.address}:${api.port}` }, 'ready');
  return runningSbc(parts, { api, backend, features, closers });
}

interface OutsideParts extends Omit<RelayParts, 'nowMs' | 'stack'> {
  readonly stack: SipStack;
}

/** What passes through outside every call. */
function openRelays(
  config: Config,
  { stack, ...parts }: OutsideParts,
  isDraining: () => boolean,
): { readonly relay: RequestRelay; readonly pass: PassRelay } {
  const relay = new RequestRelay(config, { ...parts, stack, nowMs }, isDraining);
  const subscribe: PassRelayParts['subscribe'] = (...target) => stack.subscribe(...target);
  return { relay, pass: new PassRelay(config, { ...parts, subscribe }) };
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
    reload: () => backend.reload(),
    close: () => (closed ??= calls.endAll(SHUT_DOWN).then(() => closeAll(closers))),
  };
}

function rangesOf({ realms }: Config): LegPorts[] {
  return realms.map(({ name: realm, media }) => ({ realm, ...media }));
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
