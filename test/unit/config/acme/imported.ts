/** An import with two realms, one agent and one group, to which tests add. */
import { importAcme } from '../../../../src/config/acme/acme-import.ts';
import { loadConfig } from '../../../../src/config/load.ts';

export const NETWORK = ['access', 'core'].flatMap((realm, index) => [
  'sip-interface',
  ` realm-id ${realm}`,
  ' sip-port',
  `  address 10.0.${index}.1`,
]);
export const AGENTS = [
  'session-agent',
  ' hostname gw',
  ' ip-address 10.0.1.2',
  ' realm-id core',
  'session-group',
  ' group-name sag',
  ' dest gw',
];

export function load(lines: readonly string[]) {
  const imported = importAcme([...NETWORK, ...AGENTS, ...lines].join('\n'));
  const loaded = loadConfig({ text: imported.yaml, file: 'imported', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return { ...imported, config: loaded.config };
}
