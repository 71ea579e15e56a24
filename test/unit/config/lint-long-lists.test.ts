/** Findings about a thing that has to do with many others name some of them. */
import { expect, test } from 'vitest';
import { LINT_RULES } from '../../../src/config/lint.ts';
import { configOf } from './sample.ts';

function messagesOf(code: string, text: string): string[] {
  const rule = LINT_RULES.find((each) => each.code === code);
  const findings = rule?.find(configOf(text), { bareNumbers: [] }) ?? [];
  return findings.map(({ message }) => message);
}

function lines(count: number, item: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => `  - { ${item(n)} }\n`).join('');
}

function media(n: number): string {
  return `media: { address: 127.0.0.1, port-min: ${20_000 + 10 * n}, port-max: ${20_009 + 10 * n} }`;
}

function dualAmong(kpmlAgents: number): string {
  return `realms:
  - { name: core, ${media(0)} }
sip-interfaces:
  - { name: core, realm: core, sip-ports: [ udp/127.0.0.1:6062 ] }
session-agents:
  - { name: dual, realm: core, address: "127.0.0.1:7000", rfc2833-mode: dual }
${lines(kpmlAgents, (n) => `name: a${n}, realm: core, address: "127.0.0.1:${7001 + n}", kpml-interworking: enabled`)}local-policies:
  - { from-realm: core, to: "*", next-hop: dual }
`;
}

test.each([
  [1, 0],
  [20, 0],
  [21, 1],
  [60, 1],
])('dual opposite %i legs with KPML', (count, further) => {
  const messages = messagesOf('dual-with-kpml', dualAmong(count));
  const unnamed = messages.filter((text) => text.includes('further legs'));
  expect(unnamed).toHaveLength(further);
  expect(new Set(messages).size).toBe(Math.min(count, 20) + further);
});

function withRealms(count: number): string {
  return `realms:
${lines(count, (n) => `name: r${n}, ${media(n)}`)}sip-interfaces:
${lines(count, (n) => `name: i${n}, realm: r${n}, sip-ports: [ udp/127.0.0.1:${6062 + n} ]`)}local-policies:
  - { from-realm: r0, to: "*", next-hop: request-uri }
`;
}

test.each([
  [2, []],
  [4, ['request-uri may leave through any of: r1, r2, r3']],
  [12, ['request-uri may leave through any of: r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 and more']],
])('request-uri among %i realms', (count, messages) => {
  expect(messagesOf('ambiguous-realm', withRealms(count))).toEqual(messages);
});
