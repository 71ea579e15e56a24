/**
 *   alice             SBC             bob
 *     | INFO, MESSAGE  | INFO, MESSAGE  |
 *     |--------------->|--------------->|
 *     |            200 |            200 |
 *     |<---------------|<---------------|
 *     | OPTIONS        |                |
 *     |--------------->|                |
 *     |            200 |                |
 *     |<---------------|                |
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, finish, openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test.each(['alice', 'bob'] as const)(
  'INFO and MESSAGE of %s arrive with body and type, and so do the answers',
  async (sender) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const receiver = sender === 'alice' ? 'bob' : 'alice';
    call[receiver].dialog.handle('INFO', () => ({
      status: 200,
      body: 'thanks',
      contentType: 'text/x-answer',
    }));
    call[receiver].dialog.handle('MESSAGE', () => ({ status: 415, reason: 'Not That' }));

    const info = await call[sender].dialog.request('INFO', {
      body: 'Grüße\r\n',
      contentType: 'text/plain;charset=utf-8',
      headers: [['Info-Package', 'greeting']],
    });
    const message = await call[sender].dialog.request('MESSAGE', {
      body: 'hello',
      contentType: 'text/plain',
    });
    const relayed = await call[receiver].dialog.waitForRequest('INFO');
    await finish(call);

    expect(relayed.body).toBe('Grüße\r\n');
    expect(headerValue(relayed, 'Content-Type')).toBe('text/plain;charset=utf-8');
    expect(headerValue(relayed, 'Info-Package')).toBe('greeting');
    expect([statusOf(info), info.body]).toEqual([200, 'thanks']);
    expect(headerValue(info, 'Content-Type')).toBe('text/x-answer');
    expect(message.startLine).toBe('SIP/2.0 415 Not That');
  },
);

test('INFO that cannot be relayed whole is refused, and the call goes on', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  // What the connection to the SIP engine leaves of bytes that are no UTF-8.
  const damaged = await call.alice.dialog.request('INFO', {
    body: 'a\uFFFDb',
    contentType: 'application/octet-stream',
  });
  const extended = await call.alice.dialog.request('INFO', { headers: [['Require', 'new']] });
  await finish(call);

  expect([statusOf(damaged), statusOf(extended)]).toEqual([415, 420]);
  expect(headerValue(extended, 'Unsupported')).toBe('new');
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});

test('OPTIONS is answered by the SBC, an unknown method gets 405', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const options = await call.alice.dialog.request('OPTIONS');
  const refer = await call.alice.dialog.request('REFER', { headers: [['Refer-To', '<sip:x@y>']] });
  await finish(call);

  expect(statusOf(options)).toBe(200);
  expect(statusOf(refer)).toBe(405);
  expect(headerValue(refer, 'Allow')).toContain('INVITE');
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});
