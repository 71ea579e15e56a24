import { getHeapStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface BuildInfo {
  readonly version: string;
  readonly node: string;
}

const RELOAD_RESULTS = ['applied', 'refused'] as const;
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** The metrics of the process as a whole. */
export class ProcessMetrics {
  readonly #metrics: ReturnType<typeof processMetrics>;

  constructor(registry: Registry) {
    this.#metrics = processMetrics(registry);
  }

  configLoaded(hash: string): void {
    this.#metrics.configInfo.reset();
    this.#metrics.configInfo.set({ hash }, 1);
  }

  configReloaded(result: (typeof RELOAD_RESULTS)[number]): void {
    this.#metrics.configReloads.inc({ result });
  }

  eventLoopLag(lagSeconds: number): void {
    this.#metrics.eventLoopLag.observe(lagSeconds);
  }

  workerRestarted(): void {
    this.#metrics.workerRestarts.inc();
  }

  engineCrashed(): void {
    this.#metrics.engineRestarts.inc();
  }

  buildInfo({ version, node }: BuildInfo): void {
    this.#metrics.buildInfo.set({ version, node }, 1);
  }

  bug(): void {
    this.#metrics.bugs.inc();
  }
}

function processMetrics(registry: Registry) {
  const registers = [registry];
  const configReloads = new Counter({
    name: 'sbc_config_reloads_total',
    help: 'Configuration reloads by result.',
    labelNames: ['result'],
    registers,
  });
  // Present from the start, so that the first refusal already shows as a rise.
  for (const result of RELOAD_RESULTS) configReloads.inc({ result }, 0);
  return {
    configReloads,
    configInfo: new Gauge({
      name: 'sbc_config_info',
      help: 'The configuration in use, by hash.',
      labelNames: ['hash'],
      registers,
    }),
    eventLoopLag: new Histogram({
      name: 'sbc_event_loop_lag_seconds',
      help: 'Lateness of event loop timers, sampled each 20 ms.',
      buckets: LAG_BUCKETS,
      registers,
    }),
    heap: new Gauge({
      name: 'sbc_heap_used_bytes',
      help: 'JavaScript heap in use, that of worker threads left out.',
      registers,
      collect() {
        // `memoryUsage` opens a file, which fails when there are no descriptors left.
        this.set(getHeapStatistics().used_heap_size);
      },
    }),
    workerRestarts: new Counter({
      name: 'sbc_worker_restarts_total',
      help: 'Relay workers started anew after a crash.',
      registers,
    }),
    engineRestarts: new Counter({
      name: 'sbc_engine_restarts_total',
      help: 'Crashes of the embedded SIP engine, which is then started anew.',
      registers,
    }),
    buildInfo: new Gauge({
      name: 'sbc_build_info',
      help: 'Version of the software.',
      labelNames: ['version', 'node'],
      registers,
    }),
    bugs: new Counter({
      name: 'sbc_bugs_total',
      help: 'Broken invariants caught at a boundary.',
      registers,
    }),
  };
}
