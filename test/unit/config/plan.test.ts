import { expect, test } from 'vitest';
import { loadedLater, loadedOf } from '../../../src/config/load.ts';
import { planConfig } from '../../../src/config/plan.ts';
import { affectedCalls } from '../../../src/config/plan-calls.ts';
import { edited, SAMPLE, validOf } from './sample.ts';

const AGENT = 'address: 127.0.0.1:6080';
const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const MEDIA = 'address: 127.0.0.1, port-min: 21000';
const TWO = '  - { name: two, realm: core, address: 127.0.0.1:6082 }\nlocal-policies:';

type Change = readonly [from: string, to: string];

function planOf(from: string, to: string, env: { from?: object; to?: object } = {}) {
  return planConfig(validOf(from, { ...env.from }), validOf(to, { ...env.to }));
}

/** Elements and settings that differ, as lines. */
function linesOf(from: string, to: string, env: Parameters<typeof planOf>[2] = {}): string[] {
  const { elements, settings } = planOf(from, to, env);
  const keyLine = ({ key, from: was = '-', to: is = '-' }: (typeof settings)[number]): string =>
    `${key}: ${was} -> ${is}`;
  return [
    ...elements.flatMap(({ section, name, type, keys }) => [
      `${type} ${section} ${name}`,
      ...keys.map((change) => keyLine(change)),
    ]),
    ...settings.map((change) => keyLine(change)),
  ];
}

test.each<[title: string, changes: Change[], lines: string[]]>([
  ['nothing', [], []],
  ['a comment', [['realms:\n', '# About realms\nrealms:\n']], []],
  ['a default that is written out', [[AGENT, `${AGENT}, rfc2833-mode: none`]], []],
  [
    'a default that means more once it is written',
    [[AGENT, `${AGENT}, transport: udp`]],
    ['changed session-agents carrier', 'transport: - -> udp'],
  ],
  [
    'an agent that moves',
    [[AGENT, 'address: 127.0.0.1:6081']],
    ['changed session-agents carrier', 'address: 127.0.0.1:6080 -> 127.0.0.1:6081'],
  ],
  [
    'an agent that comes, and one that is removed',
    [
      ['name: carrier', 'name: other'],
      ['next-hop: carrier', 'next-hop: other'],
    ],
    ['removed session-agents carrier', 'added session-agents other'],
  ],
  [
    'a parameter that gets its default by being removed',
    [[CORE, `${CORE}, rfc2833-mode: preferred`]],
    ['changed sip-interfaces core', 'rfc2833-mode: transparent -> preferred'],
  ],
  [
    'a health check that there was none of',
    [[AGENT, `${AGENT}, options-ping: { interval: 20s }`]],
    ['changed session-agents carrier', 'options-ping.interval: - -> 20s'],
  ],
  [
    'ports of SIP',
    [[CORE, 'tcp/127.0.0.1:6063 ]']],
    [
      'changed sip-interfaces core',
      'sip-ports: [ udp/127.0.0.1:6062, tcp/127.0.0.1:6062 ] -> [ udp/127.0.0.1:6062, tcp/127.0.0.1:6063 ]',
    ],
  ],
  [
    'media of a realm',
    [[MEDIA, `advertised: 203.0.113.5, ${MEDIA}`]],
    ['changed realms core', 'media.advertised: - -> 203.0.113.5'],
  ],
  [
    'header rules',
    [[AGENT, `${AGENT}, header-rules: [ { direction: in, action: remove, header: X-A } ]`]],
    [
      'changed session-agents carrier',
      'header-rules[0].direction: - -> in',
      'header-rules[0].action: - -> remove',
      'header-rules[0].header: - -> X-A',
    ],
  ],
  [
    'methods',
    [[AGENT, `${AGENT}, methods: { register: carrier }`]],
    ['changed session-agents carrier', 'methods.register: - -> carrier'],
  ],
  [
    'another section',
    [['realms:\n', 'media: { port-quarantine: 5s }\nrealms:\n']],
    ['media.port-quarantine: 30s -> 5s'],
  ],
])('%s', (_, changes, lines) => {
  const text = edited(...changes);
  expect(linesOf(SAMPLE, text)).toEqual(lines);
  expect(planOf(SAMPLE, text).isChanged).toBe(lines.length > 0);
});

