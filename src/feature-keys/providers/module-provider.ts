/** Feature state in a module that the operator wrote, in a thread of its own or in ours. */

import { Worker } from 'node:worker_threads';
import type { FeatureProviderConfig } from '../../config/feature-keys-config.ts';
import { FEATURES, type Feature } from '../../wire/feature-event.ts';
import type { FeatureChange, Presentity, ProviderContext, SetResult } from '../feature-state.ts';
import { ALL_ACCOUNTS, accountOf } from './account-shape.ts';
import { AnswerError, parseForeignState, parseSetResult } from './foreign-state.ts';
import type { ForeignStore } from './foreign-store.ts';
import { type ForeignAccount, parseForeignAccount, wholeAccount } from './foreign-account.ts';
import {
  type ModuleAccount,
  type ModuleContext,
  ModuleHost,
  type ModuleOptions,
} from './module-host.ts';
import type { FeatureStoreDeps } from './open-store.ts';
import { ThreadCalls } from './thread-calls.ts';

export type ModuleProviderConfig = Extract<FeatureProviderConfig, { readonly kind: 'module' }>;

/** Time for the module to finish what it does. */
const CLOSE_MS = 2000;

/** What the thread of a module is asked; the signal of the context is made there. */
export type ModuleRequest =
  | { readonly type: 'get'; readonly presentity: Presentity; readonly context: SentContext }
  | {
      readonly type: 'set';
      readonly presentity: Presentity;
      readonly feature: Feature;
      readonly change: FeatureChange;
      readonly context: SentContext;
    }
  | { readonly type: 'close' };

type SentContext = Omit<ModuleContext, 'signal'>;

type Changed = (presentity: Presentity, feature?: Feature) => void;

/** A loaded module, wherever it runs. */
interface Runner {
  getAll(presentity: Presentity, context: ProviderContext): Promise<ModuleAccount>;
  set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws Error that names the module and says what is wrong with it. */
export async function openModuleProvider(
  config: ModuleProviderConfig,
  deps: FeatureStoreDeps,
): Promise<ForeignStore> {
  const { path, options } = config;
  const listeners = new Set<Changed>();
  const onChange = (presentity: unknown, name: unknown): void => {
    // Whatever the module says: only what can be acted upon is passed on.
    if (typeof presentity !== 'string') return;
    const feature = FEATURES.find((known) => known === name);
    for (const listener of listeners) listener(presentity, feature);
  };
  const runner = config.isolate
    ? await startThread({ path, options }, deps, onChange)
    : await startHere({ path, options }, onChange);
  return new ModuleProvider(runner, listeners);
}

class ModuleProvider implements ForeignStore {
  readonly #runner: Runner;
  readonly #listeners: Set<Changed>;

  constructor(runner: Runner, listeners: Set<Changed>) {
    this.#runner = runner;
    this.#listeners = listeners;
  }

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<ForeignAccount | undefined> {
    const answer = await this.#runner.getAll(presentity, context);
    if (answer.type === 'account') {
      return answer.account === null ? undefined : parseForeignAccount(answer.account);
    }
    const { states } = answer;
    return wholeAccount(
      accountOf((feature) =>
        states[feature] === null ? undefined : parseForeignState(states[feature]),
      ),
    );
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    const answer = await this.#runner.set(presentity, feature, change, context);
    if (answer === undefined) throw new AnswerError('set returned nothing');
    return parseSetResult(answer, change);
  }

  watch(changed: Changed): () => void {
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
    };
  }

  close(): Promise<void> {
    return this.#runner.close();
  }
}

async function startHere(
  options: ModuleOptions,
  onChange: (presentity: unknown, feature: unknown) => void,
): Promise<Runner> {
  const host = await ModuleHost.load(options);
  if (host.isWatching) await host.watch(onChange);
  return {
    getAll: (presentity, context) => host.getAll(presentity, told(context)),
    set: (presentity, feature, change, context) =>
      host.set(presentity, feature, structuredClone(change), told(context)),
    close: () => host.close(),
  };
}

async function startThread(
  options: ModuleOptions,
  deps: FeatureStoreDeps,
  onChange: (presentity: unknown, feature: unknown) => void,
): Promise<Runner> {
  const { path } = options;
  const calls = await ThreadCalls.start({
    name: `thread of feature provider module ${path}`,
    start: () =>
      new Worker(new URL('./module.worker.ts', import.meta.url), {
        name: 'feature-module',
        workerData: options,
        execArgv: ['--disable-warning=ExperimentalWarning'],
      }),
    onEvent: (event) => {
      const { presentity, feature }: { presentity?: unknown; feature?: unknown } = Object(event);
      onChange(presentity, feature);
    },
    onDeath: (reason) => deps.log.error({ path, reason }, 'thread of the feature module died'),
    // Nobody told of what changed in between.
    onRestart: () => onChange(ALL_ACCOUNTS, undefined),
  });
  const ask = <Result>(request: ModuleRequest, signal: AbortSignal): Promise<Result> =>
    calls.call<Result>(request, signal);
  return {
    getAll: (presentity, context) =>
      ask({ type: 'get', presentity, context: sent(context) }, context.signal),
    set: (presentity, feature, change, context) =>
      ask({ type: 'set', presentity, feature, change, context: sent(context) }, context.signal),
    close: () => calls.close({ type: 'close' } satisfies ModuleRequest, CLOSE_MS),
  };
}

function told(context: ProviderContext): ModuleContext {
  return { ...sent(context), signal: context.signal };
}

function sent({ source, actor, param, requestId, deadlineMs, sip }: ProviderContext): SentContext {
  return { source, actor, param, requestId, deadlineMs, ...(sip === undefined ? {} : { sip }) };
}
