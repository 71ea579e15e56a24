import { describe, expect, test } from 'vitest';
import { routeChanges } from '../../../src/config/plan-routes.ts';
import { configOf, SAMPLE } from './sample.ts';

const BEFORE_POLICIES = SAMPLE.slice(0, SAMPLE.indexOf('local-policies:'));
const AGENTS =
  '  - { name: two, realm: core, address: 127.0.0.1:6082 }\n' +
  '  - { name: pbx, realm: access, address: 127.0.0.1:6070 }\n';
const DAY = 'time: { days: mon-fri, hours: "08:00-18:00" }';

function changesOf(before: readonly string[], after: readonly string[]) {
  const [old, next] = [before, after].map((policies) => {
    const lines = policies.map((policy) => `  - ${policy}\n`).join('');
    return configOf(`${BEFORE_POLICIES}${AGENTS}local-policies:\n${lines}`);
  });
  if (old === undefined || next === undefined) throw new Error('two configurations were made');
  return routeChanges(old, next);
}

/** Each change as one line. */
function linesOf(before: readonly string[], after: readonly string[]): string[] {
  return changesOf(before, after).changes.map(
    ({ source, to, from, method, before: was, after: is }) =>
      `${source} to ${to} from ${from} ${method}: ${was} => ${is}`,
  );
}

const ALL = '{ from-realm: access, to: "*", next-hop: carrier }';

describe('which requests go elsewhere', () => {
  test.each<[title: string, before: string[], after: string[], lines: string[]]>([
    ['the same', [ALL], [ALL], []],
    [
      'another next hop',
      [ALL],
      ['{ from-realm: access, to: "*", next-hop: two }'],
      ['from-realm access to * from * INVITE: carrier => two'],
    ],
    [
      'a longer prefix that comes',
      [ALL],
      [ALL, '{ from-realm: access, to: "+49", next-hop: two }'],
      ['from-realm access to +49 from * INVITE: carrier => two'],
    ],
    [
      'a longer prefix that goes',
      [ALL, '{ from-realm: access, to: "+49", next-hop: reject, code: 603 }'],
      [ALL],
      ['from-realm access to +49 from * INVITE: reject 603 => carrier'],
    ],
    ['the last route', [ALL], [], ['from-realm access to * from * INVITE: carrier => no route']],
    [
      'a prefix that leads where the shorter one leads',
      [ALL],
      [ALL, '{ from-realm: access, to: "+49", next-hop: carrier }'],
      [],
    ],
    [
      'an alternative',
      [ALL],
      [ALL, '{ from-realm: access, to: "*", cost: 5, next-hop: two }'],
      ['from-realm access to * from * INVITE: carrier => carrier, then two'],
    ],
    [
      'alternatives in another order',
      ['{ from-realm: access, next-hop: carrier }', '{ from-realm: access, next-hop: two }'],
      ['{ from-realm: access, next-hop: two }', '{ from-realm: access, next-hop: carrier }'],
      ['from-realm access to * from * INVITE: carrier, then two => two, then carrier'],
    ],
    [
      'a policy for any realm, where each realm is told on its own',
      [ALL],
      [ALL, '{ to: "1", next-hop: two }'],
      [
        'from-realm access to 1 from * INVITE: carrier => two',
        'from-realm core to 1 from * INVITE: no route => two',
      ],
    ],
    [
      'a policy for one agent',
      [ALL],
      [ALL, '{ from-agent: pbx, to: "1", next-hop: two }'],
      ['from-agent pbx to 1 from * INVITE: carrier => two'],
    ],
    [
      'the calling number',
      [ALL],
      [ALL, '{ from-realm: access, from: "030", next-hop: two }'],
      ['from-realm access to * from 030 INVITE: carrier => two'],
    ],
    [
      'hours',
      [ALL],
      [ALL, `{ from-realm: access, ${DAY}, next-hop: two }`],
      [
        'from-realm access to * from * INVITE: carrier => two (mon-fri 08:00-18:00 UTC), then carrier',
      ],
    ],
    [
      'a short prefix that takes precedence by its priority',
      [ALL, '{ from-realm: access, to: "112", next-hop: two }'],
      [
        '{ from-realm: access, to: "*", priority: 1, next-hop: carrier }',
        '{ from-realm: access, to: "112", next-hop: two }',
      ],
      ['from-realm access to 112 from * INVITE: two => carrier'],
    ],
    [
      'the realm that request-uri leaves by',
      ['{ from-realm: core, next-hop: request-uri }'],
      ['{ from-realm: core, next-hop: request-uri, to-realm: core }'],
      ['from-realm core to * from * INVITE: request-uri => request-uri to-realm core'],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(linesOf(before, after)).toEqual(lines);
  });
});

function manyTo(hop: string): string[] {
  return Array.from({ length: 600 }, (_, index) => `{ to: "${1000 + index}", next-hop: ${hop} }`);
}

test('a file that changes everything is told in part', () => {
  const { changes, isPartial } = changesOf(manyTo('carrier'), manyTo('two'));
  expect(isPartial).toBe(true);
  expect(changes).toHaveLength(500);
});
