/** The kinds of legs a configuration can produce and which of them meet in one call. */
import type { Config, SessionAgent, SipInterface } from './config.ts';
import { effectiveSettings, type LegSettings } from './effective.ts';
import type { Path } from './problem.ts';
import { reachingInterface } from './reaching-interface.ts';
import type { LocalPolicy } from './routing-config.ts';

/** A leg towards an agent, or towards peers of an interface that are no agents. */
export interface LegKind {
  /** `session agent "carrier"` or `interface "access"`. */
  readonly label: string;
  readonly path: Path;
  readonly sipInterface: SipInterface;
  readonly agent: SessionAgent | undefined;
  readonly settings: LegSettings;
}

export interface LegPair {
  readonly caller: LegKind;
  readonly callee: LegKind;
}

/** Every kind of leg there is. */
export function legKinds(config: Config): LegKind[] {
  const strangers = config.sipInterfaces.map((sipInterface, index): LegKind => ({
    label: `interface "${sipInterface.name}"`,
    path: ['sip-interfaces', index],
    sipInterface,
    agent: undefined,
    settings: effectiveSettings(sipInterface, undefined),
  }));
  const agents = config.sessionAgents.flatMap((agent, index): LegKind[] => {
    const sipInterface = reachingInterface(
      config.sipInterfaces.filter(({ realm }) => realm === agent.realm),
      agent,
    );
    if (sipInterface === undefined) return [];
    const settings = effectiveSettings(sipInterface, agent);
    const path = ['session-agents', index];
    return [{ label: `session agent "${agent.name}"`, path, sipInterface, agent, settings }];
  });
  return [...strangers, ...agents];
}

/** Every caller and callee that some local policy brings together. */
export function legPairs(config: Config): LegPair[] {
  const kinds = legKinds(config);
  const pairs = new Map<string, LegPair>();
  for (const policy of config.localPolicies) {
    const callers = kinds.filter(
      (kind) =>
        mayCall(kind) &&
        [kind.sipInterface.realm, '*'].includes(policy.fromRealm) &&
        (policy.fromAgent ?? kind.agent?.name) === kind.agent?.name,
    );
    for (const caller of callers) {
      for (const callee of calleesOf(config, kinds, policy, caller)) {
        pairs.set(`${caller.label} ${callee.label}`, { caller, callee });
      }
    }
  }
  return [...pairs.values()];
}

/** Strangers call only where they are let in. */
function mayCall(kind: LegKind): boolean {
  if (kind.agent !== undefined) return true;
  return kind.sipInterface.admit === 'anyone' || kind.sipInterface.allow.length > 0;
}

function calleesOf(
  config: Config,
  kinds: readonly LegKind[],
  policy: LocalPolicy,
  caller: LegKind,
): readonly LegKind[] {
  if (policy.nextHop === 'request-uri') {
    const realm = policy.toRealm;
    const strangers = kinds.filter((kind) => kind.agent === undefined);
    if (realm !== undefined) return strangers.filter((kind) => kind.sipInterface.realm === realm);
    const others = strangers.filter(
      (kind) => kind.sipInterface.realm !== caller.sipInterface.realm,
    );
    return others.length > 0 ? others : strangers;
  }
  const group = config.sessionGroups.find(({ name }) => name === policy.nextHop);
  const names = group?.members ?? [policy.nextHop];
  return kinds.filter((kind) => kind.agent !== undefined && names.includes(kind.agent.name));
}
