/** Reading SIPp's message trace, and the configuration text that the calls through the SBC use. */

import { expect, test } from 'vitest';
import { checkLeaksAfterEach } from '../../support/leak-check.ts';
import { loopbackConfig } from '../../support/loopback-config.ts';
import { parseTrace } from '../../support/sipp.ts';

checkLeaksAfterEach();

const RULER = '-----------------------------------------------';

test('a trace gives direction and message of each block', () => {
  const trace = [
    `${RULER} 2026-01-01T00:00:00.000000\n`,
    'UDP message sent (60 bytes):\n\nINVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n\n',
    `${RULER} 2026-01-01T00:00:00.100000\n`,
    'UDP message received [50] bytes :\n\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n\n',
  ].join('');
  const messages = parseTrace(trace);
  expect(messages.map(({ direction, message }) => `${direction} ${message.startLine}`)).toEqual([
    'sent INVITE sip:b SIP/2.0',
    'received SIP/2.0 200 OK',
  ]);
  expect(messages[0]?.message.body).toContain('v=0');
});

test('the configuration names every port once and routes both ways', async () => {
  const loopback = await loopbackConfig({
    carrier: { address: '127.0.0.1', port: 40_001 },
    phone: { address: '::1', port: 40_003 },
    access: { 'kpml-interworking': 'disabled' },
  });
  const ports = [loopback.access.port, loopback.core.port, loopback.api.port];
  expect(new Set(ports).size).toBe(3);
  expect(loopback.yaml).toContain('kpml-interworking: disabled');
  expect(loopback.yaml).toContain('address: "[::1]:40003"');
  expect(loopback.yaml).toContain('{ from-realm: core, to: "*", next-hop: phone }');
});
