/** Which parameters count otherwise on a leg, wherever the change was made. */
import type { Config } from './config.ts';
import type { LegSettings } from './effective.ts';
import { legKinds } from './leg-kinds.ts';
import { LEG_PARAMETER_NAMES, spellLegValue } from './leg-parameter-names.ts';

export interface ParameterChange {
  /** `session agent "carrier"` or `interface "access"`, which are peers that are no agents. */
  readonly leg: string;
  readonly parameter: string;
  readonly from: ParameterValue;
  readonly to: ParameterValue;
}

export interface ParameterValue {
  readonly value: string;
  /** `session-agent NAME`, `sip-interface NAME`, `default`, or `realm` for the interface a leg is on. */
  readonly origin: string;
}

/** Of legs that are in both configurations. */
export function parameterChanges(old: Config, next: Config): ParameterChange[] {
  const before = new Map(legKinds(old).map((kind) => [kind.label, kind]));
  return legKinds(next).flatMap((kind): ParameterChange[] => {
    const earlier = before.get(kind.label);
    if (earlier === undefined) return [];
    const leg = kind.label;
    const [was, is] = [earlier.sipInterface.name, kind.sipInterface.name];
    const moved: ParameterChange[] =
      was === is
        ? []
        : [
            {
              leg,
              parameter: 'sip-interface',
              from: { value: was, origin: 'realm' },
              to: { value: is, origin: 'realm' },
            },
          ];
    return [...moved, ...settingsChanges(leg, earlier.settings, kind.settings)];
  });
}

function settingsChanges(leg: string, before: LegSettings, after: LegSettings): ParameterChange[] {
  const changes: ParameterChange[] = [];
  let key: keyof LegSettings;
  for (key in LEG_PARAMETER_NAMES) {
    const [from, to] = [before[key], after[key]];
    if (from.value === to.value) continue;
    changes.push({
      leg,
      parameter: LEG_PARAMETER_NAMES[key],
      from: { value: spellLegValue(from.value), origin: from.origin },
      to: { value: spellLegValue(to.value), origin: to.origin },
    });
  }
  return changes;
}
