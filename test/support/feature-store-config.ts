/** Configuration and surroundings of a feature store under test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureProvider } from '../../src/config/schema-feature-provider.ts';
import {
  type FeatureStore,
  type FeatureStoreConfig,
  type FeatureStoreDeps,
  openFeatureStore,
} from '../../src/feature-keys/providers/open-store.ts';
import { createLog } from '../../src/observe/log.ts';

export interface StoreSettings {
  /** The section `provider`, every scalar as text. */
  readonly provider: Readonly<Record<string, unknown>>;
  readonly keepMs?: number;
  readonly historyFile?: string;
}

export function storeConfig(settings: StoreSettings): FeatureStoreConfig {
  const { provider, keepMs = 0, historyFile = ':memory:' } = settings;
  return {
    provider: featureProvider.parse(provider),
    history: { keepMs, file: historyFile },
  };
}

/** Log lines are dropped unless `lines` takes them. */
export function storeDeps(lines?: string[]): FeatureStoreDeps {
  const stream = { write: (line: string): void => void lines?.push(line) };
  return { log: createLog('debug', stream), nowMs: Date.now };
}

export function openStore(settings: StoreSettings, lines?: string[]): Promise<FeatureStore> {
  return openFeatureStore(storeConfig(settings), storeDeps(lines));
}

export interface TemporaryFolder {
  readonly path: (name: string) => string;
  readonly remove: () => void;
}

export function temporaryFolder(): TemporaryFolder {
  const folder = mkdtempSync(join(tmpdir(), 'feature-store-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
