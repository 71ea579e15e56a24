import { describe, expect, test } from 'vitest';
import { load } from './imported.ts';

/** Two agents at one address, the second of which has that address as its name. */
const AGENTS = [
  ...agent('voice.example', 'ip-address 10.0.1.8', 'port 5070'),
  ...agent('10.0.1.8', 'ip-address 10.0.1.8', 'port 5060'),
  ...agent('plain.example', 'ip-address 10.0.1.9'),
  ...agent('named.example'),
  ...agent('six.example', 'ip-address 2001:db8::9', 'port 5060'),
  ...agent('10.0.1.7', 'state disabled'),
];

function agent(hostname: string, ...parameters: readonly string[]): string[] {
  return [
    'session-agent',
    ` hostname ${hostname}`,
    ' realm-id core',
    ...parameters.map((text) => ` ${text}`),
  ];
}

function nextHops(...hops: readonly string[]) {
  const { config, lines } = load([
    ...AGENTS,
    'local-policy',
    ' to-address 1',
    ' source-realm access',
    ...hops.flatMap((hop) => [' policy-attribute', `  next-hop ${hop}`, '  realm core']),
  ]);
  return { config, lines, names: config.localPolicies.map(({ nextHop }) => nextHop) };
}

describe('the next hop of a policy', () => {
  test.each([
    ['10.0.1.8', '10.0.1.8'],
    ['10.0.1.8:5060', '10.0.1.8'],
    ['10.0.1.8:5070', 'voice.example'],
    ['voice.example', 'voice.example'],
    ['Voice.Example:5070', 'voice.example'],
    ['10.0.1.9', 'plain.example'],
    ['10.0.1.9:5060', 'plain.example'],
    ['plain.example:5060', 'plain.example'],
    ['named.example:5060', 'named.example'],
    ['[2001:db8::9]:5060', 'six.example'],
    ['2001:db8::9', 'six.example'],
  ])('%s is agent %s', (hop, name) => {
    expect(nextHops(hop).names).toEqual([name]);
  });

  test('at another port is an agent that is made, once', () => {
    const { names, config } = nextHops('10.0.1.9:5090', '10.0.1.9:5090');
    expect(new Set(names)).toEqual(new Set(['10.0.1.9']));
    expect(config.sessionAgents.at(-1)).toMatchObject({ host: '10.0.1.9', port: 5090 });
  });

  test('is one agent with the usual port and without', () => {
    const { names, config } = nextHops('10.0.1.77:5060', '10.0.1.77');
    expect(new Set(names)).toEqual(new Set(['10.0.1.77']));
    expect(config.sessionAgents.at(-1)).toMatchObject({ host: '10.0.1.77', port: undefined });
  });

  test('that is disabled is no other agent', () => {
    const { names, lines } = nextHops('10.0.1.7:5060', 'voice.example');
    expect(names).toEqual(['voice.example']);
    expect(lines.map(({ reason }) => reason)).toContain('agent 10.0.1.7:5060 was not carried');
  });
});

test('members of groups are found by host name before address', () => {
  const { config } = load([
    ...AGENTS,
    'session-group',
    ' group-name both',
    ' dest 10.0.1.8 10.0.1.8:5070',
  ]);
  expect(config.sessionGroups.at(-1)?.members).toEqual(['10.0.1.8', 'voice.example']);
});

describe('an agent that has a name and no address', () => {
  test.each<[string[], number | undefined, string | undefined]>([
    [['port 5060'], 5060, 'changed'],
    [['port 0'], undefined, 'changed'],
    [['port 5080'], 5080, 'carried'],
    [['port 5060', 'ip-address 10.0.1.20'], undefined, 'carried'],
    [[], 5060, undefined],
  ])('with %j has port %s', (parameters, port, fate) => {
    const { config, lines } = load(agent('name.example', ...parameters));
    expect(config.sessionAgents.at(-1)?.port).toBe(port);
    expect(lines.find(({ parameter }) => parameter === 'port')?.fate).toBe(fate);
  });
});
