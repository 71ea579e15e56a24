/** Documents that other servers send beside the four features (agent state, hoteling, executive …) in a NOTIFY. */

import { describe, expect, test } from 'vitest';
import { readFeatureReports } from '../../../src/wire/feature-reports.ts';

const TYPE = 'application/x-as-feature-event+xml';
const CSTA = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const XBW = 'xmlns:xBw="http://schema.broadsoft.com/as-feature-event"';
const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';

const DND = `<DoNotDisturbEvent ${CSTA}><device>1</device><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>`;
const BUSY = `<ForwardingEvent ${CSTA}><device>1</device><forwardingType>forwardBusy</forwardingType><forwardStatus>true</forwardStatus><forwardTo>2424</forwardTo></ForwardingEvent>`;

/** [what it is, document, Content-Type if not the usual one] */
const FOREIGN: readonly (readonly [string, string, string?])[] = [
  [
    'an agent that is not ready, with a reason',
    `<AgentNotReadyEvent ${CSTA}><device>1</device><agentID>7</agentID><extensions><privateData><private xmlns:pri="http://schema.broadsoft.com/CSTAPrivateData"><pri:AgentNotReadyReasonValue>100</pri:AgentNotReadyReasonValue></private></privateData></extensions></AgentNotReadyEvent>`,
  ],
  ['an agent that is ready', `<AgentReadyEvent ${CSTA}><device>1</device></AgentReadyEvent>`],
  [
    'an agent that signed in',
    `<AgentLoggedOnEvent ${CSTA}><device>1</device></AgentLoggedOnEvent>`,
  ],
  ['an agent that signed out', `<AgentLoggedOffEvent ${CSTA}><device/></AgentLoggedOffEvent>`],
  [
    'an agent that works after a call',
    `<AgentWorkingAfterCallEvent ${CSTA}><device/></AgentWorkingAfterCallEvent>`,
  ],
  [
    'a guest at a host phone',
    '<HotelingEvent xmlns="http://schema.broadsoft.com/hoteling"><guestAddress>2050</guestAddress><expires>3600</expires></HotelingEvent>',
    'application/x-broadworks-hoteling+xml',
  ],
  ['an executive', `<xBw:ExecutiveEvent ${XBW}><device/></xBw:ExecutiveEvent>`],
  ['an assistant', `<xBw:ExecutiveAssistantEvent ${XBW}><device/></xBw:ExecutiveAssistantEvent>`],
  [
    'call recording',
    `<xBw:CallRecordingModeEvent ${XBW}><mode>always</mode></xBw:CallRecordingModeEvent>`,
  ],
  [
    'a security class with a device of its own',
    `<xBw:SecurityClassEvent ${XBW}><device>DoNotDisturbEvent</device><allowedLevels/></xBw:SecurityClassEvent>`,
  ],
  ['a prefix that is bound to nothing', '<xBw:ExecutiveEvent><device/></xBw:ExecutiveEvent>'],
  ['a forward of a type that is not served', BUSY.replace('forwardBusy', 'forwardBusyExt')],
  ['text that is no XML', 'x=1', 'text/plain'],
  ['nothing', ''],
];

function multipart(parts: readonly (readonly [string, string])[]): [string, Buffer] {
  const text = parts.map(([type, body]) => `--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`);
  return ['multipart/mixed;boundary=b', Buffer.from(`${text.join('')}--b--\r\n`)];
}

const CASES = FOREIGN.map(([what, body, type = TYPE]) => ({ what, body, type }));

describe.each(CASES)('$what', ({ body, type }) => {
  test('by itself reports nothing', () => {
    expect(readFeatureReports(type, Buffer.from(`${DECLARATION}${body}`))).toEqual([]);
  });

  test('between two known documents is skipped, and both are read', () => {
    const [contentType, whole] = multipart([
      [TYPE, `${DECLARATION}${DND}`],
      [type, body],
      [TYPE, `${DECLARATION}${BUSY}`],
    ]);

    expect(readFeatureReports(contentType, whole)).toEqual([
      { feature: 'DoNotDisturb', status: true },
      { feature: 'CallForwardingBusy', status: true, forwardTo: '2424' },
    ]);
  });
});

test('all of them at once leave what is known', () => {
  const foreign = CASES.map(({ body, type }) => [type, body] as const);
  const [contentType, whole] = multipart([...foreign, [TYPE, DND], ...foreign]);

  expect(readFeatureReports(contentType, whole)).toEqual([
    { feature: 'DoNotDisturb', status: true },
  ]);
});
