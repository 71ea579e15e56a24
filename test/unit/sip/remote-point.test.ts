import { expect, test } from 'vitest';
import { contactUriOf, routeOf } from '../../../src/sip/remote-point.ts';
import { parseSipMessage } from '../../../src/wire/sip-message.ts';

function message(startLine: string, ...lines: string[]): ReturnType<typeof parseSipMessage> {
  const fixed = ['Via: SIP/2.0/UDP h', 'From: <sip:a@h>;tag=1', 'To: <sip:b@h>', 'Call-ID: c'];
  const text = [startLine, ...fixed, 'CSeq: 1 INVITE', ...lines, '', ''].join('\r\n');
  return parseSipMessage(Buffer.from(text));
}

const INVITE = 'INVITE sip:b@h SIP/2.0';
const OK = 'SIP/2.0 200 OK';
const NEAR_FAR = { firstRoute: 'sip:near;lr', routeSet: ['<sip:near;lr>', '<sip:far;lr>'] };

test.each([
  [['Contact: "A" <sip:a@h:5070;transport=tcp>;q=1'], 'sip:a@h:5070;transport=tcp'],
  [['Contact: sip:a@h'], 'sip:a@h'],
  [['Contact: *'], undefined],
  [[], undefined],
])('Contact of %j', (lines, uri) => {
  expect(contactUriOf(message(INVITE, ...lines))).toBe(uri);
});

test.each([
  [INVITE, ['Record-Route: <sip:near;lr>, <sip:far;lr>'], NEAR_FAR],
  [OK, ['Record-Route: <sip:far;lr>, <sip:near;lr>'], NEAR_FAR],
  [OK, ['Record-Route: <sip:far;lr>', 'Record-Route: <sip:near;lr>'], NEAR_FAR],
  [OK, [], {}],
])('way back of %s with %j', (startLine, lines, route) => {
  expect(routeOf(message(startLine, ...lines))).toEqual(route);
});
