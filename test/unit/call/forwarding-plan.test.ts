import { expect, test } from 'vitest';
import type { CallFeatures } from '../../../src/call/forward/call-features.ts';
import { forwardingPlan } from '../../../src/call/forward/forwarding-plan.ts';
import { ForwardsInSetUp } from '../../../src/call/forward/forwards-in-set-up.ts';
import { Registrations } from '../../../src/call/outside/registrations.ts';
import { effectiveSettings } from '../../../src/config/effective.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AgentRegistry } from '../../../src/trunk/agent-registry.ts';
import { requestOf } from '../../support/message-of.ts';

const YAML = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
sip-interfaces:
  - { name: untrusted, realm: access, sip-ports: [ udp/127.0.0.1:6060 ] }
  - { name: trusted, realm: access, sip-ports: [ udp/127.0.0.1:6062 ], trust: trusted }
`;

const CALLED = 'sip:2001@pbx.example';

const KEYS: CallFeatures = {
  settings: { send181: true, diversionHeaders: 'both', maxDiversions: 5 },
  accountAt: (uri) => (uri.includes('@pbx.example') ? uri : undefined),
  actOn: () => true,
  decide: () => Promise.reject(new Error('not asked here')),
};

interface Situation {
  /** Registered through the interface `untrusted`, from the address of the caller. */
  readonly registered?: string;
  readonly expiresAtMs?: number;
  readonly remote?: string;
}

/** Who calls, or `no keys` where the call is set up without them. */
function callerOf(where: string, fields: string[], situation: Situation = {}): string {
  const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const { config } = loaded;
  const sipInterface = config.sipInterfaces.find(({ name }) => name === where);
  if (sipInterface === undefined) throw new Error(`no interface ${where}`);
  const { registered, expiresAtMs = 2000, remote = '192.0.2.7:5060' } = situation;
  const registrations = new Registrations();
  if (registered !== undefined) {
    registrations.set({
      aor: registered,
      contact: 'sip:phone@192.0.2.7',
      interfaceName: 'untrusted',
      source: { address: '192.0.2.7', port: 5060, protocol: 'udp' },
      registrarInterface: 'trusted',
      expiresAtMs,
    });
  }
  const request = {
    fromRealm: 'access',
    fromAgent: undefined,
    sipInterface,
    calledNumber: '2001',
    callingNumber: '',
    requestUri: CALLED,
    atMs: 1000,
  };
  const plan = forwardingPlan(
    { keys: KEYS, inSetUp: new ForwardsInSetUp() },
    requestOf(`INVITE ${CALLED} SIP/2.0`, ...fields),
    { settings: effectiveSettings(sipInterface, undefined), sipInterface, remote },
    { config, request, agents: new AgentRegistry(config), registrations },
  );
  return plan === undefined ? 'no keys' : (plan.caller ?? 'nobody known');
}

const OTHER = 'sip:2002@pbx.example';

test.each<[string, string[], string]>([
  ['untrusted', [`From: <${CALLED}>;tag=1`], 'nobody known'],
  ['untrusted', [`From: <${OTHER}>;tag=1`], 'nobody known'],
  ['untrusted', ['From: <sip:1@x>', `P-Asserted-Identity: <${CALLED}>`], 'nobody known'],
  ['untrusted', ['From: <sip:1@x>', 'Priority: psap-callback'], 'nobody known'],
  ['trusted', [`From: <${CALLED}>;tag=1`], 'no keys'],
  ['trusted', [`From: <${OTHER}>;tag=1`], OTHER],
  ['trusted', ['From: <sip:1@x>', `P-Asserted-Identity: <${CALLED}>`], 'no keys'],
  ['trusted', ['From: <sip:1@x>', `P-Asserted-Identity: "X" <sip:1@x>, <${OTHER}>`], OTHER],
  [
    'trusted',
    ['From: <sip:1@x>', 'P-Asserted-Identity: <sip:1@x>', `P-Asserted-Identity: <${CALLED}>`],
    'no keys',
  ],
  ['trusted', ['From: <sip:1@x>', 'Priority: PSAP-callback'], 'no keys'],
  ['trusted', ['From: <sip:1@x>', 'Priority: urgent'], 'nobody known'],
  ['untrusted', ['From: <sip:1@x>', 'Replaces: 1;to-tag=a;from-tag=b'], 'no keys'],
])('%s %j: %s', (where, fields, expected) => {
  expect(callerOf(where, fields)).toBe(expected);
});

test.each<[string, Situation, string]>([
  ['the account itself', { registered: CALLED }, 'no keys'],
  ['another account', { registered: OTHER }, 'nobody known'],
  ['the account from elsewhere', { registered: CALLED, remote: '192.0.2.7:5061' }, 'nobody known'],
  ['the account, until now', { registered: CALLED, expiresAtMs: 1000 }, 'nobody known'],
])('registered from where the call comes: %s', (_, situation, expected) => {
  expect(callerOf('untrusted', [`From: <${CALLED}>;tag=1`], situation)).toBe(expected);
});
