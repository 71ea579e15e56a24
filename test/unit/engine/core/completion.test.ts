import { describe, expect, test } from 'vitest';
import { parseAppSip } from '../../../../src/engine/admin/app-sip.ts';
import {
  cancelTextOf,
  chosenTag,
  completeDialogRequest,
  completeRequest,
  completeResponse,
  makeResponse,
} from '../../../../src/engine/core/completion.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../../../src/wire/sip-message.ts';
import { requestOf } from '../../../support/message-of.ts';

const DEFAULTS = {
  hostPort: '192.0.2.7:5062',
  contact: '<sip:192.0.2.7:5062>',
  callId: 'new-call',
  tag: 'new-tag',
  cseq: 4711,
};

function appRequest(...lines: string[]): SipRequest {
  const message = parseAppSip(Buffer.from(lines.join('\r\n')));
  if (message.type !== 'request') throw new Error('no request');
  return message;
}

function appResponse(...lines: string[]): SipResponse {
  const message = parseAppSip(Buffer.from(lines.join('\r\n')));
  if (message.type !== 'response') throw new Error('no response');
  return message;
}

function linesOf(headers: readonly SipHeader[]): string[] {
  return headers.map((header) => `${header.name}: ${header.value}`);
}

function complete(...lines: string[]): string[] {
  const result = completeRequest(appRequest(...lines), DEFAULTS);
  return result.type === 'complete'
    ? linesOf(result.message.headers)
    : [`refused: ${result.reason}`];
}

