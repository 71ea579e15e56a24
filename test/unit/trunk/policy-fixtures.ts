/** A configuration with two realms, five agents and translations, to which tests add policies. */
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { TrunkView } from '../../../src/trunk/group-strategy.ts';
import { IDLE_TRUNK, route, type RouteRequest } from '../../../src/trunk/policy.ts';

const BASE = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], translate-in: e164 }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ], translate-out: national }
session-agents:
  - { name: pbx, realm: access, address: 127.0.0.1:6070 }
  - { name: raw, realm: access, address: 127.0.0.1:6071, translate-in: none }
  - { name: one, realm: core, address: 127.0.0.1:6081 }
  - { name: two, realm: core, address: 127.0.0.1:6082, translate-out: none }
  - { name: three, realm: core, address: 127.0.0.1:6083, translate-out: hidden }
session-groups: [ { name: both, members: [ one, two ] } ]
translations:
  - name: e164
    called: [ { strip-prefix: "00", add-prefix: "+" }, { strip-prefix: "0", add-prefix: "+49" } ]
    calling: [ { strip-prefix: "0", add-prefix: "+49" } ]
  - { name: national, called: [ { strip-prefix: "+49", add-prefix: "0" } ], calling: [ { strip-prefix: "+49", add-prefix: "0" } ] }
  - { name: hidden, calling: [ { pattern: "^.+$", replace: "4930100" } ] }
  - { name: prefix, called: [ { add-prefix: "77" } ] }
local-policies:
`;

const GROUPS = 'session-groups: [ { name: both, members: [ one, two ] } ]';

export function load(policies: string, groups = GROUPS): Config {
  const text = `${BASE.replace(GROUPS, groups)}${policies
    .trim()
    .split('\n')
    .map((line) => `  - ${line.trim()}\n`)
    .join('')}`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

export function viewWithout(...names: string[]): TrunkView {
  return {
    ...IDLE_TRUNK,
    isUsable: (name) => !names.includes(name),
    obstacle: () => ({ state: 'out-of-service', reason: 'no-answer' }),
  };
}

export interface Question extends Partial<RouteRequest> {
  readonly agent?: string;
}

export function requestOf(config: Config, called: string, question: Question = {}): RouteRequest {
  const { agent, ...others } = question;
  return {
    fromRealm: 'access',
    sipInterface: config.sipInterfaces.find(({ name }) => name === 'access'),
    fromAgent: config.sessionAgents.find(({ name }) => name === agent),
    calledNumber: called,
    requestUri: `sip:${called}@sbc.example`,
    ...others,
  };
}

/** Request-URIs of the hops, or status and reason. */
export function tried(config: Config, request: RouteRequest, view = IDLE_TRUNK): string {
  const result = route(config, request, view);
  if (result.type === 'reject') return `${result.status} ${result.reason}`;
  return result.hops.map(({ agent, requestUri }) => agent?.name ?? requestUri).join(' ');
}
