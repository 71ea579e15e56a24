import { expect, test } from 'vitest';
import { HopQueue } from '../../../src/call/setup/hop-queue.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { route } from '../../../src/trunk/policy.ts';
import type { Hop } from '../../../src/trunk/policy.ts';

const YAML = `
realms: [ { name: core, media: { address: 127.0.0.1, port-min: 21000, port-max: 21999 } } ]
sip-interfaces: [ { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] } ]
session-agents: [ { name: one, realm: core, address: 10.0.0.1 } ]
local-policies: [ { to: "*", next-hop: one } ]
`;
const loaded = loadConfig({ text: YAML, file: 'test', env: {} });
if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
const { config } = loaded;

/** A hop to the user `name`. */
function hop(name: string): Hop {
  const result = route(config, { fromRealm: 'x', calledNumber: name, requestUri: 'sip:x@y' });
  const [first] = result.type === 'route' ? result.hops : [];
  if (first === undefined) throw new Error('no hop');
  return first;
}

function hops(names: string): Hop[] {
  return names.split('').map(hop);
}

function userOf({ requestUri }: Hop): string {
  return requestUri.slice('sip:'.length).split('@')[0] ?? '';
}

/** Takes everything that is left. */
function rest(queue: HopQueue): string {
  let users = '';
  for (let next = queue.take(); next !== undefined; next = queue.take()) users += userOf(next);
  return users;
}

test.each<[status: number, afterRoute: boolean, afterRedirect: boolean]>([
  [302, false, true],
  [404, false, true],
  [408, true, true],
  [486, false, true],
  [503, true, true],
  [600, false, false],
  [603, false, false],
])('after %i: next hop of the route %s, next target %s', (status, afterRoute, afterRedirect) => {
  const queue = new HopQueue(hops('ab'));
  queue.take();
  expect(queue.leadsOn(status)).toBe(afterRoute);
  queue.redirect(hops('xy'));
  queue.take();
  expect(queue.leadsOn(status)).toBe(afterRedirect);
});

test.each([
  [404, true],
  [480, false],
  [503, true],
])('a group with failover code 404 leads on after %i: %s', (status, expected) => {
  const queue = new HopQueue(hops('ab').map((item) => ({ ...item, failoverCodes: [404] })));
  queue.take();
  expect(queue.leadsOn(status)).toBe(expected);
  queue.take();
  expect(queue.leadsOn(status)).toBe(false);
});

test('nothing is left after the last hop', () => {
  const queue = new HopQueue(hops('a'));
  expect(rest(queue)).toBe('a');
  expect(queue.leadsOn(503)).toBe(false);
});

test.each<[what: string, route: string, redirects: string[], order: string]>([
  ['targets come before the rest of the route', 'abc', ['xy'], 'axybc'],
  ['a hop of the route that is a target comes at once, and once', 'abc', ['xc'], 'axcb'],
  ['what was tried is not tried again', 'a', ['xa', 'axy', 'yxa'], 'axy'],
  ['targets of a target come first', 'a', ['xy', 'z'], 'axzy'],
  ['five targets at most, all redirects together', 'ab', ['stu', 'vwxyz'], 'asvwtub'],
])('%s', (_, names, redirects, order) => {
  const queue = new HopQueue(hops(names));
  let users = '';
  for (const targets of redirects) {
    const tried = queue.take();
    users += tried === undefined ? '' : userOf(tried);
    queue.redirect(hops(targets));
  }
  expect(users + rest(queue)).toBe(order);
});