describe('a request outside a dialog', () => {
  test('gets everything the application left out', () => {
    expect(complete('INVITE sip:bob@lab SIP/2.0', '', '')).toEqual([
      'Max-Forwards: 70',
      'From: <sip:192.0.2.7:5062>;tag=new-tag',
      'To: <sip:bob@lab>',
      'Call-ID: new-call',
      'CSeq: 4711 INVITE',
      'Contact: <sip:192.0.2.7:5062>',
    ]);
  });

  test('keeps what the application says', () => {
    const lines = complete(
      'MESSAGE sip:bob@lab SIP/2.0',
      'from: "Al" <sip:a@lab>;tag=mine',
      'to: <sip:b@lab>',
      'call-id: given@x',
      'cseq: 77 MESSAGE',
      'max-forwards: 33',
      'x-bar: 1',
      'X-Foo: 2',
      'some-new-header: 3',
      'p-charging-vector: icid-value=1',
      '',
      '',
    );
    expect(lines).toEqual([
      'Max-Forwards: 33',
      'From: "Al" <sip:a@lab>;tag=mine',
      'To: <sip:b@lab>',
      'Call-ID: given@x',
      'CSeq: 77 MESSAGE',
      'x-bar: 1',
      'X-Foo: 2',
      'Some-New-Header: 3',
      'P-Charging-Vector: icid-value=1',
    ]);
  });

  test.each([
    ['from', 'sip:a@localhost', 'From: <sip:a@192.0.2.7:5062>;tag=new-tag'],
    ['from', '<sip:a@localhost:5099;x=1>', 'From: <sip:a@192.0.2.7:5062;x=1>;tag=new-tag'],
    ['from', '"L" <sip:a@localhost>', 'From: "L" <sip:a@192.0.2.7:5062>;tag=new-tag'],
    ['from', '<sip:a@localhost.example>', 'From: <sip:a@localhost.example>;tag=new-tag'],
    ['to', 'sip:b@localhost', 'To: <sip:b@192.0.2.7:5062>'],
    ['to', 'sip:b@lab', 'To: <sip:b@lab>'],
    ['contact', '<sip:a@localhost;x=1>', 'Contact: <sip:a@192.0.2.7:5062;x=1>'],
    ['contact', 'sip:a@localhost', 'Contact: <sip:a@192.0.2.7:5062>'],
    ['p-asserted-identity', '<sip:p@localhost>', 'P-Asserted-Identity: <sip:p@192.0.2.7:5062>'],
    ['subject', 'mail me@localhost', 'Subject: mail me@localhost'],
  ])('%s: %s becomes %s', (name, value, expected) => {
    expect(complete('OPTIONS sip:bob@lab SIP/2.0', `${name}: ${value}`, '', '')).toContain(
      expected,
    );
  });

  test('keeps the Route of a dialog that the engine does not have', () => {
    const bye = ['BYE sip:bob@lab SIP/2.0', 'route: <sip:p1;lr>, <sip:p2;lr>'];
    expect(complete(...bye, 'To: <sip:b@lab>;tag=t', '', '')).toContain(
      'Route: <sip:p1;lr>, <sip:p2;lr>',
    );
    const outside = complete(...bye, 'To: <sip:b@lab>', '', '');
    expect(outside.some((line) => line.startsWith('Route:'))).toBe(false);
  });

  test('keeps the branch of an INVITE that an earlier engine has sent', () => {
    const via = 'Via: SIP/2.0/UDP h;branch=z9hG4bKone';
    const identity = ['From: <sip:a@lab>;tag=mine', 'Call-ID: c', 'CSeq: 7 INVITE'];
    const invite = ['INVITE sip:bob@lab SIP/2.0', via];
    expect(complete(...invite, ...identity, '', '')).toContain(via);
    expect(complete(...invite, ...identity.slice(1), '', '')).not.toContain(via);
  });

  test.each(['via', 'route', 'record-route', 'rseq', 'content-length'])('drops %s', (name) => {
    const lines = complete('OPTIONS sip:bob@lab SIP/2.0', `${name}: 9`, '', '');
    expect(lines.some((line) => line.toLowerCase().startsWith(`${name}:`))).toBe(false);
  });

  test.each([
    ['INVITE', true],
    ['SUBSCRIBE', true],
    ['NOTIFY', true],
    ['REFER', true],
    ['UPDATE', true],
    ['OPTIONS', false],
    ['REGISTER', false],
    ['MESSAGE', false],
  ])('%s gets a Contact: %s', (method, expected) => {
    const lines = complete(`${method} sip:bob@lab SIP/2.0`, '', '');
    expect(lines.includes(`Contact: ${DEFAULTS.contact}`)).toBe(expected);
  });

  test.each([
    ['v=0\r\n', [], 'Content-Type: application/sdp'],
    ['hello', ['content-type: text/plain'], 'Content-Type: text/plain'],
    ['hello', [], 'refused: missing content-type'],
  ])('the body %j with %j gives %s', (body, fields, expected) => {
    expect(complete('INFO sip:bob@lab SIP/2.0', ...fields, '', body)).toContain(expected);
  });

  test('refuses a From it cannot read', () => {
    expect(complete('OPTIONS sip:bob@lab SIP/2.0', 'from: nobody', '', '')).toEqual([
      'refused: invalid from header',
    ]);
  });

  test('repeated fields become one list', () => {
    const lines = complete('OPTIONS sip:b@lab SIP/2.0', 'Allow: INVITE', 'allow: BYE', '', '');
    expect(lines).toContain('Allow: INVITE,BYE');
  });
});

test('a request inside a dialog has the identity of the dialog, whatever the application says', () => {
  const inDialog = {
    uri: 'sip:target',
    nextHop: 'sip:target',
    headers: [
      { name: 'From', value: '<sip:me>;tag=1' },
      { name: 'CSeq', value: '8 INFO' },
    ],
  };
  const request = appRequest(
    'INFO sip:placeholder SIP/2.0',
    'from: <sip:x>',
    'cseq: 1 INFO',
    'a: b',
    '',
    '',
  );
  const result = completeDialogRequest(request, inDialog, DEFAULTS);
  expect(result).toMatchObject({
    type: 'complete',
    message: { uri: 'sip:target', method: 'INFO' },
  });
  expect(result.type === 'complete' ? linesOf(result.message.headers) : []).toEqual([
    'Max-Forwards: 70',
    'From: <sip:me>;tag=1',
    'CSeq: 8 INFO',
    'Accept-Contact: b',
  ]);
});

