import { expect, test } from 'vitest';
import type { FollowRedirects } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { IDLE_TRUNK, route } from '../../../src/trunk/policy.ts';
import type { Hop } from '../../../src/trunk/policy.ts';
import { hopKey, redirectHops } from '../../../src/trunk/redirect.ts';
import type { Redirection } from '../../../src/trunk/redirect.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
  - { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ] }
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062, tcp/127.0.0.1:6062 ] }
session-agents:
  - { name: first, realm: core, address: 10.0.0.1 }
  - { name: second, realm: core, address: 10.0.0.2:5070, transport: tcp }
  - { name: third, realm: core, address: Third.example }
  - { name: full, realm: core, address: 10.0.0.4 }
  - { name: desk, realm: access, address: 10.0.0.5 }
  - { name: twin-access, realm: access, address: 10.0.0.6 }
  - { name: twin-core, realm: core, address: 10.0.0.6 }
local-policies:
  - { to: "*", next-hop: first }
`;

const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
const { config } = loaded;
const routed = route(config, { fromRealm: 'access', calledNumber: '5', requestUri: 'sip:5@x' });
const from: Hop | undefined = routed.type === 'route' ? routed.hops[0] : undefined;

function redirect(follow: FollowRedirects, ...contacts: readonly string[]): Redirection {
  if (from === undefined) throw new Error('no hop');
  const view = { ...IDLE_TRUNK, isUsable: (name: string) => name !== 'full' };
  return redirectHops(config, { from, contacts, follow }, view);
}

/** Each hop as `interface agent requestUri nextHop`, then what was refused. */
function lines({ hops, refused }: Redirection): string[] {
  return [
    ...hops.map(({ sipInterface, agent, requestUri, nextHop }) =>
      [sipInterface.name, agent?.name ?? '-', requestUri, nextHop].join(' '),
    ),
    ...refused.map(({ reason }) => reason),
  ];
}

test.each<[contact: string, expected: string]>([
  ['<sip:7@10.0.0.1>', 'core first sip:7@10.0.0.1 sip:10.0.0.1'],
  ['sip:7@10.0.0.1;q=0.5', 'core first sip:7@10.0.0.1 sip:10.0.0.1'],
  ['"A, B" <sip:7@10.0.0.1:5060>', 'core first sip:7@10.0.0.1:5060 sip:10.0.0.1'],
  ['<sip:7@10.0.0.2:5070>', 'core second sip:7@10.0.0.2:5070 sip:10.0.0.2:5070;transport=tcp'],
  ['<sip:7@third.EXAMPLE>', 'core third sip:7@third.example sip:Third.example'],
  ['<sip:7@10.0.0.5>', 'access desk sip:7@10.0.0.5 sip:10.0.0.5'],
  ['<sip:7@10.0.0.6>', 'core twin-core sip:7@10.0.0.6 sip:10.0.0.6'],
  [
    '<sip:7@10.0.0.1;user=phone;method=BYE;maddr=10.9.9.9?Replaces=x>;expires=60',
    'core first sip:7@10.0.0.1;user=phone sip:10.0.0.1',
  ],
  ['<sip:10.0.0.1>', 'core first sip:10.0.0.1 sip:10.0.0.1'],
  ['<sip:7@10.0.0.2:5070;transport=udp>', 'no-agent'],
  ['<sips:7@10.0.0.1>', 'no-agent'],
  ['<sip:7@10.0.0.1:5061>', 'no-agent'],
  ['<sip:7@10.0.0.9>', 'no-agent'],
  ['<sip:7@10.0.0.4>', 'agent-not-available'],
  ['<sip:7@127.0.0.1:6060>', 'own-address'],
  ['<sip:7@127.0.0.1:6062;transport=tcp>', 'own-address'],
  ['<sip:7@10.0.0.1>;expires=0', 'expired'],
  ['<tel:+4930>', 'not-sip'],
  ['<mailto:a@b>', 'not-sip'],
  ['*', 'not-readable'],
  ['<sip:7@10.0.0.1', 'not-readable'],
  ['', ''],
])('agents: %s', (contact, expected) => {
  expect(lines(redirect('agents', contact))).toEqual(expected === '' ? [] : [expected]);
});

test.each<[contact: string, expected: string]>([
  ['<sip:7@10.0.0.9>', 'core - sip:7@10.0.0.9 sip:10.0.0.9'],
  [
    '<sip:7@10.0.0.9:5070;transport=tcp>',
    'core - sip:7@10.0.0.9:5070;transport=tcp sip:10.0.0.9:5070;transport=tcp',
  ],
  ['<sip:7@10.0.0.1>', 'core first sip:7@10.0.0.1 sip:10.0.0.1'],
  ['<sips:7@10.0.0.9>', 'no-interface'],
  ['<sip:7@127.0.0.1:6062>', 'own-address'],
])('any: %s', (contact, expected) => {
  expect(lines(redirect('any', contact))).toEqual([expected]);
});

test('disabled: none', () => {
  expect(lines(redirect('disabled', '<sip:7@10.0.0.1>'))).toEqual(['disabled']);
});

test('the highest q comes first, equal ones stay in order, none and a broken one count 1', () => {
  const { hops } = redirect(
    'agents',
    '<sip:a@10.0.0.1>;q=0.25, <sip:b@10.0.0.1>;q=0.7',
    '<sip:c@10.0.0.1>, <sip:d@10.0.0.1>;q=0.701, <sip:e@10.0.0.1>;q=x',
    '<sip:f@10.0.0.1>;q=0, <sip:g@10.0.0.1>;q=1.000, <sip:h@10.0.0.1>;q=2',
  );
  const users = hops.map(({ requestUri }) => requestUri.slice('sip:'.length).split('@')[0]);
  expect(users.join('')).toBe('ceghdbaf');
});

test('the same place is one hop, whichever way it is written', () => {
  const { hops } = redirect(
    'agents',
    '<sip:7@10.0.0.1>;q=0.5, <sip:7@10.0.0.1:5060>, <sip:7@10.0.0.1;transport=udp>;q=0.1',
  );
  expect(hops.map(({ requestUri }) => requestUri)).toEqual(['sip:7@10.0.0.1:5060']);
  const [hop] = hops;
  expect(hop === undefined ? '' : hopKey(hop)).toBe('7@10.0.0.1:5060;udp');
});

test('no more than 32 Contacts are looked at', () => {
  const contacts = Array.from({ length: 40 }, (_, index) => `<sip:${index}@10.0.0.1>`);
  expect(redirect('agents', contacts.join(',')).hops).toHaveLength(32);
});

test('numbers are those of the old hop in the Contact, and those of the new hop in the request', () => {
  const text = YAML.replace(
    'address: 10.0.0.1 }',
    'address: 10.0.0.1, translate-in: national, translate-out: national }',
  ).replace('transport: tcp }', 'transport: tcp, translate-out: hash }');
  const translated = loadConfig({
    text: `${text}translations:
  - { name: national, called: [ { strip-prefix: "0", add-prefix: "+49" } ] }
  - { name: hash, called: [ { strip-prefix: "+", add-prefix: "#" } ] }
`,
    file: 'test',
    env: {},
  });
  if (translated.type !== 'config') throw new Error(JSON.stringify(translated.problems));
  const request = { fromRealm: 'access', calledNumber: '5', requestUri: 'sip:5@x' };
  const first = route(translated.config, request);
  const [hop] = first.type === 'route' ? first.hops : [];
  if (hop === undefined) throw new Error('no hop');
  const contacts = ['<sip:030@10.0.0.2:5070>;q=0.9', '<sip:030;npdi@third.example>;q=0.1'];
  const { hops } = redirectHops(
    translated.config,
    { from: hop, contacts, follow: 'agents' },
    IDLE_TRUNK,
  );
  expect(hops.map(({ requestUri }) => requestUri)).toEqual([
    'sip:%234930@10.0.0.2:5070',
    'sip:+4930;npdi@third.example',
  ]);
  expect(hops.map(({ translations }) => translations?.leaving.map(({ name }) => name))).toEqual([
    ['hash'],
    undefined,
  ]);
});
