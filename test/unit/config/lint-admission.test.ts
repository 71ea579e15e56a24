import { expect, test } from 'vitest';
import { detectionMs } from '../../../src/config/lint-admission.ts';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, validOf } from './sample.ts';

const AGENT = 'address: 127.0.0.1:6080';
const CORE = 'tcp/127.0.0.1:6062 ]';
const TOP = 'realms:\n';

function findings(from: string, to: string) {
  return lintConfig(validOf(edited([from, to])));
}

test.each([
  ['{}', '94s', '103s', '1m'],
  ['{ interval: 10s, timeout: 30s, down-after: 2, up-after: 1 }', '28s', '30s', '10s'],
])('options-ping %s: the arithmetic of the detection time is shown', (ping, usual, most, back) => {
  const [finding] = findings(AGENT, `${AGENT}, options-ping: ${ping}`);
  expect(finding).toMatchObject({ code: 'detection-time', severity: 'info', line: 8 });
  expect(finding?.message).toContain(`out of service ${usual} after it fell silent`);
  expect(finding?.message).toContain(`at most ${most}`);
  expect(finding?.message).toContain(`within ${back} of its return`);
});

test('the longest detection counts jitter on every interval', () => {
  const ping = { intervalMs: 1000, timeoutMs: 500, downAfter: 3, upAfter: 1 };
  expect(detectionMs(ping)).toBe(3800);
});

test.each([
  ['overload-thresholds', TOP, `admission: { overload: { lag-high: 50ms } }\n${TOP}`],
  ['overload-thresholds', TOP, `admission: { overload: { cpu-high: 80, cpu-low: 81 } }\n${TOP}`],
  ['denied-agent', CORE, `${CORE}, deny: [ 127.0.0.0/8 ]`],
  [
    'failover-alone',
    'local-policies:',
    'session-groups: [ { name: g, members: [ carrier ], failover-codes: [ 404 ] } ]\nlocal-policies:',
  ],
])('%s', (code, from, to) => {
  expect(findings(from, to).map((finding) => finding.code)).toContain(code);
});

test.each([
  ['one guard off', TOP, `admission: { overload: { lag-high: 0 } }\n${TOP}`],
  ['other networks', CORE, `${CORE}, deny: [ 192.0.2.0/24 ]`],
])('no finding: %s', (_, from, to) => {
  expect(findings(from, to)).toEqual([]);
});
