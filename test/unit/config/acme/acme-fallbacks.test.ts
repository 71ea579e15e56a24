import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyText } from '../../../../src/config/routing-config.ts';
import { route } from '../../../../src/trunk/policy.ts';
import { load } from './imported.ts';

interface Policy {
  readonly to?: string;
  readonly from?: string;
  readonly realm?: string;
  readonly hops: readonly string[];
}

const AGENTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((name, index) => [
  'session-agent',
  ` hostname ${name}`,
  ` ip-address 10.0.1.${10 + index}`,
  ' realm-id core',
]);

/** Hops are written `a`, or `a cost 5`, with a semicolon between parameters. */
function imported(...policies: readonly Policy[]) {
  return load([
    ...AGENTS,
    ...policies.flatMap(({ to = '*', from = '*', realm = 'access', hops }) => [
      'local-policy',
      ` to-address ${to}`,
      ` from-address ${from}`,
      ` source-realm ${realm}`,
      ...hops.flatMap((hop) => [
        ' policy-attribute',
        ...hop.split('; ').map((text, index) => (index === 0 ? `  next-hop ${text}` : `  ${text}`)),
      ]),
    ]),
  ]);
}

/** The agents that a call is offered to, one after the other. */
function tried(
  { config }: ReturnType<typeof load>,
  calledNumber: string,
  callingNumber = '2001',
): readonly string[] {
  const [sipInterface] = config.sipInterfaces;
  if (sipInterface === undefined) throw new Error('no interface');
  const result = route(config, {
    sipInterface,
    fromRealm: sipInterface.realm,
    fromAgent: undefined,
    requestUri: `sip:${calledNumber}@sbc.example`,
    calledNumber,
    callingNumber,
    atMs: 0,
  });
  if (result.type === 'reject') return [result.reason];
  return result.hops.map(({ agent }) => agent?.name ?? '');
}

describe('a call goes on to next hops for shorter prefixes', () => {
  test.each<[string, Policy[], string, string[]]>([
    ['the default route', [{ hops: ['a'] }, { to: '49', hops: ['b'] }], '4930', ['b', 'a']],
    [
      'the longer of them first, wherever it stands',
      [{ hops: ['a'] }, { to: '4', hops: ['b'] }, { to: '49', hops: ['c'] }],
      '4930',
      ['c', 'b', 'a'],
    ],
    [
      'the lower cost of them first',
      [{ hops: ['a; cost 5', 'b; cost 3'] }, { to: '49', hops: ['c; cost 10000'] }],
      '4930',
      ['c', 'b', 'a'],
    ],
    [
      'each of them once',
      [{ hops: ['a', 'b'] }, { to: '4', hops: ['a'] }, { to: '49', hops: ['b'] }],
      '4930',
      ['b', 'a'],
    ],
    [
      'those for any calling number',
      [{ hops: ['a'] }, { from: '20', hops: ['b'] }, { to: '49', from: '2', hops: ['c'] }],
      '4930',
      ['c', 'a'],
    ],
    ['those from any realm', [{ realm: '*', hops: ['a'] }, { hops: ['b'] }], '4930', ['b', 'a']],
    [
      'none after one that ends the search',
      [{ hops: ['a'] }, { to: '49', hops: ['b; terminate-recursion enabled'] }],
      '4930',
      ['b'],
    ],
    [
      'none of other numbers',
      [
        { to: '48', hops: ['a'] },
        { to: '49', hops: ['b'] },
      ],
      '4930',
      ['b'],
    ],
    [
      'no more than four',
      ['*', '1', '12', '123', '1234', '12345'].map((to, index) => ({
        to,
        hops: ['abcdef'.charAt(index)],
      })),
      '12345',
      ['f', 'e', 'd', 'c', 'b'],
    ],
  ])('%s', (_name, policies, number, agents) => {
    expect(tried(imported(...policies), number)).toEqual(agents);
  });

  test('prefixes with the same next hops after their own share one policy', () => {
    const { config } = imported(
      { hops: ['a'] },
      { to: '48', hops: ['b'] },
      { to: '49', hops: ['c'] },
    );
    expect(config.localPolicies.slice(3).map((policy) => policyText(policy))).toEqual([
      'from-realm access, to 48, cost 10000, next-hop a',
      'from-realm access, to 49, cost 10000, next-hop a',
    ]);
    expect(config.localPolicies[3]?.place).toBe(config.localPolicies[4]?.place);
  });

  test('thousands of policies beside a default route become one more', () => {
    const numbers = Array.from({ length: 3000 }, (_, index) => ({
      to: String(800_000 + index),
      hops: ['b'],
    }));
    const { parts, counts } = imported({ hops: ['a'] }, ...numbers);
    expect(parts).toBe(imported({ hops: ['a'] }).parts + 3001);
    expect(counts).toMatchObject({ changed: 0, 'not-carried': 0 });
  });
});

test('whatever the policies, the hops are those of the box in its order', () => {
  const hop = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), cost: fc.nat(3) });
  const policy = fc.record({
    to: fc.constantFrom('*', '1', '12', '121', '2', '22'),
    hops: fc.array(hop, { minLength: 1, maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 8 }), (policies) => {
      const written = policies.map(({ to, hops }) => ({
        to,
        hops: hops.map(({ name, cost }) => `${name}; cost ${cost}`),
      }));
      const config = imported(...written);
      for (const number of ['1212', '22', '3']) {
        const expected = policies
          .filter(({ to }) => to === '*' || number.startsWith(to))
          .flatMap(({ to, hops }) =>
            hops.map(({ name, cost }) => ({ name, cost, length: to === '*' ? 0 : to.length })),
          )
          .toSorted((one, other) => other.length - one.length || one.cost - other.cost)
          .map(({ name }) => name);
        const hops = [...new Set(tried(config, number))];
        expect(hops).toEqual(expected.length === 0 ? ['no-route'] : [...new Set(expected)]);
      }
    }),
    { numRuns: 40 },
  );
});

describe('what policies here cannot tell is said of the local-policy', () => {
  test.each<[string, Policy[], string]>([
    [
      'hours of the shorter prefix',
      [{ hops: ['a; start-time 0800; end-time 1800'] }, { to: '49', hops: ['b'] }],
      'the next hop of line \\d+, which has hours, is not tried after its own',
    ],
    [
      'a shorter prefix in one realm alone',
      [{ hops: ['a'] }, { to: '49', realm: '*', hops: ['b'] }],
      'next hops for shorter prefixes and fewer callers are not tried after its own',
    ],
    [
      'a shorter prefix for one calling number alone',
      [
        { from: '20', hops: ['a'] },
        { to: '49', hops: ['b'] },
      ],
      'next hops for shorter prefixes and fewer callers are not tried after its own',
    ],
    [
      'a lower cost of the shorter prefix',
      [{ hops: ['a'] }, { to: '49', hops: ['b; cost 7'] }],
      'its cost is below that of line \\d+, which is more specific and goes first here',
    ],
    [
      'more than can be tried',
      ['*', '1', '12', '123', '1234', '12345'].map((to, index) => ({
        to,
        hops: ['abcdef'.charAt(index)],
      })),
      '4 next hops for shorter prefixes are tried after its own, no more',
    ],
  ])('%s', (_name, policies, reason) => {
    const { lines } = imported(...policies);
    const headings = lines.filter(
      ({ element, parameter, fate }) =>
        element.startsWith('local-policy') && parameter === '' && fate === 'changed',
    );
    expect(headings.map((line) => line.reason)).toEqual([expect.stringMatching(reason)]);
  });
});