describe('a response', () => {
  const request = requestOf(
    'INVITE sip:bob@lab SIP/2.0',
    'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
    'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
    'Record-Route: <sip:p1;lr>',
  );
  const base = { request, hostPort: DEFAULTS.hostPort, contact: DEFAULTS.contact };

  function respond(
    options: { localTag?: string; formsDialog?: boolean; rseq?: number },
    ...lines: string[]
  ): string[] {
    const result = completeResponse(appResponse(...lines), {
      ...base,
      formsDialog: false,
      localTag: undefined,
      ...options,
    });
    return result.type === 'complete' ? linesOf(result.message.headers) : [];
  }

  test('is identified by the request, not by what the application copied', () => {
    const lines = [
      'SIP/2.0 200 OK',
      'call-id: other',
      'from: <sip:x>',
      'to: <sip:y>',
      'cseq: 9 BYE',
      '',
      'v=0',
    ];
    expect(respond({ localTag: 'mine', formsDialog: true }, ...lines)).toEqual([
      'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
      'Record-Route: <sip:p1;lr>',
      'From: <sip:alice@192.0.2.1>;tag=from',
      'To: <sip:bob@192.0.2.2>;tag=mine',
      'Call-ID: call@test',
      'CSeq: 1 INVITE',
      'Contact: <sip:192.0.2.7:5062>',
      'Content-Type: application/sdp',
    ]);
  });

  test('keeps the Contact of the application', () => {
    const lines = respond(
      { localTag: 'mine' },
      'SIP/2.0 302 Moved',
      'contact: <sip:c@localhost>',
      '',
      '',
    );
    expect(lines).toContain('Contact: <sip:c@192.0.2.7:5062>');
  });

  test('a 100 has no tag, a reliable 1xx its RSeq', () => {
    expect(respond({}, 'SIP/2.0 100 Trying', '', '')).toContain('To: <sip:bob@192.0.2.2>');
    const reliable = respond(
      { localTag: 'm', rseq: 5 },
      'SIP/2.0 183 Progress',
      'require: 100rel',
      '',
      '',
    );
    expect(reliable).toEqual(expect.arrayContaining(['RSeq: 5', 'Require: 100rel']));
  });

  test.each([
    ['<sip:b@lab>', undefined],
    ['<sip:b@lab>;tag=chosen', 'chosen'],
  ])('the tag chosen with To: %s is %s', (to, tag) => {
    expect(chosenTag(appResponse('SIP/2.0 200 OK', `to: ${to}`, '', ''))).toBe(tag);
  });

  test('of the engine adds a tag only where there is none', () => {
    const answer = { status: 481, reason: 'Gone', tag: 'mine' };
    const known = requestOf('INFO sip:b SIP/2.0', 'To: <sip:bob@192.0.2.2>;tag=theirs');
    expect(linesOf(makeResponse(request, answer).headers)).toContain(
      'To: <sip:bob@192.0.2.2>;tag=mine',
    );
    expect(linesOf(makeResponse(known, answer).headers)).toContain(
      'To: <sip:bob@192.0.2.2>;tag=theirs',
    );
  });
});

test('the CANCEL of an INVITE repeats its identity, top Via and Route', () => {
  const invite = requestOf(
    'INVITE sip:bob@lab SIP/2.0',
    'CSeq: 42 INVITE',
    'Route: <sip:p1;lr>',
    'Contact: <sip:a@lab>',
  );
  const cancel = cancelTextOf(invite, [{ name: 'Reason', value: 'SIP;cause=200' }]);
  expect(cancel).toMatchObject({ method: 'CANCEL', uri: 'sip:bob@lab' });
  expect(linesOf(cancel.headers)).toEqual([
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtest',
    'Max-Forwards: 70',
    'From: <sip:alice@192.0.2.1>;tag=from',
    'To: <sip:bob@192.0.2.2>',
    'Call-ID: call@test',
    'CSeq: 42 CANCEL',
    'Route: <sip:p1;lr>',
    'Reason: SIP;cause=200',
  ]);
});
