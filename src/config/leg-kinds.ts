/** The kinds of legs a configuration can produce. */
import type { Config, SessionAgent, SipInterface } from './config.ts';
import { effectiveSettings, type LegSettings } from './effective.ts';
import type { Path } from './problem.ts';
import { reachingInterface } from './reaching-interface.ts';

/** A leg towards an agent, or towards peers of an interface that are no agents. */
export interface LegKind {
  /** `session agent "carrier"` or `interface "access"`. */
  readonly label: string;
  readonly path: Path;
  readonly sipInterface: SipInterface;
  readonly agent: SessionAgent | undefined;
  readonly settings: LegSettings;
}

const KINDS = new WeakMap<Config, readonly LegKind[]>();

/** Every kind of leg there is, the same ones for each who asks. */
export function legKinds(config: Config): readonly LegKind[] {
  const known = KINDS.get(config);
  if (known !== undefined) return known;
  const kinds = [...strangersOf(config), ...agentsOf(config)];
  KINDS.set(config, kinds);
  return kinds;
}

function strangersOf({ sipInterfaces }: Config): LegKind[] {
  return sipInterfaces.map((sipInterface, index) => ({
    label: `interface "${sipInterface.name}"`,
    path: ['sip-interfaces', index],
    sipInterface,
    agent: undefined,
    settings: effectiveSettings(sipInterface, undefined),
  }));
}

function agentsOf({ sipInterfaces, sessionAgents }: Config): LegKind[] {
  const byRealm = Map.groupBy(sipInterfaces, ({ realm }) => realm);
  return sessionAgents.flatMap((agent, index): LegKind[] => {
    const sipInterface = reachingInterface(byRealm.get(agent.realm) ?? [], agent);
    if (sipInterface === undefined) return [];
    const settings = effectiveSettings(sipInterface, agent);
    const path = ['session-agents', index];
    return [{ label: `session agent "${agent.name}"`, path, sipInterface, agent, settings }];
  });
}
