import { MemoryFeatureStore } from '../../support/memory-feature-store.ts';
import { providerConformance } from '../../support/provider-conformance.ts';

// The store that other tests rely on has to do what the real ones do.
providerConformance('memory', async () => {
  const store = new MemoryFeatureStore();
  return { provider: store, history: store };
});

providerConformance('memory that writes history', async () => {
  const store = new MemoryFeatureStore();
  store.writesHistory = true;
  return { provider: store, history: store };
});
