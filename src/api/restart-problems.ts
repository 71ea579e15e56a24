import type { Config } from '../config/config.ts';
import { servesFeatureKeys } from '../config/feature-keys-mode.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ProblemView } from './backend.ts';

export type ValidConfig = Extract<LoadedConfig, { type: 'config' }>;

interface Part {
  readonly path: readonly string[];
  readonly of: (config: Config) => unknown;
}

/** Parts that are bound to sockets, threads and files: they change only with a restart. */
const RESTART_PARTS: readonly Part[] = [
  { path: ['sip'], of: (config) => config.sip },
  { path: ['media'], of: (config) => config.media },
  {
    path: ['sip-interfaces'],
    of: (config) =>
      config.sipInterfaces.map(({ name, sipPorts, tls, keepAliveIntervalMs, drachtio }) => [
        name,
        sipPorts,
        tls,
        keepAliveIntervalMs,
        drachtio,
      ]),
  },
  { path: ['dtmf'], of: (config) => config.dtmf },
  { path: ['api'], of: (config) => config.api },
  { path: ['cdr'], of: (config) => config.cdr },
  { path: ['log'], of: (config) => config.log },
];

/** Parts that the subscriptions of phones are bound to, as long as there may be some. */
const FEATURE_PARTS: readonly Part[] = [
  {
    path: ['feature-keys', 'provider', 'kind'],
    of: (config) => config.featureKeys.provider.kind,
  },
  { path: ['feature-keys', 'domains'], of: (config) => config.featureKeys.domains },
];

/** What of `loaded` cannot be taken over while running; the reload is refused whole then. */
export function restartProblems(current: Config, loaded: ValidConfig): readonly ProblemView[] {
  const parts =
    servesFeatureKeys(current) && servesFeatureKeys(loaded.config)
      ? [...RESTART_PARTS, ...FEATURE_PARTS]
      : RESTART_PARTS;
  return parts
    .filter(({ of }) => JSON.stringify(of(current)) !== JSON.stringify(of(loaded.config)))
    .map(({ path }) => ({
      line: loaded.lineOf(path) ?? 1,
      column: 1,
      path: path.join('.'),
      message: 'a change here needs a restart',
    }));
}
