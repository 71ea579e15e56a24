/**
 * Rules about keys that are read and kept, yet nothing in this version acts on: an operator must not believe in an
 * engine that is not there. A rule leaves this table when its function arrives.
 */
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';

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

export const SERVED_RULES: readonly LintRule[] = [
  {
    code: 'engine-not-served',
    severity: 'error',
    explanation: 'The SBC does not start with this configuration in this version.',
    find: unservedEngines,
  },
  { code: 'io-not-served', severity: 'warning', explanation: EXPLANATION, find: unservedIo },
];
