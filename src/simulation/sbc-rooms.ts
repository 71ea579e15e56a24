/** The rooms of the SBC on a network in memory: everything that carries calls, nothing that listens on the machine. */
import { Registrations } from '../call/outside/registrations.ts';
import type { Call } from '../call/call.ts';
import { CallRegistry } from '../call/registry.ts';
import type { Config, SipInterface } from '../config/config.ts';
import { servesFeatureKeys } from '../config/feature-keys-mode.ts';
import { AccountCallFeatures } from '../feature-keys/call-features.ts';
import { CurrentRules } from '../feature-keys/feature-rules.ts';
import type { AccountState, FeatureState } from '../feature-keys/feature-state.ts';
import { RelayPool } from '../media/relay-pool.ts';
import type { CdrRecord } from '../observe/cdr.ts';
import { CdrWriter } from '../observe/cdr-writer.ts';
import { nowMs } from '../observe/clock.ts';
import { DigitLedger } from '../observe/digit-ledger.ts';
import { LadderRecorder } from '../observe/ladder.ts';
import { createLog } from '../observe/log.ts';
import { Metrics } from '../observe/metrics.ts';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import { SipStack } from '../sip/stack.ts';
import type { StackConnection } from '../sip/stack-connection.ts';
import { CallAdmission } from '../trunk/admission.ts';
import { AgentRegistry } from '../trunk/agent-registry.ts';
import { RecordsInMemory } from './cdr-memory.ts';
import { MemoryEngine } from './memory-engine.ts';
import { MemoryRelayWorker } from './memory-media.ts';
import type { MemoryNetwork, SipPlace } from './memory-network.ts';
import type { FeatureSetting } from './scenario.ts';

/** One call, and all of it: the report must not begin in the middle. */
const LADDER_BOUNDS = { rowsPerCall: 10_000, textPerCall: 4_000_000, calls: 100 };

const SHUT_DOWN = { name: 'operator', by: 'sbc', text: 'the simulation is over' } as const;

export interface SbcOptions {
  readonly network: MemoryNetwork;
  readonly features: readonly FeatureSetting[];
  readonly agents: AgentRegistry;
  readonly onBug: (error: unknown) => void;
}

export class SimulatedSbc {
  readonly ledger: DigitLedger;
  readonly ladder: LadderRecorder;
  /** Every call there was, in order. */
  readonly seen: Call[];
  /** Log lines from info on. */
  readonly logLines: readonly string[];
  readonly #records: RecordsInMemory;
  readonly #calls: CallRegistry;
  readonly #stack: SipStack;
  readonly #media: RelayPool;

  private constructor(parts: {
    readonly ledger: DigitLedger;
    readonly ladder: LadderRecorder;
    readonly seen: Call[];
    readonly logLines: readonly string[];
    readonly records: RecordsInMemory;
    readonly calls: CallRegistry;
    readonly stack: SipStack;
    readonly media: RelayPool;
  }) {
    this.ledger = parts.ledger;
    this.ladder = parts.ladder;
    this.seen = parts.seen;
    this.logLines = parts.logLines;
    this.#records = parts.records;
    this.#calls = parts.calls;
    this.#stack = parts.stack;
    this.#media = parts.media;
  }

