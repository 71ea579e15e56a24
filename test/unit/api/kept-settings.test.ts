import { expect, test } from 'vitest';
import type { ConfiguredLeg } from '../../../src/api/call-view.ts';
import { settingsView } from '../../../src/api/call-view.ts';
import { KeptSettings } from '../../../src/api/kept-settings.ts';
import { loadConfig } from '../../../src/config/load.ts';

function legs(payload = 101): { plain: ConfiguredLeg; agent: ConfiguredLeg } {
  const text = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ], rfc2833-payload: ${payload} } ]
session-agents: [ { name: carrier, realm: core, address: 10.0.0.1, rfc2833-mode: dual } ]
local-policies: [ { from-realm: core, to: "*", next-hop: carrier } ]
`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const [sipInterface] = loaded.config.sipInterfaces;
  const [agent] = loaded.config.sessionAgents;
  if (sipInterface === undefined) throw new Error('no interface');
  return { plain: { sipInterface, agent: undefined }, agent: { sipInterface, agent } };
}

test('the parameters of a leg are read once, and equal ones of a reload are the same', () => {
  let readings = 0;
  const kept = new KeptSettings((leg) => {
    readings += 1;
    return settingsView(leg);
  });
  const { plain, agent } = legs();
  const first = kept.of(plain);
  expect([kept.of(plain), kept.of(agent)]).toEqual([settingsView(plain), settingsView(agent)]);
  expect([kept.of(plain) === first, readings]).toEqual([true, 2]);
  expect(kept.of(legs().plain)).toBe(first);
  expect(kept.of(legs(96).plain)).toMatchObject({ rfc2833Payload: { value: 96 } });
});
