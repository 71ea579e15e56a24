/**
 * With `mode: pass` the SBC looks into no document of the package: agent state, hoteling, xBw parts and bytes that are no
 * UTF-8 reach the other end as they were sent.
 *
 *   phone               SBC              server
 *     |-- SUBSCRIBE ---->|-- SUBSCRIBE --->|   SetAgentState
 *     |<-- 200 ----------|<-- 200 ---------|
 *     |<-- NOTIFY -------|<-- NOTIFY ------|   six documents
 *     |-- 200 ---------->|-- 200 --------->|
 */

import { expect, test } from 'vitest';
import { closeAfterTest, checkLeaksAfterEach } from '../support/leak-check.ts';
import { bodyOf, headerOf, LightSip, uriOf, type LightReply } from '../support/light-sip.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

checkLeaksAfterEach();

const TYPE = 'application/x-as-feature-event+xml';
const CSTA = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';
const SET_AGENT_STATE =
  `${DECLARATION}<SetAgentState ${CSTA}><device></device><requestedAgentState>notReady</requestedAgentState>` +
  '<extensions><privateData><private xmlns:pri="http://schema.broadsoft.com/CSTAPrivateData">' +
  '<pri:AgentNotReadyReasonValue>100</pri:AgentNotReadyReasonValue></private></privateData></extensions>' +
  '<agentID>J\u00fcrgen</agentID><password></password></SetAgentState>';
const DOCUMENTS = [
  `<AgentNotReadyEvent ${CSTA}><device>1</device><agentID>J\u00fcrgen</agentID></AgentNotReadyEvent>`,
  `<ForwardingEvent ${CSTA}><device/><forwardingType>forwardBusy</forwardingType><forwardStatus>true</forwardStatus><forwardTo>M\u00fcller</forwardTo></ForwardingEvent>`,
  '<xBw:ExecutiveEvent xmlns:xBw="http://schema.broadsoft.com/x"><a/>\n\n <b/></xBw:ExecutiveEvent>',
  '<xBw:SecurityClassEvent xmlns:xBw="http://schema.broadsoft.com/x"/>',
  '<HotelingEvent xmlns="http://schema.broadsoft.com/hoteling"><guestAddress/></HotelingEvent>',
  `<DoNotDisturbEvent ${CSTA}><device/><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>`,
];
const PARTS = DOCUMENTS.map(
  (document) => `--b 1\r\nContent-Type: ${TYPE}\r\n\r\n${DECLARATION}${document}\r\n`,
);
/** With a preamble, a quoted boundary and text behind the end: nothing of it is ours to tidy. */
const NOTIFY_BODY = `preamble\r\n${PARTS.join('')}--b 1--\r\nepilogue`;
const NOTIFY_TYPE = 'multipart/mixed; boundary="b 1"';

/** SUBSCRIBEs at the server, NOTIFYs at the phone. */
const atServer: string[] = [];
const atPhone: string[] = [];

/** Answers the SUBSCRIBE. */
function serve(server: LightSip, request: string): LightReply {
  atServer.push(request);
  const head = [
    `To: ${headerOf(request, 'To')};tag=server`,
    `Contact: <sip:dfks@127.0.0.1:${server.port}>`,
    `Expires: ${headerOf(request, 'Expires')}`,
  ];
  return { status: 200, head };
}

/** Sends the documents in the dialog of the SUBSCRIBE; gives the answer. */
function notify(server: LightSip, subscribe: string, to: SipTarget): Promise<string> {
  return server.request({
    method: 'NOTIFY',
    uri: uriOf(headerOf(subscribe, 'Contact')),
    to,
    head: [
      `From: ${headerOf(subscribe, 'To')};tag=server`,
      `To: ${headerOf(subscribe, 'From')}`,
      `Call-ID: ${headerOf(subscribe, 'Call-ID')}`,
      'CSeq: 1 NOTIFY',
      `Contact: <sip:dfks@127.0.0.1:${server.port}>`,
      'Event: as-feature-event;id=7',
      'Subscription-State: terminated;reason=timeout',
      `Content-Type: ${NOTIFY_TYPE}`,
    ],
    body: NOTIFY_BODY,
  });
}

test('agent state of the phone and foreign documents of the server cross byte for byte', async () => {
  const server: LightSip = await LightSip.open('127.0.0.1', (request) => serve(server, request));
  closeAfterTest({ close: async () => server.close() });
  const phone = await LightSip.open('127.0.0.1', (request) => {
    atPhone.push(request);
    return { status: 200 };
  });
  closeAfterTest({ close: async () => phone.close() });
  const features = 'feature-keys: { enabled: true, mode: pass, domains: { pbx.example: [] } }';
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: server,
      edit: (yaml) => yaml.replace('feature-keys: { enabled: false }', features),
    }),
  );
  const answer = await phone.request({
    method: 'SUBSCRIBE',
    uri: 'sip:2001@pbx.example',
    to: running.access,
    head: [
      'From: <sip:2001@pbx.example>;tag=phone',
      'To: <sip:2001@pbx.example>',
      'Call-ID: foreign-bodies',
      'CSeq: 1 SUBSCRIBE',
      `Contact: <sip:2001@127.0.0.1:${phone.port}>`,
      'Event: as-feature-event;id=7',
      'Expires: 0',
      `Content-Type: ${TYPE}`,
    ],
    body: SET_AGENT_STATE,
  });
  const [subscribe = ''] = atServer;
  const notified = await notify(server, subscribe, running.core);
  const [told = ''] = atPhone;

  expect(answer).toMatch(/^SIP\/2\.0 200 /);
  expect(notified).toMatch(/^SIP\/2\.0 200 /);
  expect(bodyOf(subscribe)).toBe(SET_AGENT_STATE);
  expect(headerOf(subscribe, 'Content-Type')).toBe(TYPE);
  expect(bodyOf(told)).toBe(NOTIFY_BODY);
  expect(headerOf(told, 'Content-Type')).toBe(NOTIFY_TYPE);
  expect(headerOf(told, 'Event')).toBe('as-feature-event;id=7');
});
