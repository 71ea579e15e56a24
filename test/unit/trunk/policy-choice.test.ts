/** Which policy a request gets, and what becomes of it when that policy has no hop. */
import { describe, expect, test } from 'vitest';
import { IDLE_TRUNK, route } from '../../../src/trunk/policy.ts';
import { traceRoute } from '../../../src/trunk/route-trace.ts';
import { load, type Question, requestOf, tried, viewWithout } from './policy-fixtures.ts';

describe('the most specific policy is taken', () => {
  const config = load(`
    { to: "+49", next-hop: one }
    { to: "+49", from: "+4930", next-hop: two }
    { to: "+49", from-realm: access, next-hop: three }
    { to: "+49", from-agent: pbx, next-hop: two }
    { to: "+4989", from: "+4930", from-agent: raw, next-hop: one }
    { to: "+4989", next-hop: three }
    { to: "+49", priority: 10, from: "+4999", next-hop: one }
    { methods: [ REGISTER ], next-hop: three }
  `);

  test.each<[called: string, question: Question, expected: string]>([
    ['+491', {}, 'three'],
    ['+491', { agent: 'pbx' }, 'two'],
    ['+491', { agent: 'raw' }, 'three'],
    ['+491', { agent: 'pbx', callingNumber: '+49301' }, 'two'],
    ['+491', { fromRealm: 'core' }, 'one'],
    ['+491', { fromRealm: 'core', callingNumber: '+49301' }, 'two'],
    // A longer `to` counts more than everything but priority,
    ['+49891', { agent: 'pbx' }, 'three'],
    ['+49891', { agent: 'raw', callingNumber: '+49301' }, 'one'],
    ['+49891', { agent: 'raw', callingNumber: '+49401' }, 'three'],
    // which counts more than that.
    ['+49891', { callingNumber: '+49991' }, 'one'],
    ['1', {}, '404 no-route'],
    ['1', { method: 'REGISTER' }, 'three'],
    ['+491', { method: 'MESSAGE' }, '404 no-route'],
    ['+4', {}, '484 address-incomplete'],
  ])('%s of %j: %s', (called, question, expected) => {
    expect(tried(config, requestOf(config, called, question))).toBe(expected);
  });
});

describe('alternatives for the same requests', () => {
  const config = load(`
    { to: "1", cost: 20, next-hop: one }
    { to: "1", cost: 10, next-hop: both }
    { to: "2", next-hop: one }
    { to: "2", cost: 5, next-hop: reject, code: 480, reason: "Gone fishing" }
    { to: "2", cost: 9, next-hop: two }
    { to: "*", next-hop: two }
    { to: "3", next-hop: one }
    { to: "4", next-hop: reject }
    { to: "5", next-hop: request-uri }
    { to: "5", cost: 1, next-hop: one }
  `);

  test.each([
    // By cost, and the hops of the second behind those of the first.
    ['1', [], 'one two one'],
    ['1', ['two'], 'one one'],
    ['1', ['one', 'two'], '503 no-agent-available'],
    ['2', [], 'one'],
    // What comes behind a rejection is never tried.
    ['2', ['one'], '480 rejected-by-policy'],
    // A shorter prefix is no alternative.
    ['3', ['one'], '503 no-agent-available'],
    ['4', [], '403 rejected-by-policy'],
    ['5', [], 'sip:5@sbc.example one'],
  ])('%s without %j: %s', (called, down, expected) => {
    expect(tried(config, requestOf(config, called), viewWithout(...down))).toBe(expected);
  });

  test('the route says which policy has the first hop, and which agents were passed over', () => {
    const result = route(config, requestOf(config, '1'), viewWithout('two'));
    expect(result).toMatchObject({
      policy: config.localPolicies[1],
      steps: [{ policy: config.localPolicies[1] }, { policy: config.localPolicies[0] }],
      skipped: [{ agent: 'two', reason: 'out-of-service (no-answer)' }],
    });
  });

  test('a rejection brings its code and its phrase', () => {
    expect(route(config, requestOf(config, '2'), viewWithout('one'))).toMatchObject({
      status: 480,
      phrase: 'Gone fishing',
      policy: config.localPolicies[3],
      skipped: [{ agent: 'one' }],
    });
    expect(route(config, requestOf(config, '4'))).not.toHaveProperty('phrase');
  });
});

