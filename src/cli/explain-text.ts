/** How an explanation reads in a terminal. */
import type { LegSettings } from '../config/effective.ts';
import { LEG_PARAMETER_NAMES, spellLegValue } from '../config/leg-parameter-names.ts';
import { type LocalPolicy, policyText } from '../config/routing-config.ts';
import type { Hop } from '../trunk/policy.ts';
import type { Origin } from './explain-route.ts';
import { formatTable } from './table.ts';

export interface ParameterRow {
  readonly parameter: string;
  /** In the spelling of the configuration file. */
  readonly value: string;
  readonly origin: string;
}

export function parameterRows(settings: LegSettings): ParameterRow[] {
  const rows: ParameterRow[] = [];
  let key: keyof LegSettings;
  for (key in LEG_PARAMETER_NAMES) {
    const { value, origin } = settings[key];
    rows.push({ parameter: LEG_PARAMETER_NAMES[key], value: spellLegValue(value), origin });
  }
  return rows;
}

export function describeOrigin(origin: Origin): string {
  const { sipInterface, agent, admittedAs } = origin;
  const who =
    agent === undefined
      ? `no session agent, admitted as: ${admittedAs}`
      : `session agent ${agent.name}`;
  return `sip-interface ${sipInterface.name} (realm ${sipInterface.realm}), ${who}`;
}

export function describePolicy(policy: LocalPolicy, index: number): string {
  return `local-policies[${index}]: ${policyText(policy)}`;
}

/** `calling` is the number that the hop is shown, if one is known. */
export function describeHop(hop: Hop, calling = ''): string {
  const who = hop.agent === undefined ? 'no session agent' : `session agent ${hop.agent.name}`;
  const from = calling === '' ? '' : ` from ${calling}`;
  return `sip-interface ${hop.sipInterface.name}, ${who}: ${hop.requestUri}${from} via ${hop.nextHop}`;
}

/** The parameters of a leg that are set somewhere, or all of them. */
export function formatLeg(title: string, settings: LegSettings, isWhole = false): string {
  const rows = parameterRows(settings);
  const shown = rows.filter(({ origin }) => isWhole || origin !== 'default');
  const cells = shown.map(({ parameter, value, origin }) => [`  ${parameter}`, value, origin]);
  const table = shown.length === 0 ? '' : formatTable(['  parameter', 'value', 'from'], cells);
  const left = rows.length - shown.length;
  return `${title}\n${table}${left === 0 ? '' : `  ${left} by default (--all)\n`}`;
}
