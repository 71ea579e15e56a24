import type { Config, SipInterface } from '../config/config.ts';
import { servesFeatureKeys } from '../config/feature-keys-mode.ts';
import type { ProblemView } from './backend.ts';
import { problemAt, type ValidConfig } from './reload-part.ts';

interface Part {
  readonly path: readonly (string | number)[];
  readonly of: (config: Config) => unknown;
  readonly message?: string;
}

/** Parts that are bound to sockets, threads and files: they change only with a restart. */
const RESTART_PARTS: readonly Part[] = [
  { path: ['sip'], of: (config) => config.sip },
  { path: ['media'], of: (config) => config.media },
  { path: ['dtmf'], of: (config) => config.dtmf },
  { path: ['api'], of: (config) => config.api },
  { path: ['cdr'], of: (config) => config.cdr },
];

/** Parts that the subscriptions of phones are bound to, as long as there may be some. */
const FEATURE_PARTS: readonly Part[] = [
  {
    path: ['feature-keys', 'provider', 'kind'],
    of: (config) => config.featureKeys.provider.kind,
  },
  { path: ['feature-keys', 'domains'], of: (config) => config.featureKeys.domains },
];

const NEEDS_RESTART = 'a change here needs a restart';
const SERVER_NEEDS_RESTART = 'with a drachtio-server a change of sockets needs a restart';

/** What of `loaded` cannot be taken over while running; the reload is refused whole then. */
export function restartProblems(current: Config, loaded: ValidConfig): readonly ProblemView[] {
  const areKeysServed = servesFeatureKeys(current) && servesFeatureKeys(loaded.config);
  const parts = [
    ...RESTART_PARTS,
    ...(current.sip.engine === 'drachtio' ? socketParts(current, loaded.config) : []),
    ...(areKeysServed ? FEATURE_PARTS : []),
  ];
  return parts
    .filter(({ of }) => JSON.stringify(of(current)) !== JSON.stringify(of(loaded.config)))
    .map(({ path, message }) => problemAt(loaded, path, message ?? NEEDS_RESTART));
}

/** A server has its sockets from its own configuration; only the embedded engine opens and closes them at our word. */
function socketParts(current: Config, next: Config): readonly Part[] {
  if (countOf(next) !== countOf(current)) {
    return [{ path: ['sip-interfaces'], of: countOf, message: SERVER_NEEDS_RESTART }];
  }
  return next.sipInterfaces.map((_item, index) => ({
    path: ['sip-interfaces', index],
    of: ({ sipInterfaces }) => socketsOf(sipInterfaces[index]),
    message: SERVER_NEEDS_RESTART,
  }));
}

function countOf({ sipInterfaces }: Config): number {
  return sipInterfaces.length;
}

function socketsOf(item: SipInterface | undefined): unknown {
  return [item?.name, item?.sipPorts, item?.tls, item?.keepAliveIntervalMs, item?.drachtio];
}
