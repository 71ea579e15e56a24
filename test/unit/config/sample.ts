import type { Config } from '../../../src/config/config.ts';
import { loadConfig, type LoadedConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';

/** Two realms, an agent and a route each way; tests replace or append lines. */
export const SAMPLE = `realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], admit: anyone }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062, tcp/127.0.0.1:6062 ] }
session-agents:
  - { name: carrier, realm: core, address: 127.0.0.1:6080 }
local-policies:
  - { from-realm: access, to: "*", next-hop: carrier }
  - { from-realm: core, to: "*", next-hop: request-uri }
`;

export function load(text: string, env: Record<string, string> = {}): LoadedConfig {
  return loadConfig({ text, file: 'sbc.yaml', env });
}

/** The sample with `changes` made to its text, each of which must be found in it. */
export function edited(...changes: readonly (readonly [from: string, to: string])[]): string {
  let text = SAMPLE;
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`the sample has no "${from}"`);
    text = text.replace(from, to);
  }
  return text;
}

/** The configuration in `text`, which must be valid. */
export function configOf(text: string, env: Record<string, string> = {}): Config {
  return validOf(text, env).config;
}

export function validOf(
  text: string,
  env: Record<string, string> = {},
): Extract<LoadedConfig, { type: 'config' }> {
  const loaded = load(text, env);
  if (loaded.type === 'config') return loaded;
  throw new Error(problemLines(text, env).join('\n'));
}

/** The problems of `text` as `line:column: path: message (suggestion)`. */
export function problemLines(text: string, env: Record<string, string> = {}): string[] {
  const loaded = load(text, env);
  if (loaded.type === 'config') return [];
  return loaded.problems.map((problem) => formatProblem('', problem).slice(1));
}
