import { expect, test } from 'vitest';
import type { CallFeatures } from '../../../src/call/forward/call-features.ts';
import { CallForwarding } from '../../../src/call/forward/call-forwarding.ts';
import type { Routed } from '../../../src/call/forward/forward-routes.ts';
import { ForwardsInSetUp } from '../../../src/call/forward/forwards-in-set-up.ts';
import { refused } from '../../../src/call/room-for-calls.ts';
import { requestOf } from '../../support/message-of.ts';

const CALLED = 'sip:2001@pbx.example';

/** A forward of 2001 to 2002; 2003 forwards wherever it is, and nobody knows of the others. */
function featuresOf(asked: { readonly uris: readonly string[]; readonly answers: boolean[] }) {
  const forward = { feature: 'CallForwardingAlways', reason: 'unconditional' } as const;
  const target = 'sip:2002@pbx.example';
  const features: CallFeatures = {
    settings: { send181: false, diversionHeaders: 'both', maxDiversions: 1 },
    accountAt: (uri) => (uri.includes('@pbx.example') ? uri : undefined),
    actOn: (account) => account === CALLED || account.includes('2003'),
    decide: async (account, _, canReach) => {
      if (account === CALLED) {
        for (const uri of asked.uris) asked.answers.push(await canReach(uri));
      }
      return { treatment: { type: 'forward', forward: { ...forward, target } }, withheld: [] };
    },
  };
  return features;
}

function routeOf(uri: string): Routed {
  if (uri.startsWith('sip:2')) {
    return uri.includes('2002')
      ? { type: 'route', hops: [], policy: 'p', skipped: [] }
      : { type: 'refused', refusal: refused('no-route'), isUnreachable: true, hasRoute: false };
  }
  const hasRoute = uri.startsWith('sip:9');
  return { type: 'refused', refusal: refused('no-route'), isUnreachable: true, hasRoute };
}

function open(uris: readonly string[] = []) {
  const answers: boolean[] = [];
  const logged: unknown[] = [];
  const inSetUp = new ForwardsInSetUp();
  const origin = { fromRealm: 'core', fromAgent: undefined, sipInterface: undefined };
  const caller = { ...origin, callingNumber: '49301' };
  const call = (): CallForwarding =>
    new CallForwarding(
      {
        features: featuresOf({ uris, answers }),
        account: CALLED,
        caller: undefined,
        routes: { caller, to: routeOf, originOf: () => caller },
        inSetUp,
      },
      requestOf(`INVITE ${CALLED} SIP/2.0`),
      {
        log: { info: (fields: unknown) => logged.push(fields), warn: () => undefined },
        decided: () => undefined,
        counted: () => undefined,
        recorded: () => undefined,
        routed: () => undefined,
      },
    );
  return { call, answers, logged, inSetUp };
}

test('a target can be reached where the dial plan leads, or where an account forwards the call', async () => {
  const uris = ['2002@pbx.example', '2003@pbx.example', '2004@pbx.example', '9@x', '8@x'];
  const { call, answers } = open(uris.map((uri) => `sip:${uri}`));
  await call().begin(() => undefined);
  expect(answers).toEqual([true, true, false, true, false]);
});

test('the target of a forward stands in the log as digits do', async () => {
  const { call, logged } = open();
  await call().begin(() => undefined);
  expect(logged).toMatchObject([{ digits: 'sip:2002@pbx.example', from: CALLED }]);
  expect(logged).not.toMatchObject([{ to: expect.anything() }]);
});

test('forwards of an account for one caller are bounded while they are in set-up', async () => {
  const { call, inSetUp } = open();
  const calls = Array.from({ length: 5 }, call);
  const steps = await Promise.all(calls.map((each) => each.begin(() => undefined)));
  expect(steps.map(({ type }) => type)).toEqual(['try', 'try', 'try', 'try', 'refuse']);

  calls[0]?.stop();
  calls[0]?.stop();
  expect((await call().begin(() => undefined)).type).toBe('try');
  expect((await call().begin(() => undefined)).type).toBe('refuse');
  // Of the account, and of the caller in it.
  expect(inSetUp.size).toBe(2);
});

test('a call that is over holds no place', async () => {
  const { call, inSetUp } = open();
  const over = call();
  const step = over.begin(() => undefined);
  over.stop();
  await step;
  expect(inSetUp.size).toBe(0);
});
