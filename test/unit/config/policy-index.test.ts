import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyIndex, policyIndex, type PolicyQuery } from '../../../src/config/policy-index.ts';
import { DEFAULT_PRIORITY, type LocalPolicy } from '../../../src/config/routing-config.ts';
import { timeWindow } from '../../../src/config/time-window.ts';

const NIGHT = timeWindow({ days: [0], hours: { from: 0, until: 60 } }, 'UTC', 'mon 00:00-01:00');

function policyOf(changes: Partial<LocalPolicy>): LocalPolicy {
  return {
    fromRealm: '*',
    fromAgent: undefined,
    place: 0,
    to: '*',
    from: '*',
    methods: ['INVITE'],
    priority: DEFAULT_PRIORITY,
    cost: 0,
    time: undefined,
    nextHop: 'x',
    toRealm: undefined,
    rejection: undefined,
    translate: undefined,
    ...changes,
  };
}

function begins(prefix: string, number: string): boolean {
  return prefix === '*' || number.startsWith(prefix);
}

/** What is for the query, by the definition: one look at each policy. */
function isFor(policy: LocalPolicy, query: PolicyQuery): boolean {
  const isSource =
    policy.fromAgent === undefined
      ? policy.fromRealm === '*' || policy.fromRealm === query.fromRealm
      : policy.fromAgent === query.fromAgent;
  return (
    isSource &&
    policy.methods.includes(query.method) &&
    begins(policy.to, query.called) &&
    begins(policy.from, query.calling)
  );
}

function rank({ fromAgent, fromRealm }: LocalPolicy): number {
  return (fromAgent === undefined ? 0 : 2) + (fromRealm === '*' ? 0 : 1);
}

function length(prefix: string): number {
  return prefix === '*' ? 0 : prefix.length;
}

/** Whether `a` counts before `b`, rule after rule. */
function isBefore(a: LocalPolicy, b: LocalPolicy): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  if (length(a.to) !== length(b.to)) return length(a.to) > length(b.to);
  if (length(a.from) !== length(b.from)) return length(a.from) > length(b.from);
  if (rank(a) !== rank(b)) return rank(a) > rank(b);
  if ((a.time === undefined) !== (b.time === undefined)) return a.time !== undefined;
  return a.cost < b.cost;
}

function naive(policies: readonly LocalPolicy[], query: PolicyQuery): LocalPolicy[] {
  const left = policies.filter((policy) => isFor(policy, query));
  const ordered: LocalPolicy[] = [];
  while (left.length > 0) {
    let best = 0;
    for (const [index, policy] of left.entries()) {
      const current = left[best];
      if (current !== undefined && isBefore(policy, current)) best = index;
    }
    ordered.push(...left.splice(best, 1));
  }
  return ordered;
}

const digits = fc.string({ unit: fc.constantFrom('0', '4', '9', '+'), maxLength: 5 });
const anyPrefix = digits.map((text) => (text === '' ? '*' : text));
const anyPolicy = fc
  .record({
    source: fc.constantFrom<Partial<LocalPolicy>>(
      {},
      { fromRealm: 'access' },
      { fromRealm: 'core' },
      { fromAgent: 'one' },
      { fromAgent: 'two' },
    ),
    to: anyPrefix,
    from: fc.oneof(fc.constant('*'), anyPrefix),
    methods: fc.constantFrom(['INVITE'], ['REGISTER'], ['INVITE', 'REGISTER']),
    priority: fc.constantFrom(DEFAULT_PRIORITY, DEFAULT_PRIORITY, 1),
    cost: fc.nat({ max: 2 }),
    time: fc.constantFrom(undefined, undefined, NIGHT),
  })
  .map(({ source, ...rest }) => policyOf({ ...rest, ...source }));
const anyQuery = fc.record({
  method: fc.constantFrom('INVITE', 'REGISTER', 'MESSAGE'),
  fromRealm: fc.constantFrom('access', 'core', 'lab'),
  fromAgent: fc.constantFrom(undefined, 'one', 'two', 'three'),
  called: digits,
  calling: digits,
});

test('the index finds what a look at every policy finds, in the same order', () => {
  fc.assert(
    fc.property(fc.array(anyPolicy, { maxLength: 40 }), anyQuery, (policies, query) => {
      expect(new PolicyIndex(policies).candidates(query)).toEqual(naive(policies, query));
    }),
    { numRuns: 500 },
  );
});

test('a number is incomplete if it is the beginning of a prefix', () => {
  fc.assert(
    fc.property(fc.array(anyPolicy, { maxLength: 20 }), anyQuery, (policies, query) => {
      const isBeginning = policies.some(
        (policy) =>
          isFor({ ...policy, to: '*', from: '*' }, query) &&
          policy.to !== '*' &&
          policy.to.startsWith(query.called),
      );
      const expected = query.called !== '' && isBeginning;
      expect(new PolicyIndex(policies).isIncomplete(query)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test('the index of the same policies is built once', () => {
  const policies = [policyOf({})];
  expect(policyIndex(policies)).toBe(policyIndex(policies));
  expect(policyIndex([...policies])).not.toBe(policyIndex(policies));
});

describe('a hundred thousand prefixes', () => {
  const policies = Array.from({ length: 100_000 }, (_, index) =>
    policyOf({ to: `+49${String(index).padStart(5, '0')}` }),
  );
  const query = { method: 'INVITE', fromRealm: 'access', fromAgent: undefined, calling: '' };

  test.each([
    ['+4900000', 0],
    ['+49123456789', 12_345],
    ['+4999999', 99_999],
  ])('%s is for policy %i alone', (called, index) => {
    expect(policyIndex(policies).candidates({ ...query, called })).toEqual([policies[index]]);
  });

  test('a number of a million digits is for the prefix that it begins with', () => {
    const called = `+4912345${'0'.repeat(1_000_000)}`;
    expect(policyIndex(policies).candidates({ ...query, called })).toEqual([policies[12_345]]);
    expect(policyIndex(policies).isIncomplete({ ...query, called })).toBe(false);
  });
});
