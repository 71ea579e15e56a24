import { expect, test } from 'vitest';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';
import { lookUpAgents } from '../../../src/trunk/agent-addresses.ts';
import { configOf, edited } from '../config/sample.ts';

test('host names are looked up, addresses are not', async () => {
  const config = configOf(
    edited([
      'local-policies:',
      '  - { name: good, realm: core, address: sip.good.example }\n  - { name: bad, realm: core, address: sip.bad.example }\nlocal-policies:',
    ]),
  );
  const registry = new AgentRegistry(config);
  const asked: string[] = [];
  const failures = await lookUpAgents(registry, (host) => {
    asked.push(host);
    if (host === 'sip.bad.example') return Promise.reject(new Error('ENOTFOUND'));
    return Promise.resolve(['203.0.113.7']);
  });
  expect(asked).toEqual(['sip.good.example', 'sip.bad.example']);
  expect(failures).toEqual([{ agentName: 'bad', host: 'sip.bad.example', reason: 'ENOTFOUND' }]);
  const [, core] = config.sipInterfaces;
  const source = { address: '203.0.113.7', port: 5060, transport: 'udp' } as const;
  expect(core && registry.match(core, source)?.name).toBe('good');
});

test('the system knows localhost', async () => {
  const config = configOf(edited(['address: 127.0.0.1:6080', 'address: "localhost:6080"']));
  const registry = new AgentRegistry(config);
  expect(await lookUpAgents(registry)).toEqual([]);
  const [, core] = config.sipInterfaces;
  const source = { address: '127.0.0.1', port: 6080, transport: 'udp' } as const;
  expect(core && registry.match(core, source)?.name).toBe('carrier');
});
