/** Leads what comes from the network to the rooms that are built after the SIP side. */
import type { FeatureKeys } from './feature-keys-runtime.ts';
import type { PassRelay } from './feature-keys/pass-relay.ts';
import type { CallRegistry } from './call/registry.ts';
import type { RequestRelay } from './call/outside/request-relay.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { StackHandlers } from './sip/stack.ts';

/** What comes to be after the SIP side, which may have something for it before. */
export interface Ready {
  calls: CallRegistry | undefined;
  relay: RequestRelay | undefined;
  pass: PassRelay | undefined;
  /** Opened before the SIP side. */
  readonly features: Pick<FeatureKeys, 'receive' | 'packagesOn'>;
}

export function stackHandlers(ready: Ready, metrics: Metrics, log: Log): StackHandlers {
  return {
    onInvite: (invite) => {
      if (ready.calls === undefined) invite.reject(503, { headers: { 'Retry-After': '1' } });
      else ready.calls.admit(invite);
    },
    onSubscribe: (subscribe) => {
      if (ready.calls === undefined) subscribe.reject(503, { 'Retry-After': '1' });
      else ready.calls.subscribe(subscribe);
    },
    onPackageRequest: (request) => {
      const { interfaceName, source } = request;
      if (ready.calls?.isDenied(interfaceName, source) === true) return false;
      return ready.pass?.receive(request) === true || ready.features.receive(request);
    },
    servedPackages: (name) => ready.features.packagesOn(name),
    onStateChange: (interfaces, state) => {
      log[state === 'up' ? 'info' : 'error']({ interfaces, state }, 'SIP engine connection');
    },
    onBug: (error) => {
      metrics.bug();
      log.error({ err: error }, 'broken invariant');
    },
    isDraining: () => ready.calls?.isDraining ?? false,
    isAdmitted: (name, source) => ready.calls?.isAdmitted(name, source) ?? false,
    relayedMethods: (name, source) => ready.relay?.methodsFor(name, source) ?? [],
    mayReplace: (name, source) => ready.relay?.mayReplace(name, source) ?? false,
    onStray: (name, request) => ready.relay?.receive(name, request) ?? false,
    onAnswered: (answered) => metrics.sipRequestAnswered(answered),
  };
}
