/**
 * Feature keys on real sockets with a store in memory: engine, SIP stack, service and subscriptions, without the calls of
 * an SBC. T1 of 100 ms: a silent peer is given up after 6.4 s.
 */
import type { FeatureKeysConfig } from '../../src/config/feature-keys-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { startEngine, type Engine } from '../../src/engine/engine.ts';
import type { FeatureActor, FeatureService } from '../../src/feature-keys/feature-service.ts';
import { FeatureSubscriptions } from '../../src/feature-keys/feature-subscriptions.ts';
import { createFeatureService } from '../../src/feature-keys/feature-write-path.ts';
import { nowMs } from '../../src/observe/clock.ts';
import { createLog } from '../../src/observe/log.ts';
import { SipStack } from '../../src/sip/stack.ts';
import { FeaturePhone, type FeaturePhoneOptions } from './feature-phone.ts';
import { closeAfterTest } from './leak-check.ts';
import { loopbackConfig } from './loopback-config.ts';
import { MemoryFeatureStore } from './memory-feature-store.ts';
import type { SipTarget } from './sip-peer.ts';

/** Password of `user` in the configuration of a stage. */
export function passwordOf(user: string): string {
  return `secret-${user}`;
}

/** YAML of the section, users 2001 and 2002, everybody on loopback challenged. */
export const CHALLENGED = {
  users: '{ "2001": { password: secret-2001 }, "2002": { password: secret-2002 } }',
  'trusted-networks': '[]',
};

/** Presentity of the account that phones have unless they name another one. */
export const ACCOUNT = 'sip:2001@pbx.example';
/** Somebody beside the phones. */
export const PORTAL: FeatureActor = { source: 'portal', actor: 'admin', origin: {} };

export interface FeatureStage {
  readonly sbc: SipTarget;
  readonly engine: Engine;
  readonly store: MemoryFeatureStore;
  readonly service: FeatureService;
  readonly subscriptions: FeatureSubscriptions;
  /** Lines of level warn and above. */
  readonly logLines: readonly string[];
  /** A phone of account 2001, with the account's password; closed after the test. */
  phone(options?: Partial<FeaturePhoneOptions>): Promise<FeaturePhone>;
  /** Puts the clock of the subscriptions forward. */
  skip(ms: number): void;
  close(): Promise<void>;
}

/** @param section entries of `feature-keys` as YAML flow text, in place of the defaults */
export async function openFeatureStage(
  section: Readonly<Record<string, string>> = {},
  t1Ms = 100,
): Promise<FeatureStage> {
  const config = await featureConfig(section);
  const logLines: string[] = [];
  const log = createLog('warn', { write: (line: string) => logLines.push(line) });
  const secret = 'stage';
  const engine = await startEngine({
    listen: [
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
    ],
    admin: { host: '127.0.0.1', port: 0 },
    secret,
    timers: { t1Ms, t2Ms: 4 * t1Ms, t4Ms: 5 * t1Ms },
  });
  const store = new MemoryFeatureStore();
  const service = createFeatureService({
    provider: store,
    history: store,
    config: () => config,
    log,
  });
  let skippedMs = 0;
  const clock = (): number => nowMs() + skippedMs;
  const subscriptions = new FeatureSubscriptions({ config, service, log, nowMs: clock });
  const connection = { host: '127.0.0.1', port: engine.adminPort, secret, keepsBranch: true };
  const interfaces = [{ name: 'access', hostports: [] }];
  const stack = await SipStack.start([{ ...connection, interfaces }], {
    onInvite: (invite) => invite.reject(403),
    onSubscribe: (subscribe) => subscribe.reject(403),
    onPackageRequest: (request) => subscriptions.receive(request),
    servedPackages: () => subscriptions.packages,
    onStateChange: () => undefined,
    onBug: (error) => log.error({ err: error }, 'broken invariant'),
    isDraining: () => false,
    isAdmitted: () => false,
    relayedMethods: () => [],
    mayReplace: () => false,
    onStray: () => false,
    onAnswered: () => undefined,
  });
  const portOf = (protocol: string): number =>
    engine.listenPoints.find((point) => point.protocol === protocol)?.port ?? 0;
  const stage: FeatureStage = {
    sbc: { address: '127.0.0.1', port: portOf('udp') },
    engine,
    store,
    service,
    subscriptions,
    logLines,
    phone: async (options = {}) => {
      const { user = '2001', transport = 'udp' } = options;
      const sbc = { address: '127.0.0.1', port: portOf(transport) };
      const credentials = { username: user, password: passwordOf(user) };
      return closeAfterTest(await FeaturePhone.open({ sbc, credentials, t1Ms: 200, ...options }));
    },
    skip: (ms) => {
      skippedMs += ms;
    },
    close: async () => {
      await subscriptions.close();
      stack.close();
      await engine.close();
      await service.close();
      await store.close();
    },
  };
  return closeAfterTest(stage);
}

async function featureConfig(
  section: Readonly<Record<string, string>>,
): Promise<FeatureKeysConfig> {
  const entries: Readonly<Record<string, string>> = {
    domains: '{ pbx.example: [127.0.0.1] }',
    realm: 'pbx.example',
    ...section,
  };
  const lines = Object.entries(entries).map(([name, value]) => `  ${name}: ${value}`);
  const { yaml } = await loopbackConfig({ carrier: { address: '127.0.0.1', port: 5060 } });
  const text = yaml.replace(
    'feature-keys: { enabled: false }',
    `feature-keys:\n${lines.join('\n')}`,
  );
  const loaded = loadConfig({ text, file: 'stage.yaml', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.featureKeys;
}
