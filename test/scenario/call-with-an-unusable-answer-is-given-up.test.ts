/**
 *   caller            SBC            callee
 *     | INVITE         | INVITE         |
 *     |--------------->|--------------->|
 *     |                |   200, garbage |
 *     |            502 |<---------------|
 *     |<---------------| ACK, BYE       |
 *     |                |--------------->|
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test.each([
  ['nothing at all', ''],
  ['no SDP', 'this is no SDP\r\n'],
  ['a broken m-line', 'v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nt=0 0\r\nm=audio x\r\n'],
])('a callee that answers with %s is released, the caller gets 502', async (_name, body) => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await bob.sip.nextCall();
  await incoming.answer({ body });
  await incoming.dialog.waitForEnd();
  const final = await outgoing.finished();

  expect(statusOf(final)).toBe(502);
  const bye = await incoming.dialog.waitForRequest('BYE');
  expect(headerValue(bye, 'Reason')).toBe('Q.850;cause=88;text="unusable answer"');
  const [record] = await callRecords(running, 1);
  expect(record).toMatchObject({ release: { sipCode: 502, internalCode: 'bad-answer' } });
});
