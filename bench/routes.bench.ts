/**
 * What it costs to find the local policies of a request among 10, 1 000 and 100 000 prefixes of 4 to 12 digits: with the
 * index that routing uses, and by a look at every policy. Also how long the index takes to build, once per configuration.
 */
import { Bench } from 'tinybench';
import { PolicyIndex } from '../src/config/policy-index.ts';
import { DEFAULT_PRIORITY, type LocalPolicy } from '../src/config/routing-config.ts';

const SIZES = [10, 1000, 100_000] as const;
const NUMBERS = 1000;

function policyOf(to: string): LocalPolicy {
  return {
    fromRealm: 'access',
    fromAgent: undefined,
    place: 0,
    to,
    from: '*',
    methods: ['INVITE'],
    priority: DEFAULT_PRIORITY,
    cost: 0,
    time: undefined,
    nextHop: 'carrier',
    toRealm: undefined,
    rejection: undefined,
    translate: undefined,
  };
}

/** Digits that look like any, the same in every run. */
function digits(seed: number, count: number): string {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  let text = '';
  while (text.length < count) {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    text += String(state % 10_000).padStart(4, '0');
  }
  return text.slice(0, count);
}

function policiesOf(size: number): LocalPolicy[] {
  const prefixes = Array.from({ length: size }, (_, index) =>
    policyOf(`+${digits(index, 4 + (index % 9))}`),
  );
  return [policyOf('*'), ...prefixes];
}

/** Half of the numbers begin with a prefix. */
function numbersOf(size: number): string[] {
  return Array.from({ length: NUMBERS }, (_, index) => {
    const known = index % size;
    const start = index % 2 === 0 ? digits(known, 4 + (known % 9)) : digits(-index, 8);
    return `+${start}${digits(index, 4)}`;
  });
}

/** The longest prefix by a look at every policy. */
function naive(policies: readonly LocalPolicy[], called: string): LocalPolicy | undefined {
  let best: LocalPolicy | undefined;
  for (const policy of policies) {
    if (policy.fromRealm !== 'access') continue;
    if (policy.to !== '*' && !called.startsWith(policy.to)) continue;
    if (best === undefined || best.to === '*' || policy.to.length > best.to.length) best = policy;
  }
  return best;
}

const rows = [];
for (const size of SIZES) {
  const policies = policiesOf(size);
  const numbers = numbersOf(size);
  const beganMs = performance.now();
  const index = new PolicyIndex(policies);
  const buildMs = performance.now() - beganMs;
  const query = { method: 'INVITE', fromRealm: 'access', fromAgent: undefined, calling: '' };
  let next = 0;
  const called = (): string => numbers[next++ % NUMBERS] ?? '';
  for (const number of numbers) {
    const found = index.candidates({ ...query, called: number })[0];
    if (found?.to !== naive(policies, number)?.to) throw new Error(`different for ${number}`);
  }
  const bench = new Bench({ time: 500, warmupTime: 100 });
  bench.add('index', () => {
    index.candidates({ ...query, called: called() });
  });
  bench.add('every policy', () => {
    naive(policies, called());
  });
  await bench.run();
  const [fast = 0, slow = 0] = bench.tasks.map((task) =>
    task.result.state === 'completed' ? task.result.latency.p50 * 1000 : 0,
  );
  rows.push({
    prefixes: size,
    'index us (median)': fast.toFixed(2),
    'every policy us': slow.toFixed(2),
    ratio: (slow / fast).toFixed(1),
    'build ms': buildMs.toFixed(1),
  });
}
console.table(rows);
