import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoadThread } from '../../src/config/load-thread.ts';
import { loadConfig, loadedOf } from '../../src/config/load.ts';

const HEAD = `sip: { engine: embedded }
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
sip-interfaces:
  - name: access
    realm: access
    sip-ports: [ "udp/127.0.0.1:5060", "tcp/127.0.0.1:5060" ]
session-agents:
  - { name: carrier, realm: access, address: "127.0.0.1:5080" }
local-policies:
`;
const MANY = 1300;

function withPolicies(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, n) => `  - { from-realm: access, to: "${1000 + n}", next-hop: carrier }\n`,
  );
  return `${HEAD}${lines.join('')}`;
}

let folder = '';
let thread = new LoadThread(undefined);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'load-thread-'));
  thread = new LoadThread(join(folder, 'sbc.yaml'));
});

afterEach(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

test('a configuration comes out of the thread as it would be loaded here, long lists whole and in order', async () => {
  const text = withPolicies(MANY);
  await writeFile(join(folder, 'sbc.yaml'), text);
  const loaded = await thread.load();
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const here = loadConfig({ text, file: 'sbc.yaml', env: {} });
  if (here.type === 'invalid') throw new Error('invalid');
  expect(loaded.config).toEqual(here.config);
  expect(Object.isFrozen(loaded.config.localPolicies[MANY - 1])).toBe(true);
  expect(loaded.lineOf(['sip-interfaces', 0, 'sip-ports', 1])).toBe(7);
  expect(loaded.lineOf(['sip-interfaces', 0, 'tls', 'certificate'])).toBe(5);
  expect(loaded.lineOf(['session-agents', 0])).toBe(8);
  expect(loaded.lineOf(['dtmf'])).toBeUndefined();
  expect(loadedOf(loaded.config)?.config).toEqual(here.config);
});

test('two files that are loaded at once do not mix', async () => {
  const loads = await Promise.all([MANY, 3, 700].map((count) => thread.load(withPolicies(count))));
  expect(
    loads.map((loaded) => (loaded.type === 'config' ? loaded.config.localPolicies.length : -1)),
  ).toEqual([MANY, 3, 700]);
});

test('problems come with their lines, and so does a file that is not there', async () => {
  const missing = await thread.load();
  const broken = await thread.load(withPolicies(1).replace('next-hop', 'nexthop'));
  expect([missing.type, broken.type]).toEqual(['invalid', 'invalid']);
  expect(broken.type === 'invalid' && broken.problems[0]?.line).toBe(11);
});
