/**
 * The engines of one thread, which change together or not at all.
 *
 *   prepare: bind what is new, read certificates, start engines for new interfaces ── any failure: close it all again
 *   commit:  in one turn every engine takes over its listen points; those left out go on for what is under way on them
 */
import { createSecureContext } from 'node:tls';
import { startEngine, type Engine } from './engine.ts';
import type {
  EngineProblem,
  NamedEngineOptions,
  ProblemPart,
  StartedEngine,
} from './engine-protocol.ts';
import type { EngineOptions } from './engine.ts';
import { DEFAULT_ENGINE_LIMITS } from './transaction/transaction-layer.ts';
import { type OpenPort, PortTable } from './transport/open-port.ts';
import { secureOptionsOf } from './transport/tls-settings.ts';

/** Engines and listen points that wait for the word. */
export interface PreparedEngines {
  readonly type: 'prepared';
  /** All that there will be, in the order asked for. */
  readonly engines: readonly StartedEngine[];
  commit(): void;
  rollback(): Promise<void>;
}

/** What the thread adds to the options of an engine. */
export type EngineSurroundings = (name: string) => Partial<EngineOptions>;

interface Wanted {
  readonly options: NamedEngineOptions;
  readonly engine: Engine;
  readonly ports: readonly OpenPort[];
}

/** What a change has opened or counts on so far. */
interface Claims {
  /** Started for it. */
  readonly engines: Engine[];
  /** Reserved for it. */
  readonly ports: OpenPort[];
}

export class EngineSet {
  readonly #surroundings: EngineSurroundings;
  readonly #onRetired: (name: string) => void;
  readonly #ports = new PortTable();
  /** By name; retired ones as well, as long as something is under way. */
  readonly #engines = new Map<string, Engine>();
  /** Those of them that were left out. */
  readonly #retiring = new Set<string>();
  /** Changes under way: what they may count on is not closed. */
  #changes = 0;

  /** @param onRetired an engine that was left out has nothing under way any more and is closed. */
  constructor(surroundings: EngineSurroundings, onRetired: (name: string) => void) {
    this.#surroundings = surroundings;
    this.#onRetired = onRetired;
  }

  get(name: string): Engine | undefined {
    return this.#engines.get(name);
  }

  /** Opens all that `engines` needs and the running ones do not have; on a problem all of it is closed again. */
  async prepare(engines: readonly NamedEngineOptions[]): Promise<PreparedEngines | EngineProblem> {
    const claims: Claims = { engines: [], ports: [] };
    this.#changes += 1;
    const release = async (): Promise<void> => {
      this.#changes -= 1;
      this.#retireAgain();
      await Promise.all(claims.ports.map(async (port) => port.release()));
    };
    const rollback = async (): Promise<void> => {
      await Promise.all(claims.engines.map(async (engine) => engine.close()));
      await release();
    };
    const wanted: Wanted[] = [];
    for (const options of engines) {
      // One after the other, so that a port that is taken leaves nothing half opened behind it.
      const next = await this.#want(options, claims);
      if ('type' in next) {
        await rollback();
        return next;
      }
      wanted.push(next);
    }
    return {
      type: 'prepared',
      engines: wanted.map(({ options, engine, ports }) => ({
        name: options.name,
        adminPort: engine.adminPort,
        listenPoints: ports.map(({ listenPoint }) => listenPoint),
      })),
      commit: () => {
        this.#commit(wanted);
        void release();
      },
      rollback,
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#engines.values()].map(async (engine) => engine.close()));
  }

  async #want(options: NamedEngineOptions, claims: Claims): Promise<Wanted | EngineProblem> {
    const { name, listen, tls } = options;
    let part: ProblemPart = { type: 'tls' };
    try {
      if (tls !== undefined) createSecureContext(secureOptionsOf(tls));
      const ports: OpenPort[] = [];
      for (const [index, point] of listen.entries()) {
        part = { type: 'listen', index };
        const known = this.#ports.find(point);
        const port = known ?? (await this.#ports.bind(point, { limits: limitsOf(options), tls }));
        port.reserve();
        claims.ports.push(port);
        ports.push(port);
      }
      part = { type: 'engine' };
      return { options, ports, engine: await this.#engineFor(options, claims) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { type: 'problem', name, part, reason };
    }
  }

  async #engineFor(options: NamedEngineOptions, claims: Claims): Promise<Engine> {
    const { name, ...rest } = options;
    const known = this.#engines.get(name);
    if (known !== undefined) return known;
    const engine = await startEngine({ ...rest, ...this.#surroundings(name), listen: [] });
    claims.engines.push(engine);
    return engine;
  }

  #commit(wanted: readonly Wanted[]): void {
    const names = new Set(wanted.map(({ options }) => options.name));
    for (const { options, engine, ports } of wanted) {
      this.#retiring.delete(options.name);
      this.#engines.set(options.name, engine);
      engine.serve(ports, { limits: limitsOf(options), tls: options.tls });
    }
    for (const name of this.#engines.keys()) if (!names.has(name)) this.#retiring.add(name);
  }

  #retireAgain(): void {
    for (const name of this.#retiring) {
      const engine = this.#engines.get(name);
      engine?.retire(() => this.#retired(name, engine));
    }
  }

  #retired(name: string, engine: Engine): void {
    if (this.#changes > 0 || !this.#retiring.delete(name)) return;
    this.#engines.delete(name);
    void engine.close().then(() => this.#onRetired(name));
  }
}

function limitsOf({ limits }: NamedEngineOptions): typeof DEFAULT_ENGINE_LIMITS {
  return { ...DEFAULT_ENGINE_LIMITS, ...limits };
}
