import { expect, test } from 'vitest';
import { recordRoutesOf, routeAlong } from '../../../src/wire/route-set.ts';
import { parseSipMessage } from '../../../src/wire/sip-message.ts';

const TARGET = 'sip:bob@192.0.2.7';

test.each([
  ['no proxy', [], { uri: TARGET, routes: [], nextHop: TARGET }],
  [
    'loose',
    ['<sip:a;lr>', '<sip:b;lr>'],
    { uri: TARGET, routes: ['<sip:a;lr>', '<sip:b;lr>'], nextHop: 'sip:a;lr' },
  ],
  [
    'strict',
    ['<sip:a>', '<sip:b;lr>'],
    { uri: 'sip:a', routes: ['<sip:b;lr>', `<${TARGET}>`], nextHop: 'sip:a' },
  ],
  ['unreadable', ['<sip:a'], { uri: TARGET, routes: [], nextHop: TARGET }],
])('a request goes along a route set: %s', (_name, routeSet, routed) => {
  expect(routeAlong(routeSet, TARGET)).toEqual(routed);
});

test.each([
  [['Record-Route: <sip:a;lr>, <sip:b;lr>', 'Record-Route: <sip:c>'], 3],
  [[], 0],
  [['Record-Route: <sip:a'], 0],
])('Record-Route values of %j', (lines, count) => {
  const fixed = ['Via: SIP/2.0/UDP h', 'From: <sip:a@h>;tag=1', 'To: <sip:b@h>', 'Call-ID: c'];
  const text = ['BYE sip:b@h SIP/2.0', ...fixed, 'CSeq: 1 BYE', ...lines, '', ''].join('\r\n');
  expect(recordRoutesOf(parseSipMessage(Buffer.from(text)))).toHaveLength(count);
});
