import { expect, test } from 'vitest';
import type { Config, SessionAgent } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

const YAML = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 20000, port-max: 20099 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ "udp/10.1.0.1:5060" ] } ]
session-agents:
  - { name: one, realm: core, address: "10.1.0.2:5070", auth: { username: u, password: p } }
  - { name: two, realm: core, address: 10.1.0.3 }
`;

function load(yaml = YAML): Config {
  const loaded = loadConfig({ text: yaml, file: 'auth.yaml', env: {} });
  if (loaded.type === 'config') return loaded.config;
  throw new Error(JSON.stringify(loaded.problems));
}

function agentOf(config: Config, name: string): SessionAgent {
  const agent = config.sessionAgents.find((each) => each.name === name);
  if (agent === undefined) throw new Error(`no agent ${name}`);
  return agent;
}

test.each([
  ['one', { address: '10.1.0.2', port: 5070, protocol: 'udp' }, true],
  ['one', { address: '10.1.0.2', port: 5071, protocol: 'udp' }, false],
  ['one', { address: '10.1.0.2', port: 40_000, protocol: 'tcp' }, true],
  ['one', { address: '10.1.0.3', port: 5070, protocol: 'udp' }, false],
  ['one', { address: 'carrier.example', port: 5070, protocol: 'udp' }, false],
  ['two', { address: '10.1.0.3', port: 40_000, protocol: 'udp' }, true],
  ['three', { address: '10.1.0.3', port: 5060, protocol: 'udp' }, false],
])('%s is at %o: %s', (name, source, isThere) => {
  const agents = new AgentRegistry(load());
  expect(agents.isAddressOf(name, source)).toBe(isThere);
});

test('an agent keeps its nonces as long as its credentials stay', () => {
  const config = load();
  const agents = new AgentRegistry(config);
  const client = agents.digestOf(agentOf(config, 'one'));

  expect(client).toBeDefined();
  expect(agents.digestOf(agentOf(load(), 'one'))).toBe(client);
  for (const changed of ['username: v', 'username: u, realm: r']) {
    const reloaded = load(YAML.replace('username: u', changed));
    expect(agents.digestOf(agentOf(reloaded, 'one'))).not.toBe(client);
  }
  expect(agents.digestOf(agentOf(config, 'two'))).toBeUndefined();
  expect(agents.digestOf(undefined)).toBeUndefined();
});