test('what is the other way round is told the other way round', () => {
  const text = edited([AGENT, `${AGENT}, options-ping: { interval: 20s }`]);
  expect(linesOf(text, SAMPLE)).toEqual([
    'changed session-agents carrier',
    'options-ping.interval: 20s -> -',
  ]);
});

function auth(password: string): string {
  return edited([AGENT, `${AGENT}, auth: { username: u, password: "${password}" }`]);
}

function token(text: string): string {
  return `${SAMPLE}api: { token: "${text}" }\n`;
}

test('secrets are not shown, and a secret in the environment that changed is no key of the file', () => {
  expect(linesOf(auth('seed-one'), auth('seed-two'))).toEqual([
    'changed session-agents carrier',
    'auth.password: (hidden) -> (hidden)',
  ]);
  expect(linesOf(token('seed-one'), token('seed-two'))).toEqual([
    'api.token: (hidden) -> (hidden)',
  ]);
  const env = { from: { SECRET: 'seed-one' }, to: { SECRET: 'seed-two' } };
  expect(linesOf(token('${SECRET}'), token('${SECRET}'), env)).toEqual(['api: - -> -']);
  const whole = [
    planOf(auth('seed-one'), auth('seed-two')),
    planOf(token('${SECRET}'), token('${SECRET}'), env),
  ];
  expect(JSON.stringify(whole)).not.toContain('seed-');
});

/** A configuration with a secret in each field that takes one. */
function manySecrets(seed: string): string {
  const users = `"1": { password: "${seed}-a" }, "2": { ha1: "${seed}-b" }`;
  const credentials = `{ phones: { username: u, password: "${seed}-c" } }`;
  const hook = `kind: http, url: "https://hook.example", secrets: [ "${seed}-e", "${seed}-f" ], token: "${seed}-g"`;
  return [
    `feature-keys: { users: { ${users} }, notify: { credentials: ${credentials} }, provider: { ${hook} } }`,
    `sip: { drachtio: { secret: "${seed}-h" } }`,
    `hep: { server: 127.0.0.1, password: "${seed}-i" }`,
    token(`${seed}-j`).replace(AGENT, `${AGENT}, auth: { username: u, password: "${seed}-k" }`),
  ].join('\n');
}

function database(seed: string): string {
  return `feature-keys: { provider: { kind: postgres, url: "postgres://u:${seed}@db.example/x" } }\n${SAMPLE}`;
}

test('the connection of a database is a secret whole', () => {
  const plan = planOf(database('seed-one'), database('seed-two'));
  expect(plan.settings.map(({ key }) => key)).toEqual(['feature-keys.provider.url']);
  expect(JSON.stringify(plan)).not.toContain('seed-');
});

test('no secret is shown, wherever it stands', () => {
  const plan = planOf(manySecrets('seed-one'), manySecrets('seed-two'));
  expect(plan.settings.filter(({ to }) => to === '(hidden)').map(({ key }) => key)).toEqual([
    'sip.drachtio.secret',
    'feature-keys.users.1.password',
    'feature-keys.users.2.ha1',
    'feature-keys.notify.credentials.phones.password',
    'feature-keys.provider.secrets',
    'feature-keys.provider.token',
    'api.token',
    'hep.password',
  ]);
  expect(JSON.stringify(plan)).not.toContain('seed-');
  expect(JSON.stringify(planOf(SAMPLE, manySecrets('seed-one')))).not.toContain('seed-');
});

