/** A provider module, loaded and checked: what it exports is called, what it answers is not yet judged. */

import { resolve as resolvePath } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Feature } from '../../wire/feature-event.ts';
import type { FeatureChange, Presentity, ProviderContext } from '../feature-state.ts';
import { accountFrom } from './account-shape.ts';

export interface ModuleOptions {
  readonly path: string;
  /** Handed to `init`. */
  readonly options: Readonly<Record<string, string>>;
}

/** What a module is told of who asks. */
export type ModuleContext = Omit<ProviderContext, 'origin' | 'dialogs'>;

export type ModuleAccount =
  /** What `getAll` gave. */
  | { readonly type: 'account'; readonly account: unknown }
  /** What `get` gave for each feature. */
  | { readonly type: 'states'; readonly states: Readonly<Record<Feature, unknown>> };

export type ModuleChanged = (presentity: unknown, feature: unknown) => void;

/** Time to load and to initialise. */
const START_MS = 10_000;

type Exported = Readonly<Record<string, unknown>>;

let loads = 0;

export class ModuleHost {
  readonly #exported: Exported;
  #stopWatching: unknown;

  private constructor(exported: Exported) {
    this.#exported = exported;
  }

  /**
   * Loads the file anew, even if it was loaded before; files that it imports are loaded once per thread.
   *
   * @throws Error that names the file and says what is wrong with it.
   */
  static async load({ path, options }: ModuleOptions): Promise<ModuleHost> {
    loads += 1;
    const { href } = pathToFileURL(resolvePath(path));
    const name = `feature provider module ${path}`;
    const exported = await inTime(import(`${href}?load=${loads}`), name).catch((error: unknown) => {
      throw new Error(`${name} cannot be loaded: ${messageOf(error)}`, { cause: error });
    });
    for (const needed of ['get', 'set']) {
      if (typeof exported[needed] !== 'function') {
        throw new Error(`${name} does not export a function "${needed}"`);
      }
    }
    for (const optional of ['getAll', 'watch', 'init', 'close']) {
      if (!['function', 'undefined'].includes(typeof exported[optional])) {
        throw new Error(`${name} exports "${optional}", which is no function`);
      }
    }
    const host = new ModuleHost(exported);
    await inTime(host.#call('init', { ...options }), name).catch((error: unknown) => {
      throw new Error(`${name} failed in init: ${messageOf(error)}`, { cause: error });
    });
    return host;
  }

  get isWatching(): boolean {
    return this.#exported['watch'] !== undefined;
  }

  async getAll(presentity: Presentity, context: ModuleContext): Promise<ModuleAccount> {
    if (this.#exported['getAll'] !== undefined) {
      return { type: 'account', account: await this.#call('getAll', presentity, context) };
    }
    const states = await accountFrom((feature) => this.#call('get', presentity, feature, context));
    return { type: 'states', states };
  }

  set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ModuleContext,
  ): Promise<unknown> {
    return this.#call('set', presentity, feature, change, context);
  }

  /** Once. */
  async watch(changed: ModuleChanged): Promise<void> {
    this.#stopWatching = await this.#call('watch', changed);
  }

  /** Errors of the module in its last moments are of no use to anybody. */
  async close(): Promise<void> {
    try {
      if (typeof this.#stopWatching === 'function') await this.#stopWatching();
    } catch {
      // Closed all the same.
    }
    await this.#call('close').catch(() => undefined);
  }

  async #call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const called = this.#exported[name];
    return typeof called === 'function' ? called(...args) : undefined;
  }
}

function inTime<T>(work: Promise<T>, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} takes too long`)), START_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
