import { expect, test } from 'vitest';
import { answerStrayRequest } from '../../../src/sip/stray-requests.ts';
import { FakeReceivedRequest } from '../../support/fake-sip-connection.ts';

const TO = '<sip:us@sbc>';

test.each([
  ['OPTIONS', TO, false, [200]],
  ['OPTIONS', TO, true, [503]],
  ['OPTIONS', `${TO};tag=old`, false, [481]],
  ['SUBSCRIBE', TO, false, [489]],
  ['SUBSCRIBE', `${TO};tag=old`, false, [481]],
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
  answerStrayRequest(request, isDraining);
  expect(request.answers.map((answer) => answer.status)).toEqual(statuses);
});

test('405 names what is allowed, 489 the event packages', () => {
  const register = new FakeReceivedRequest('REGISTER', { To: TO });
  const subscribe = new FakeReceivedRequest('SUBSCRIBE', { To: TO });
  answerStrayRequest(register, false);
  answerStrayRequest(subscribe, false);
  expect(register.answers[0]?.options.headers?.['Allow']).toContain('INVITE');
  expect(subscribe.answers[0]?.options.headers?.['Allow-Events']).toBe('kpml');
});

test("the engine's own BYE for a forgotten dialog takes no answer", () => {
  const bye = new FakeReceivedRequest('BYE', { To: `${TO};tag=old` }, { isUnsolicited: true });
  answerStrayRequest(bye, false);
  expect(bye.answers).toEqual([]);
});
