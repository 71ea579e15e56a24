import { expect, test } from 'vitest';
import {
  buildAck,
  buildCancel,
  buildResponse,
} from '../../../../src/engine/transaction/built-messages.ts';
import { formatSipMessage } from '../../../../src/wire/sip-message.ts';
import { sampleRequest, sampleResponse } from './sample-messages.ts';

const INVITE = sampleRequest({
  method: 'INVITE',
  cseq: 9,
  extra: [
    'Route: <sip:one;lr>',
    'Route: <sip:two;lr>',
    'Contact: <sip:alice@127.0.0.1>',
    'Content-Type: x/y',
  ],
  body: 'offer',
});

test('the ACK to a failure: Via, Route, From, Call-ID and number of the INVITE, To of the response', () => {
  expect(
    formatSipMessage(buildAck(INVITE, sampleResponse(486)))
      .toString()
      .split('\r\n'),
  ).toEqual([
    'ACK sip:bob@example.com SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKsample1;rport',
    'Route: <sip:one;lr>',
    'Route: <sip:two;lr>',
    'From: <sip:alice@example.com>;tag=alice1',
    'To: <sip:bob@example.com>;tag=bob1',
    'Call-ID: call1@example.com',
    'CSeq: 9 ACK',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ]);
});

test('a CANCEL carries further headers, but none that belong to the INVITE', () => {
  const cancel = buildCancel(INVITE, [
    { name: 'Reason', value: 'SIP;cause=200' },
    { name: 't', value: '<sip:mallory@example.com>' },
    { name: 'Route', value: '<sip:elsewhere>' },
    { name: 'CSEQ', value: '1 BYE' },
  ]);
  expect(cancel.headers.map(({ name }) => name)).toEqual([
    'Via',
    'Route',
    'Route',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Max-Forwards',
    'Reason',
  ]);
  expect(cancel.headers).toContainEqual({ name: 'To', value: '<sip:bob@example.com>' });
});

test('a response: the tag is added where there is none', () => {
  const fresh = buildResponse(INVITE, 404, 'Not Found', 'new');
  const inDialog = buildResponse(
    sampleRequest({ method: 'INFO', toTag: 'old' }),
    404,
    'Not Found',
    'new',
  );
  const trying = buildResponse(INVITE, 100, 'Trying');
  expect(fresh.headers).toContainEqual({ name: 'To', value: '<sip:bob@example.com>;tag=new' });
  expect(inDialog.headers).toContainEqual({ name: 'To', value: '<sip:bob@example.com>;tag=old' });
  expect(trying.headers).toContainEqual({ name: 'To', value: '<sip:bob@example.com>' });
});

test('all Via fields are copied in order; what is missing stays missing', () => {
  const request = sampleRequest({ method: 'INFO', extra: ['v: SIP/2.0/UDP two;branch=2'] });
  request.headers = request.headers.filter(({ name }) => name !== 'Call-ID');
  const { headers } = buildResponse(request, 400, 'Bad Request', 'x');
  expect(headers.map(({ name }) => name)).toEqual(['Via', 'Via', 'From', 'To', 'CSeq']);
});
