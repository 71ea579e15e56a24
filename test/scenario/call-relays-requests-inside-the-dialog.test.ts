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
import {
  aliceCallsBob,
  audioBothWays,
  finish,
  openCallStage,
  shareSbcInFile,
} from '../support/call-stage.ts';
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

test('OPTIONS is answered by the SBC', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const options = await call.alice.dialog.request('OPTIONS');
  await finish(call);

  expect(statusOf(options)).toBe(200);
  expect(headerValue(options, 'Allow')).toContain('UPDATE');
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});

test.each(['alice', 'bob'] as const)(
  'a method that has no place in a call of %s gets 405 and the list of those that have one',
  async (sender) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);

    const told: string[] = [];
    for (const method of ['PUBLISH', 'REGISTER', 'BREW']) {
      const refused = await call[sender].dialog.request(method);
      told.push(`${method} ${statusOf(refused)}`);
      expect(headerValue(refused, 'Allow')).toContain('INVITE');
      expect(headerValue(refused, 'Allow')).not.toContain(method);
    }
    await audioBothWays(call);
    await finish(call);

    expect(told).toEqual(['PUBLISH 405', 'REGISTER 405', 'BREW 405']);
    const other = sender === 'alice' ? call.bob : call.alice;
    expect(other.dialog.received.filter(({ startLine }) => !startLine.startsWith('BYE'))).toEqual(
      [],
    );
  },
);

test('INFO and MESSAGE of a side that may not send them get 405; those of the other side pass', async () => {
  const reject = { 'in-dialog-info': 'reject', 'in-dialog-message': 'reject' };
  const stage = await openCallStage({ access: { 'kpml-interworking': 'disabled', ...reject } });
  const call = await aliceCallsBob(stage);
  for (const end of [call.alice, call.bob]) end.dialog.handle('MESSAGE', () => ({ status: 200 }));

  const told: string[] = [];
  for (const sender of ['alice', 'bob'] as const) {
    for (const method of ['INFO', 'MESSAGE']) {
      const answer = await call[sender].dialog.request(method, {
        body: 'hello',
        contentType: 'text/plain',
      });
      const isListed = headerValue(answer, 'Allow')?.includes(method) ?? 'no list';
      told.push(`${sender} ${method} ${statusOf(answer)} ${isListed}`);
    }
  }
  await finish(call);

  expect(told).toEqual([
    'alice INFO 405 false',
    'alice MESSAGE 405 false',
    'bob INFO 200 no list',
    'bob MESSAGE 200 no list',
  ]);
});
