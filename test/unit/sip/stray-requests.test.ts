import { expect, test } from 'vitest';
import type { ReceivedRequest } from '../../../src/sip/sip-connection.ts';
import { answerStrayRequest } from '../../../src/sip/stray-requests.ts';
import { FakeReceivedRequest } from '../../support/fake-sip-connection.ts';

const TO = '<sip:us@sbc>';
const OPEN = { isDraining: false, isAdmitted: true };

test.each([
  ['OPTIONS', TO, false, [200]],
  ['OPTIONS', TO, true, [503]],
  ['OPTIONS', `${TO};tag=old`, false, [481]],
  ['SUBSCRIBE', TO, false, [489]],
  ['NOTIFY', TO, false, [481]],
  ['BYE', `${TO};tag=old`, false, [481]],
  ['INVITE', `${TO};tag=old`, false, [481]],
  ['UPDATE', TO, false, [481]],
  ['REGISTER', TO, false, [405]],
  ['MESSAGE', TO, false, [405]],
  ['PUBLISH', TO, false, [405]],
  ['INFO', TO, false, [405]],
  ['ACK', `${TO};tag=old`, false, []],
])('%s to %s while draining=%s is answered %j', (method, to, isDraining, statuses) => {
  const request = new FakeReceivedRequest(method, { To: to });
  answerStrayRequest(request, { isDraining, isAdmitted: true });
  expect(request.answers.map((answer) => answer.status)).toEqual(statuses);
});

test.each([
  ['kpml', {}, 489],
  ['kpml', { To: `${TO};tag=old` }, 481],
  ['kpml', { Require: 'one' }, 420],
  ['refer', { To: `${TO};tag=old` }, 481],
  ['served;id=1', { To: `${TO};tag=old`, Require: 'one' }, 481],
  ['served', { Require: 'one' }, 420],
  ['foreign', {}, 489],
  ['foreign', { To: `${TO};tag=old` }, 489],
  ['foreign', { Require: 'one' }, 489],
  ['Served', { Require: 'one' }, 489],
  ['', { To: `${TO};tag=old` }, 489],
])('SUBSCRIBE for "%s" with %j is answered %i', (event, headers, status) => {
  const request = new FakeReceivedRequest('SUBSCRIBE', { To: TO, Event: event, ...headers });
  answerStrayRequest(request, { ...OPEN, servedPackages: ['served'] });
  const [answer] = request.answers;
  expect(answer?.status).toBe(status);
  const allowed = answer?.options.headers?.['Allow-Events'];
  expect(allowed).toBe(status === 489 ? 'kpml, served' : undefined);
});

test('405 names what is allowed, 489 the event packages', () => {
  const register = new FakeReceivedRequest('REGISTER', { To: TO });
  const subscribe = new FakeReceivedRequest('SUBSCRIBE', { To: TO });
  answerStrayRequest(register, OPEN);
  answerStrayRequest(subscribe, OPEN);
  expect(register.answers[0]?.options.headers?.['Allow']).toContain('INVITE');
  expect(subscribe.answers[0]?.options.headers?.['Allow-Events']).toBe('kpml');
});

test('Allow names what is relayed for the sender, but not the method that is refused', () => {
  const context = { ...OPEN, relayed: ['REGISTER'], relay: () => false };
  const allowOf = (method: string): string[] => {
    const request = new FakeReceivedRequest(method, { To: TO });
    answerStrayRequest(request, context);
    return (request.answers[0]?.options.headers?.['Allow'] ?? '').split(', ');
  };

  expect(allowOf('OPTIONS')).toEqual(expect.arrayContaining(['INVITE', 'MESSAGE', 'REGISTER']));
  expect(allowOf('MESSAGE')).toContain('REGISTER');
  expect(allowOf('MESSAGE')).not.toContain('MESSAGE');
});

test.each([
  [false, '100rel, timer, norefersub'],
  [true, '100rel, timer, replaces, norefersub'],
])('OPTIONS of a sender whose calls may replace others=%s: %s', (mayReplace, supported) => {
  const request = new FakeReceivedRequest('OPTIONS', { To: TO });
  answerStrayRequest(request, { ...OPEN, mayReplace });
  expect(request.answers[0]?.options.headers?.['Supported']).toBe(supported);
});

test('what is relayed is not answered here, unless it may not come in at all', () => {
  const seen: string[] = [];
  const relay = ({ message }: ReceivedRequest): boolean => seen.push(message.method) > 0;
  const requests = [
    new FakeReceivedRequest('MESSAGE', { To: TO }),
    new FakeReceivedRequest('MESSAGE', { To: `${TO};tag=old` }),
    new FakeReceivedRequest('MESSAGE', { To: TO, Require: 'one' }),
  ];
  for (const request of requests) answerStrayRequest(request, { ...OPEN, relay });
  const stranger = new FakeReceivedRequest('MESSAGE', { To: TO });
  answerStrayRequest(stranger, { ...OPEN, isAdmitted: false, relay });

  const statuses = [...requests, stranger].map(({ answers }) => answers.map((each) => each.status));
  expect(statuses).toEqual([[], [481], [420], [403]]);
  expect(seen).toEqual(['MESSAGE']);
});

test("the engine's own BYE for a forgotten dialog takes no answer", () => {
  const bye = new FakeReceivedRequest('BYE', { To: `${TO};tag=old` }, { isUnsolicited: true });
  answerStrayRequest(bye, OPEN);
  expect(bye.answers).toEqual([]);
});

test.each([
  ['OPTIONS', TO, [403]],
  ['SUBSCRIBE', TO, [403]],
  ['BYE', `${TO};tag=old`, [403]],
  ['ACK', `${TO};tag=old`, []],
])('%s of a stranger is answered %j', (method, to, statuses) => {
  const request = new FakeReceivedRequest(method, { To: to });
  answerStrayRequest(request, { isDraining: false, isAdmitted: false });
  expect(request.answers.map((answer) => answer.status)).toEqual(statuses);
});

test('an extension that a request insists on is refused by name', () => {
  const options = new FakeReceivedRequest('OPTIONS', { To: TO, Require: 'one, two' });
  answerStrayRequest(options, OPEN);
  expect(options.answers).toEqual([
    { status: 420, options: { headers: { Unsupported: 'one, two' } } },
  ]);
});

test.each([
  ['100rel', [200]],
  ['100Rel,', [200]],
  ['100rel, precondition', [420]],
])('OPTIONS that requires %s is answered %j', (required, statuses) => {
  const options = new FakeReceivedRequest('OPTIONS', { To: TO, Require: required });
  answerStrayRequest(options, OPEN);
  expect(options.answers.map((answer) => answer.status)).toEqual(statuses);
});
