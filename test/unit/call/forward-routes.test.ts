import { expect, test } from 'vitest';
import { forwardRoutes } from '../../../src/call/forward/forward-routes.ts';
import { Registrations } from '../../../src/call/outside/registrations.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

/** A trunk calls accounts behind the PBX; the PBX may call out by the trunk, but not abroad. */
const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], translate-in: dialled }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ], translate-in: national }
session-agents:
  - { name: pbx, realm: access, address: 10.0.0.1 }
  - { name: trunk, realm: core, address: 10.0.0.2 }
translations:
  - { name: dialled, called: [ { pattern: "^0([1-9].*)$", replace: "+49$1" } ] }
  - { name: national, calling: [ { pattern: "^30(.*)$", replace: "+4930$1" } ] }
local-policies:
  - { from-realm: core, to: "20", next-hop: pbx }
  - { from-realm: access, to: "*", next-hop: trunk }
  - { from-realm: access, to: "00", next-hop: reject }
  - { from-realm: access, from: "2009", to: "*", next-hop: reject }
`;

function open() {
  const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const agents = new AgentRegistry(config);
  const [, core] = config.sipInterfaces;
  const request = {
    fromRealm: 'core',
    fromAgent: config.sessionAgents[1],
    sipInterface: core,
    calledNumber: '2001',
    callingNumber: '301234',
    requestUri: 'sip:2001@pbx.example',
    atMs: 0,
  };
  const registrations = new Registrations();
  return forwardRoutes({ config, request, agents, registrations });
}

test.each<[string, string, string]>([
  ['2001', 'sip:01701@pbx.example', 'trunk sip:+491701@10.0.0.2'],
  ['2001', 'sip:001701@pbx.example', 'rejected-by-policy'],
  ['2009', 'sip:01701@pbx.example', 'rejected-by-policy'],
])('%s forwards to %s in its own dial plan and rights: %s', (account, target, expected) => {
  const routes = open();
  const uri = `sip:${account}@pbx.example`;
  const origin = routes.originOf(uri, uri, routes.caller);
  const routed = routes.to(target, origin);
  const told =
    routed.type === 'route'
      ? routed.hops.map(({ agent, requestUri }) => `${agent?.name} ${requestUri}`).join()
      : routed.refusal.cause.name;
  expect(told).toBe(expected);
});

test('the number of who calls is still read as the caller writes it', () => {
  const routes = open();
  const uri = 'sip:2001@pbx.example';
  const routed = routes.to('sip:01701@pbx.example', routes.originOf(uri, uri, routes.caller));
  const [hop] = routed.type === 'route' ? routed.hops : [];
  expect(hop?.translations?.before.map(({ name }) => name)).toEqual(['national']);
});

test('an account nobody can reach has the dial plan of who calls it', () => {
  const routes = open();
  expect(routes.to('sip:3001@pbx.example', routes.caller)).toMatchObject({
    type: 'refused',
    isUnreachable: true,
  });
  const origin = routes.originOf('sip:3001@pbx.example', 'sip:3001@pbx.example', routes.caller);
  expect(origin).toMatchObject({ fromRealm: 'core', callingNumber: '3001' });
});