  static async open(config: Config, options: SbcOptions): Promise<SimulatedSbc> {
    const { network, agents, onBug } = options;
    const logLines: string[] = [];
    // The keys of a scenario are its author's own.
    const log = createLog('info', { write: (line) => logLines.push(line) }, { showDigits: true });
    const ledger = new DigitLedger({ showDigits: true });
    const ladder = new LadderRecorder({ showDigits: true, ...LADDER_BOUNDS });
    const media = new RelayPool({
      workers: 1,
      inactivityTimeoutMs: config.media.inactivityTimeoutMs,
      holdTimeoutMs: config.media.holdTimeoutMs,
      startWorker: (worker) => new MemoryRelayWorker(worker, network),
    });
    const seen: Call[] = [];
    let calls: CallRegistry | undefined;
    const onInvite = (invite: IncomingInvite): void => {
      calls?.admit(invite);
      seen.push(...(calls?.list() ?? []).filter((call) => !seen.includes(call)));
    };
    const stack = await SipStack.start(connections(config, network), {
      onInvite,
      onSubscribe: (subscription) => calls?.subscribe(subscription),
      onStateChange: () => undefined,
      onBug,
      isDraining: () => false,
      isAdmitted: (name, source) => calls?.isAdmitted(name, source) ?? false,
      relayedMethods: () => [],
      mayReplace: () => false,
      onStray: () => false,
      onAnswered: () => undefined,
    });
    const records = new RecordsInMemory();
    const cdr = new CdrWriter({ file: 'memory', files: records, onFailure: onBug });
    const observed = { ledger, ladder, metrics: new Metrics(), cdr, log, nowMs };
    const features = callFeatures(config, options.features, log);
    const trunks = {
      agents,
      admission: new CallAdmission(config, agents),
      registrations: new Registrations(),
    };
    calls = new CallRegistry({ config, stack, media, features, ...observed }, trunks);
    return new SimulatedSbc({ ledger, ladder, seen, logLines, records, calls, stack, media });
  }

  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  /** The record of the call, once it is written. */
  get record(): CdrRecord | undefined {
    return this.#records.first;
  }

  async close(): Promise<void> {
    await this.#calls.endAll(SHUT_DOWN);
    this.#stack.close();
    await this.#media.close();
  }
}

/** Where a sip-interface is reached: a wildcard stands for an address of this machine, port 0 for the usual one. */
export function placesOf({ sipPorts }: SipInterface): readonly SipPlace[] {
  return sipPorts.map(({ transport, address, port }) => ({
    transport,
    host: WILDCARDS[address] ?? address,
    port: port === 0 ? 5060 : port,
  }));
}

const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function connections(config: Config, network: MemoryNetwork): StackConnection[] {
  return config.sipInterfaces.map((sipInterface) => ({
    host: '',
    port: 0,
    secret: '',
    interfaces: [{ name: sipInterface.name, hostports: [] }],
    keepsBranch: true,
    connect: async (application) => new MemoryEngine(placesOf(sipInterface), network, application),
  }));
}

function callFeatures(
  config: Config,
  settings: readonly FeatureSetting[],
  log: ReturnType<typeof createLog>,
): AccountCallFeatures {
  const featureKeys = (): Config['featureKeys'] => config.featureKeys;
  const rules = new CurrentRules(featureKeys);
  return new AccountCallFeatures({
    config: featureKeys,
    isServed: () => servesFeatureKeys(config),
    log,
    service: { forCall: async (account) => accountState(account, settings) },
    targetRefusal: (target, account) => {
      const verdict = rules.targets.judge(account, target);
      return verdict === 'allowed' ? undefined : verdict;
    },
  });
}

function accountState(account: string, settings: readonly FeatureSetting[]): AccountState {
  const stateOf = (feature: FeatureSetting['feature']): FeatureState => {
    const setting = settings.find((each) => each.account === account && each.feature === feature);
    const { forwardTo, ringCount } = setting ?? {};
    return {
      status: setting !== undefined,
      values: {
        ...(forwardTo === undefined ? {} : { forwardTo }),
        ...(ringCount === undefined ? {} : { ringCount }),
      },
      assigned: true,
      notify: true,
      locked: false,
      version: 0,
      updatedAt: '',
    };
  };
  return {
    DoNotDisturb: stateOf('DoNotDisturb'),
    CallForwardingAlways: stateOf('CallForwardingAlways'),
    CallForwardingBusy: stateOf('CallForwardingBusy'),
    CallForwardingNoAnswer: stateOf('CallForwardingNoAnswer'),
  };
}
