import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { LINT_RULES } from '../../../src/config/lint.ts';
import { configOf } from './sample.ts';

function items(count: number, item: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => `  - ${item(n)}\n`).join('');
}

/** Realms, agents, groups, policies and translations that grow together, and have to do with each other. */
function sized(size: number): string {
  const realms = size / 5;
  const modes = ['transparent', 'preferred', 'dual'];
  const hours = ['mon-fri', 'sat', 'sun'];
  const hops = (n: number): string =>
    ['request-uri', 'reject', `g${n % realms}`][n % 7] ?? `a${n % size}`;
  const sources = (n: number): string =>
    [`from-realm: "*"`, `from-agent: a${n % size}`][n % 4] ?? `from-realm: r${n % realms}`;
  return `realms:
${items(realms, (n) => `{ name: r${n}, media: { address: 192.0.2.1, port-min: ${20_000 + 100 * n}, port-max: ${20_099 + 100 * n} } }`)}sip-interfaces:
${items(realms, (n) => `{ name: i${n}, realm: r${n}, sip-ports: [ udp/192.0.2.1:${5060 + n} ], admit: ${n % 2 === 0 ? 'anyone' : 'agents'}, allow: [ 198.51.${n}.0/24 ], deny: [ 198.51.0.0/16 ], kpml-interworking: enabled, sip-info: receive }`)}session-agents:
${items(size, (n) => `{ name: a${n}, realm: r${n % realms}, address: "192.0.2.1:${5060 + n}", rfc2833-mode: ${modes[n % 3]}, kpml-interworking: ${n % 2 === 0 ? 'enabled' : 'inherit'}, constraints: { max-sessions: 50 } }`)}session-groups:
${items(realms, (n) => `{ name: g${n}, members: [ ${[0, 1, 2, 3, 4].map((m) => `a${n * 5 + m}`).join(', ')} ] }`)}translations:
  - name: t
    called: [${Array.from({ length: size }, (_, n) => `{ strip-prefix: "${1000 + n}", add-prefix: "+" }`).join(', ')}]
local-policies:
${items(4 * size, (n) => `{ ${sources(n)}, to: "${n % 3 === 0 ? '*' : 1000 + n}", ${n % 5 === 0 ? `time: { days: ${hours[n % 3]}, hours: "08:00-18:00" }, ` : ''}cost: ${n % 9}, next-hop: ${hops(n)} }`)}`;
}

/** A copy of `config` that counts how often something of it is looked at. */
function counted(config: Config): { readonly config: Config; readonly looks: () => number } {
  let looks = 0;
  const watch = (target: unknown): void => {
    if (typeof target !== 'object' || target === null) return;
    for (const [key, value] of Object.entries(target)) {
      const get = (): unknown => {
        looks += 1;
        return value;
      };
      Object.defineProperty(target, key, { get });
      watch(value);
    }
  };
  const copy = structuredClone(config);
  watch(copy);
  return { config: copy, looks: () => looks };
}

const SIZE = 40;
const [SMALL, LARGE] = [configOf(sized(SIZE)), configOf(sized(2 * SIZE))];

test.each(LINT_RULES)('$code looks twice as often at twice as much, not more', ({ find }) => {
  const looks = [SMALL, LARGE].map((config) => {
    const watched = counted(config);
    find(watched.config, { bareNumbers: [] });
    return watched.looks();
  });
  const [few = 0, many = 0] = looks;
  expect(many).toBeLessThan(2.4 * few + 100);
});
