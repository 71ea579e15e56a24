/**
 * One configuration after the other, each whole or not at all:
 *
 *   read ─► valid? ─► restart needed? ─► prepare sockets ─► prepare feature keys ─► commit all in one turn ─► applied
 *             └──────────┴────────────────────┴─────────────────────┴─► roll back what was prepared ─► refused
 */
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { indexing } from '../config/policy-index.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ProblemView, ReloadView } from './backend.ts';
import { NOTHING_TO_PREPARE, type PreparedPart, type PreparePart } from './reload-part.ts';
import { problemAt, type ReadConfig, type ValidConfig } from './reload-part.ts';
import { restartProblems } from './restart-problems.ts';

export interface ConfigReloadOptions {
  readonly config: Config;
  /** Reads the file in use; `undefined` when the SBC was started without a file. */
  readonly readConfig: (() => ReadConfig) | undefined;
  /** The same without holding up calls, in place of `readConfig`. */
  readonly loadConfig?: (() => Promise<ReadConfig>) | undefined;
  /** Sockets and connections; absent: there are none to change. */
  readonly prepareSip?: PreparePart | undefined;
  readonly features: ReloadedFeatures;
  /** Makes a valid configuration the one in force, everywhere, in this turn. */
  readonly apply: (config: Config) => void;
  readonly metrics: Pick<Metrics, 'configReloaded' | 'configLoaded'>;
  readonly log: Log;
}

/** The feature keys take over a configuration in one go, or keep the old one and say why. */
export interface ReloadedFeatures {
  reconfigure(
    config: Config,
  ): Promise<{ readonly path: readonly string[]; readonly message: string } | undefined>;
}

const NO_FILE = 'this SBC was started without a configuration file';
const ENGINE_LOST = 'the SIP engine crashed while the change was made';

export class ConfigReload {
  readonly #options: ConfigReloadOptions;
  #config: Config;
  #reloads: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigReloadOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** Takes the file over for new calls, or refuses it whole and keeps the old one. */
  reload(): Promise<ReloadView> {
    // One after the other: the later one must meet what the earlier one left.
    const reloaded = this.#reloads.then(() => this.#reload());
    this.#reloads = reloaded.catch(() => undefined);
    return reloaded;
  }

  async #reload(): Promise<ReloadView> {
    const { readConfig, loadConfig, metrics, log } = this.#options;
    const loaded = (await loadConfig?.()) ?? readConfig?.();
    if (loaded === undefined) {
      return { type: 'refused', problems: [{ line: 1, column: 1, path: '', message: NO_FILE }] };
    }
    const result = loaded.type === 'invalid' ? loaded.problems : await this.#takeOver(loaded);
    if (!('type' in result)) {
      metrics.configReloaded('refused');
      log.warn({ problems: result }, 'configuration refused, the old one stays');
      return { type: 'refused', problems: result };
    }
    metrics.configReloaded('applied');
    metrics.configLoaded(result.hash);
    log.info({ config: result.hash, isChanged: result.isChanged }, 'configuration reloaded');
    return result;
  }

  async #takeOver(
    loaded: ValidConfig,
  ): Promise<Extract<ReloadView, { type: 'applied' }> | readonly ProblemView[]> {
    const problems = restartProblems(this.#config, loaded);
    if (problems.length > 0) return problems;
    // In steps, so that no call waits for it.
    const building = indexing(loaded.config.localPolicies);
    while (building.next().done !== true) await setImmediate();
    const sip = (await this.#options.prepareSip?.(this.#config, loaded)) ?? NOTHING_TO_PREPARE;
    if (!('type' in sip)) return sip;
    const problem = await this.#takeOverFeatures(loaded, sip);
    return problem === undefined ? await this.#commit(loaded, sip) : [problem];
  }

  /** Last of what may fail: what the feature keys have taken over is in force. */
  async #takeOverFeatures(
    loaded: ValidConfig,
    sip: PreparedPart,
  ): Promise<ProblemView | undefined> {
    try {
      const problem = await this.#options.features.reconfigure(loaded.config);
      if (problem === undefined) return undefined;
      await sip.rollback();
      return problemAt(loaded, problem.path, problem.message);
    } catch (error) {
      await sip.rollback();
      throw error;
    }
  }

  async #commit(
    loaded: ValidConfig,
    sip: PreparedPart,
  ): Promise<Extract<ReloadView, { type: 'applied' }> | readonly ProblemView[]> {
    const before = this.#config;
    const { config } = loaded;
    const { isCommitted, settled } = sip.commit();
    if (!isCommitted) {
      await this.#options.features.reconfigure(before);
      await sip.rollback();
      return [problemAt(loaded, ['sip-interfaces'], ENGINE_LOST)];
    }
    this.#config = config;
    this.#options.apply(config);
    await settled;
    const isChanged = sip.isChanged || config.hash !== before.hash;
    return { type: 'applied', hash: config.hash, isChanged };
  }
}
