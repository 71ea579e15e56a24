import { describe, expect, test } from 'vitest';
import { NEVER_CHANGED } from '../../../src/feature-keys/providers/account-shape.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { AccountCallFeatures } from '../../../src/feature-keys/call-features.ts';
import type { AccountState } from '../../../src/feature-keys/feature-state.ts';
import { FEATURES, type Feature } from '../../../src/wire/feature-event.ts';

const ACCOUNT = 'sip:2001@pbx.example';

interface Setup {
  readonly applyTo?: string;
  readonly section?: string;
  readonly state?: AccountState | Error;
  /** Targets that the policy refuses. */
  readonly refused?: readonly string[];
  readonly isServed?: boolean;
}

function open({
  applyTo = 'true',
  section = '',
  state,
  refused = [],
  isServed = true,
}: Setup = {}) {
  const text = `
realms:
  - { name: access, media: { address: 127.0.0.1, port-min: 20000, port-max: 20999 } }
sip-interfaces:
  - { name: access, realm: access, sip-ports: [ udp/127.0.0.1:6060 ] }
feature-keys:
  enabled: true
  domains: { pbx.example: [ 10.0.0.1, SBC.example ], other.example: [] }
  apply-to-calls: ${applyTo}
  ${section}
`;
  const loaded = loadConfig({ text, file: 'test', env: {} });
  if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
  const warnings: unknown[] = [];
  const features = new AccountCallFeatures({
    config: () => loaded.config.featureKeys,
    isServed: () => isServed,
    service: {
      forCall: () => (state instanceof Error ? Promise.reject(state) : Promise.resolve(state)),
    },
    log: { warn: (fields: unknown) => warnings.push(fields) },
    targetRefusal: (target) => (refused.includes(target) ? 'denied' : undefined),
  });
  return { features, warnings };
}

/** A dial plan that leads everywhere. */
const anywhere = (): Promise<boolean> => Promise.resolve(true);
const nowhere = (): Promise<boolean> => Promise.resolve(false);

function stateWith(feature: Feature, forwardTo: string): AccountState {
  const stateOf = (name: Feature) =>
    name === feature ? { ...NEVER_CHANGED, status: true, values: { forwardTo } } : NEVER_CHANGED;
  const [dnd, always, busy, noAnswer] = FEATURES;
  return {
    DoNotDisturb: stateOf(dnd),
    CallForwardingAlways: stateOf(always),
    CallForwardingBusy: stateOf(busy),
    CallForwardingNoAnswer: stateOf(noAnswer),
  };
}

test.each<[string, string | undefined]>([
  ['sip:2001@pbx.example', ACCOUNT],
  ['sip:2001@PBX.example:5070;transport=tcp', ACCOUNT],
  ['sips:%32001@sbc.example', ACCOUNT],
  ['sip:2001@10.0.0.1:6060', ACCOUNT],
  ['sip:2001@10.0.0.2', undefined],
  ['sip:pbx.example', undefined],
  ['tel:2001', ACCOUNT],
  ['tel:20-01;ext=7', ACCOUNT],
  ['tel:2001;phone-context=other.example', 'sip:2001@other.example'],
  ['tel:2001;phone-context=+49', ACCOUNT],
  ['sip:2001;npdi@pbx.example;user=phone', ACCOUNT],
  ['sip:2001;isub=1@pbx.example', ACCOUNT],
  ['sip:2001;phone-context=pbx.example@pbx.example', ACCOUNT],
  ['sip:20-01@pbx.example', ACCOUNT],
  ['sip:%2B49(30)1@pbx.example', 'sip:+49301@pbx.example'],
  ['sip:jo-ann@pbx.example', 'sip:jo-ann@pbx.example'],
  ['sip:;npdi@pbx.example', undefined],
  ['nonsense', undefined],
])('%s is for %s', (uri, account) => {
  expect(open().features.accountAt(uri)).toBe(account);
});

test.each<[string, boolean, boolean, boolean]>([
  ['false', false, false, false],
  ['true', true, true, true],
  ['[ pbx.example ]', true, true, false],
  ['[ SBC.example ]', true, true, false],
  ['[ 2001@pbx.example ]', true, false, false],
  ['[ "sip:2001@10.0.0.1", other.example ]', true, false, true],
])('apply-to-calls: %s', (applyTo, ...expected) => {
  const { features } = open({ applyTo });
  const accounts = [ACCOUNT, 'sip:2002@pbx.example', 'sip:2001@other.example'];
  expect(accounts.map((account) => features.actOn(account))).toEqual(expected);
});

test('where no feature keys are served, none act on calls', () => {
  expect(open({ isServed: false }).features.actOn(ACCOUNT)).toBe(false);
});

test.each(['maybe', '{ pbx.example: true }'])('apply-to-calls: %s is refused', (applyTo) => {
  expect(() => open({ applyTo })).toThrow('true, false or a list of domains and accounts');
});

const always = (forwardTo: string): AccountState => stateWith('CallForwardingAlways', forwardTo);

describe('a call to an account with CFA on', () => {
  test('goes to the target', async () => {
    const { features } = open({ state: always('+49 30-12') });
    expect(await features.decide(ACCOUNT, undefined, anywhere)).toMatchObject({
      treatment: { type: 'forward', forward: { target: 'sip:+493012@pbx.example' } },
    });
  });

  test.each<[string, Setup, string | undefined, string]>([
    ['calls itself', { state: always('2424') }, ACCOUNT, ''],
    [
      'forwards to who calls',
      { state: always('2002') },
      'sip:2002@pbx.example',
      'the target is who calls',
    ],
    [
      'forwards to what is denied by now',
      { state: always('0900'), refused: ['0900'] },
      undefined,
      'the target is not allowed (denied)',
    ],
    [
      'forwards to what is no address',
      { state: always('sip:a@b?Replaces=c') },
      undefined,
      'the target cannot be called',
    ],
  ])('rings where the account %s', async (_, setup, caller, reason) => {
    const { treatment, withheld } = await open(setup).features.decide(ACCOUNT, caller, anywhere);
    expect(treatment).toEqual({ type: 'ring' });
    expect(withheld.map((each) => each.reason).join()).toBe(reason);
  });
});

test('row 74: the phone rings where nothing is known of the account', async () => {
  const { features } = open();
  expect((await features.decide(ACCOUNT, undefined, anywhere)).treatment).toEqual({ type: 'ring' });
  const broken = open({ state: new Error('down') });
  expect((await broken.features.decide(ACCOUNT, undefined, anywhere)).treatment).toEqual({
    type: 'ring',
  });
  expect(broken.warnings).toHaveLength(1);
});

describe('where the dial plan has no way to', () => {
  test('the target, the forward is off for this call', async () => {
    const { features } = open({ state: always('2424') });
    expect(await features.decide(ACCOUNT, undefined, nowhere)).toEqual({
      treatment: { type: 'ring' },
      withheld: [
        { feature: 'CallForwardingAlways', reason: 'the dial plan has no way to the target' },
      ],
    });
  });

  test('dnd-response, a call that is not wanted meets 486', async () => {
    const section = 'calls: { dnd-response: "sip:mail@far.example" }';
    const { features } = open({ section, state: stateWith('DoNotDisturb', '') });
    expect(await features.decide(ACCOUNT, undefined, nowhere)).toMatchObject({
      treatment: { type: 'refuse', status: 486 },
      withheld: [{ feature: 'DoNotDisturb' }],
    });
    expect(await features.decide(ACCOUNT, undefined, anywhere)).toMatchObject({
      treatment: { type: 'forward', forward: { target: 'sip:mail@far.example' } },
      withheld: [],
    });
  });
});