test('calls that only might need a group take no turn of its round-robin', () => {
  const text = `
    { to: "1", next-hop: three }
    { to: "1", cost: 1, next-hop: turning }
    { to: "2", next-hop: turning }
    { to: "2", cost: 1, next-hop: turning, translate: prefix }
  `;
  const group = '{ name: turning, strategy: round-robin, members: [ one, two ] }';
  const config = load(text, `session-groups: [ ${group} ]`);
  let turn = 0;
  const view = { ...IDLE_TRUNK, nextTurn: () => turn++ };
  const firsts = ['2', '1', '2', '1', '2', '2'].map((called) =>
    tried(config, requestOf(config, called), view),
  );
  expect(firsts).toEqual([
    'one two one two',
    'three one two',
    'two one one two',
    'three one two',
    'one two one two',
    'two one one two',
  ]);
});

test('several prefixes of one policy are as many policies at one place', () => {
  const config = load(`
    { to: "+49", next-hop: one }
    { to-prefixes: [ "+4930", "+4940", "+4930" ], next-hop: two }
    { to: "+49301", next-hop: three }
  `);
  expect(config.localPolicies.map(({ place, to }) => `${place} ${to}`)).toEqual([
    '0 +49',
    '1 +4930',
    '1 +4940',
    '2 +49301',
  ]);
  const asked = ['+4930', '+49405', '+49301', '+4950'];
  expect(asked.map((called) => tried(config, requestOf(config, called)))).toEqual([
    'two',
    'two',
    'three',
    'one',
  ]);
  const trace = traceRoute(config, requestOf(config, '+49301'), IDLE_TRUNK);
  expect(trace.policies.map(({ index, policy }) => `${index} ${policy.to}`)).toEqual([
    '2 +49301',
    '1 +4930',
    '0 +49',
  ]);
});

describe('by the clock', () => {
  const config = load(`
    { to: "*", next-hop: two }
    { to: "*", time: { days: mon-fri, hours: "08:00-18:00", zone: Europe/Berlin }, next-hop: one }
    { to: "9", time: { hours: "22:00-06:00" }, next-hop: three }
  `);

  test.each([
    ['1', '2026-11-23T07:00:00Z', 'one two'],
    ['1', '2026-11-23T06:59:59Z', 'two'],
    ['1', '2026-11-22T10:00:00Z', 'two'],
    ['9', '2026-11-23T05:59:59Z', 'three'],
    ['9', '2026-11-23T06:00:00Z', 'two'],
  ])('%s at %s: %s', (called, moment, expected) => {
    const request = requestOf(config, called, { atMs: Date.parse(moment) });
    expect(tried(config, request)).toBe(expected);
  });
});

test('the trace says of each policy for the number what became of it', () => {
  const config = load(`
    { to: "+49", next-hop: one }
    { to: "+49", cost: 1, next-hop: two }
    { to: "+49", cost: 2, next-hop: reject }
    { to: "+49", cost: 3, next-hop: three }
    { to: "+4", next-hop: three }
    { to: "+49", from-realm: core, next-hop: three }
    { to: "+49", from-agent: pbx, next-hop: three }
    { to: "+49", from: "+1", next-hop: three }
    { to: "+49", methods: [ REGISTER ], next-hop: three }
    { to: "+49", time: { hours: "02:00-03:00" }, next-hop: three }
    { to: "+33", next-hop: three }
    { to: "+49", priority: 200, next-hop: three }
  `);
  const atMs = Date.parse('2026-11-22T10:00:00Z');
  const request = requestOf(config, '0301', { callingNumber: '0302', atMs });
  const trace = traceRoute(config, request, viewWithout('one'));
  expect(trace).toMatchObject({
    called: { received: '0301', arrived: '+49301' },
    calling: { received: '0302', arrived: '+49302' },
    translateIn: ['e164'],
    others: 1,
  });
  expect(trace.policies.map(({ index, verdict, why }) => `${index} ${verdict} ${why}`)).toEqual([
    '0 no-hop no-agent-available, one out-of-service (no-answer)',
    '1 used ',
    '2 no-hop rejected-by-policy',
    '3 not-reached a policy before it rejects',
    '4 lost to +4 is shorter than +49',
    '11 lost priority 200 comes after 100',
    '9 not-for it is not mon-sun 02:00-03:00 UTC',
    '5 not-for it is for realm core',
    '6 not-for it is for session agent pbx',
    '7 not-for the calling number does not begin with +1',
    '8 not-for it is for REGISTER',
  ]);
});
