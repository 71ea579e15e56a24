/**
 * Rules about keys that are read and kept, yet nothing in this version acts on: an operator must not believe in a
 * health check or an engine that is not there. A rule leaves this table when its function arrives.
 */
import type { Config, LegValues } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import type { Path } from './problem.ts';

const EXPLANATION = 'The key is valid and has no effect in this version.';

function unservedEngines(config: Config): RuleFinding[] {
  if (config.media.engine !== 'rtpengine') return [];
  return [{ path: ['media', 'engine'], message: 'there is no rtpengine adapter yet' }];
}

function unservedIo(config: Config): RuleFinding[] {
  const { io } = config.media;
  if (io !== 'ffi' && io !== 'kernel') return [];
  return [{ path: ['media', 'io'], message: `io: ${io} is not there yet; packets go by dgram` }];
}

function unservedPing(config: Config): RuleFinding[] {
  return config.sessionAgents.flatMap((agent, index) => {
    if (agent.optionsPing === undefined) return [];
    const message = `"${agent.name}" is not probed yet; a dead agent is noticed call by call`;
    return [{ path: ['session-agents', index, 'options-ping'], message }];
  });
}

function unservedFeatureKeys(config: Config): RuleFinding[] {
  if (!config.featureKeys.enabled) return [];
  return [{ path: ['feature-keys'], message: 'SUBSCRIBE for feature keys is answered 489 yet' }];
}

/** Leg parameters without function, with their spelling and the value that asks for nothing. */
const UNSERVED_LEG: readonly { key: keyof LegValues; spelling: string; idle: unknown }[] = [
  { key: 'kpmlSubscription', spelling: 'kpml-subscription', idle: 'in-dialog' },
];

function unservedLegParameters(config: Config): RuleFinding[] {
  const places = [
    { name: 'sip-interfaces', items: config.sipInterfaces },
    { name: 'session-agents', items: config.sessionAgents },
  ];
  return places.flatMap(({ name, items }) =>
    items.flatMap(({ leg }, index) =>
      UNSERVED_LEG.flatMap(({ key, spelling, idle }) => {
        const value = leg[key];
        if (value === undefined || value === idle) return [];
        const path: Path = [name, index, spelling];
        return [{ path, message: `${spelling}: ${String(value)} has no effect yet` }];
      }),
    ),
  );
}

export const SERVED_RULES: readonly LintRule[] = [
  {
    code: 'engine-not-served',
    severity: 'error',
    explanation: 'The SBC does not start with this configuration in this version.',
    find: unservedEngines,
  },
  { code: 'io-not-served', severity: 'warning', explanation: EXPLANATION, find: unservedIo },
  {
    code: 'parameter-not-served',
    severity: 'warning',
    explanation: EXPLANATION,
    find: unservedLegParameters,
  },
  { code: 'ping-not-served', severity: 'info', explanation: EXPLANATION, find: unservedPing },
  {
    code: 'feature-keys-not-served',
    severity: 'info',
    explanation: EXPLANATION,
    find: unservedFeatureKeys,
  },
];
