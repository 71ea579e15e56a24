import { describe, expect, test } from 'vitest';
import { TargetRoutes } from '../../../src/call/forward/target-routes.ts';
import { Registrations } from '../../../src/call/outside/registrations.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';

/** A Sunday, 12:00 UTC. */
const SUNDAY = Date.UTC(2026, 10, 22, 12);
const ACCOUNT = 'sip:2001@pbx.example';

const BASE = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ], translate-in: dialled }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
session-agents:
  - { name: pbx, realm: access, address: 10.0.0.1 }
  - { name: trunk, realm: core, address: 10.0.0.2 }
translations:
  - { name: dialled, called: [ { pattern: "^0([1-9].*)$", replace: "+49$1" } ] }
`;

function configWith(policies: readonly string[]): Config {
  const lines = policies.map((policy) => `  - { ${policy} }\n`);
  const text = policies.length === 0 ? BASE : `${BASE}local-policies:\n${lines.join('')}`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

interface Asked {
  readonly policies: readonly string[];
  readonly target: string;
  readonly account?: string;
}

function hasWay({ policies, target, account = ACCOUNT }: Asked): boolean {
  const config = configWith(policies);
  const agents = new AgentRegistry(config);
  const registrations = new Registrations();
  const routes = new TargetRoutes({ agents, registrations, nowMs: () => SUNDAY });
  return routes.hasWay(config, account, `sip:${target}@pbx.example`);
}

const TO_PHONES = 'from-realm: core, to: "20", next-hop: pbx';
const ABROAD = 'from-realm: access, to: "00", next-hop: reject';
const OUT = 'from-realm: access, to: "*", next-hop: trunk';
const HOME = 'from-realm: access, to: "+49", next-hop: trunk';
const CLERK = 'from-realm: access, from: "2009", to: "*", next-hop: reject';

describe('an account forwards with the dial plan and the rights of the place where it is', () => {
  test.each<[name: string, isThere: boolean, asked: Asked]>([
    ['nothing is routed here', true, { policies: [], target: '4711' }],
    ['the trunk takes it', true, { policies: [TO_PHONES, OUT], target: '01701' }],
    ['written as the phones write it', true, { policies: [TO_PHONES, HOME], target: '01701' }],
    ['nobody takes it', false, { policies: [TO_PHONES, HOME], target: '4711' }],
    ['it is kept from going abroad', false, { policies: [TO_PHONES, OUT, ABROAD], target: '0044' }],
    [
      'only callers from outside may go there',
      false,
      {
        policies: [TO_PHONES, HOME, 'from-realm: core, to: "900", next-hop: trunk'],
        target: '900',
      },
    ],
    [
      'another account may not',
      false,
      {
        policies: [TO_PHONES, OUT, CLERK],
        target: '01701',
        account: 'sip:2009@pbx.example',
      },
    ],
    [
      'an account that nobody reaches is where its callers are',
      true,
      { policies: [TO_PHONES, HOME], target: '01701', account: 'sip:3001@pbx.example' },
    ],
    [
      'there are no policies for the place where the account is',
      true,
      { policies: ['from-realm: core, to: "*", next-hop: pbx'], target: '01701' },
    ],
  ])('%s: %s', (_, isThere, asked) => {
    expect(hasWay(asked)).toBe(isThere);
  });
});

test.each<[string, string, boolean]>([
  ['a way of weekdays is one on a Sunday too', 'next-hop: trunk', true],
  ['a ban of weekdays is none', 'next-hop: reject', false],
])('%s', (_, next, isThere) => {
  const timed = `from-realm: access, to: "7", ${next}, time: { days: mon-fri, zone: UTC }`;
  expect(hasWay({ policies: [TO_PHONES, timed], target: '71' })).toBe(isThere);
  expect(hasWay({ policies: [TO_PHONES, OUT, timed], target: '71' })).toBe(true);
});

test('an agent that is out of service now is no reason to refuse', () => {
  const config = configWith([TO_PHONES, OUT]);
  const agents = new AgentRegistry(config);
  agents.setLocked('trunk', true);
  const routes = new TargetRoutes({ agents, registrations: new Registrations(), nowMs: () => 0 });
  expect(routes.hasWay(config, ACCOUNT, 'sip:01701@pbx.example')).toBe(true);
});

test('what a thousand agents could tell apart is left to the call', () => {
  const names = Array.from({ length: 120 }, (_, index) => `agent-${index}`);
  const agents = names.map(
    (name, index) => `  - { name: ${name}, realm: core, address: 10.1.0.${index} }\n`,
  );
  const policies = names.map((name) => `from-agent: ${name}, to: "5", next-hop: trunk`);
  const text = `${BASE.replace('session-agents:\n', `session-agents:\n${agents.join('')}`)}local-policies:\n${policies
    .map((policy) => `  - { ${policy} }\n`)
    .join('')}`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const routes = new TargetRoutes({
    agents: new AgentRegistry(config),
    registrations: new Registrations(),
    nowMs: () => 0,
  });
  expect(routes.hasWay(config, ACCOUNT, 'sip:4711@pbx.example')).toBe(true);
});