test('a configuration that was loaded in another thread is known by its text, and counts as it is in force', () => {
  const loaded = validOf(token('seed-one'));
  const config = structuredClone(loaded.config);
  expect(loadedOf(config)).toBeUndefined();
  loadedLater(config, () => validOf(token('seed-two')));
  const known = loadedOf(config);
  expect(known?.config).toBe(config);
  expect(known?.written).toEqual(validOf(token('seed-two')).written);
  expect(loadedOf(loaded.config)).toBe(loaded);
});

test('a parameter of the interface counts for the agents that inherit it', () => {
  const owner = `${AGENT}, dtmf-gap-ms: 70`;
  const before = edited(['local-policies:', TWO], [AGENT, owner]);
  const after = before.replace(CORE, `${CORE}, dtmf-gap-ms: 80`);

  expect(planOf(before, after).parameters).toEqual([
    {
      leg: 'interface "core"',
      parameter: 'dtmf-gap-ms',
      from: { value: '60', origin: 'default' },
      to: { value: '80', origin: 'sip-interface core' },
    },
    {
      leg: 'session agent "two"',
      parameter: 'dtmf-gap-ms',
      from: { value: '60', origin: 'default' },
      to: { value: '80', origin: 'sip-interface core' },
    },
  ]);
});

test('a value that moves from the interface to the agent changes nothing in force', () => {
  const before = edited([CORE, `${CORE}, dtmf-gap-ms: 80`]);
  const after = before.replace(AGENT, `${AGENT}, dtmf-gap-ms: 80`);
  const { parameters, elements } = planOf(before, after);
  expect(parameters).toEqual([]);
  expect(elements).toHaveLength(1);
});

test('an agent that is reached from another interface', () => {
  const second = `  - { name: second, realm: core, sip-ports: [ udp/127.0.0.1:6064 ] }\nsession-agents:`;
  const before = edited(['session-agents:', second]);
  const after = before
    .replace(', tcp/127.0.0.1:6062', '')
    .replace('udp/127.0.0.1:6062', 'tcp/127.0.0.1:6062');
  expect(planOf(before, after).parameters).toEqual([
    {
      leg: 'session agent "carrier"',
      parameter: 'sip-interface',
      from: { value: 'core', origin: 'realm' },
      to: { value: 'second', origin: 'realm' },
    },
  ]);
});

test('findings are told that come and that go, not those that stay', () => {
  const kpml = edited([ACCESS, `${ACCESS}, kpml-interworking: enabled`]);
  const named = edited(
    [ACCESS, `${ACCESS}, kpml-interworking: enabled`],
    [AGENT, 'address: sip.example'],
  );
  const codes = (plan: ReturnType<typeof planOf>): object => ({
    added: plan.findings.added.map(({ code, line }) => `${code}@${line}`),
    gone: plan.findings.gone.map(({ code }) => code),
  });

  expect(codes(planOf(SAMPLE, kpml))).toEqual({ added: ['kpml-without-preferred@5'], gone: [] });
  expect(codes(planOf(kpml, named))).toEqual({ added: ['agent-host-name@8'], gone: [] });
  expect(codes(planOf(named, `# moved\n${SAMPLE}`))).toEqual({
    added: [],
    gone: ['kpml-without-preferred', 'agent-host-name'],
  });
});

test('calls are counted once where they have two legs, and only on what is removed or changed', () => {
  const before = edited(['local-policies:', TWO]);
  const after = edited([AGENT, 'address: 127.0.0.1:6081'], [CORE, 'tcp/127.0.0.1:6063 ]']);
  const { elements } = planOf(before, after);
  const access = { sipInterface: 'access', agent: undefined };
  const carrier = { sipInterface: 'core', agent: 'carrier' };
  const two = { sipInterface: 'core', agent: 'two' };

  expect(affectedCalls(elements, [[access, carrier], [carrier, two], [access]])).toEqual([
    { section: 'sip-interfaces', name: 'core', type: 'changed', calls: 2 },
    { section: 'session-agents', name: 'two', type: 'removed', calls: 1 },
    { section: 'session-agents', name: 'carrier', type: 'changed', calls: 2 },
  ]);
  expect(affectedCalls(elements, [])).toEqual([]);
});
