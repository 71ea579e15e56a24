import { expect, test } from 'vitest';
import { agentView } from '../../../src/api/agent-view.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

const YAML = `
realms:
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ], admit: anyone }
session-agents:
  - { name: probed, realm: core, address: 10.0.0.1, options-ping: { down-after: 1, up-after: 1 } }
  - { name: other, realm: core, address: 10.0.0.2 }
`;

function open() {
  const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const agents = new AgentRegistry(config);
  const views = (groups = config.sessionGroups) =>
    agents.list().map((view) => agentView(view, groups));
  return { agents, views };
}

type Registry = ReturnType<typeof open>['agents'];

test.each<[string, (agents: Registry) => void, object]>([
  ['a lock', (agents) => agents.setLocked('probed', true), { state: 'locked' }],
  [
    'an answered OPTIONS',
    (agents) =>
      agents.report(
        'probed',
        { type: 'answer', by: 'ping', status: 200 },
        { atMs: 1, status: 200, rttMs: 2 },
      ),
    { lastPing: { status: 200, rttMs: 2 } },
  ],
  ['a call', (agents) => agents.counter('probed')?.open('outbound', 0), { activeSessions: 1 }],
  [
    'a lock that was taken back at once',
    (agents) => {
      agents.setLocked('probed', true);
      agents.setLocked('probed', false);
    },
    { state: 'in-service', history: [{ to: 'locked' }, { from: 'locked' }] },
  ],
])('after %s the view of that agent alone is made anew', (_name, change, expected) => {
  const { agents, views } = open();
  const [probed, other] = views();
  expect(views()).toEqual([probed, other]);
  expect(views()[0]).toBe(probed);
  change(agents);
  const changed = views();
  expect(changed[0]).toMatchObject(expected);
  expect([changed[0] === probed, changed[1] === other]).toEqual([false, true]);
  expect(views()[0]).toBe(changed[0]);
});

test('new groups are shown', () => {
  const { views } = open();
  expect(views()[1]?.groups).toEqual([]);
  const rest = { strategy: 'hunt', weights: {}, failoverCodes: [] } as const;
  const groups = [{ name: 'all', members: ['other'], ...rest }];
  expect(views(groups)[1]?.groups).toEqual(['all']);
});
